/**
 * A matrix by one, two or three vectors: nothing to gain by packing the matrix, every element is used once or thrice.
 * The vectors are packed, each to consecutive elements of scratch; the matrix is read where it lies, either along k (sums of
 * products in the lanes, four rows of the matrix at a time) or across it (a sum in every lane).
 *
 * The thin side is m (then sums lie in one row for each vector) or n (then in one row of four for each row of the matrix).
 */
import type { GemmKernel } from '../../kernel/kernel.ts'
import { forRange, locals, minimum, takeDigit } from '../vector/control.ts'
import type { EmittedKernel } from '../vector/target.ts'
import type { WasmCode } from './code.ts'
import type { Packer } from './gemm-layout.ts'
import type { Operand } from './gemm-operand.ts'
import type { WasmTarget } from './target.ts'

export const mostVectors = 3

export interface ThinGemm {
  readonly kernel: GemmKernel
  readonly batch: number
  readonly thin: 'm' | 'n'
  readonly matrix: Operand
  readonly vectors: Packer
  readonly epilogue: WasmCode
  readonly tablesWord: number
  /** Emits the address of the matrix's elements of this batch at row 0 and k = 0, into the local. */
  readonly matrixBase: (f: WasmCode, batch: ReadonlyMap<number, number>, into: number) => void
}

/** How a matrix can be read as it lies: along k, or along its rows' index; null: it cannot. */
export function thinDirection(matrix: Operand | null): 'depth' | 'along' | null {
  const load = matrix?.loads[0]
  if (!matrix || !load || matrix.value.kind !== 'load' || load.depth.kind !== 'affine') return null
  if (load.depth.step === 4) return 'depth'
  if (load.along.kind === 'affine' && load.along.step === 4) return 'along'
  return null
}

const [start, end, bind, scratch] = [0, 1, 2, 3]
const align = (bytes: number) => Math.ceil(bytes / 64) * 64

export function emitThin(g: ThinGemm, target: WasmTarget): Omit<EmittedKernel, 'tables'> {
  const { kernel, thin, matrix } = g
  const load = matrix.loads[0] as Operand['loads'][number]
  const direction = thinDirection(matrix)
  const k = kernel.k.size
  const wide = thin === 'm' ? kernel.n.size : kernel.m.size
  const count = thin === 'm' ? kernel.m.size : kernel.n.size
  const nanoseconds = (g.batch * wide * k) / 4 + g.batch * wide * 4
  const wanted = Math.min(16, Math.ceil(wide / 32), Math.ceil(nanoseconds / 20_000 / g.batch))
  const block = Math.ceil(wide / wanted / 32) * 32
  const blocks = Math.ceil(wide / block)
  const vectorBytes = align(k * 4 + 16)
  const sumsAt = vectorBytes * count
  /** Where the sum of vector v and row j of the block lies: sums + v · vectorStep + j · rowStep. */
  const [vectorStep, rowStep] = thin === 'm' ? [block * 4, 4] : [4, 16]

  const f = target.newFunction(['int', 'int', 'int', 'int'])
  const [c, rest, first, last, base, zero, kEnd, row, vector] = locals(f, 9)
  const sums = f.local('i32')
  const batch = new Map(kernel.batch.map((axis) => [axis.id, f.local('i32')]))
  /** sum += x · y */
  const accumulate = (sum: number, x: number, y: number) => {
    if (target.relaxedSimd) f.get(x).get(y).get(sum).f32x4('relaxed_madd')
    else f.get(sum).get(x).get(y).f32x4('mul').f32x4('add')
    f.set(sum)
  }

  /** The address of row `row` + j (clamped) at k = 0. */
  const rowAddress = (j: number, into: number) => {
    minimum(
      f,
      () => f.get(row).constant(j).i32('add'),
      () => f.constant(wide - 1),
    )
    if (load.along.kind === 'affine') f.constant(load.along.step).i32('mul')
    else {
      f.constant(2)
        .i32('shl')
        .get(bind)
        .load('i32.load', g.tablesWord * 4)
        .i32('add')
        .load('i32.load', load.along.at * 4)
    }
    f.get(base).i32('add').set(into)
  }

  const alongDepth = (): void => {
    const unroll = count === 1 ? 2 : 1
    const rows = locals(f, 4)
    const stop = f.local('i32')
    const acc = Array.from({ length: 4 * count * unroll }, () => f.local('v128'))
    const y = Array.from({ length: count * unroll }, () => f.local('v128'))
    const x = f.local('v128')
    const sumOf = (u: number, v: number, j: number) => acc[(u * count + v) * 4 + j] as number
    /** `width` lanes of each step are read; the loop runs while `vector` < stop. */
    const loop = (steps: number, lanes: 4 | 1, bytes: number) => {
      f.get(scratch).constant(bytes).i32('add').set(stop)
      const done = f.block()
      const again = f.loop()
      f.get(vector).get(stop).i32('ge_u').brIf(done)
      for (let u = 0; u < steps; u++) {
        const read = lanes === 4 ? 'v128.load' : 'v128.load32_zero'
        for (let v = 0; v < count; v++) {
          f.get(vector)
            .vectorLoad(read, v * vectorBytes + u * 16)
            .set(y[u * count + v] as number)
        }
        for (let j = 0; j < 4; j++) {
          f.get(rows[j] as number)
            .vectorLoad(read, u * 16)
            .set(x)
          for (let v = 0; v < count; v++) accumulate(sumOf(u, v, j), x, y[u * count + v] as number)
        }
      }
      const bytesRead = lanes * 4 * steps
      for (const local of [vector, ...rows]) f.get(local).constant(bytesRead).i32('add').set(local)
      f.br(again).end().end()
    }
    f.get(first).set(row)
    const finished = f.block()
    const nextRows = f.loop()
    f.get(row).get(last).i32('ge_s').brIf(finished)
    for (const [j, local] of rows.entries()) rowAddress(j, local)
    for (const sum of acc) f.splatF32(0).set(sum)
    f.get(scratch).set(vector)
    const whole = Math.floor(k / (4 * unroll)) * 4 * unroll
    if (whole > 0) loop(unroll, 4, whole * 4)
    if (unroll > 1 && k - whole >= 4) loop(1, 4, Math.floor(k / 4) * 16)
    if (k % 4 > 0) loop(1, 1, k * 4)
    for (let v = 0; v < count; v++) {
      for (let j = 0; j < 4; j++) {
        if (unroll > 1)
          f.get(sumOf(0, v, j))
            .get(sumOf(1, v, j))
            .f32x4('add')
            .set(sumOf(0, v, j))
      }
      const [a, b, c2, d] = [0, 1, 2, 3].map((j) => sumOf(0, v, j)) as [number, number, number, number]
      // The four lanes of each are added: turned, then added as rows.
      const pair = (p: number, q: number, into: number) =>
        f.get(p).get(q).shuffle32(0, 4, 1, 5).get(p).get(q).shuffle32(2, 6, 3, 7).f32x4('add').set(into)
      pair(a, b, a)
      pair(c2, d, c2)
      f.get(a).get(c2).shuffle32(0, 1, 4, 5).get(a).get(c2).shuffle32(2, 3, 6, 7).f32x4('add').set(x)
      storeSums(v, x)
    }
    f.get(row).constant(4).i32('add').set(row)
    f.br(nextRows).end().end()
    f.release(...rows, stop, ...acc, ...y, x)
  }

  /** Sums of rows row … row + 3 of vector v. */
  const storeSums = (v: number, value: number, more = 0) => {
    const address = () => {
      f.get(row).get(first).i32('sub').constant(rowStep).i32('mul').get(sums).i32('add')
    }
    if (thin === 'm') {
      address()
      f.get(value).vectorStore(v * vectorStep + more * 4)
    } else {
      for (let lane = 0; lane < 4; lane++) {
        address()
        f.get(value).laneAccess('v128.store32_lane', lane, v * vectorStep + (more + lane) * rowStep)
      }
    }
  }

  const alongRows = (): void => {
    const pointer = f.local('i32')
    const stop = f.local('i32')
    const x = f.local('v128')
    const most = count === 1 ? 8 : 4
    const acc = Array.from({ length: most * count }, () => f.local('v128'))
    const y = Array.from({ length: count }, () => f.local('v128'))
    const pass = (width: number) => {
      const finished = f.block()
      const next = f.loop()
      f.get(row)
        .constant(width === 1 ? 0 : width * 4 - 1)
        .i32('add')
        .get(last)
        .i32('ge_s')
        .brIf(finished)
      for (let i = 0; i < width * count; i++) f.splatF32(0).set(acc[i] as number)
      f.get(row).constant(2).i32('shl').get(base).i32('add').set(pointer)
      f.get(scratch)
        .tee(vector)
        .constant(k * 4)
        .i32('add')
        .set(stop)
      const loop = f.loop()
      for (let v = 0; v < count; v++)
        f.get(vector)
          .vectorLoad('v128.load32_splat', v * vectorBytes)
          .set(y[v] as number)
      for (let i = 0; i < width; i++) {
        f.get(pointer)
          .vectorLoad('v128.load', i * 16)
          .set(x)
        for (let v = 0; v < count; v++) accumulate(acc[i * count + v] as number, x, y[v] as number)
      }
      f.get(pointer)
        .constant((load.depth as { step: number }).step)
        .i32('add')
        .set(pointer)
      f.get(vector).constant(4).i32('add').tee(vector).get(stop).i32('lt_u').brIf(loop).end()
      for (let i = 0; i < width; i++) for (let v = 0; v < count; v++) storeSums(v, acc[i * count + v] as number, i * 4)
      f.get(row)
        .constant(width * 4)
        .i32('add')
        .set(row)
      f.br(next).end().end()
    }
    f.get(first).set(row)
    pass(most)
    pass(1)
    f.release(pointer, stop, x, ...acc, ...y)
  }

  f.get(scratch).constant(sumsAt).i32('add').set(sums)
  f.constant(0).set(zero).constant(k).set(kEnd)
  forRange(
    f,
    c,
    () => f.get(start),
    () => f.get(end),
    () => {
      f.get(c).set(rest)
      takeDigit(f, rest, blocks, first)
      f.get(first).constant(block).i32('mul').set(first)
      minimum(
        f,
        () => f.get(first).constant(block).i32('add'),
        () => f.constant(wide),
      ).set(last)
      for (const axis of [...kernel.batch].reverse()) takeDigit(f, rest, axis.size, batch.get(axis.id) as number)
      g.matrixBase(f, batch, base)
      g.vectors.prepare(f, batch)
      for (let v = 0; v < count; v++) {
        g.vectors.pack(
          f,
          1,
          () =>
            f
              .get(scratch)
              .constant(v * vectorBytes)
              .i32('add'),
          () => f.constant(v),
          zero,
          kEnd,
          batch,
        )
      }
      if (direction === 'depth') alongDepth()
      else alongRows()
      if (thin === 'm') f.constant(0).constant(count).get(first).get(last).get(sums).constant(vectorStep)
      else f.get(first).get(last).constant(0).constant(count).get(sums).constant(rowStep)
      f.get(bind).get(scratch)
      for (const local of batch.values()) f.get(local)
      f.call(g.epilogue)
    },
  )
  const chunks = g.batch * blocks
  const sumsBytes = thin === 'm' ? vectorStep * count : (block + 4) * rowStep
  return {
    phases: [{ body: f, chunks: () => chunks }],
    sharedBytes: 0,
    scratchBytes: sumsAt + align(sumsBytes + 16),
    work: () => nanoseconds,
  }
}
