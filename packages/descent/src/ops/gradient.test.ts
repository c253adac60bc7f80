/**
 * Every differentiable operation of the table against central differences, in double precision, for random shapes and
 * values; and the gradients' own gradients. An operation without a sample here fails: a new one is checked at once.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cat, conv, gradCheck, scan, setDevice, type Tensor, tensor, valueAndGrad } from '../index.ts'
import { convWeightGradient } from './conv.ts'
import { operations } from './index.ts'
import { pad } from './movement.ts'
import { amax, amin } from './reduce.ts'

setDevice('reference')

interface Sample {
  readonly fn: (...xs: Tensor[]) => Tensor
  readonly inputs: readonly Tensor[]
}

/** Values in [low, high], at least `gap` apart from one another and from whole multiples of a half. */
function values(size: number, seed: number, low: number, high: number): Float32Array {
  const order = Array.from({ length: size }, (_, i) => ({ i, key: Math.sin((i + 1) * 12.9898 + seed * 78.233) }))
  order.sort((a, b) => a.key - b.key)
  const result = new Float32Array(size)
  order.forEach(({ i }, rank) => {
    const value = low + ((high - low) * (rank + 0.5)) / size
    const near = Math.round(value * 2) / 2
    result[i] = Math.abs(value - near) < 0.01 ? near + 0.013 : value
  })
  return result
}

interface Draw {
  readonly shape: readonly number[]
  readonly seed: number
}
const draw: fc.Arbitrary<Draw> = fc.record({
  shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
  seed: fc.integer({ min: 0, max: 1000 }),
})

function make({ shape, seed }: Draw, low = -1.9, high = 1.9): Tensor {
  return tensor(
    values(
      shape.reduce((a, b) => a * b, 1),
      seed,
      low,
      high,
    ),
    { shape },
  )
}
const unary =
  (fn: (x: Tensor) => Tensor, low?: number, high?: number) =>
  (d: Draw): Sample => ({ fn: (x) => fn(x as Tensor), inputs: [make(d, low, high)] })
const binary =
  (fn: (a: Tensor, b: Tensor) => Tensor, low?: number, high?: number) =>
  (d: Draw): Sample => ({
    fn: (a, b) => fn(a as Tensor, b as Tensor),
    inputs: [make(d, low, high), make({ ...d, seed: d.seed + 1 }, low, high)],
  })
const axisOf = ({ shape, seed }: Draw): number => seed % shape.length
const along =
  (fn: (x: Tensor, axis: number) => Tensor) =>
  (d: Draw): Sample => ({ fn: (x) => fn(x as Tensor, axisOf(d)), inputs: [make(d)] })
const places = (shape: readonly number[], below: number, seed: number): Tensor =>
  tensor(
    Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * 7 + seed) % below),
    { shape },
  )

const samples: Record<string, (d: Draw) => Sample> = {
  neg: unary((x) => x.neg()),
  abs: unary((x) => x.abs()),
  sign: unary((x) => x.sign()),
  exp: unary((x) => x.exp()),
  log: unary((x) => x.log(), 0.2, 3),
  log2: unary((x) => x.log2(), 0.2, 3),
  log1p: unary((x) => x.log1p(), -0.7, 3),
  expm1: unary((x) => x.expm1()),
  sqrt: unary((x) => x.sqrt(), 0.2, 3),
  rsqrt: unary((x) => x.rsqrt(), 0.2, 3),
  square: unary((x) => x.square()),
  reciprocal: unary((x) => x.reciprocal(), 0.3, 3),
  sin: unary((x) => x.sin()),
  cos: unary((x) => x.cos()),
  tan: unary((x) => x.tan(), -1.2, 1.2),
  atan: unary((x) => x.atan()),
  sinh: unary((x) => x.sinh()),
  cosh: unary((x) => x.cosh()),
  tanh: unary((x) => x.tanh()),
  sigmoid: unary((x) => x.sigmoid()),
  erf: unary((x) => x.erf()),
  relu: unary((x) => x.relu()),
  floor: unary((x) => x.floor()),
  ceil: unary((x) => x.ceil()),
  round: unary((x) => x.add(0.05).round()),
  add: binary((a, b) => a.add(b)),
  sub: binary((a, b) => a.sub(b)),
  mul: binary((a, b) => a.mul(b)),
  div: binary((a, b) => a.div(b), 0.3, 3),
  pow: binary((a, b) => a.pow(b), 0.3, 2),
  maximum: binary((a, b) => a.maximum(b.mul(0.83))),
  minimum: binary((a, b) => a.minimum(b.mul(0.83))),
  where: binary((a, b) => a.detach().gt(0.1).where(a.square(), b)),
  sum: along((x, axis) => x.sum(axis)),
  prod: along((x, axis) => x.prod(axis)),
  amax: along((x, axis) => x.apply(amax, { axes: [axis] })),
  amin: along((x, axis) => x.apply(amin, { axes: [axis] })),
  max: along((x, axis) => x.max(axis)),
  min: along((x, axis) => x.min(axis)),
  cumsum: along((x, axis) => x.cumsum(axis)),
  cumprod: along((x, axis) => x.cumprod(axis)),
  reshape: unary((x) => x.reshape(-1).square()),
  permute: unary((x) => x.permute(x.shape.map((_, i) => x.ndim - 1 - i))),
  expand: unary((x) => x.unsqueeze(0).expand(3, ...x.shape)),
  slice: (d) => ({
    fn: (x) => (x as Tensor).slice(...d.shape.map((n) => [d.seed % n, n, 1 + (d.seed % 2)] as const)).flip(0),
    inputs: [make(d)],
  }),
  windows: (d) => ({
    fn: (x) => (x as Tensor).windows([3], [1 + (d.seed % 2)], [1 + (d.seed % 3)]),
    inputs: [make({ shape: [2, 9], seed: d.seed })],
  }),
  diagonal: (d) => ({ fn: (x) => (x as Tensor).diagonal(), inputs: [make({ shape: [2, 3, 3], seed: d.seed })] }),
  pad: (d) => ({
    fn: (x) =>
      (x as Tensor).apply(pad, {
        padding: d.shape.map((n, i) => ({ low: (d.seed + i) % 3, high: n > 1 ? -1 : 1, interior: i % 2 })),
        value: 0.5,
      }),
    inputs: [make(d)],
  }),
  cat: (d) => ({
    fn: (a, b) => cat([a as Tensor, b as Tensor, a as Tensor], axisOf(d)),
    inputs: [make(d), make({ ...d, seed: d.seed + 1 })],
  }),
  matmul: ({ shape: [m = 1, k = 2, n = 3], seed }) => ({
    fn: (a, b) => (a as Tensor).matmul(b as Tensor),
    inputs: [make({ shape: [2, m, k], seed }), make({ shape: [2, k, n], seed: seed + 1 })],
  }),
  conv: ({ shape: [n = 1, c = 2, o = 1], seed }) => ({
    fn: (x, w) =>
      conv(x as Tensor, w as Tensor, {
        stride: [1 + (seed % 2), 1],
        dilation: [1, 1 + (seed % 2)],
        groups: 1 + (seed % 2),
      }),
    inputs: [
      make({ shape: [n, c * (1 + (seed % 2)), 5, 4], seed }),
      make({ shape: [o * (1 + (seed % 2)), c, 2, 2], seed: seed + 1 }),
    ],
  }),
  convWeightGradient: ({ shape: [n = 1, c = 2, o = 1], seed }) => ({
    fn: (g, x) =>
      (g as Tensor).apply(
        convWeightGradient,
        { stride: [1, 1], dilation: [1, 1], groups: 1, kernel: [2, 3] },
        x as Tensor,
      ),
    inputs: [make({ shape: [n, o, 3, 2], seed }), make({ shape: [n, c, 4, 4], seed: seed + 1 })],
  }),
  gather: (d) => ({
    fn: (x, i) => (x as Tensor).gather(axisOf(d), i as Tensor),
    inputs: [make(d), places(d.shape, d.shape[axisOf(d)] as number, d.seed)],
  }),
  scatterAdd: (d) => ({
    fn: (x, i, s) => (x as Tensor).scatterAdd(axisOf(d), i as Tensor, s as Tensor),
    inputs: [make(d), places(d.shape, d.shape[axisOf(d)] as number, d.seed), make({ ...d, seed: d.seed + 1 })],
  }),
  loop: ({ shape: [steps = 1, n = 2, k = 1], seed }) => ({
    fn: (x, h, w) => {
      const weight = w as Tensor
      const { carry, outputs } = scan(
        ([state], [slice]) => {
          const next = (state as Tensor)
            .matmul(weight)
            .add(slice as Tensor)
            .tanh()
          return { carry: [next], outputs: [next.mul(slice as Tensor), (state as Tensor).sum()] }
        },
        [h as Tensor],
        [x as Tensor],
        { reverse: seed % 2 === 1 },
      )
      return cat([...carry, ...outputs].map((y) => y.flatten()))
    },
    inputs: [
      make({ shape: [steps, n, k], seed }),
      make({ shape: [n, k], seed: seed + 1 }),
      make({ shape: [k, k], seed: seed + 2 }, -0.9, 0.9),
    ],
  }),
}

for (const { name } of operations.filter((op) => op.differentiable)) {
  test(`the gradient of ${name} agrees with differences, and so does its own gradient`, () => {
    const sample = samples[name]
    assert.ok(sample, `ops/gradient.test.ts has no sample for '${name}'`)
    fc.assert(
      fc.property(draw, (d) => {
        const { fn, inputs } = sample(d)
        gradCheck(fn, inputs)
        const first = inputs.findIndex((x) => x.dtype === 'f32')
        const slope = (...xs: Tensor[]): Tensor => {
          const { gradients } = valueAndGrad((x) => {
            const all = xs.map((other, i) => (i === first ? (x as Tensor) : other))
            const y = fn(...all)
            return y.mul(y).mul(0.5).sum()
          })(xs[first] as Tensor)
          return gradients[0] as Tensor
        }
        gradCheck(slope, inputs, { tolerance: 1e-5 })
      }),
      { numRuns: 8, seed: 20 },
    )
  })
}
