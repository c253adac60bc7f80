/** Reductions in vectors: accumulators, how a value joins one, and how several become one. */
import type { Expr } from '../../kernel/expr.ts'
import type { Reduction } from '../../kernel/kernel.ts'
import type { ExprEmitter } from './emit-expr.ts'

export interface Accumulator {
  readonly op: Reduction['op']
  readonly value: Expr
  /** The best position's index, for argmax and argmin. */
  readonly position: Expr | null
  readonly sum: number
  readonly at: number | null
}

export function newAccumulator(e: ExprEmitter, op: Reduction['op'], value: Expr, position: Expr | null): Accumulator {
  const { f } = e
  const arg = op === 'argmax' || op === 'argmin'
  return { op, value, position, sum: f.local('v128'), at: arg ? f.local('v128') : null }
}

/** The local that holds the result. */
export function resultLocal({ sum, at }: Accumulator): number {
  return at ?? sum
}

export function start(e: ExprEmitter, { op, value, sum, at }: Accumulator): void {
  const { f } = e
  const float = value.dtype === 'f32'
  if (op === 'sum' || op === 'prod') {
    if (float) f.splatF32(op === 'sum' ? 0 : 1)
    else f.constantI32x4(op === 'sum' ? 0 : 1)
  } else {
    const high = op === 'min' || op === 'argmin'
    if (float) f.splatF32(high ? Infinity : -Infinity)
    else f.constantI32x4(high ? 0x7fffffff : -0x80000000)
  }
  f.set(sum)
  if (at !== null) f.constantI32x4(0).set(at)
}

/** Takes one more value; where `masked`, only in the active lanes. */
export function step(e: ExprEmitter, a: Accumulator, masked: boolean): void {
  const { f } = e
  if (a.at !== null) {
    stepPosition(e, a, masked)
    return
  }
  const product =
    a.op === 'sum' &&
    a.value.kind === 'binary' &&
    a.value.op === 'mul' &&
    a.value.dtype === 'f32' &&
    e.usedOnce(a.value)
  if (product && e.target.relaxedSimd && a.value.kind === 'binary') {
    e.value(a.value.a)
    e.value(a.value.b)
    f.get(a.sum).f32x4('relaxed_madd')
  } else {
    f.get(a.sum)
    e.value(a.value)
    combine(e, a)
  }
  if (masked) {
    f.get(a.sum)
    mask(e)
    f.v128('bitselect')
  }
  f.set(a.sum)
}

/** Stack: two vectors → their sum, product, larger or smaller. */
function combine({ f }: ExprEmitter, { op, value }: Accumulator): void {
  const float = value.dtype === 'f32'
  if (op === 'sum') {
    if (float) f.f32x4('add')
    else f.i32x4('add')
  } else if (op === 'prod') {
    if (float) f.f32x4('mul')
    else f.i32x4('mul')
  } else if (op === 'max') {
    if (float) f.f32x4('max')
    else f.i32x4('max_s')
  } else if (float) f.f32x4('min')
  else f.i32x4('min_s')
}

function mask({ f, active }: ExprEmitter): void {
  f.constantI32x4(-1, active > 1 ? -1 : 0, active > 2 ? -1 : 0, active > 3 ? -1 : 0)
}

function stepPosition(e: ExprEmitter, a: Accumulator, masked: boolean): void {
  const { f } = e
  const at = a.at as number
  const value = e.temporary('v128')
  const better = e.temporary('v128')
  e.value(a.value)
  f.set(value)
  isBetter(e, a, value, a.sum)
  if (masked) {
    mask(e)
    f.v128('and')
  }
  f.set(better)
  f.get(value).get(a.sum).get(better).v128('bitselect').set(a.sum)
  e.value(a.position as Expr)
  f.get(at).get(better).v128('bitselect').set(at)
  e.done('v128', value, better)
}

/** Whether local `x` is strictly before local `y`; NaN comes first of all. */
function isBetter({ f }: ExprEmitter, { op, value }: Accumulator, x: number, y: number): void {
  f.get(x).get(y)
  const max = op === 'argmax'
  if (value.dtype !== 'f32') {
    f.i32x4(max ? 'gt_s' : 'lt_s')
    return
  }
  f.f32x4(max ? 'gt' : 'lt')
  f.get(x).get(x).f32x4('ne').get(y).get(y).f32x4('eq').v128('and').v128('or')
}

/** Joins `b` into `a`. */
export function join(e: ExprEmitter, a: Accumulator, b: Accumulator): void {
  const { f } = e
  if (a.at === null || b.at === null) {
    f.get(a.sum).get(b.sum)
    combine(e, a)
    f.set(a.sum)
    return
  }
  const wins = e.temporary('v128')
  // Better, or not worse and earlier.
  isBetter(e, a, b.sum, a.sum)
  isBetter(e, a, a.sum, b.sum)
  f.v128('not').get(b.at).get(a.at).i32x4('lt_s').v128('and').v128('or').set(wins)
  f.get(b.sum).get(a.sum).get(wins).v128('bitselect').set(a.sum)
  f.get(b.at).get(a.at).get(wins).v128('bitselect').set(a.at)
  e.done('v128', wins)
}

/** All four lanes become the whole's result. */
export function joinLanes(e: ExprEmitter, a: Accumulator): void {
  const { f } = e
  const other: Accumulator = { ...a, sum: e.temporary('v128'), at: a.at === null ? null : e.temporary('v128') }
  for (const half of [true, false]) {
    const turn = (from: number, to: number): void => {
      f.get(from).get(from)
      if (half) f.shuffle32(2, 3, 0, 1)
      else f.shuffle32(1, 0, 3, 2)
      f.set(to)
    }
    turn(a.sum, other.sum)
    if (a.at !== null) turn(a.at, other.at as number)
    join(e, a, other)
  }
  e.done('v128', other.sum)
  if (other.at !== null) e.done('v128', other.at)
}
