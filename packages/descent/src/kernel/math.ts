/**
 * The mathematical functions of f32, written once as expressions over operations that every machine has, so that all
 * CPU devices agree to the last bit. Relative errors stay below 5e-7 (about 4 units in the last place) where the
 * result is a normal number; results below the smallest normal number may become 0.
 *
 * Where nothing else is said, polynomials are those of S. Moshier's Cephes library (single precision).
 */
import { type Expr, operands, withOperands } from './expr.ts'

/** Replaces the mathematical functions in an expression. Shared parts stay shared, over calls with one `memo` too. */
export function expandMath(e: Expr, memo: Map<Expr, Expr> = new Map()): Expr {
  const seen = memo.get(e)
  if (seen) return seen
  const result = expandOne(
    withOperands(
      e,
      operands(e).map((x) => expandMath(x, memo)),
    ),
  )
  memo.set(e, result)
  return result
}

function expandOne(e: Expr): Expr {
  if (e.kind === 'binary') return e.op === 'pow' ? pow(e.a, e.b) : e
  if (e.kind !== 'unary') return e
  switch (e.op) {
    case 'exp':
      return exp(e.x)
    case 'log':
      return log(e.x)
    case 'log1p':
      return log1p(e.x)
    case 'expm1':
      return expm1(e.x)
    case 'sin':
      return sin(e.x)
    case 'cos':
      return cos(e.x)
    case 'tan':
      return tan(e.x)
    case 'atan':
      return atan(e.x)
    case 'tanh':
      return tanh(e.x)
    case 'sinh':
      return sinh(e.x)
    case 'cosh':
      return cosh(e.x)
    case 'sigmoid':
      return sigmoid(e.x)
    case 'erf':
      return erf(e.x)
    case 'neg':
    case 'abs':
    case 'sqrt':
    case 'floor':
    case 'ceil':
    case 'round':
    case 'not':
    case 'relu':
      return e
    default:
      return e satisfies never
  }
}

type Operand = Expr | number
type Op = Extract<Expr, { kind: 'binary' }>['op']

function number(x: Operand): Expr {
  return typeof x === 'number' ? { kind: 'const', dtype: 'f32', value: Math.fround(x) } : x
}
function integer(x: Operand): Expr {
  return typeof x === 'number' ? { kind: 'const', dtype: 'i32', value: x | 0 } : x
}
const float =
  (op: Op) =>
  (a: Operand, b: Operand): Expr => ({ kind: 'binary', dtype: 'f32', op, a: number(a), b: number(b) })
const int =
  (op: Op) =>
  (a: Operand, b: Operand): Expr => ({ kind: 'binary', dtype: 'i32', op, a: integer(a), b: integer(b) })
const compare =
  (op: Op) =>
  (a: Operand, b: Operand): Expr => ({ kind: 'binary', dtype: 'bool', op, a: number(a), b: number(b) })
const [add, sub, mul, div, min, max] = [
  float('add'),
  float('sub'),
  float('mul'),
  float('div'),
  float('min'),
  float('max'),
]
const [lt, le, eq, ne] = [compare('lt'), compare('le'), compare('eq'), compare('ne')]
const both = (a: Expr, b: Expr): Expr => ({ kind: 'binary', dtype: 'bool', op: 'and', a, b })
const [addI, subI, shl, shr, and] = [int('add'), int('sub'), int('shl'), int('shr'), int('and')]
function fma(a: Operand, b: Operand, c: Operand): Expr {
  return { kind: 'fma', dtype: 'f32', a: number(a), b: number(b), c: number(c) }
}
function choose(condition: Expr, a: Operand, b: Operand): Expr {
  return { kind: 'select', dtype: 'f32', condition, a: number(a), b: number(b) }
}
function unary(op: 'neg' | 'abs' | 'floor' | 'sqrt', x: Expr): Expr {
  return { kind: 'unary', dtype: 'f32', op, x }
}
const neg = (x: Expr) => unary('neg', x)
const abs = (x: Expr) => unary('abs', x)
function bits(x: Expr): Expr {
  return { kind: 'bitcast', dtype: 'i32', x }
}
function fromBits(x: Expr): Expr {
  return { kind: 'bitcast', dtype: 'f32', x }
}
const isZeroI = (x: Expr): Expr => ({ kind: 'binary', dtype: 'bool', op: 'eq', a: x, b: integer(0) })

/** Horner's rule, highest power first. */
function polynomial(x: Expr, coefficients: readonly number[]): Expr {
  let sum = number(coefficients[0] as number)
  for (const c of coefficients.slice(1)) sum = fma(sum, x, c)
  return sum
}

/** Adding this rounds to an integer, which then stands in the low bits. */
const rounder = 12582912 // 1.5 · 2^23
/** ln 2 in two parts; the first is short, so that its product with an exponent is exact. */
const ln2High = 0.693359375
const ln2Low = -2.1219444005469057e-4

/** x = n ln 2 + r: `shifted` has n in its low bits, `less1` is e^r - 1. */
function reduceExp(x: Expr): { shifted: Expr; less1: Expr } {
  const shifted = fma(x, Math.LOG2E, rounder)
  const n = sub(shifted, rounder)
  const r = fma(n, -ln2Low, fma(n, -ln2High, x))
  const q = polynomial(
    r,
    [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1],
  )
  return { shifted, less1: fma(q, mul(r, r), r) }
}

function exp(x: Expr): Expr {
  const { shifted, less1 } = reduceExp(x)
  const y = fromBits(addI(bits(add(less1, 1)), shl(bits(shifted), 23)))
  // The product is infinity where x is too large, and NaN where x is NaN.
  return choose(lt(x, -87.33654), 0, choose(le(x, 88.72283), y, mul(x, Infinity)))
}

function expm1(x: Expr): Expr {
  const { shifted, less1 } = reduceExp(x)
  const power = fromBits(addI(shl(bits(shifted), 23), 0x3f800000))
  const near = choose(eq(x, 0), x, fma(power, less1, sub(power, 1)))
  return choose(le(abs(x), 1), near, sub(exp(x), 1))
}

/** |x| = 2^e · m with m in [√½, √2), for x > 0. */
function splitExponent(x: Expr): { e: Expr; m: Expr } {
  const small = lt(x, 1.17549435e-38)
  const shifted = addI(bits(choose(small, mul(x, 8388608), x)), 0x3f800000 - 0x3f3504f3)
  const e: Expr = { kind: 'cast', dtype: 'f32', x: subI(shr(shifted, 23), 127) }
  const m = fromBits(addI(and(shifted, 0x7fffff), 0x3f3504f3))
  return { e: sub(e, choose(small, 23, 0)), m }
}

function log(x: Expr): Expr {
  const { e, m } = splitExponent(x)
  const f = sub(m, 1)
  const z = mul(f, f)
  const p = polynomial(
    f,
    [
      7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
      2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    ],
  )
  const tail = fma(z, -0.5, fma(e, ln2Low, mul(p, mul(f, z))))
  const y = fma(e, ln2High, add(f, tail))
  return choose(lt(0, x), choose(lt(x, Infinity), y, x), choose(eq(x, 0), -Infinity, NaN))
}

/** log(u) · x / (u - 1) where u = 1 + x as rounded (W. Kahan). */
function log1p(x: Expr): Expr {
  const u = add(x, 1)
  const y = mul(log(u), div(x, sub(u, 1)))
  return choose(eq(u, 1), x, choose(lt(x, Infinity), y, log(u)))
}

/** x = j · π/2 + r; `j` in the low bits of `quadrant`. Good to about |x| = 1e5. */
function reduceQuarter(x: Expr): { quadrant: Expr; r: Expr } {
  const shifted = fma(x, 2 / Math.PI, rounder)
  const j = sub(shifted, rounder)
  let r = x
  for (const part of halfPi) r = fma(j, -part, r)
  return { quadrant: bits(shifted), r: max(min(r, 0.8), -0.8) }
}
/** π/2 in parts of 8 bits, whose products with j are exact, and a rest. */
const halfPi = shortParts(Math.PI / 2, 3)
function shortParts(value: number, count: number): number[] {
  const parts: number[] = []
  let rest = value
  for (let i = 0; i < count; i++) {
    const unit = 2 ** (Math.floor(Math.log2(rest)) - 7)
    parts.push(Math.floor(rest / unit) * unit)
    rest -= parts[i] as number
  }
  return [...parts, rest]
}

function sineOf(r: Expr): Expr {
  const z = mul(r, r)
  return fma(mul(polynomial(z, [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]), z), r, r)
}
function cosineOf(r: Expr): Expr {
  const z = mul(r, r)
  const p = polynomial(z, [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2])
  return fma(p, mul(z, z), fma(z, -0.5, 1))
}
function sineAt(quadrant: Expr, r: Expr): Expr {
  const y = choose(isZeroI(and(quadrant, 1)), sineOf(r), cosineOf(r))
  return choose(isZeroI(and(quadrant, 2)), y, neg(y))
}
function sin(x: Expr): Expr {
  const { quadrant, r } = reduceQuarter(x)
  return sineAt(quadrant, r)
}
function cos(x: Expr): Expr {
  const { quadrant, r } = reduceQuarter(x)
  return sineAt(addI(quadrant, 1), r)
}
function tan(x: Expr): Expr {
  const { quadrant, r } = reduceQuarter(x)
  const [s, c] = [sineOf(r), cosineOf(r)]
  const even = isZeroI(and(quadrant, 1))
  return div(choose(even, s, neg(c)), choose(even, c, s))
}

function atan(x: Expr): Expr {
  const a = abs(x)
  const large = lt(2.414213562373095, a)
  const middle = lt(0.4142135623730951, a)
  const above = choose(large, -1, choose(middle, sub(a, 1), a))
  const below = choose(large, a, choose(middle, add(a, 1), 1))
  const t = div(above, below)
  const z = mul(t, t)
  const p = polynomial(z, [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1])
  const y = add(choose(large, Math.PI / 2, choose(middle, Math.PI / 4, 0)), fma(mul(p, z), t, t))
  return choose(lt(x, 0), neg(y), choose(eq(x, 0), x, y))
}

/** A rational function x P(x²) / Q(x²) on |x| ≤ limit (J. Bradbury and others, for Eigen). */
function rational(x: Expr, limit: number, p: readonly number[], q: readonly number[]): Expr {
  const c = max(min(x, limit), -limit)
  const z = mul(c, c)
  const scale = 1 / (q[q.length - 1] as number)
  const scaled = (list: readonly number[]) => list.map((v) => v * scale)
  return div(mul(c, polynomial(z, scaled(p))), polynomial(z, scaled(q)))
}
function tanh(x: Expr): Expr {
  // Here the quotient rounds to 1, with fused multiply-add and without, and nowhere below to more than 1.
  return rational(
    x,
    8.013616561889648,
    [
      -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5,
      6.37261928875436e-4, 4.89352455891786e-3,
    ],
    [1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3],
  )
}
function erf(x: Expr): Expr {
  const y = rational(
    x,
    3.832506856900711,
    [
      -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5, -7.34990630326855e-4,
      -2.95459980854025e-3, -1.60960333262415e-2,
    ],
    [-1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2],
  )
  return max(min(y, 1), -1)
}

function sigmoid(x: Expr): Expr {
  return div(1, add(exp(neg(x)), 1))
}

/** e^|x| / 2, which overflows only where sinh and cosh do. */
function halfExp(x: Expr): Expr {
  return mul(exp(sub(abs(x), 1)), Math.E / 2)
}
function cosh(x: Expr): Expr {
  const h = halfExp(x)
  return add(h, div(0.25, h))
}
function sinh(x: Expr): Expr {
  const h = halfExp(x)
  const y = sub(h, div(0.25, h))
  const z = mul(x, x)
  const near = fma(mul(polynomial(z, [1 / 362880, 1 / 5040, 1 / 120, 1 / 6]), z), x, x)
  return choose(le(abs(x), 1), near, choose(lt(x, 0), neg(y), y))
}

/** a^b = e^(b ln |a|), the logarithm and the product in two f32 each, and the sign of a where b is odd. */
function pow(a: Expr, b: Expr): Expr {
  if (b.kind === 'const') {
    const simple = simplePower(a, b.value)
    if (simple) return simple
  }
  const base = abs(a)
  const { e, m } = splitExponent(base)
  // ln m = 2 artanh(s), s = (m - 1) / (m + 1)
  const above = sub(m, 1)
  const below = add(m, 1)
  const belowRest = sub(m, sub(below, 1))
  const s = div(above, below)
  const sRest = div(fma(neg(s), belowRest, fma(neg(s), below, above)), below)
  const z = mul(s, s)
  const tail = mul(mul(s, z), polynomial(z, [2 / 11, 2 / 9, 2 / 7, 2 / 5, 2 / 3]))
  const whole = mul(e, ln2High)
  const twice = mul(s, 2)
  const sum = add(whole, twice)
  const rest = add(sub(twice, sub(sum, whole)), fma(e, ln2Low, fma(sRest, 2, tail)))
  const high = add(sum, rest)
  const low = sub(rest, sub(high, sum))
  const y = mul(b, high)
  const yRest = fma(b, low, fma(b, high, neg(y)))
  const magnitude = mul(exp(y), choose(lt(abs(y), 200), add(yRest, 1), 1))
  const positive = choose(
    eq(base, 0),
    choose(lt(b, 0), Infinity, 0),
    // Above, infinity times ln 1 would be NaN: 1 and −1 to an infinite power are 1, as in C.
    choose(eq(base, Infinity), choose(lt(b, 0), 0, Infinity), choose(eq(base, 1), 1, magnitude)),
  )
  const half = mul(b, 0.5)
  const whole1 = eq(unary('floor', b), b)
  const odd = both(whole1, ne(unary('floor', half), half))
  const signed = choose(odd, neg(positive), positive)
  const negative = choose(whole1, signed, choose(lt(base, Infinity), NaN, positive))
  const value = choose(lt(a, 0), negative, choose(both(eq(a, 0), odd), mul(positive, copySign1(a)), positive))
  const ordered = both(eq(a, a), eq(b, b))
  return choose(eq(b, 0), 1, choose(eq(a, 1), 1, choose(ordered, value, NaN)))
}

/** 1 with the sign of x. */
function copySign1(x: Expr): Expr {
  return fromBits(addI(and(bits(x), -0x80000000), 0x3f800000))
}

function simplePower(a: Expr, b: number): Expr | null {
  switch (b) {
    case 0:
      return number(1)
    case 1:
      return a
    case 2:
      return mul(a, a)
    case 3:
      return mul(mul(a, a), a)
    case 4:
      return mul(mul(a, a), mul(a, a))
    case -1:
      return div(1, a)
    case -2:
      return div(1, mul(a, a))
    case 0.5:
      return unary('sqrt', a)
    case -0.5:
      return div(1, unary('sqrt', a))
    default:
      return null
  }
}
