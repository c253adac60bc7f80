/** Operations that compute each element from the elements at the same place. Inputs have equal shapes. */
import type { DType, Meta } from '../dtype.ts'
import { sameShape } from '../dtype.ts'
import { ShapeError } from '../errors.ts'
import * as E from '../kernel/expr.ts'
import type { Tensor } from '../tensor.ts'
import { type OpDef, requireDType, shapeText } from './op.ts'

type Attrs = Record<string, never>
type UnaryVjp = (g: Tensor, x: Tensor, y: Tensor) => Tensor | null

function pointwise(cost: number, expr: (xs: readonly E.Expr[]) => E.Expr): OpDef<Attrs>['lower'] {
  return (inputs) => ({
    kind: 'map',
    form: 'pointwise',
    cost,
    inMemory: [],
    value: (at, context) => expr(inputs.map((_, i) => context.read(i, at))),
  })
}

function unary(
  name: string,
  cost: number,
  expr: (x: E.Expr) => E.Expr,
  vjp: UnaryVjp | null,
  dtypes: readonly DType[] = ['f32'],
): OpDef<Attrs> {
  return {
    name,
    infer: ([x]) => {
      requireDType(name, x as Meta, ...dtypes)
      return x as Meta
    },
    ...(vjp && { vjp: (g: Tensor, [x]: readonly Tensor[], y: Tensor) => [vjp(g, x as Tensor, y)] }),
    lower: pointwise(cost, ([x]) => expr(x as E.Expr)),
  }
}

const numbers: readonly DType[] = ['f32', 'i32']
const one = E.f32(1)
const core = (op: E.UnaryOp) => (x: E.Expr) => E.unary(op, x)

export const neg = unary('neg', 1, core('neg'), (g) => g.neg(), numbers)
export const abs = unary('abs', 1, core('abs'), (g, x) => g.mul(x.sign()), numbers)
export const sign = unary(
  'sign',
  4,
  (x) => {
    const zero: E.Expr = { kind: 'const', dtype: x.dtype, value: 0 }
    const unit = (value: number): E.Expr => ({ kind: 'const', dtype: x.dtype, value })
    return E.select(E.binary('lt', zero, x), unit(1), E.select(E.binary('lt', x, zero), unit(-1), x))
  },
  (g) => g.mul(0),
  numbers,
)
export const exp = unary('exp', 14, core('exp'), (g, _x, y) => g.mul(y))
export const log = unary('log', 16, core('log'), (g, x) => g.div(x))
export const log2 = unary(
  'log2',
  17,
  (x) => E.binary('mul', E.unary('log', x), E.f32(Math.LOG2E)),
  (g, x) => g.div(x).mul(Math.LOG2E),
)
export const log1p = unary('log1p', 20, core('log1p'), (g, x) => g.div(x.add(1)))
export const expm1 = unary('expm1', 20, core('expm1'), (g, _x, y) => g.mul(y.add(1)))
export const sqrt = unary('sqrt', 4, core('sqrt'), (g, _x, y) => g.div(y.mul(2)))
export const rsqrt = unary(
  'rsqrt',
  8,
  (x) => E.binary('div', one, E.unary('sqrt', x)),
  (g, _x, y) => g.mul(y.mul(y).mul(y)).mul(-0.5),
)
export const square = unary(
  'square',
  1,
  (x) => E.binary('mul', x, x),
  (g, x) => g.mul(x).mul(2),
)
export const reciprocal = unary(
  'reciprocal',
  4,
  (x) => E.binary('div', one, x),
  (g, _x, y) => g.mul(y.mul(y)).neg(),
)
export const sin = unary('sin', 24, core('sin'), (g, x) => g.mul(x.cos()))
export const cos = unary('cos', 24, core('cos'), (g, x) => g.mul(x.sin()).neg())
export const tan = unary('tan', 40, core('tan'), (g, _x, y) => g.mul(y.mul(y).add(1)))
export const atan = unary('atan', 24, core('atan'), (g, x) => g.div(x.mul(x).add(1)))
export const sinh = unary('sinh', 30, core('sinh'), (g, x) => g.mul(x.cosh()))
export const cosh = unary('cosh', 30, core('cosh'), (g, x) => g.mul(x.sinh()))
export const tanh = unary('tanh', 16, core('tanh'), (g, _x, y) => g.mul(y.mul(y).neg().add(1)))
export const sigmoid = unary('sigmoid', 18, core('sigmoid'), (g, _x, y) => g.mul(y).mul(y.neg().add(1)))
export const erf = unary('erf', 20, core('erf'), (g, x) => g.mul(x.mul(x).neg().exp()).mul(2 / Math.sqrt(Math.PI)))
export const relu = unary('relu', 1, core('relu'), (g, _x, y) => y.gt(0).where(g, 0))
export const floor = unary('floor', 1, core('floor'), (g) => g.mul(0))
export const ceil = unary('ceil', 1, core('ceil'), (g) => g.mul(0))
export const round = unary('round', 1, core('round'), (g) => g.mul(0))
export const logicalNot = unary('logicalNot', 1, core('not'), null, ['bool'])

type BinaryVjp = (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => readonly (Tensor | null)[]

function binary(
  name: string,
  op: E.BinaryOp,
  cost: number,
  dtypes: readonly DType[],
  vjp: BinaryVjp | null,
  swap = false,
): OpDef<Attrs> {
  const comparison = op === 'lt' || op === 'le' || op === 'eq' || op === 'ne'
  return {
    name,
    infer: ([a, b]) => {
      const [x, y] = [a as Meta, b as Meta]
      requireDType(name, x, ...dtypes)
      if (y.dtype !== x.dtype) requireDType(name, y, x.dtype)
      requireSameShape(name, x, y)
      return { shape: x.shape, dtype: comparison ? 'bool' : x.dtype }
    },
    ...(vjp && { vjp: (g: Tensor, [a, b]: readonly Tensor[], y: Tensor) => vjp(g, a as Tensor, b as Tensor, y) }),
    lower: pointwise(cost, ([a, b]) =>
      swap ? E.binary(op, b as E.Expr, a as E.Expr) : E.binary(op, a as E.Expr, b as E.Expr),
    ),
  }
}

function requireSameShape(name: string, a: Meta, b: Meta): void {
  if (!sameShape(a.shape, b.shape))
    throw new ShapeError(`${name}: shapes ${shapeText(a.shape)} and ${shapeText(b.shape)} differ.`)
}

const all: readonly DType[] = ['f32', 'i32', 'bool']

/** Where two values tie, half of the cotangent goes to each side, as in PyTorch. */
function extremeVjp(wins: (a: Tensor, b: Tensor) => Tensor): BinaryVjp {
  return (g, a, b) => {
    const half = a.eq(b).where(g.mul(0.5), 0)
    return [wins(a, b).where(g, half), wins(b, a).where(g, half)]
  }
}

export const add = binary('add', 'add', 1, numbers, (g) => [g, g])
export const sub = binary('sub', 'sub', 1, numbers, (g) => [g, g.neg()])
export const mul = binary('mul', 'mul', 1, numbers, (g, a, b) => [g.mul(b), g.mul(a)])
export const div = binary('div', 'div', 4, ['f32'], (g, _a, b, y) => {
  const ga = g.div(b)
  return [ga, ga.mul(y).neg()]
})
export const pow = binary('pow', 'pow', 40, ['f32'], (g, a, b, y) => [
  b.eq(0).where(0, g.mul(b).mul(a.pow(b.sub(1)))),
  a.eq(0).where(0, g.mul(y).mul(a.eq(0).where(1, a).log())),
])
export const maximum = binary(
  'maximum',
  'max',
  2,
  numbers,
  extremeVjp((a, b) => a.gt(b)),
)
export const minimum = binary(
  'minimum',
  'min',
  2,
  numbers,
  extremeVjp((a, b) => a.lt(b)),
)
export const lt = binary('lt', 'lt', 1, numbers, null)
export const le = binary('le', 'le', 1, numbers, null)
export const gt = binary('gt', 'lt', 1, numbers, null, true)
export const ge = binary('ge', 'le', 1, numbers, null, true)
export const eq = binary('eq', 'eq', 1, all, null)
export const ne = binary('ne', 'ne', 1, all, null)
export const logicalAnd = binary('logicalAnd', 'and', 1, ['bool'], null)
export const logicalOr = binary('logicalOr', 'or', 1, ['bool'], null)

export const where: OpDef<Attrs> = {
  name: 'where',
  infer: ([c, a, b]) => {
    requireDType('where', c as Meta, 'bool')
    requireSameShape('where', c as Meta, a as Meta)
    requireSameShape('where', a as Meta, b as Meta)
    requireDType('where', b as Meta, (a as Meta).dtype)
    return a as Meta
  },
  vjp: (g, [c]) => [null, (c as Tensor).where(g, 0), (c as Tensor).where(0, g)],
  lower: pointwise(1, ([c, a, b]) => E.select(c as E.Expr, a as E.Expr, b as E.Expr)),
}

/** Without gradient: what comes out of, or went into, i32 or bool has none. */
export const cast: OpDef<{ dtype: DType }> = {
  name: 'cast',
  infer: ([x], { dtype }) => ({ shape: (x as Meta).shape, dtype }),
  lower: (_inputs, { dtype }) => ({
    kind: 'map',
    form: 'pointwise',
    cost: 1,
    inMemory: [],
    value: (at, context) => E.cast(dtype, context.read(0, at)),
  }),
}

/** The i32 values themselves; an IndexError after the run if one lies outside of 0…size-1. */
export const checkIndex: OpDef<{ size: number; label: string }> = {
  name: 'checkIndex',
  infer: ([x]) => {
    requireDType('checkIndex', x as Meta, 'i32')
    return x as Meta
  },
  lower: (_inputs, { size, label }) => ({
    kind: 'map',
    form: 'pointwise',
    cost: 2,
    inMemory: [],
    checks: true,
    value: (at, context) => context.check(context.read(0, at), label, size),
  }),
}
