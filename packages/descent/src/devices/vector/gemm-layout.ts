/**
 * What the phases of a packed GEMM share: the shape of the problem, where packed panels and sums lie in scratch and shared memory,
 * and the walk over panels.
 */
import type { GemmKernel } from '../../kernel/kernel.ts'
import type { Callable, Code } from './code.ts'
import { locals, takeDigit } from './control.ts'
import type { GemmMachine, Run } from './gemm-machine.ts'
import type { Problem, Tiling } from './gemm-tiling.ts'

/** How an operand gets into panels. */
export interface Packer {
  readonly batched: boolean
  /** Emits what a chunk's packing needs, once its batch variables are set. */
  prepare(f: Code, batch: ReadonlyMap<number, number>): void
  /** Emits the packing of the panel that starts at `p`, over k … kEnd (locals), to the address that `dst` pushes. */
  pack(
    f: Code,
    width: number,
    dst: () => void,
    p: () => void,
    k: number,
    kEnd: number,
    batch: ReadonlyMap<number, number>,
  ): void
}

const bind = 2
const align = (bytes: number) => Math.ceil(bytes / 64) * 64

export interface PackedGemm {
  readonly kernel: GemmKernel
  readonly problem: Problem
  readonly machine: GemmMachine
  readonly tiling: Tiling
  readonly a: Packer
  readonly b: Packer
  /** See `emitEpilogue`. */
  readonly epilogue: Callable
  /** Word of the bind table that holds the address of shared memory. */
  readonly sharedWord: number
}

export class PackedLayout {
  readonly g: PackedGemm
  readonly sharedBytes: number
  readonly scratchBytes: number
  /** Where in shared memory B lies, if it is packed there: k blocks one after the other, in each the panels. */
  readonly sharedB: number
  readonly blockOfB: number
  readonly sums: number
  /** The panels of the last block of rows. */
  readonly lastPanels: readonly Run[]
  /** Rows that panels cover: more than m where the last block has very few. */
  readonly rows: number
  /** Row length of a split's sums. */
  readonly columns: number

  constructor(g: PackedGemm) {
    this.g = g
    const { m, n, k, batch } = g.problem
    const t = g.tiling
    const { columns: panelColumns, height } = t.panels
    const before = (t.mBlocks - 1) * t.mBlock
    this.lastPanels = g.machine.cover(m - before, t.panels)
    this.rows = before + this.lastPanels.reduce((sum, run) => sum + run.height * run.count, 0)
    this.columns = Math.ceil(n / panelColumns) * panelColumns
    this.blockOfB = align(height * t.kBlock * 4)
    this.sums = this.blockOfB + (t.sharedB ? 0 : align(t.kBlock * t.nBlock * 4))
    const sumRows = t.splits > 1 ? 1 : t.kSplit > t.kBlock ? Math.max(t.mBlock, this.rows - before) : height
    const sumColumns = t.splits > 1 ? this.columns : t.nBlock
    this.scratchBytes = this.sums + align(sumRows * sumColumns * 4)
    this.sharedB = align(
      t.sharedA
        ? (g.a.batched ? batch : 1) * this.rows * k * 4
        : t.splits > 1
          ? batch * t.splits * this.rows * this.columns * 4
          : 0,
    )
    this.sharedBytes = this.sharedB + (t.sharedB ? this.columns * k * 4 : 0)
  }

  /** The panels of the block of rows that starts at m0; `body` gets a panel's height and the local of its first row. */
  eachPanel(f: Code, m0: number, body: (height: number, row: number) => void): void {
    const { mBlock, mBlocks, panels } = this.g.tiling
    const [row, stop] = locals(f, 2)
    f.get(m0).set(row)
    const run = ({ height, count }: Run): void => {
      if (count > 1) {
        f.get(row)
          .constant(count * height)
          .int('add')
          .set(stop)
        const again = f.loop()
        body(height, row)
        f.get(row).constant(height).int('add').tee(row).get(stop).int('lt_s').brIf(again)
        f.end()
      } else {
        body(height, row)
        f.get(row).constant(height).int('add').set(row)
      }
    }
    if (mBlocks === 1) this.lastPanels.forEach(run)
    else {
      f.get(m0)
        .constant((mBlocks - 1) * mBlock)
        .int('eq')
        .if()
      this.lastPanels.forEach(run)
      f.else()
      run({ height: panels.height, count: mBlock / panels.height })
      f.end()
    }
    f.release(row, stop)
  }

  shared(f: Code): void {
    f.get(bind).loadAddress(this.g.sharedWord)
  }

  /** Pushes the address of a packed panel of A: k blocks one after the other, in each the panels by their rows. */
  sharedPanel(f: Code, image: number | null, k0: number, kEnd: number, row: number): void {
    this.shared(f)
    if (image !== null && this.g.a.batched) f.get(image).constant(this.g.problem.k).int('mul').get(k0).int('add')
    else f.get(k0)
    f.constant(this.rows).int('mul').get(kEnd).get(k0).int('sub').get(row).int('mul').int('add')
    f.constant(2).int('shl').int('add')
  }

  /** Pushes the address of a packed panel of B, which begins at column n0 (a local). */
  sharedPanelOfB(f: Code, k0: number, kEnd: number, n0: number): void {
    this.shared(f)
    f.get(k0).constant(this.columns).int('mul').get(kEnd).get(k0).int('sub').get(n0).int('mul').int('add')
    f.constant(2).int('shl').int('add').constant(this.sharedB).int('add')
  }

  batchLocals(f: Code): Map<number, number> {
    return new Map(this.g.kernel.batch.map((axis) => [axis.id, f.local('int')]))
  }

  /** Sets the batch variables from the number of the batch's point, which `rest` holds. */
  setBatch(f: Code, rest: number, batch: ReadonlyMap<number, number>): void {
    for (const axis of [...this.g.kernel.batch].reverse()) takeDigit(f, rest, axis.size, batch.get(axis.id) as number)
  }
}
