/**
 * What the phases of a packed GEMM share: the shape of the problem, where packed panels and sums lie in scratch and shared memory,
 * and the walk over panels.
 */
import type { GemmKernel } from '../../kernel/kernel.ts'
import { locals, takeDigit } from '../vector/control.ts'
import type { WasmCode } from './code.ts'
import { panelColumns, panelHeights } from './gemm-micro.ts'
import { type Problem, panelsOf, type Tiling } from './gemm-tiling.ts'

/** How an operand gets into panels. */
export interface Packer {
  readonly batched: boolean
  /** Emits what a chunk's packing needs, once its batch variables are set. */
  prepare(f: WasmCode, batch: ReadonlyMap<number, number>): void
  /** Emits the packing of the panel that starts at `p`, over k … kEnd (locals), to the address that `dst` pushes. */
  pack(
    f: WasmCode,
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
  readonly tiling: Tiling
  readonly a: Packer
  readonly b: Packer
  /** See `emitEpilogue`. */
  readonly epilogue: WasmCode
  /** Word of the bind table that holds the address of shared memory. */
  readonly sharedWord: number
}

export class PackedLayout {
  readonly g: PackedGemm
  readonly sharedBytes: number
  readonly scratchBytes: number
  readonly blockOfB: number
  readonly sums: number
  /** Rows that panels cover: more than m only where m is very small. */
  readonly rows: number
  /** Row length of a split's sums. */
  readonly columns: number

  constructor(g: PackedGemm) {
    this.g = g
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

  /** The panels of the block of rows that starts at m0; `body` gets a panel's height and the local of its first row. */
  eachPanel(f: WasmCode, m0: number, body: (height: number, row: number) => void): void {
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

  shared(f: WasmCode): void {
    f.get(bind).load('i32.load', this.g.sharedWord * 4)
  }

  /** Pushes the address of a packed panel of A: k blocks one after the other, in each the panels by their rows. */
  sharedPanel(f: WasmCode, image: number | null, k0: number, kEnd: number, row: number): void {
    this.shared(f)
    if (image !== null && this.g.a.batched) f.get(image).constant(this.g.problem.k).i32('mul').get(k0).i32('add')
    else f.get(k0)
    f.constant(this.rows).i32('mul').get(kEnd).get(k0).i32('sub').get(row).i32('mul').i32('add')
    f.constant(2).i32('shl').i32('add')
  }

  batchLocals(f: WasmCode): Map<number, number> {
    return new Map(this.g.kernel.batch.map((axis) => [axis.id, f.local('i32')]))
  }

  /** Sets the batch variables from the number of the batch's point, which `rest` holds. */
  setBatch(f: WasmCode, rest: number, batch: ReadonlyMap<number, number>): void {
    for (const axis of [...this.g.kernel.batch].reverse()) takeDigit(f, rest, axis.size, batch.get(axis.id) as number)
  }
}
