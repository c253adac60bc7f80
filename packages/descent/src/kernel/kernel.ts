/**
 * The kernel form: what a device must be able to run. A kernel names its buffers by local numbers 0, 1, 2…; a launch
 * binds them to the buffers of a plan, so that equal kernels (four equal layers, say) share one piece of code.
 *
 * What must hold: no two rows of a kernel write the same element, and no row reads what another row of the same
 * kernel writes. So rows may run in any order and on any thread. Within a row, stages run in order, and a stage may
 * read what an earlier stage of the same row stored.
 */
import type { DType } from '../dtype.ts'
import type { Expr } from './expr.ts'
import type { Index } from './index-expr.ts'

export type Kernel = LoopKernel | GemmKernel | ScanKernel | ScatterKernel | SortKernel

/** One loop: variable `id` runs from 0 to size - 1. */
export interface Axis {
  readonly id: number
  readonly size: number
}

/** What a kernel does with one of its local buffers. */
export interface BufferUse {
  readonly dtype: DType
  readonly access: 'read' | 'write' | 'readwrite'
  /** Elements of the buffers that are bound here; 0 in flat kernels. */
  readonly length: number
}

export interface Store {
  readonly buffer: number
  readonly index: Index
  readonly value: Expr
}

/** For every row (a point of `rows`), every stage in turn. Softmax: max; sum of exp; store. */
export interface LoopKernel {
  readonly kind: 'loops'
  readonly buffers: readonly BufferUse[]
  readonly rows: readonly Axis[]
  readonly stages: readonly Stage[]
  /**
   * The kernel has exactly one axis of rows, and its extent is not `rows[0].size` but `Launch.size`: an elementwise
   * kernel over whole buffers, shared by launches of any size (an optimizer's update of every parameter).
   * Then every index is a constant or exactly the row variable.
   */
  readonly flat: boolean
}

/** A loop over `axes` (none: once a row) that reduces and stores at every point. */
export interface Stage {
  readonly axes: readonly Axis[]
  readonly reductions: readonly Reduction[]
  readonly stores: readonly Store[]
}

/**
 * Over all points of the stage's axes. `argmax` and `argmin` give the position (row-major over the stage's axes) of
 * the first largest or smallest value, NaN counting as largest and as smallest. Value dtype f32 or i32 (sum, max,
 * min, prod); result dtype i32 for argmax and argmin, else as the value.
 */
export interface Reduction {
  readonly op: ReduceOp
  readonly value: Expr
}
export type ReduceOp = 'sum' | 'prod' | 'max' | 'min' | 'argmax' | 'argmin'

/**
 * tile[batch, m, n] = Σ_k a · b, then the stores at every (batch, m, n), in which `{kind: 'tile'}` is that sum.
 * `a` depends on batch, m and k alone; `b` on batch, k and n alone. Where operands are loads whose index is a sum of
 * a part in each variable (matrices, their transposes, convolution windows), the device packs them fast.
 * There may be any number of batch axes, also none.
 */
export interface GemmKernel {
  readonly kind: 'gemm'
  readonly buffers: readonly BufferUse[]
  readonly batch: readonly Axis[]
  readonly m: Axis
  readonly n: Axis
  readonly k: Axis
  readonly a: Expr
  readonly b: Expr
  readonly stores: readonly Store[]
  /** An operand that is the same in every iteration of the loop in which the kernel runs: it need be packed only once. */
  readonly fixed?: 'a' | 'b'
}

/** For every row: running sum or product of `value` along `axis`, each partial result stored at `index`. */
export interface ScanKernel {
  readonly kind: 'scan'
  readonly buffers: readonly BufferUse[]
  readonly rows: readonly Axis[]
  readonly axis: Axis
  readonly op: 'sum' | 'prod'
  readonly value: Expr
  readonly buffer: number
  readonly index: Index
}

/**
 * For every row: first out[index(i)] = initial(i) for i along `fill`; then, in order of j along `source`,
 * out[base + stride · position(j)] += value(j).
 */
export interface ScatterKernel {
  readonly kind: 'scatter'
  readonly buffers: readonly BufferUse[]
  readonly rows: readonly Axis[]
  readonly buffer: number
  readonly fill: Axis
  readonly index: Index
  readonly initial: Expr
  readonly source: Axis
  readonly base: Index
  readonly stride: number
  readonly position: Expr
  readonly value: Expr
}

/**
 * Sorts each row of `length` consecutive elements of buffer 0 (read), f32 or i32, into buffer 1 (values) and buffer 2
 * (their former positions, i32). Stable; NaN counts as largest.
 */
export interface SortKernel {
  readonly kind: 'sort'
  readonly buffers: readonly BufferUse[]
  readonly rows: number
  readonly length: number
  readonly descending: boolean
}

/** One run of a kernel: local buffer i is the plan's buffer `buffers[i]`. `size` is set exactly for flat kernels. */
export interface Launch {
  readonly kernel: number
  readonly buffers: readonly number[]
  readonly size: number | null
  /** For each local buffer the part that it is bound to; absent: all of them are whole. */
  readonly parts?: readonly Part[]
}

/**
 * In iteration i of the loop that the launch stands in (0 outside of loops), `length` elements from start + stride · i
 * on; i modulo `period` where there is one.
 */
export interface Part {
  readonly length: number
  readonly start: number
  readonly stride: number
  readonly period: number | null
}

/** The steps first … first + length - 1 run `count` times, one iteration after the other. */
export interface Loop {
  readonly first: number
  readonly length: number
  readonly count: number
}

/** Where a buffer of a plan lives. `length` counts elements, four bytes each. */
export interface PlanBuffer {
  readonly dtype: DType
  readonly length: number
  readonly place: /** Given at each run. `resident`: the same storage for many runs (parameters), worth keeping in device memory. */
    | {
        readonly kind: 'argument'
        readonly position: number
        readonly access: 'read' | 'write' | 'readwrite'
        readonly resident: boolean
      }
    /** At this byte offset (a multiple of 64) of the plan's own memory; others may share it at other times. */
    | { readonly kind: 'arena'; readonly offset: number }
    | { readonly kind: 'constant'; readonly values: Float32Array | Int32Array }
}

/** What `Expr.check` ids mean: the operation's name, and what the index counts ("class", "row"…). */
export interface Check {
  readonly label: string
  readonly size: number
}

/**
 * A whole program: steps in order, the launches of one step in any order or at once. After each step the device looks
 * at the error record and stops if a check has failed.
 */
export interface Plan {
  readonly kernels: readonly Kernel[]
  readonly buffers: readonly PlanBuffer[]
  readonly steps: readonly (readonly Launch[])[]
  /** In order; no step belongs to two. */
  readonly loops?: readonly Loop[]
  readonly arenaBytes: number
  readonly checks: readonly Check[]
}
