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
  return { op, value, position, sum: f.local('vector'), at: arg ? f.local('vector') : null }
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
    else f.splatI32(op === 'sum' ? 0 : 1)
  } else {
    const high = op === 'min' || op === 'argmin'
    if (float) f.splatF32(high ? Infinity : -Infinity)
    else f.splatI32(high ? 0x7fffffff : -0x80000000)
  }
  f.set(sum)
  if (at !== null) f.splatI32(0).set(at)
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
  if (product && e.target.fused && a.value.kind === 'binary') {
    e.value(a.value.a)
    e.value(a.value.b)
    f.get(a.sum).multiplyAdd()
  } else {
    f.get(a.sum)
    e.value(a.value)
    combine(e, a)
  }
  if (masked) f.get(a.sum).maskFirst(e.active).choose()
  f.set(a.sum)
}

/** Stack: two vectors → their sum, product, larger or smaller. */
function combine({ f }: ExprEmitter, { op, value }: Accumulator): void {
  const float = value.dtype === 'f32'
  if (op === 'sum') {
    if (float) f.float('add')
    else f.whole('add')
  } else if (op === 'prod') {
    if (float) f.float('mul')
    else f.whole('mul')
  } else if (op === 'max') {
    if (float) f.float('max')
    else f.whole('max_s')
  } else if (float) f.float('min')
  else f.whole('min_s')
}

function stepPosition(e: ExprEmitter, a: Accumulator, masked: boolean): void {
  const { f } = e
  const at = a.at as number
  const value = e.temporary('vector')
  const better = e.temporary('mask')
  e.value(a.value)
  f.set(value)
  isBetter(e, a, value, a.sum)
  if (masked) f.maskFirst(e.active).mask('and')
  f.set(better)
  f.get(value).get(a.sum).get(better).choose().set(a.sum)
  e.value(a.position as Expr)
  f.get(at).get(better).choose().set(at)
  e.done('vector', value)
  e.done('mask', better)
}

/** Whether local `x` is strictly before local `y`; NaN comes first of all. */
function isBetter({ f }: ExprEmitter, { op, value }: Accumulator, x: number, y: number): void {
  f.get(x).get(y)
  const max = op === 'argmax'
  if (value.dtype !== 'f32') {
    f.compareI32(max ? 'gt' : 'lt')
    return
  }
  f.compareF32(max ? 'gt' : 'lt')
  f.get(x).get(x).compareF32('ne').get(y).get(y).compareF32('eq').mask('and').mask('or')
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
  const wins = e.temporary('mask')
  // Better, or not worse and earlier.
  isBetter(e, a, b.sum, a.sum)
  isBetter(e, a, a.sum, b.sum)
  f.mask('not').get(b.at).get(a.at).compareI32('lt').mask('and').mask('or').set(wins)
  f.get(b.sum).get(a.sum).get(wins).choose().set(a.sum)
  f.get(b.at).get(a.at).get(wins).choose().set(a.at)
  e.done('mask', wins)
}

/** All lanes become the whole's result. */
export function joinLanes(e: ExprEmitter, a: Accumulator): void {
  const { f } = e
  const other: Accumulator = { ...a, sum: e.temporary('vector'), at: a.at === null ? null : e.temporary('vector') }
  for (let by = e.lanes / 2; by >= 1; by /= 2) {
    f.get(a.sum).rotate(by).set(other.sum)
    if (a.at !== null) {
      f.get(a.at)
        .rotate(by)
        .set(other.at as number)
    }
    join(e, a, other)
  }
  e.done('vector', other.sum)
  if (other.at !== null) e.done('vector', other.at)
}
