/**
 * Scalar expressions: what a kernel computes at one point of its loops. Expressions form a graph: a part that is
 * shared by object identity is computed once.
 *
 * Values are `f32`, `i32`, or `bool` (in memory 0 or 1 as i32). Comparison and `not`/`and`/`or` on bools give bools.
 */
import type { DType } from '../dtype.ts'
import type { Index } from './index-expr.ts'

export type Expr =
  | { readonly kind: 'const'; readonly dtype: DType; readonly value: number }
  /**
   * Element `index` of a buffer. Where `guarded`, the index may lie outside of the buffer at points where an
   * enclosing `select` discards the value: the device must not read outside there, and may return anything.
   */
  | {
      readonly kind: 'load'
      readonly dtype: DType
      readonly buffer: number
      readonly index: Index
      readonly guarded: boolean
    }
  /** Element `base + stride · position` of a buffer, `position` an i32 known to be in range (see `check`). */
  | {
      readonly kind: 'gather'
      readonly dtype: DType
      readonly buffer: number
      readonly base: Index
      readonly stride: number
      readonly position: Expr
    }
  /**
   * The i32 `x` where 0 ≤ x < size. Elsewhere 0, and the failure (check id, the value of x) is noted in the run's
   * error record if it is the first: the host throws after the run, and no later step of the plan is executed.
   */
  | { readonly kind: 'check'; readonly dtype: 'i32'; readonly x: Expr; readonly size: number; readonly id: number }
  /** The value of an index expression, as i32. */
  | { readonly kind: 'index'; readonly dtype: 'i32'; readonly index: Index }
  /** The result of reduction `slot` of an earlier stage of the same row. */
  | { readonly kind: 'result'; readonly dtype: DType; readonly stage: number; readonly slot: number }
  /** In a GEMM's epilogue: the sum over k at this (batch, m, n). */
  | { readonly kind: 'tile'; readonly dtype: 'f32' }
  | { readonly kind: 'unary'; readonly dtype: DType; readonly op: UnaryOp; readonly x: Expr }
  | { readonly kind: 'binary'; readonly dtype: DType; readonly op: BinaryOp; readonly a: Expr; readonly b: Expr }
  /** a·b + c, rounded once where the machine can. Only written by `math.ts`. */
  | { readonly kind: 'fma'; readonly dtype: 'f32'; readonly a: Expr; readonly b: Expr; readonly c: Expr }
  | { readonly kind: 'select'; readonly dtype: DType; readonly condition: Expr; readonly a: Expr; readonly b: Expr }
  /**
   * Conversion by value: f32 → i32 truncates and saturates (NaN gives 0), bool → number gives 0 or 1,
   * number → bool is x ≠ 0.
   */
  | { readonly kind: 'cast'; readonly dtype: DType; readonly x: Expr }
  /** The same 32 bits as the other type (f32 ↔ i32). Only written by `math.ts` and the random bits of `philox`. */
  | { readonly kind: 'bitcast'; readonly dtype: 'f32' | 'i32'; readonly x: Expr }

/** On f32, but for `not` (bool) and `neg`, `abs` (f32 or i32). `round` is to nearest, ties to even. */
export type UnaryOp =
  | 'neg'
  | 'abs'
  | 'sqrt'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'not'
  | 'exp'
  | 'log'
  | 'log1p'
  | 'expm1'
  | 'sin'
  | 'cos'
  | 'tan'
  | 'atan'
  | 'tanh'
  | 'sinh'
  | 'cosh'
  | 'sigmoid'
  | 'erf'
  /** x < 0 ? 0 : x, so NaN stays NaN. */
  | 'relu'

/**
 * `add sub mul max min` on f32 or i32; `div pow` on f32; `lt le eq ne` give bool; `and or xor shl shr mulhi` on i32
 * (`shr` fills with zeros, `mulhi` is the high word of the unsigned product), `and or` on bool too.
 * `max` and `min` give NaN where one side is NaN.
 */
export type BinaryOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'max'
  | 'min'
  | 'pow'
  | 'lt'
  | 'le'
  | 'eq'
  | 'ne'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shr'
  | 'mulhi'

export function f32(value: number): Expr {
  return { kind: 'const', dtype: 'f32', value }
}
export function i32(value: number): Expr {
  return { kind: 'const', dtype: 'i32', value }
}
export function unary(op: UnaryOp, x: Expr): Expr {
  return { kind: 'unary', dtype: x.dtype, op, x }
}
const comparisons: ReadonlySet<BinaryOp> = new Set(['lt', 'le', 'eq', 'ne'])
export function binary(op: BinaryOp, a: Expr, b: Expr): Expr {
  return { kind: 'binary', dtype: comparisons.has(op) ? 'bool' : a.dtype, op, a, b }
}
export function select(condition: Expr, a: Expr, b: Expr): Expr {
  return { kind: 'select', dtype: a.dtype, condition, a, b }
}
export function cast(dtype: DType, x: Expr): Expr {
  return x.dtype === dtype ? x : { kind: 'cast', dtype, x }
}
export function indexValue(index: Index): Expr {
  return { kind: 'index', dtype: 'i32', index }
}

/** The direct operands of an expression. */
export function operands(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case 'const':
    case 'load':
    case 'index':
    case 'result':
    case 'tile':
      return []
    case 'gather':
      return [e.position]
    case 'check':
    case 'unary':
    case 'cast':
    case 'bitcast':
      return [e.x]
    case 'binary':
      return [e.a, e.b]
    case 'fma':
      return [e.a, e.b, e.c]
    case 'select':
      return [e.condition, e.a, e.b]
  }
}

/** The same expression over other operands, given in the order of `operands`. */
export function withOperands(e: Expr, xs: readonly Expr[]): Expr {
  const [a, b, c] = xs as [Expr, Expr, Expr]
  switch (e.kind) {
    case 'const':
    case 'load':
    case 'index':
    case 'result':
    case 'tile':
      return e
    case 'gather':
      return a === e.position ? e : { ...e, position: a }
    case 'check':
    case 'unary':
    case 'cast':
    case 'bitcast':
      return a === e.x ? e : { ...e, x: a }
    case 'binary':
      return a === e.a && b === e.b ? e : { ...e, a, b }
    case 'fma':
      return a === e.a && b === e.b && c === e.c ? e : { ...e, a, b, c }
    case 'select':
      return a === e.condition && b === e.a && c === e.b ? e : { ...e, condition: a, a: b, b: c }
  }
}

/** Rebuilds an expression from its leaves up; a shared part is visited once and stays shared. */
export function mapExpr(root: Expr, change: (e: Expr) => Expr, memo: Map<Expr, Expr> = new Map()): Expr {
  const seen = memo.get(root)
  if (seen) return seen
  const result = change(
    withOperands(
      root,
      operands(root).map((x) => mapExpr(x, change, memo)),
    ),
  )
  memo.set(root, result)
  return result
}

/** Calls `visit` once for every distinct part of the expressions, operands first. */
export function walkExprs(roots: readonly Expr[], visit: (e: Expr) => void): void {
  const seen = new Set<Expr>()
  const walk = (e: Expr): void => {
    if (seen.has(e)) return
    seen.add(e)
    for (const x of operands(e)) walk(x)
    visit(e)
  }
  for (const root of roots) walk(root)
}
