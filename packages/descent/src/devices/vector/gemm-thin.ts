/**
 * A matrix by one, two or three vectors: nothing to gain by packing the matrix, every element is used once or thrice.
 * The vectors are packed, each to consecutive elements of scratch; the matrix is read where it lies, either along k (sums of
 * products in the lanes, four rows of the matrix at a time) or across it (a sum in every lane).
 *
 * The thin side is m (then sums lie in one row for each vector) or n (then in one row of four for each row of the matrix).
 */
import type { GemmKernel } from '../../kernel/kernel.ts'
import type { Callable, Code } from './code.ts'
import { forRange, locals, minimum, takeDigit } from './control.ts'
import type { Packer } from './gemm-layout.ts'
import type { Operand } from './gemm-operand.ts'
import { type EmittedKernel, newBody, type Target } from './target.ts'

export const mostVectors = 3
/** So many vectors of sums stay in registers while a column of blocks of the matrix is read. */
const mostAtOnce = 8

export interface ThinGemm {
  readonly kernel: GemmKernel
  readonly batch: number
  readonly thin: 'm' | 'n'
  readonly matrix: Operand
  readonly vectors: Packer
  readonly epilogue: Callable
  readonly tablesWord: number
  /** Emits the address of the matrix's elements of this batch at row 0 and k = 0, into the local. */
  readonly matrixBase: (f: Code, batch: ReadonlyMap<number, number>, into: number) => void
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

export function emitThin(g: ThinGemm, target: Target): Omit<EmittedKernel, 'tables'> {
  const { kernel, thin, matrix } = g
  const { lanes } = target
  const load = matrix.loads[0] as Operand['loads'][number]
  const direction = thinDirection(matrix)
  const k = kernel.k.size
  const wide = thin === 'm' ? kernel.n.size : kernel.m.size
  const count = thin === 'm' ? kernel.m.size : kernel.n.size
  const nanoseconds = (g.batch * wide * k) / lanes + g.batch * wide * 4
  const streams = thin === 'm' && direction === 'along' && wide > mostAtOnce * lanes
  const narrowest = streams ? 512 : 32
  const wanted = Math.min(16, Math.ceil(wide / narrowest), Math.ceil(nanoseconds / 20_000 / g.batch))
  const block = Math.ceil(wide / wanted / 32) * 32
  const blocks = Math.ceil(wide / block)
  const vectorBytes = align(k * 4 + 16)
  const sumsAt = vectorBytes * count
  /** Where the sum of vector v and row j of the block lies: sums + v · vectorStep + j · rowStep. */
  const [vectorStep, rowStep] = thin === 'm' ? [block * 4, 4] : [4, 16]

  const f = newBody(target)
  const [c, rest, first, last, base, zero, kEnd, row, vector] = locals(f, 9)
  const sums = f.local('int')
  const batch = new Map(kernel.batch.map((axis) => [axis.id, f.local('int')]))
  /** sum += x · y */
  const accumulate = (sum: number, x: number, y: number) => f.get(x).get(y).get(sum).multiplyAdd().set(sum)

  /** The address of row `row` + j (clamped) at k = 0. */
  const rowAddress = (j: number, into: number) => {
    minimum(
      f,
      () => f.get(row).constant(j).int('add'),
      () => f.constant(wide - 1),
    )
    if (load.along.kind === 'affine') f.constant(load.along.step).int('mul')
    else {
      f.constant(2)
        .int('shl')
        .get(bind)
        .loadAddress(g.tablesWord)
        .int('add')
        .loadInt(load.along.at * 4)
    }
    f.get(base).int('add').set(into)
  }

  const alongDepth = (): void => {
    const unroll = count === 1 ? 2 : 1
    const rows = locals(f, 4)
    const stop = f.local('int')
    const acc = Array.from({ length: 4 * count * unroll }, () => f.local('vector'))
    const y = Array.from({ length: count * unroll }, () => f.local('vector'))
    const x = f.local('vector')
    const sumOf = (u: number, v: number, j: number) => acc[(u * count + v) * 4 + j] as number
    const step = (steps: number, active: number) => {
      for (let u = 0; u < steps; u++) {
        const offset = u * 4 * lanes
        for (let v = 0; v < count; v++) {
          f.get(vector)
            .loadOrZero(v * vectorBytes + offset, active)
            .set(y[u * count + v] as number)
        }
        for (const [j, pointer] of rows.entries()) {
          f.get(pointer).loadOrZero(offset, active).set(x)
          for (let v = 0; v < count; v++) accumulate(sumOf(u, v, j), x, y[u * count + v] as number)
        }
      }
    }
    /** Steps of whole vectors up to `bytes` of each row. */
    const loop = (steps: number, bytes: number) => {
      f.get(scratch).constant(bytes).int('add').set(stop)
      const done = f.block()
      f.get(vector).get(stop).int('ge_u').brIf(done)
      const again = f.loop()
      step(steps, lanes)
      for (const local of [vector, ...rows])
        f.get(local)
          .constant(4 * lanes * steps)
          .int('add')
          .set(local)
      f.get(vector).get(stop).int('lt_u').brIf(again).end().end()
    }
    f.get(first).set(row)
    const finished = f.block()
    const nextRows = f.loop()
    f.get(row).get(last).int('ge_s').brIf(finished)
    for (const [j, local] of rows.entries()) rowAddress(j, local)
    for (const sum of acc) f.splatF32(0).set(sum)
    f.get(scratch).set(vector)
    const whole = Math.floor(k / (lanes * unroll)) * lanes * unroll
    if (whole > 0) loop(unroll, whole * 4)
    if (unroll > 1 && k - whole >= lanes) loop(1, Math.floor(k / lanes) * 4 * lanes)
    if (k % lanes > 0) step(1, k % lanes)
    for (let v = 0; v < count; v++) {
      if (unroll > 1) {
        for (let j = 0; j < 4; j++)
          f.get(sumOf(0, v, j))
            .get(sumOf(1, v, j))
            .float('add')
            .set(sumOf(0, v, j))
      }
      f.sumsOfLanes(sumOf(0, v, 0), sumOf(0, v, 1), sumOf(0, v, 2), sumOf(0, v, 3)).set(x)
      storeSums(v, x, 4, 0)
    }
    f.get(row).constant(4).int('add').set(row)
    f.br(nextRows).end().end()
    f.release(...rows, stop, ...acc, ...y, x)
  }

  /** The first `active` lanes are sums of rows row + more … of vector v. */
  const storeSums = (v: number, value: number, active: number, more: number) => {
    f.get(row).get(first).int('sub').constant(rowStep).int('mul').get(sums).int('add').get(value)
    const offset = v * vectorStep + more * rowStep
    if (thin === 'm') f.storeVector(offset, active)
    else {
      f.storeLanes(
        Array.from({ length: lanes }, (_, lane) => (lane * rowStep) / 4),
        offset,
        active,
      )
    }
  }

  const alongRows = (): void => {
    const pointer = f.local('int')
    const stop = f.local('int')
    const x = f.local('vector')
    const most = count === 1 ? mostAtOnce : mostAtOnce / 2
    const acc = Array.from({ length: most * count }, () => f.local('vector'))
    const y = Array.from({ length: count }, () => f.local('vector'))
    const body = (width: number, active: number) => {
      for (let i = 0; i < width * count; i++) f.splatF32(0).set(acc[i] as number)
      f.get(row).constant(2).int('shl').get(base).int('add').set(pointer)
      f.get(scratch)
        .tee(vector)
        .constant(k * 4)
        .int('add')
        .set(stop)
      const loop = f.loop()
      for (let v = 0; v < count; v++)
        f.get(vector)
          .loadSplat(v * vectorBytes)
          .set(y[v] as number)
      for (let i = 0; i < width; i++) {
        f.get(pointer)
          .loadVector(i * 4 * lanes, active)
          .set(x)
        for (let v = 0; v < count; v++) accumulate(acc[i * count + v] as number, x, y[v] as number)
      }
      f.get(pointer)
        .constant((load.depth as { step: number }).step)
        .int('add')
        .set(pointer)
      f.get(vector).constant(4).int('add').tee(vector).get(stop).int('lt_u').brIf(loop).end()
      for (let i = 0; i < width; i++)
        for (let v = 0; v < count; v++) storeSums(v, acc[i * count + v] as number, active, i * lanes)
      f.get(row)
        .constant(width * lanes)
        .int('add')
        .set(row)
    }
    const pass = (width: number) => {
      if (wide < width * lanes) return
      const finished = f.block()
      const next = f.loop()
      f.get(row)
        .constant(width * lanes)
        .int('add')
        .get(last)
        .int('gt_s')
        .brIf(finished)
      body(width, lanes)
      f.br(next).end().end()
    }
    f.get(first).set(row)
    pass(most)
    pass(1)
    if (wide % lanes > 0) {
      f.get(row).get(last).int('lt_s').if()
      body(1, wide % lanes)
      f.end()
    }
    f.release(pointer, stop, x, ...acc, ...y)
  }

  /**
   * The same with sums in scratch memory: a few rows of the matrix at a time are read from end to end, as memory likes
   * it. For every sum the order of additions is the same.
   */
  const alongRowsInTurn = (): void => {
    const step = (load.depth as { step: number }).step
    const [pointer, into, stop] = locals(f, 3)
    const [x, sum] = [f.local('vector'), f.local('vector')]
    const most = count === 1 ? 4 : 2
    const y = Array.from({ length: most * count }, () => f.local('vector'))
    const part = wide % lanes
    const eachVector = (body: (active: number) => void): void => {
      f.get(first).set(row).get(sums).set(into)
      const next = () => {
        f.get(row).constant(lanes).int('add').set(row)
        f.get(into)
          .constant(4 * lanes)
          .int('add')
          .set(into)
      }
      const finished = f.block()
      const again = f.loop()
      f.get(row).constant(lanes).int('add').get(last).int('gt_s').brIf(finished)
      body(lanes)
      next()
      f.br(again).end().end()
      if (part === 0) return
      f.get(row).get(last).int('lt_s').if()
      body(part)
      f.end()
    }
    const rows = (depth: number): void => {
      for (let u = 0; u < depth; u++) {
        for (let v = 0; v < count; v++) {
          f.get(vector)
            .loadSplat(v * vectorBytes + 4 * u)
            .set(y[u * count + v] as number)
        }
      }
      eachVector((active) => {
        const at = f.local('int')
        f.get(row).constant(2).int('shl').get(pointer).int('add').set(at)
        for (let v = 0; v < count; v++) {
          f.get(into)
            .loadVector(v * vectorStep, lanes)
            .set(sum)
          for (let u = 0; u < depth; u++) {
            f.get(at)
              .loadVector(u * step, active)
              .set(x)
            accumulate(sum, x, y[u * count + v] as number)
          }
          f.get(into)
            .get(sum)
            .storeVector(v * vectorStep, lanes)
        }
      })
      f.get(pointer)
        .constant(depth * step)
        .int('add')
        .set(pointer)
      f.get(vector)
        .constant(4 * depth)
        .int('add')
        .set(vector)
    }
    eachVector(() => {
      for (let v = 0; v < count; v++)
        f.get(into)
          .splatF32(0)
          .storeVector(v * vectorStep, lanes)
    })
    f.get(base).set(pointer).get(scratch).set(vector)
    const whole = Math.floor(k / most) * most
    if (whole > 0) {
      f.get(scratch)
        .constant(4 * whole)
        .int('add')
        .set(stop)
      const again = f.loop()
      rows(most)
      f.get(vector).get(stop).int('lt_u').brIf(again)
      f.end()
    }
    for (let rest = whole; rest < k; rest++) rows(1)
    f.release(pointer, into, stop, x, sum, ...y)
  }

  f.get(scratch).constant(sumsAt).int('add').set(sums)
  f.constant(0).set(zero).constant(k).set(kEnd)
  forRange(
    f,
    c,
    () => f.get(start),
    () => f.get(end),
    () => {
      f.get(c).set(rest)
      takeDigit(f, rest, blocks, first)
      f.get(first).constant(block).int('mul').set(first)
      minimum(
        f,
        () => f.get(first).constant(block).int('add'),
        () => f.constant(wide),
      ).set(last)
      for (const axis of [...kernel.batch].reverse()) takeDigit(f, rest, axis.size, batch.get(axis.id) as number)
      g.matrixBase(f, batch, base)
      g.vectors.prepare(f, batch)
      for (let v = 0; v < count; v++) {
        const dst = () =>
          f
            .get(scratch)
            .constant(v * vectorBytes)
            .int('add')
        g.vectors.pack(f, 1, dst, () => f.constant(v), zero, kEnd, batch)
      }
      if (direction === 'depth') alongDepth()
      else if (streams) alongRowsInTurn()
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
    scratchBytes: sumsAt + align(sumsBytes + 4 * lanes),
    work: () => nanoseconds,
  }
}
