/**
 * The packed GEMM: a phase that packs A for all (where several chunks need it), the phase of the products, and, where
 * k is split, a phase that adds the parts. Within a chunk a block of B is packed for each step of k; then panel after panel of A
 * passes over it, and each panel's finished rows go through the epilogue while they are in the L1 cache.
 */
import type { GemmKernel } from '../../kernel/kernel.ts'
import { forRange, locals, minimum, takeDigit } from './control.ts'
import { type EmittedKernel, newBody, type Phase, type Target } from './emit.ts'
import type { FunctionBuilder } from './encode.ts'
import { micro, panelColumns, panelHeights } from './gemm-micro.ts'
import { type Problem, panelsOf, rate, type Tiling } from './gemm-tiling.ts'

/** How an operand gets into panels. */
export interface Packer {
  readonly batched: boolean
  /** Emits what a chunk's packing needs, once its batch variables are set. */
  prepare(f: FunctionBuilder, batch: ReadonlyMap<number, number>): void
  /** Emits the packing of the panel that starts at `p`, over k … kEnd (locals), to the address that `dst` pushes. */
  pack(
    f: FunctionBuilder,
    width: number,
    dst: () => void,
    p: () => void,
    k: number,
    kEnd: number,
    batch: ReadonlyMap<number, number>,
  ): void
}

const [start, end, bind, scratch] = [0, 1, 2, 3]
const align = (bytes: number) => Math.ceil(bytes / 64) * 64

export interface PackedGemm {
  readonly kernel: GemmKernel
  readonly problem: Problem
  readonly tiling: Tiling
  readonly a: Packer
  readonly b: Packer
  /** See `emitEpilogue`. */
  readonly epilogue: FunctionBuilder
  /** Word of the bind table that holds the address of shared memory. */
  readonly sharedWord: number
}

export function emitPacked(g: PackedGemm, target: Target): Omit<EmittedKernel, 'tables'> {
  const e = new PackedEmitter(g, target)
  const phases: Phase[] = []
  if (g.tiling.sharedA) phases.push(e.packPhase())
  phases.push(e.productPhase())
  if (g.tiling.splits > 1) phases.push(e.sumPhase())
  const { batch, m, n, k } = g.problem
  const nanoseconds = (batch * m * n * k) / rate + (batch * m * n) / 4
  return { phases, sharedBytes: e.sharedBytes, scratchBytes: e.scratchBytes, work: () => nanoseconds }
}

class PackedEmitter {
  readonly g: PackedGemm
  readonly target: Target
  readonly sharedBytes: number
  readonly scratchBytes: number
  readonly blockOfB: number
  readonly sums: number
  /** Rows that panels cover: more than m only where m is very small. */
  readonly rows: number
  /** Row length of a split's sums. */
  readonly columns: number

  constructor(g: PackedGemm, target: Target) {
    this.g = g
    this.target = target
    const { m, n, k, batch } = g.problem
    const t = g.tiling
    this.rows = Math.max(m, 8)
    this.columns = Math.ceil(n / panelColumns) * panelColumns
    this.blockOfB = align(panelHeights[0] * t.kBlock * 4)
    this.sums = this.blockOfB + align(t.kBlock * t.nBlock * 4)
    const sumRows = t.splits > 1 ? 1 : t.kSplit > t.kBlock ? Math.max(t.mBlock, this.rows > m ? 8 : 0) : panelHeights[0]
    const sumColumns = t.splits > 1 ? this.columns : t.nBlock
    this.scratchBytes = this.sums + align(sumRows * sumColumns * 4)
    this.sharedBytes = t.sharedA
      ? (g.a.batched ? batch : 1) * this.rows * k * 4
      : t.splits > 1
        ? batch * t.splits * this.rows * this.columns * 4
        : 0
  }

  /** Phase: every chunk packs a quarter of a k block of a block of rows of A into shared memory. */
  packPhase(): Phase {
    const { g } = this
    const { kBlock, mBlocks, mBlock } = g.tiling
    const kBlocks = Math.ceil(g.problem.k / kBlock)
    const quarter = Math.ceil(kBlock / 16) * 4
    const f = newBody(this.target)
    const [c, rest, m0, k0, kEnd, from, to] = locals(f, 7)
    const batch = this.batchLocals(f)
    const image = f.local('i32')
    forRange(
      f,
      c,
      () => f.get(start),
      () => f.get(end),
      () => {
        f.get(c).set(rest)
        takeDigit(f, rest, 4, from)
        takeDigit(f, rest, mBlocks, m0)
        f.get(m0).constant(mBlock).i32('mul').set(m0)
        takeDigit(f, rest, kBlocks, k0)
        f.get(k0).constant(kBlock).i32('mul').set(k0)
        f.get(rest).set(image)
        if (g.a.batched) this.setBatch(f, rest, batch)
        g.a.prepare(f, batch)
        minimum(
          f,
          () => f.get(k0).constant(kBlock).i32('add'),
          () => f.constant(g.problem.k),
        ).set(kEnd)
        f.get(k0).get(from).constant(quarter).i32('mul').i32('add').set(from)
        minimum(
          f,
          () => f.get(from).constant(quarter).i32('add'),
          () => f.get(kEnd),
        ).set(to)
        f.get(from).get(to).i32('lt_s').if()
        this.eachPanel(f, m0, (height, row) => {
          const dst = () => {
            this.sharedPanel(f, image, k0, kEnd, row)
            f.get(from)
              .get(k0)
              .i32('sub')
              .constant(height * 4)
              .i32('mul')
              .i32('add')
          }
          g.a.pack(f, height, dst, () => f.get(row), from, to, batch)
        })
        f.end()
      },
    )
    const chunks = (g.a.batched ? g.problem.batch : 1) * kBlocks * mBlocks * 4
    return { body: f, chunks: () => chunks }
  }

  productPhase(): Phase {
    const { g } = this
    const { m, n, k, batch: images } = g.problem
    const { mBlock, mBlocks, nBlock, nBlocks, kBlock, splits, kSplit, sharedA } = g.tiling
    const f = newBody(this.target)
    const [c, rest, n0, nEnd, panels, m0, kStart, kStop, k0, kEnd, q] = locals(f, 11)
    const [sums, firstSums, image, part, packedB, packedA] = locals(f, 6)
    const batch = this.batchLocals(f)
    const staying = kSplit > kBlock || splits > 1
    const rowBytes = (splits > 1 ? this.columns : nBlock) * 4
    f.get(scratch).constant(this.blockOfB).i32('add').set(packedB)
    forRange(
      f,
      c,
      () => f.get(start),
      () => f.get(end),
      () => {
        f.get(c).set(rest)
        takeDigit(f, rest, nBlocks, n0)
        f.get(n0).constant(nBlock).i32('mul').set(n0)
        minimum(
          f,
          () => f.get(n0).constant(nBlock).i32('add'),
          () => f.constant(n),
        ).set(nEnd)
        f.get(nEnd)
          .get(n0)
          .i32('sub')
          .constant(panelColumns - 1)
          .i32('add')
          .constant(3)
          .i32('shr_u')
          .set(panels)
        takeDigit(f, rest, mBlocks, m0)
        f.get(m0).constant(mBlock).i32('mul').set(m0)
        takeDigit(f, rest, splits, part)
        f.get(part).constant(kSplit).i32('mul').set(kStart)
        minimum(
          f,
          () => f.get(kStart).constant(kSplit).i32('add'),
          () => f.constant(k),
        ).set(kStop)
        f.get(rest).set(image)
        this.setBatch(f, rest, batch)
        if (!sharedA) g.a.prepare(f, batch)
        g.b.prepare(f, batch)
        if (splits > 1) {
          this.shared(f)
          f.get(image)
            .constant(splits)
            .i32('mul')
            .get(part)
            .i32('add')
            .constant(this.rows)
            .i32('mul')
            .get(m0)
            .i32('add')
          f.constant(this.columns).i32('mul').get(n0).i32('add').constant(2).i32('shl').i32('add').set(firstSums)
        } else f.get(scratch).constant(this.sums).i32('add').set(firstSums)

        f.get(kStart).set(k0)
        const nextBlock = f.loop()
        minimum(
          f,
          () => f.get(k0).constant(kBlock).i32('add'),
          () => f.get(kStop),
        ).set(kEnd)
        forRange(
          f,
          q,
          () => f.constant(0),
          () => f.get(panels),
          () => {
            const dst = () =>
              f.get(kEnd).get(k0).i32('sub').get(q).i32('mul').constant(5).i32('shl').get(packedB).i32('add')
            g.b.pack(f, panelColumns, dst, () => f.get(q).constant(3).i32('shl').get(n0).i32('add'), k0, kEnd, batch)
          },
        )
        f.get(firstSums).set(sums)
        this.eachPanel(f, m0, (height, row) => {
          if (sharedA) {
            if (g.a.batched) this.sharedPanel(f, image, k0, kEnd, row)
            else this.sharedPanel(f, null, k0, kEnd, row)
          } else {
            g.a.pack(
              f,
              height,
              () => f.get(scratch),
              () => f.get(row),
              k0,
              kEnd,
              batch,
            )
            f.get(scratch)
          }
          f.set(packedA)
          f.get(packedA).get(packedB).get(sums).get(panels).get(kEnd).get(k0).i32('sub').constant(rowBytes)
          if (kSplit > kBlock) f.get(k0).get(kStart).i32('ne')
          else f.constant(0)
          f.call(micro(this.target, height))
          if (splits === 1) {
            if (kSplit > kBlock) f.get(kEnd).get(kStop).i32('eq').if()
            f.get(row)
            minimum(
              f,
              () => f.get(row).constant(height).i32('add'),
              () => f.constant(m),
            )
            f.get(n0).get(nEnd).get(sums).constant(rowBytes).get(bind).get(scratch)
            for (const local of batch.values()) f.get(local)
            f.call(g.epilogue)
            if (kSplit > kBlock) f.end()
          }
          if (staying)
            f.get(sums)
              .constant(height * rowBytes)
              .i32('add')
              .set(sums)
        })
        f.get(kEnd).tee(k0).get(kStop).i32('lt_s').brIf(nextBlock)
        f.end()
      },
    )
    const chunks = images * splits * mBlocks * nBlocks
    return { body: f, chunks: () => chunks }
  }

  /** Phase: every chunk adds the parts of some rows, in order, and runs the epilogue on them. */
  sumPhase(): Phase {
    const { g } = this
    const { m, n, batch: images } = g.problem
    const rowsPerChunk = 4
    const { splits } = g.tiling
    const f = newBody(this.target)
    const [c, rest, row, image, source, target, stop, rowEnd, block] = locals(f, 9)
    const batch = this.batchLocals(f)
    const partBytes = this.rows * this.columns * 4
    const blocks = Math.ceil(m / rowsPerChunk)
    forRange(
      f,
      c,
      () => f.get(start),
      () => f.get(end),
      () => {
        f.get(c).set(rest)
        takeDigit(f, rest, blocks, block)
        f.get(rest).set(image)
        this.setBatch(f, rest, batch)
        minimum(
          f,
          () => f.get(block).constant(1).i32('add').constant(rowsPerChunk).i32('mul'),
          () => f.constant(m),
        ).set(rowEnd)
        forRange(
          f,
          row,
          () => f.get(block).constant(rowsPerChunk).i32('mul'),
          () => f.get(rowEnd),
          () => {
            this.shared(f)
            f.get(image)
              .constant(splits * this.rows)
              .i32('mul')
              .get(row)
              .i32('add')
              .constant(this.columns * 4)
              .i32('mul')
              .i32('add')
            f.set(source)
            f.get(scratch)
              .constant(this.sums)
              .i32('add')
              .tee(target)
              .constant(this.columns * 4)
              .i32('add')
              .set(stop)
            const again = f.loop()
            f.get(target)
            for (let s = 0; s < splits; s++) {
              f.get(source).vectorLoad('v128.load', s * partBytes)
              if (s > 0) f.f32x4('add')
            }
            f.vectorStore()
            f.get(source).constant(16).i32('add').set(source)
            f.get(target).constant(16).i32('add').tee(target).get(stop).i32('lt_u').brIf(again).end()
            f.get(row).get(row).constant(1).i32('add').constant(0).constant(n)
            f.get(scratch).constant(this.sums).i32('add').constant(0).get(bind).get(scratch)
            for (const local of batch.values()) f.get(local)
            f.call(g.epilogue)
          },
        )
      },
    )
    return { body: f, chunks: () => images * blocks }
  }

  /** The panels of the block of rows that starts at m0; `body` gets a panel's height and the local of its first row. */
  private eachPanel(f: FunctionBuilder, m0: number, body: (height: number, row: number) => void): void {
    const { mBlock, mBlocks } = this.g.tiling
    const { m } = this.g.problem
    const lastRows = m - (mBlocks - 1) * mBlock
    const last = panelsOf(lastRows)
    const height = panelHeights[0]
    const [row, stop] = locals(f, 2)
    f.get(m0).set(row)
    const isLast = () =>
      f
        .get(m0)
        .constant((mBlocks - 1) * mBlock)
        .i32('eq')
    if (mBlocks > 1) {
      f.get(m0)
        .constant(last.high * height)
        .i32('add')
        .get(m0)
        .constant(mBlock)
        .i32('add')
      isLast()
      f.select().set(stop)
    } else f.constant(last.high * height).set(stop)
    if (mBlocks > 1 || last.high > 0) {
      const done = f.block()
      const again = f.loop()
      f.get(row).get(stop).i32('ge_s').brIf(done)
      body(height, row)
      f.get(row).constant(height).i32('add').set(row)
      f.br(again).end().end()
    }
    if (last.rest.length > 0) {
      if (mBlocks > 1) {
        isLast()
        f.if()
      }
      for (const rest of last.rest) {
        body(rest, row)
        f.get(row).constant(rest).i32('add').set(row)
      }
      if (mBlocks > 1) f.end()
    }
    f.release(row, stop)
  }

  private shared(f: FunctionBuilder): void {
    f.get(bind).load('i32.load', this.g.sharedWord * 4)
  }

  /** Pushes the address of a packed panel of A: k blocks one after the other, in each the panels by their rows. */
  private sharedPanel(f: FunctionBuilder, image: number | null, k0: number, kEnd: number, row: number): void {
    this.shared(f)
    if (image !== null && this.g.a.batched) f.get(image).constant(this.g.problem.k).i32('mul').get(k0).i32('add')
    else f.get(k0)
    f.constant(this.rows).i32('mul').get(kEnd).get(k0).i32('sub').get(row).i32('mul').i32('add')
    f.constant(2).i32('shl').i32('add')
  }

  batchLocals(f: FunctionBuilder): Map<number, number> {
    return new Map(this.g.kernel.batch.map((axis) => [axis.id, f.local('i32')]))
  }

  /** Sets the batch variables from the number of the batch's point, which `rest` holds. */
  private setBatch(f: FunctionBuilder, rest: number, batch: ReadonlyMap<number, number>): void {
    for (const axis of [...this.g.kernel.batch].reverse()) takeDigit(f, rest, axis.size, batch.get(axis.id) as number)
  }
}
