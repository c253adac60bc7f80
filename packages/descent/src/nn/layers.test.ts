import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compile } from '../compile.ts'
import { ones, tensor, zeros } from '../create.ts'
import { gradCheck } from '../gradient.ts'
import { Generator, manualSeed, rand, randn } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import { scaledDotProductAttention } from './attention.ts'
import { BatchNorm1d, BatchNorm2d } from './batch-norm.ts'
import { Conv2d } from './conv.ts'
import { Dropout } from './dropout.ts'
import * as init from './init.ts'
import { Linear } from './linear.ts'
import { MaxPool2d, maxPool2d } from './pool.ts'

test('first values are uniform in ±1/√fanIn, and the seed decides them', () => {
  const layer = new Linear(100, 50, { generator: new Generator(4) })
  const weights = layer.weight.data() as Float32Array
  assert.ok(weights.every((w) => Math.abs(w) <= 0.1))
  assert.ok(Math.max(...weights) > 0.099 && Math.min(...weights) < -0.099)
  const variance = weights.reduce((sum, w) => sum + w * w, 0) / weights.length
  assert.ok(Math.abs(variance - 0.01 / 3) < 2e-4, `${variance}`)
  assert.deepEqual(new Linear(100, 50, { generator: new Generator(4) }).bias?.data(), layer.bias?.data())
  assert.notDeepEqual(new Linear(100, 50, { generator: new Generator(5) }).bias?.data(), layer.bias?.data())
  const kernels = new Conv2d(4, 8, 5).weight.data() as Float32Array
  assert.ok(kernels.every((w) => Math.abs(w) <= 0.1) && Math.max(...kernels) > 0.097)
})

test('values drawn on the host and on the device are the same', () => {
  manualSeed(9)
  const host = init.uniform(zeros([1000]), -2, 3)
  const hostNext = init.uniform(zeros([10]))
  manualSeed(9)
  assert.ok(rand([1000]).mul(5).sub(2).sub(host).abs().max().item() < 1e-6)
  assert.deepEqual(rand([10]).data(), hostNext.data())
})

test("Xavier's and Kaiming's normal values have their standard deviations", () => {
  manualSeed(1)
  const std = (x: Tensor) => x.std().item()
  assert.ok(Math.abs(std(init.xavierNormal(zeros([80, 120]))) - 0.1) < 0.004)
  assert.ok(Math.abs(std(init.kaimingNormal(zeros([90, 200]), { nonlinearity: 'relu' })) - 0.1) < 0.004)
  assert.ok(Math.abs(std(init.xavierUniform(zeros([80, 120]))) - 0.1) < 0.004)
  assert.throws(() => init.kaimingUniform(zeros([3])), /at least two dimensions \[out, in\], this one is \[3\]/)
})

test('layers say which shapes they take', () => {
  assert.throws(() => new Linear(4, 2).forward(zeros([3, 5])), {
    name: 'ShapeError',
    message: /Linear: takes \[\.\.\., 4\], got \[3, 5\]/,
  })
  assert.throws(() => new Linear(12, 2).forward(zeros([2, 3, 2, 2])), /Did you forget nn\.Flatten\(\)/)
  assert.throws(
    () => new Conv2d(3, 2, 3).forward(zeros([1, 1, 8, 8])),
    /Conv2d: takes \[N, 3, H, W\] or \[3, H, W\], got \[1, 1, 8, 8\]/,
  )
  assert.throws(() => new Conv2d(1, 2, 3).forward(zeros([1, 1, 2, 2])), /smaller than the kernel/)
  assert.throws(() => new Conv2d(3, 4, 3, { groups: 2 }), /do not divide into 2 groups/)
  assert.throws(() => new MaxPool2d(3).forward(zeros([1, 1, 2, 5])), /smaller than the kernel/)
  assert.throws(() => new MaxPool2d(3).forward(zeros([2, 5])), /takes \[N, C, H, W\]/)
  assert.throws(() => new MaxPool2d(2, { padding: 2 }).forward(zeros([1, 1, 5, 5])), /more than half/)
  assert.throws(() => new BatchNorm1d(3).forward(zeros([2, 4])), /takes \[N, 3\] or \[N, 3, L\], got \[2, 4\]/)
  assert.throws(() => new BatchNorm2d(3).forward(zeros([2, 3])), /takes \[N, 3, H, W\]/)
  assert.throws(
    () => new BatchNorm1d(3).forward(zeros([1, 3])),
    /BatchNorm1d: a batch of one value a channel, \[1, 3\], has no variance/,
  )
})

test('dropout keeps the expected value and drops the share p, also compiled', () => {
  manualSeed(2)
  for (const wrap of [(f: (x: Tensor) => Tensor) => f, (f: (x: Tensor) => Tensor) => compile(f)]) {
    const dropout = new Dropout(0.3)
    const forward = wrap((x) => dropout.forward(x))
    const y = forward(ones([20000]))
    assert.ok(Math.abs(y.mean().item() - 1) < 0.02)
    assert.ok(Math.abs(y.eq(0).float().mean().item() - 0.3) < 0.01)
    assert.notDeepEqual(forward(ones([20000])).data(), y.data(), 'each call draws anew')
  }
})

test("dropout's p can change without a new plan, and 0 and 1 are exact", () => {
  const dropout = new Dropout(0.5)
  const run = compile((x: Tensor) => dropout.forward(x))
  const x = ones([1000])
  run(x)
  dropout.p = 0
  assert.deepEqual(new Set(run(x).data()), new Set([1]))
  dropout.p = 1
  assert.deepEqual(new Set(run(x).data()), new Set([0]))
  assert.match(run.explain(), /^1 plan was made/)
  const leaf = ones([3]).requiresGrad_()
  dropout.forward(leaf).sum().backward()
  assert.deepEqual(leaf.grad?.toArray(), [0, 0, 0])
  assert.throws(() => {
    dropout.p = 1.5
  }, RangeError)
})

/** The definition, place by place. */
function pooledByHand(x: number[][], kernel: number, stride: number, padding: number, ceilMode: boolean): number[][] {
  const places = (extent: number): number => {
    const exact = (extent + 2 * padding - kernel) / stride
    const count = (ceilMode ? Math.ceil(exact) : Math.floor(exact)) + 1
    return ceilMode && (count - 1) * stride >= extent + padding ? count - 1 : count
  }
  const rows = Array.from({ length: places(x.length) }, (_, i) => i * stride - padding)
  const columns = Array.from({ length: places((x[0] as number[]).length) }, (_, i) => i * stride - padding)
  return rows.map((top) =>
    columns.map((left) => {
      let largest = -Infinity
      for (let i = top; i < top + kernel; i++) {
        for (let j = left; j < left + kernel; j++) largest = Math.max(largest, x[i]?.[j] ?? -Infinity)
      }
      return largest
    }),
  )
}

test('max pooling is the largest value of each window, for any kernel, stride, padding and rounding', () => {
  const settings = fc.record({
    height: fc.integer({ min: 4, max: 9 }),
    width: fc.integer({ min: 4, max: 9 }),
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 4 }),
    padded: fc.boolean(),
    ceilMode: fc.boolean(),
  })
  fc.assert(
    fc.property(settings, ({ height, width, kernel, stride, padded, ceilMode }) => {
      const x = Array.from({ length: height }, (_, i) =>
        Array.from({ length: width }, (_, j) => ((i * 7 + j * 5) % 11) - 20),
      )
      const padding = padded ? Math.floor(kernel / 2) : 0
      const y = maxPool2d(tensor([[x]]), kernel, { stride, padding, ceilMode })
      assert.deepEqual(y.toArray(), [[pooledByHand(x, kernel, stride, padding, ceilMode)]])
    }),
    { numRuns: 40 },
  )
})

test("max pooling's gradient goes to the first of equal values, overlapping or not", () => {
  for (const [options, want] of [
    [
      {},
      [
        [1, 0, 1, 0],
        [0, 0, 0, 0],
      ],
    ],
    [
      { stride: 1 },
      [
        [1, 1, 1, 0],
        [0, 0, 0, 0],
      ],
    ],
  ] as const) {
    const x = ones([1, 1, 2, 4]).requiresGrad_()
    maxPool2d(x, 2, options).sum().backward()
    assert.deepEqual(x.grad?.toArray(), [[want]])
  }
})

test('running statistics take a share of the batch, the variance there unbiased', () => {
  const norm = new BatchNorm1d(1, { momentum: 0.5 })
  norm.forward(tensor([[1], [3]]))
  assert.deepEqual([norm.runningMean.toArray(), norm.runningVar.toArray()], [[1], [1.5]])
  norm.eval()
  norm.forward(tensor([[100]]))
  assert.deepEqual(norm.runningMean.toArray(), [1], 'evaluation changes nothing')
})

test('the gradients of layers agree with differences', () => {
  manualSeed(5)
  const x = randn([2, 2, 5, 4])
  const conv = new Conv2d(2, 2, 3, { stride: [2, 1], padding: [1, 0], bias: false, groups: 2 })
  gradCheck(
    (image, weight) => {
      Object.assign(conv, { weight })
      return conv.forward(image)
    },
    [x, conv.weight.detach()],
  )
  gradCheck((image) => maxPool2d(image, 3, { stride: 2, padding: 1, ceilMode: true }), [x])
  const [q, k, v] = [randn([2, 3, 4]), randn([2, 3, 4]), randn([2, 3, 2])]
  gradCheck((a, b, c) => scaledDotProductAttention(a, b, c, { causal: true }), [q, k, v])
})

test('attention under a causal mask sees nothing that comes later', () => {
  manualSeed(6)
  const [q, k, v] = [randn([4, 8]), randn([4, 8]), randn([4, 8])]
  const first = scaledDotProductAttention(q, k, v, { causal: true }).slice(0).toArray() as number[]
  const own = v.slice(0).toArray() as number[]
  for (const [i, value] of first.entries()) assert.ok(Math.abs(value - (own[i] as number)) < 1e-6)
  const mask = ones([4, 4]).tril().bool()
  const added = mask.where(0, Number.NEGATIVE_INFINITY)
  const want = scaledDotProductAttention(q, k, v, { causal: true }).toArray()
  assert.deepEqual(scaledDotProductAttention(q, k, v, { mask }).toArray(), want)
  assert.deepEqual(scaledDotProductAttention(q, k, v, { mask: added }).toArray(), want)
  assert.throws(() => scaledDotProductAttention(q, k, randn([3, 8])), { name: 'ShapeError' })
})
