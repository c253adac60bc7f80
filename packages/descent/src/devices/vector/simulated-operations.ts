/** What the operations of the simulated machine do to one lane. */
import type { Comparison, FloatOp, FloatUnary, IntOp, WholeOp } from './code.ts'

export const comparisons: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
}
const is = (compare: (a: number, b: number) => boolean) => (a: number, b: number) => (compare(a, b) ? 1 : 0)
const unsigned = (compare: (a: number, b: number) => boolean) => is((a, b) => compare(a >>> 0, b >>> 0))
export const intOps: Readonly<Record<Exclude<IntOp, 'eqz'>, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b + 0,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a * 2 ** b,
  shr_s: (a, b) => a >> b,
  shr_u: (a, b) => a >>> b,
  div_s: (a, b) => Math.trunc(a / b) + 0,
  div_u: (a, b) => Math.floor((a >>> 0) / b),
  rem_s: (a, b) => (a % b) + 0,
  rem_u: (a, b) => (a >>> 0) % b,
  eq: is(comparisons.eq),
  ne: is(comparisons.ne),
  lt_s: is(comparisons.lt),
  gt_s: is(comparisons.gt),
  le_s: is(comparisons.le),
  ge_s: is(comparisons.ge),
  lt_u: unsigned(comparisons.lt),
  gt_u: unsigned(comparisons.gt),
  le_u: unsigned(comparisons.le),
  ge_u: unsigned(comparisons.ge),
}
export const floatOps: Readonly<Record<FloatOp, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: Math.max,
  min: Math.min,
}
export const floatUnaries: Readonly<Record<FloatUnary, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  sqrt: Math.sqrt,
  floor: Math.floor,
  ceil: Math.ceil,
  nearest: (x) => {
    const down = Math.floor(x)
    const rest = x - down
    return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1
  },
}
export const wholeOps: Readonly<Record<WholeOp, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: Math.imul,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  max_s: Math.max,
  min_s: Math.min,
  min_u: (a, b) => (a >>> 0 < b >>> 0 ? a : b),
  mulhi: (a, b) => Number((BigInt(a >>> 0) * BigInt(b >>> 0)) >> 32n),
}
