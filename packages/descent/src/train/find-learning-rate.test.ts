import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { tensor } from '../create.ts'
import { ArrayDataset, column, TensorDataset } from '../data/dataset.ts'
import { Tanh } from '../nn/activations/modules.ts'
import { BatchNorm1d } from '../nn/batch-norm.ts'
import { Dropout } from '../nn/dropout.ts'
import { Linear } from '../nn/linear.ts'
import { crossEntropy } from '../nn/losses/cross-entropy.ts'
import { mseLoss } from '../nn/losses/regression.ts'
import { Sequential } from '../nn/sequential.ts'
import { Adam } from '../optim/adam.ts'
import { SGD } from '../optim/sgd.ts'
import { defaultGenerator, Generator, manualSeed } from '../random.ts'
import { findLearningRate } from './find-learning-rate.ts'
import { fit } from './fit.ts'
import { LearningRateCurve } from './learning-rate-curve.ts'

function circle(count: number): ArrayDataset {
  const x = Float32Array.from({ length: 2 * count }, (_, i) => Math.sin(12.9898 * (i + 1)) * 1.5)
  const y = Int32Array.from({ length: count }, (_, i) =>
    Number(Math.hypot(x[2 * i] as number, x[2 * i + 1] as number) < 1),
  )
  return new ArrayDataset(column(x, [2]), column(y))
}

test('network, optimizer, gradients and generators are as before, to the bit, though it diverged', async () => {
  manualSeed(3)
  const own = new Generator(5)
  const net = new Sequential(
    ...[new Linear(2, 8), new BatchNorm1d(8), new Tanh(), new Dropout(0.2), new Dropout(0.1, { generator: own })],
    new Linear(8, 2),
  )
  const [a, ...others] = net.parameters()
  const optimizer = new Adam([{ parameters: [a as NonNullable<typeof a>], lr: 0.3 }, { parameters: others }], {
    lr: 0.1,
  })
  const train = circle(64)
  const fitted = { train, loss: crossEntropy, optimizer, epochs: 2, batchSize: 16, progress: false }
  await fit(net, fitted)
  const { x, y } = train.batch(Int32Array.of(1, 2, 3))
  crossEntropy(net.forward(x), y).backward()
  net.eval()
  const state = () => ({
    net: Object.entries(net.stateDict()).map(([name, p]) => [name, [...p.data()]]),
    optimizer: Object.entries(optimizer.stateDict()).map(([name, p]) => [name, [...p.data()]]),
    gradients: net.parameters().map((p) => p.grad && [...p.grad.data()]),
    generators: [own, defaultGenerator()].map(({ key, draws }) => [[...key.data()], draws.item()]),
    rates: optimizer.groups.map(({ lr }) => lr),
    training: net.training,
  })
  const before = state()
  const options = { train, loss: crossEntropy, optimizer, from: 1e-5, to: 1e6, steps: 60, batchSize: 16 }
  const curve = await findLearningRate(net, options)
  assert.deepEqual(state(), before)
  assert.ok(curve.points.length > 20)
  const again = await findLearningRate(net, options)
  assert.deepEqual(again.points, curve.points)
  const eager = await findLearningRate(net, { ...options, compile: false, steps: 10 })
  assert.ok(eager.points.length > 3)
  assert.deepEqual(state(), before)
})

test('on a line by gradient descent the suggestion is below the rate where it diverges, 2 / curvature', async () => {
  const net = new Linear(1, 1, { bias: false })
  net.weight.fill_(0)
  const train = new TensorDataset(tensor([[1], [2], [3], [4]]), tensor([[3], [6], [9], [12]]))
  const optimizer = new SGD(net.parameters(), { lr: 1 })
  // The loss is 7.5 (w − 3)²: its curvature 15.
  const curve = await findLearningRate(net, { train, loss: mseLoss, optimizer, from: 1e-6, to: 100 })
  assert.equal(curve.diverged, true)
  assert.ok((curve.points.at(-1)?.lr ?? 100) < 10)
  assert.ok((curve.suggestion ?? 0) > 1e-3 && (curve.suggestion ?? 1) < 2 / 15, `${curve.suggestion}`)
  assert.equal(net.weight.item(), 0)
  // Training with it works.
  optimizer.lr = curve.suggestion as number
  const { history } = await fit(net, { train, loss: mseLoss, optimizer, epochs: 300, progress: false })
  assert.ok((history.at(-1)?.loss ?? 1) < 1e-3)
})

const rates = Array.from({ length: 100 }, (_, i) => 1e-6 * 10 ** (i / 14))

test('of a curve that falls, at any place, scale and level, the steepest place is found through noise', () => {
  const numbers = fc.tuple(
    fc.integer({ min: 25, max: 60 }),
    fc.double({ min: 0.01, max: 100, noNaN: true }),
    fc.double({ min: -5, max: 5, noNaN: true }),
    fc.nat(),
  )
  fc.assert(
    fc.property(numbers, ([at, scale, level, seed]) => {
      let s = seed >>> 0
      const noise = () => {
        s = (Math.imul(s, 1664525) + 1013904223) >>> 0
        return (s / 2 ** 32 - 0.5) * 0.06
      }
      const losses = rates.map(
        (_, i) => scale * (level + 1 / (1 + Math.exp((i - at) / 5)) + (i > 85 ? (i - 85) / 2 : 0) + noise()),
      )
      const { suggestion } = new LearningRateCurve(
        rates.map((lr, i) => ({ lr, loss: losses[i] as number })),
        100,
        true,
      )
      const found = rates.indexOf(suggestion ?? 0)
      assert.ok(Math.abs(found - at) <= 8, `${found} instead of ${at}`)
    }),
    { seed: 1 },
  )
})

test('where the loss does not fall there is no suggestion, and the drawing says so', () => {
  const flat = new LearningRateCurve(
    rates.map((lr, i) => ({ lr, loss: 2 + 0.1 * Math.sin(7.3 * i * i) })),
    100,
    false,
  )
  assert.equal(flat.suggestion, null)
  assert.match(flat.toString(), /No suggestion: the loss does not fall/)
  const rising = new LearningRateCurve(
    rates.map((lr, i) => ({ lr, loss: i })),
    100,
    false,
  )
  assert.equal(rising.suggestion, null)
  assert.match(new LearningRateCurve([], 100, true).toString(), /too few steps/)
  assert.match(new LearningRateCurve([], 100, true).toSvg(), /Too few steps/)
})

test('the drawings show the decades and the suggestion, inside of their frames', () => {
  const losses = rates.map((_, i) => 1 / (1 + Math.exp((i - 50) / 5)) + (i > 80 ? 2 ** (i - 80) : 0))
  const curve = new LearningRateCurve(
    rates.map((lr, i) => ({ lr, loss: losses[i] as number })),
    100,
    true,
  )
  const lines = curve.toString().split('\n')
  assert.equal(lines.length, 18)
  assert.ok(lines.every((line) => line.length <= 95))
  assert.equal(lines.filter((line) => /[\u2801-\u28ff]/.test(line)).length > 8, true)
  assert.match(lines.at(-2) ?? '', /1e-6 +1e-5 +1e-4 +1e-3 +0\.01 +0\.1 +1 +10 +learning rate/)
  assert.match(lines.at(-1) ?? '', /^Suggestion: 0\.00?\d+|e-3/)
  const svg = curve.toSvg()
  for (const [, , value] of svg.matchAll(/\b(x|x1|x2|cx|y|y1|y2|cy)="([^"]+)"/g))
    assert.ok(Number(value) >= 0 && Number(value) <= 640, value)
  assert.match(svg, /<polyline [^>]*points="64,/)
})

test('impossible rates and steps are errors that say so', async () => {
  const net = new Linear(2, 2)
  const given = { train: circle(4), loss: crossEntropy, optimizer: new SGD(net.parameters(), { lr: 1 }) }
  for (const [more, message] of [
    [{ from: 0 }, /must be 0 < from < to, not from 0 to 10/],
    [{ from: 2, to: 1 }, /not from 2 to 1/],
    [{ steps: 2 }, /steps must be a whole number from 3 on, not 2/],
    [{ train: circle(0) }, /the training dataset is empty/],
  ] as const) {
    await assert.rejects(findLearningRate(net, { ...given, ...more }), { name: 'RangeError', message })
  }
})
