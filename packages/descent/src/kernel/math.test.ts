import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BinaryOp, Expr, UnaryOp } from './expr.ts'
import { expandMath } from './math.ts'

/** Evaluates an expanded expression in f32 (`fma` rounded once, but for double rounding); inputs stand for loads. */
function compile(root: Expr): (inputs: readonly number[]) => number {
  const order: Expr[] = []
  const slots = new Map<Expr, number>()
  const visit = (e: Expr): number => {
    const known = slots.get(e)
    if (known !== undefined) return known
    for (const x of Object.values(e)) if (typeof x === 'object' && x !== null && 'dtype' in x) visit(x as Expr)
    slots.set(e, order.length)
    return order.push(e) - 1
  }
  const rootSlot = visit(root)
  const at = (e: Expr) => slots.get(e) as number
  const word = new DataView(new ArrayBuffer(4))
  const steps = order.map((e): ((v: number[], inputs: readonly number[]) => number) => {
    switch (e.kind) {
      case 'const':
        return () => e.value
      case 'load':
        return (_, inputs) => inputs[e.buffer] as number
      case 'fma': {
        const [a, b, c] = [at(e.a), at(e.b), at(e.c)]
        return (v) => Math.fround((v[a] as number) * (v[b] as number) + (v[c] as number))
      }
      case 'select': {
        const [k, a, b] = [at(e.condition), at(e.a), at(e.b)]
        return (v) => (v[k] ? v[a] : v[b]) as number
      }
      case 'cast': {
        const x = at(e.x)
        return e.dtype === 'f32' ? (v) => Math.fround(v[x] as number) : (v) => Math.trunc(v[x] as number) | 0
      }
      case 'bitcast': {
        const x = at(e.x)
        if (e.dtype === 'i32')
          return (v) => {
            word.setFloat32(0, v[x] as number)
            return word.getInt32(0)
          }
        return (v) => {
          word.setInt32(0, v[x] as number)
          return word.getFloat32(0)
        }
      }
      case 'unary': {
        const x = at(e.x)
        return (v) => unaryValue(e.op, v[x] as number)
      }
      case 'binary': {
        const [a, b] = [at(e.a), at(e.b)]
        const f = e.a.dtype === 'f32'
        return (v) => binaryValue(e.op, v[a] as number, v[b] as number, f)
      }
      default:
        throw new Error(e.kind)
    }
  })
  const values = new Array<number>(order.length).fill(0)
  return (inputs) => {
    for (let i = 0; i < steps.length; i++)
      values[i] = (steps[i] as (v: number[], n: readonly number[]) => number)(values, inputs)
    return values[rootSlot] as number
  }
}
function unaryValue(op: UnaryOp, x: number): number {
  switch (op) {
    case 'neg':
      return -x
    case 'abs':
      return Math.abs(x)
    case 'floor':
      return Math.floor(x)
    case 'sqrt':
      return Math.fround(Math.sqrt(x))
    default:
      throw new Error(op)
  }
}
function binaryValue(op: BinaryOp, a: number, b: number, f: boolean): number {
  const round = (x: number) => (f ? Math.fround(x) : x | 0)
  switch (op) {
    case 'add':
      return round(a + b)
    case 'sub':
      return round(a - b)
    case 'mul':
      return f ? Math.fround(a * b) : Math.imul(a, b)
    case 'div':
      return Math.fround(a / b)
    case 'max':
      return Math.max(a, b)
    case 'min':
      return Math.min(a, b)
    case 'lt':
      return +(a < b)
    case 'le':
      return +(a <= b)
    case 'eq':
      return +(a === b)
    case 'ne':
      return +(a !== b)
    case 'and':
      return a & b
    case 'shl':
      return a << b
    case 'shr':
      return (a >>> b) | 0
    default:
      throw new Error(op)
  }
}

const input = (buffer: number): Expr => ({
  kind: 'load',
  dtype: 'f32',
  buffer,
  index: { offset: 0, terms: [] },
  guarded: false,
})
const ofUnary = (op: UnaryOp) => {
  const run = compile(expandMath({ kind: 'unary', dtype: 'f32', op, x: input(0) }))
  return (x: number) => run([Math.fround(x)])
}
const smallest = 2 ** -126

function relativeError(got: number, want: number): number {
  if (Object.is(got, want) || (Number.isNaN(got) && Number.isNaN(want))) return 0
  if (Math.abs(want) > 3.4028234e38) return Math.abs(got) > 3.4e38 && Math.sign(got) === Math.sign(want) ? 0 : Infinity
  if (Math.abs(want) < smallest) return Math.abs(got) <= smallest ? 0 : Infinity
  return Math.abs(got - want) / Math.abs(want)
}

function* sweep(low: number, high: number, count = 20000): Generator<number> {
  for (let i = 0; i <= count; i++) yield Math.fround(low + ((high - low) * i) / count)
  for (let p = -37; p <= Math.log10(Math.max(Math.abs(low), Math.abs(high))); p += 0.01) {
    if (10 ** p <= high) yield Math.fround(10 ** p)
    if (-(10 ** p) >= low) yield Math.fround(-(10 ** p))
  }
}

function erf(x: number): number {
  // Series near 0, continued fraction for the complement beyond.
  const a = Math.abs(x)
  if (a < 2.5) {
    let term = x
    let sum = x
    for (let n = 1; n < 100; n++) {
      term *= (-x * x) / n
      sum += term / (2 * n + 1)
    }
    return (2 / Math.sqrt(Math.PI)) * sum
  }
  let f = 0
  for (let n = 60; n >= 1; n--) f = n / 2 / (a + f)
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + f))
}

const cases: [UnaryOp, (x: number) => number, number, number, number][] = [
  ['exp', Math.exp, -110, 100, 3e-7],
  ['log', Math.log, 0, 1e6, 3e-7],
  ['log', Math.log, 0.5, 2, 3e-7],
  ['log', Math.log, 1e30, 3e38, 3e-7],
  ['log1p', Math.log1p, -0.9999999, 10, 5e-7],
  ['log1p', Math.log1p, -0.01, 0.01, 5e-7],
  ['expm1', Math.expm1, -20, 90, 5e-7],
  ['expm1', Math.expm1, -1.5, 1.5, 5e-7],
  ['sin', Math.sin, -10, 10, 5e-7],
  ['cos', Math.cos, -10, 10, 5e-7],
  ['tan', Math.tan, -10, 10, 5e-7],
  ['atan', Math.atan, -20, 20, 5e-7],
  ['tanh', Math.tanh, -10, 10, 5e-7],
  ['sinh', Math.sinh, -100, 100, 5e-7],
  ['sinh', Math.sinh, -2, 2, 5e-7],
  ['cosh', Math.cosh, -100, 100, 5e-7],
  ['sigmoid', (x) => 1 / (1 + Math.exp(-x)), -86, 100, 5e-7],
  ['erf', erf, -5, 5, 6e-7],
]
for (const [op, truth, low, high, bound] of cases) {
  test(`${op} from ${low} to ${high} has a relative error below ${bound}`, () => {
    const f = ofUnary(op)
    let worst = 0
    let where = 0
    for (const x of sweep(low, high)) {
      const error = relativeError(f(x), truth(x))
      if (error > worst) [worst, where] = [error, x]
    }
    assert.ok(worst <= bound, `${worst} at ${where}: ${f(where)} for ${truth(where)}`)
  })
}

test('sin and cos keep their absolute error up to 1e5', () => {
  const [s, c] = [ofUnary('sin'), ofUnary('cos')]
  for (const x of sweep(-1e5, 1e5)) {
    assert.ok(Math.abs(s(x) - Math.sin(x)) < 3e-7, `sin ${x}`)
    assert.ok(Math.abs(c(x) - Math.cos(x)) < 3e-7, `cos ${x}`)
  }
})

test('special values are those of IEEE', () => {
  const is = (op: UnaryOp, x: number, want: number) =>
    assert.ok(Object.is(ofUnary(op)(x), want), `${op}(${x}) = ${ofUnary(op)(x)}`)
  for (const [op] of cases) is(op, NaN, NaN)
  for (const op of ['log1p', 'expm1', 'sin', 'tan', 'atan', 'tanh', 'sinh', 'erf'] as const) {
    is(op, 0, 0)
    assert.equal(ofUnary(op)(-0) === 0, true)
  }
  is('exp', 0, 1)
  is('exp', Infinity, Infinity)
  is('exp', -Infinity, 0)
  is('exp', 1000, Infinity)
  is('exp', -1e30, 0)
  is('log', 0, -Infinity)
  is('log', -1, NaN)
  is('log', Infinity, Infinity)
  is('log', 1, 0)
  is('log', -Infinity, NaN)
  is('log1p', -1, -Infinity)
  is('log1p', -2, NaN)
  is('log1p', Infinity, Infinity)
  is('expm1', Infinity, Infinity)
  is('expm1', -Infinity, -1)
  is('sin', Infinity, NaN)
  is('cos', -Infinity, NaN)
  is('cos', 0, 1)
  is('sinh', Infinity, Infinity)
  is('sinh', -Infinity, -Infinity)
  is('cosh', -Infinity, Infinity)
  is('cosh', 0, 1)
  is('sigmoid', 100, 1)
  is('sigmoid', -100, 0)
  is('sigmoid', 0, 0.5)
  is('sigmoid', -Infinity, 0)
  for (const x of [Infinity, 20, 8]) {
    assert.ok(ofUnary('tanh')(x) <= 1 && ofUnary('tanh')(x) > 0.9999995)
    assert.ok(ofUnary('erf')(x) <= 1 && ofUnary('erf')(x) > 0.9999995)
  }
})

test('tanh and erf reach 1, and nowhere more', () => {
  for (const op of ['tanh', 'erf'] as const) {
    const f = ofUnary(op)
    for (const x of sweep(3, 9)) assert.ok(f(x) <= 1 && f(-x) >= -1, `${op} ${x}`)
    for (const x of [8.1, 9, 100, Infinity]) assert.equal(f(x), 1)
  }
})

test('pow has a relative error below 5e-7 and the special values of IEEE', () => {
  const run = compile(expandMath({ kind: 'binary', dtype: 'f32', op: 'pow', a: input(0), b: input(1) }))
  const pow = (a: number, b: number) => run([Math.fround(a), Math.fround(b)])
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return state / 0x7fffffff
  }
  for (let i = 0; i < 20000; i++) {
    const a = Math.fround(Math.exp((random() - 0.5) * 20))
    const b = Math.fround((random() - 0.5) * 16)
    const error = relativeError(pow(a, b), a ** b)
    assert.ok(error < 5e-7, `${a} ^ ${b}: ${pow(a, b)} for ${a ** b}: ${error}`)
  }
  const numbers = [0, -0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, -1.5, 7, 100, 101, 1e30, -1e30, Infinity, -Infinity, NaN]
  for (const a of numbers) {
    for (const b of numbers) {
      // JavaScript gives NaN for 1 to the power of NaN, and for 1 and −1 to an infinite one; IEEE gives 1.
      const one = a === 1 || (a === -1 && Math.abs(b) === Infinity)
      const want = one ? 1 : Math.fround(Math.fround(a) ** Math.fround(b))
      const got = pow(a, b)
      assert.ok(Object.is(got, want) || relativeError(got, want) < 5e-7, `${a} ^ ${b}: ${got} for ${want}`)
    }
  }
})
