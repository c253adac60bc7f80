/** What holds for every layer with a gradient: it is the right one, and a compiled step gives the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setDevice, device as usedDevice } from '../backend.ts'
import { compile } from '../compile.ts'
import { gradCheck, valueAndGrad } from '../gradient.ts'
import { manualSeed, randn } from '../random.ts'
import { Tensor } from '../tensor.ts'
import * as nn from './index.ts'

type Net = nn.Module<never[], unknown>

/** A layer, and the shapes of what goes in. */
const layers: readonly (readonly [make: () => Net, ...shapes: (readonly number[])[]])[] = [
  [() => new nn.Conv1d(2, 4, 3, { stride: 2, padding: 2, dilation: 2, groups: 2 }), [2, 2, 7]],
  [() => new nn.Conv1d(2, 2, 2, { padding: 'same', paddingMode: 'reflect' }), [1, 2, 5]],
  [() => new nn.Conv2d(2, 2, [2, 3], { padding: [1, 2], paddingMode: 'circular', bias: false }), [1, 2, 4, 3]],
  [() => new nn.Conv2d(2, 2, 3, { padding: 1, paddingMode: 'replicate', groups: 2 }), [1, 2, 3, 3]],
  [() => new nn.Conv3d(1, 2, 2, { padding: [1, 0, 1], stride: [1, 2, 1] }), [1, 1, 2, 3, 2]],
  [() => new nn.ConvTranspose1d(2, 4, 3, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }), [2, 2, 4]],
  [() => new nn.ConvTranspose2d(2, 1, [2, 3], { stride: [1, 2], dilation: [2, 1], bias: false }), [1, 2, 2, 3]],
  [() => new nn.ConvTranspose3d(1, 2, 2, { stride: [2, 1, 1], padding: [0, 1, 0] }), [1, 1, 2, 2, 2]],
  [() => new nn.Upsample({ size: [3, 5], mode: 'bicubic' }), [1, 2, 4, 3]],
  [() => new nn.ReflectionPad2d([1, 2, 0, 1]), [1, 2, 3, 3]],
  [() => new nn.ReplicationPad2d(1), [1, 2, 2, 3]],
  [() => new nn.CircularPad2d([2, 0, 1, 1]), [1, 2, 2, 3]],
  [() => new nn.ConstantPad2d([1, 0, -1, 2], 3), [1, 2, 2, 3]],
  [() => new nn.AvgPool1d(3, { stride: 2, padding: 1, ceilMode: true }), [2, 2, 6]],
  [() => new nn.AvgPool2d([3, 2], { stride: 1, padding: [1, 0], countIncludePad: false }), [1, 2, 4, 4]],
  [() => new nn.AvgPool3d(2, { divisorOverride: 3 }), [1, 1, 4, 2, 2]],
  [() => new nn.MaxPool1d(3, { stride: 2, padding: 1, dilation: 2 }), [2, 2, 8]],
  [() => new nn.MaxPool3d(2, { stride: 1 }), [1, 1, 3, 3, 2]],
  [() => new nn.AdaptiveAvgPool1d(3), [2, 2, 7]],
  [() => new nn.AdaptiveAvgPool2d([2, 5]), [1, 2, 3, 3]],
  [() => new nn.AdaptiveAvgPool3d([2, 1, 2]), [1, 1, 3, 2, 2]],
  [() => new nn.AdaptiveMaxPool1d(3), [2, 2, 7]],
  [() => new nn.AdaptiveMaxPool2d([2, 3]), [1, 2, 5, 4]],
  [() => new nn.LayerNorm([2, 3]), [2, 2, 3]],
  [() => new nn.RMSNorm(4, { eps: 0.1 }), [3, 4]],
  [() => new nn.GroupNorm(2, 4), [2, 4, 3]],
  [() => new nn.InstanceNorm1d(2, { affine: true }), [2, 2, 5]],
  [() => new nn.InstanceNorm2d(2), [2, 2, 2, 3]],
  [() => new nn.InstanceNorm2d(2, { trackRunningStats: true, affine: true }).eval(), [2, 2, 2, 3]],
  [() => new nn.InstanceNorm3d(2, { affine: true }), [1, 2, 2, 2, 2]],
  [() => new nn.BatchNorm1d(3), [4, 3]],
  [() => new nn.BatchNorm3d(2), [2, 2, 2, 1, 2]],
  [() => new nn.Bilinear(2, 3, 2), [2, 2, 2], [2, 2, 3]],
  [() => new nn.CosineSimilarity({ dim: -1 }), [2, 3, 4], [2, 3, 4]],
  [() => new nn.PairwiseDistance({ p: 3, keepdim: true }), [3, 4], [3, 4]],
  [() => new nn.PixelShuffle(2), [1, 8, 2, 1]],
  [() => new nn.PixelUnshuffle(2), [1, 2, 2, 4]],
  [() => new nn.Unflatten(-1, [2, -1]), [3, 6]],
  [() => new nn.Upsample({ size: [5, 2] }), [1, 2, 3, 3]],
  [() => new nn.Upsample({ scaleFactor: 2, mode: 'nearest-exact' }), [1, 2, 3]],
  [() => new nn.Upsample({ scaleFactor: 1.5, mode: 'bilinear' }), [1, 1, 3, 4]],
  [() => new nn.Upsample({ size: 4, mode: 'trilinear', alignCorners: true }), [1, 1, 2, 3, 2]],
  [() => new nn.RNNCell(2, 3), [2, 2]],
  [() => new nn.GRUCell(2, 3), [2, 2]],
  [() => new nn.LSTMCell(2, 3, { bias: false }), [2, 2]],
  [() => new nn.MultiheadAttention(4, 2), [3, 2, 4], [5, 2, 4], [5, 2, 4]],
  [() => new nn.MultiheadAttention(4, 2, { kdim: 3, vdim: 2, batchFirst: true }), [1, 3, 4], [1, 2, 3], [1, 2, 2]],
  [() => new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 3, dropout: 0, activation: 'gelu' }), [3, 2, 4]],
  [
    () => new nn.TransformerDecoderLayer(4, 2, { dimFeedforward: 3, dropout: 0, normFirst: true }),
    [2, 1, 4],
    [3, 1, 4],
  ],
  [() => new nn.PositionalEncoding(4, { dropout: 0, maxLength: 5 }), [2, 3, 4]],
  [() => new nn.RotaryEmbedding(100), [2, 3, 4]],
]

/** The layer as a function of its inputs and parameters; gives one tensor, of several outputs all side by side. */
function asFunction(net: Net): { fn: (...xs: Tensor[]) => Tensor; parameters: Tensor[] } {
  const learned = new Set(net.parameters())
  const slots = net
    .modules()
    .flatMap((owner) => Object.entries(owner).map(([key, value]) => ({ owner, key, value: value as Tensor })))
    .filter(({ value }) => learned.has(value))
  assert.equal(slots.length, learned.size)
  const fn = (...all: Tensor[]): Tensor => {
    const xs = all.slice(0, all.length - slots.length)
    for (const [i, { owner, key }] of slots.entries()) Object.assign(owner, { [key]: all[xs.length + i] })
    const output = net.forward(...(xs as never[]))
    for (const { owner, key, value } of slots) Object.assign(owner, { [key]: value })
    if (output instanceof Tensor) return output
    const [first, ...more] = output as Tensor[]
    return more.reduce((sum, y) => sum.add(y.square().mean()), first as Tensor)
  }
  return { fn, parameters: slots.map(({ value }) => value.detach()) }
}

for (const [make, ...shapes] of layers) {
  const text = `nn.${/nn\.(.*)/.exec(String(make))?.[1]} of ${shapes.map((shape) => `[${shape}]`).join(', ')}`
  const inputs = () => shapes.map((shape) => randn(shape))

  test(`the gradient of ${text} is that of differences`, () => {
    const before = usedDevice()
    setDevice('reference')
    try {
      manualSeed(7)
      const { fn, parameters } = asFunction(make())
      assert.ok(gradCheck(fn, [...inputs(), ...parameters]))
    } finally {
      setDevice(before)
    }
  })

  test(`compiled, ${text} gives the same`, () => {
    manualSeed(8)
    const { fn, parameters } = asFunction(make())
    const scalar = (...xs: Tensor[]): Tensor => {
      const y = fn(...xs)
      // Weights that differ: a mistake in the order of elements shows.
      return y.mul(y.detach().onesLike().flatten().cumsum(0).mul(0.1).cos().reshape(y.shape)).sum()
    }
    const both = valueAndGrad(scalar)
    const all = [...inputs(), ...parameters]
    const [eager, compiled] = [both(...all), compile(both)(...all)]
    const values = [eager.value, ...eager.gradients].map((x) => [...x.data()])
    for (const [i, x] of [compiled.value, ...compiled.gradients].entries()) {
      for (const [k, value] of [...x.data()].entries()) {
        const want = values[i]?.[k] as number
        assert.ok(Math.abs(value - want) <= 1e-5 + 2e-5 * Math.abs(want), `${i}, ${k}: ${value} instead of ${want}`)
      }
    }
  })
}
