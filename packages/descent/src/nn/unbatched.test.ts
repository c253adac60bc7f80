/** Layers of [N, C, …] take one example [C, …], too. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compile } from '../compile.ts'
import { arange, tensor } from '../create.ts'
import { conv, convTranspose } from '../functions/products.ts'
import { valueAndGrad } from '../gradient.ts'
import { randn } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import * as nn from './index.ts'

/** Layers of C channels, by how many spatial dimensions they take. */
const layers: readonly (readonly [n: number, make: (channels: number) => nn.Module])[] = [
  [1, (c) => new nn.Conv1d(c, 2, 3, { padding: 'same' })],
  [2, (c) => new nn.Conv2d(c, 2 * c, 2, { stride: 2, padding: 1, groups: c, paddingMode: 'circular' })],
  [3, (c) => new nn.Conv3d(c, 1, 2, { padding: 1, bias: false })],
  [1, (c) => new nn.ConvTranspose1d(c, 3, 2, { stride: 2 })],
  [2, (c) => new nn.ConvTranspose2d(c, 3, 3, { padding: 1, bias: false })],
  [3, (c) => new nn.ConvTranspose3d(c, 1, 2)],
  [1, () => new nn.MaxPool1d(2)],
  [2, () => new nn.MaxPool2d(2, { stride: 1, padding: 1 })],
  [3, () => new nn.MaxPool3d(2)],
  [1, () => new nn.AvgPool1d(3, { stride: 1, padding: 1, countIncludePad: false })],
  [2, () => new nn.AvgPool2d(2, { ceilMode: true })],
  [3, () => new nn.AvgPool3d(2)],
  [1, () => new nn.AdaptiveAvgPool1d(2)],
  [2, () => new nn.AdaptiveAvgPool2d([2, 1])],
  [3, () => new nn.AdaptiveAvgPool3d(2)],
  [1, () => new nn.AdaptiveMaxPool1d(2)],
  [2, () => new nn.AdaptiveMaxPool2d(2)],
  [1, (c) => new nn.InstanceNorm1d(c)],
  [2, (c) => new nn.InstanceNorm2d(c, { affine: true })],
  [3, (c) => new nn.InstanceNorm3d(c)],
  [2, () => new nn.ReflectionPad2d([1, 0, 0, 1])],
  [2, () => new nn.ConstantPad2d(1, 3)],
  [2, () => new nn.PixelUnshuffle(2)],
]

test('one example gives what it gives in a batch of one, eager and compiled', () => {
  for (const [n, make] of layers) {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), (channels) => {
        const layer = make(channels)
        const x = randn([channels, ...Array.from({ length: n }, () => 4)])
        const batch = layer.forward(x.unsqueeze(0))
        const y = layer.forward(x)
        assert.deepEqual(y.shape, batch.shape.slice(1))
        assert.deepEqual(y.toArray(), batch.squeeze(0).toArray())
        const compiled = compile((x: Tensor) => layer.forward(x))(x)
        assert.ok(compiled.sub(y).abs().max().item() < 1e-5)
      }),
      { numRuns: 2 },
    )
  }
})

test('gradients of one example are those of a batch of one', () => {
  for (const [n, make] of layers) {
    const layer = make(2)
    const gradient = valueAndGrad((x) =>
      layer
        .forward(x as Tensor)
        .sin()
        .sum(),
    )
    const x = randn([2, ...Array.from({ length: n }, () => 4)])
    const [one, batch] = [gradient(x), gradient(x.unsqueeze(0))].map((found) => found.gradients[0] as Tensor) as [
      Tensor,
      Tensor,
    ]
    assert.deepEqual(one.toArray(), batch.squeeze(0).toArray())
  }
})

test("the figures are PyTorch's", () => {
  const [signal, image] = [arange(8).reshape(2, 4), arange(12).reshape(1, 3, 4)]
  const rounded = (x: Tensor): number[] => [...x.flatten().data()]
  const layer = new nn.Conv1d(2, 1, 3, { padding: 1, paddingMode: 'reflect' })
  layer.loadStateDict({
    weight: tensor([
      [
        [1, 0, -1],
        [2, 1, 0],
      ],
    ]),
    bias: tensor([0.5]),
  })
  assert.deepEqual(rounded(layer.forward(signal)), [14.5, 11.5, 14.5, 19.5])
  const back = new nn.ConvTranspose1d(2, 1, 2, { stride: 2 })
  back.loadStateDict({ weight: tensor([[[1, 2]], [[3, -1]]]), bias: tensor([0.5]) })
  assert.deepEqual(rounded(back.forward(signal)), [12.5, -3.5, 16.5, -2.5, 20.5, -1.5, 24.5, -0.5])
  assert.deepEqual(
    rounded(new nn.MaxPool2d(2, { stride: 1, padding: 1 }).forward(image)),
    [0, 1, 2, 3, 3, 4, 5, 6, 7, 7, 8, 9, 10, 11, 11, 8, 9, 10, 11, 11],
  )
  assert.deepEqual(rounded(new nn.AvgPool2d(2, { ceilMode: true }).forward(image)), [2.5, 4.5, 8.5, 10.5])
  assert.deepEqual(rounded(new nn.AdaptiveAvgPool2d([2, 3]).forward(image)), [2.5, 3.5, 4.5, 6.5, 7.5, 8.5])
  assert.deepEqual(rounded(new nn.AdaptiveMaxPool1d(2).forward(signal)), [1, 3, 5, 7])
})

test('as functions, convolutions take one example as well', () => {
  const [x, w] = [randn([2, 5]), randn([2, 2, 3])]
  assert.deepEqual(conv(x, w).toArray(), conv(x.unsqueeze(0), w).squeeze(0).toArray())
  assert.deepEqual(convTranspose(x, w).toArray(), convTranspose(x.unsqueeze(0), w).squeeze(0).toArray())
})

test('what is neither a batch nor one example is said', () => {
  assert.throws(
    () => new nn.Conv2d(3, 1, 1).forward(randn([4, 5])),
    /Conv2d: takes \[N, 3, H, W\] or \[3, H, W\], got \[4, 5\]/,
  )
  assert.throws(() => new nn.Conv2d(3, 1, 1).forward(randn([4, 5, 5])), /or \[3, H, W\], got \[4, 5, 5\]/)
  assert.throws(() => new nn.MaxPool1d(1).forward(randn([4])), /takes \[N, C, L\] or \[C, L\], got \[4\]/)
})

test('a summary of one example counts the same operations', () => {
  const net = new nn.Sequential(new nn.Conv2d(3, 4, 3), new nn.ConvTranspose2d(4, 2, 3), new nn.MaxPool2d(2))
  assert.equal(nn.summary(net, [3, 8, 8]).flops, nn.summary(net, [1, 3, 8, 8]).flops)
})
