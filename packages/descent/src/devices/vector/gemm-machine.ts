/**
 * What a machine brings to packed matrix products (see gemm-packed.ts): its micro-kernel, how it packs, and the sizes that
 * suit it.
 */
import type { Expr } from '../../kernel/expr.ts'
import type { Callable, Code } from './code.ts'
import type { Operand } from './gemm-operand.ts'

/** Leaves on the stack the vector of an expression whose loads are already in vector locals; `lane`: the variable along it. */
export type EvaluateBound = (f: Code, value: Expr, bound: ReadonlyMap<Expr, number>, lane: number) => void

export interface Panels {
  /** Columns of a panel of B: a power of two, and a multiple of the lanes. */
  readonly columns: number
  /** The greatest height of a panel of A. */
  readonly height: number
  /** What tiles are summed in. Sums in f64 are rounded once, when they are written. */
  readonly sums: 'f32' | 'f64'
}

/** Panels of A, one after the other: `count` of that height. */
export interface Run {
  readonly height: number
  readonly count: number
}

export interface GemmMachine {
  /** Multiply-adds that a core does in a nanosecond, about. */
  readonly rate: number
  /** Bytes of a packed block of B: with the panel of A and the sums it must fit the L2 cache. */
  readonly blockBytes: number
  readonly mostDepth: number
  /** Blocks of k are a multiple of this, but for the last: what packing reads at a time. */
  readonly depthGrain: number
  /** Products of more multiply-adds than this are never computed as loops (see gemm-loops.ts). */
  readonly mostAsLoops: number
  /** The panels that suit a product of so many rows and columns. */
  panels(m: number, n: number, sums: Panels['sums']): Panels
  /** Panels that cover so many rows, and no more unless there are very few. */
  cover(rows: number, panels: Panels): readonly Run[]
  /**
   * A function (a, b, c, panels, k, rowBytes, accumulate) → (): for each of so many panels of B, [k][columns], the tile of
   * `height` rows, written to c (and the next 4 · columns bytes further) or, where `accumulate` is not 0, added to what c holds.
   * `a` is a panel [k][height].
   */
  micro(panels: Panels, height: number): Callable
  /**
   * A function (dst, p, k, kEnd, tables, base of load 0, base of load 1…) → (): the columns p … p + width - 1 of an operand, over
   * k … kEnd - 1, to [k][width] at dst, and nothing beyond. Columns past the operand's edge hold anything.
   */
  pack(operand: Operand, width: number, evaluate: EvaluateBound): Callable
  /** Functions from that index on are not part of the program any more. */
  forget?(from: number): void
}
