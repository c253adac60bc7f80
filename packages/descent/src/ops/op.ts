/**
 * What an operation is: one object with its shape rule, its gradient rule and what its kernel computes.
 *
 * `vjp` is written in Tensor operations, so that gradients have gradients and can be traced. `lower` says how an
 * element of the result comes from elements of the inputs; the compiler decides what becomes a kernel of its own.
 */
import type { DType, Meta, Shape } from '../dtype.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import type { Expr } from '../kernel/expr.ts'
import type { Index } from '../kernel/index-expr.ts'
import type { ReduceOp } from '../kernel/kernel.ts'
import type { Tensor } from '../tensor.ts'
import type { LoopAttrs } from './loop.ts'

export interface OpDef<A> {
  readonly name: string
  infer(inputs: readonly Meta[], attrs: A): Meta
  /** One cotangent an input, null where none flows. Absent: the operation has no gradient. */
  vjp?(g: Tensor, inputs: readonly Tensor[], out: Tensor, attrs: A): readonly (Tensor | null)[]
  lower(inputs: readonly Meta[], attrs: A, out: Meta): Lowering
  /** For movements: the same elements seen through other strides, or null where they must be copied. */
  view?(input: StridedView, attrs: A): StridedView | null
}

export interface StridedView {
  readonly shape: Shape
  readonly strides: readonly number[]
  readonly offset: number
}

export type Lowering =
  /** Values that exist before the program runs. */
  | { readonly kind: 'leaf' }
  /** Each element from elements of the inputs at computable places; can be computed wherever it is needed. */
  | MapLowering
  /** Over `axes`, which stay in the result with extent 1. */
  | { readonly kind: 'reduce'; readonly op: ReduceOp; readonly axes: readonly number[] }
  | GemmLowering
  | { readonly kind: 'scan'; readonly op: 'sum' | 'prod'; readonly axis: number }
  /** inputs: initial, index, source (index and source of equal shape). */
  | { readonly kind: 'scatter'; readonly axis: number; readonly label: string }
  /** The positions that sort the last axis. */
  | { readonly kind: 'argsort'; readonly descending: boolean }
  /** A body that runs again and again; its inputs lie in memory, row-major. */
  | { readonly kind: 'loop'; readonly loop: LoopAttrs }

export interface MapLowering {
  readonly kind: 'map'
  /** pointwise: reads its inputs at its own place; movement: elsewhere; guarded: with places outside of an input. */
  readonly form: 'pointwise' | 'movement' | 'guarded'
  /** About how many vector instructions an element costs. */
  readonly cost: number
  /** Inputs that must be in memory, for they are read at computed places. */
  readonly inMemory: readonly number[]
  /** Whether it checks that values are in range. */
  readonly checks?: true
  /** It is its inputs, all of one shape, one after the other along this axis: a kernel over one of them can store them all. */
  readonly pieces?: number
  value(at: readonly Index[], context: LowerContext): Expr
}

export interface LowerContext {
  /** An input's element. `guarded`: `at` may lie outside where the caller discards the value. */
  read(input: number, at: readonly Index[], guarded?: boolean): Expr
  /** The element of an in-memory input at `at`, but at `position` (checked to be in range) along `axis`. */
  gather(input: number, at: readonly Index[], axis: number, position: Expr): Expr
  /** An i32 that must lie in 0…size-1. */
  check(x: Expr, label: string, size: number): Expr
}

/** result[out(b, m, n)] = Σ_k left[a(b, m, k)] · right[b(b, k, n)]. `out` is one to one. */
export interface GemmLowering {
  readonly kind: 'gemm'
  /** Which inputs left and right are. */
  readonly operands: readonly [left: number, right: number]
  readonly batch: Shape
  readonly m: number
  readonly n: number
  readonly k: number
  a(batch: readonly Index[], m: Index, k: Index): readonly Index[]
  b(batch: readonly Index[], k: Index, n: Index): readonly Index[]
  out(batch: readonly Index[], m: Index, n: Index): readonly Index[]
}

export function requireDType(op: string, meta: Meta, ...allowed: readonly DType[]): void {
  if (!allowed.includes(meta.dtype)) {
    throw new DTypeError(
      `${op}: needs ${allowed.join(' or ')}, got ${meta.dtype} ${shapeText(meta.shape)}. Convert it with .to('${allowed[0]}').`,
    )
  }
}

/** Attributes as text, equal exactly for equal ones; nothing where there are none. */
export function attrsText(attrs: unknown): string {
  const text = JSON.stringify(attrs)
  if (text === '{}') return ''
  // JSON has no words for NaN and the infinities.
  if (!text.includes('null')) return text
  return JSON.stringify(attrs, (_, x) => (typeof x === 'number' && !Number.isFinite(x) ? String(x) : x))
}

export function shapeText(shape: Shape): string {
  return `[${shape.join(', ')}]`
}

/** The axis as a number from 0, counted from the end where negative. */
export function normalizeAxis(op: string, axis: number, ndim: number): number {
  const result = axis < 0 ? axis + ndim : axis
  if (!Number.isInteger(axis) || result < 0 || result >= Math.max(ndim, 1)) {
    throw new ShapeError(
      `${op}: dimension ${axis} does not exist in a tensor of ${ndim} dimensions; it must be in [${-ndim}, ${ndim - 1}].`,
    )
  }
  return result
}

/** NumPy's rule: shapes aligned at the end, where extents are equal or one of them is 1. */
export function broadcastShapes(op: string, ...shapes: readonly Shape[]): Shape {
  const ndim = Math.max(...shapes.map((s) => s.length))
  const result = new Array<number>(ndim).fill(1)
  for (const shape of shapes) {
    for (let d = 0; d < shape.length; d++) {
      const at = ndim - shape.length + d
      const extent = shape[d] as number
      if (extent === 1 || extent === result[at]) continue
      if (result[at] !== 1) {
        throw new ShapeError(
          `${op}: shapes ${shapes.map(shapeText).join(' and ')} do not broadcast: ${result[at]} and ${extent} meet in dimension ${d - shape.length}. Extents must be equal or 1.`,
        )
      }
      result[at] = extent
    }
  }
  return result
}
