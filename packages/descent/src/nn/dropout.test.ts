import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../compile.ts'
import { ones } from '../create.ts'
import { Generator, manualSeed, randn } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import { AlphaDropout, Dropout1d, Dropout2d, Dropout3d, dropout } from './dropout.ts'
import { TransformerEncoderLayer } from './transformer/encoder.ts'
import { MultiheadAttention } from './transformer/multihead-attention.ts'
import { PositionalEncoding } from './transformer/positions.ts'

const close = (got: number, want: number, tolerance: number) =>
  assert.ok(Math.abs(got - want) < tolerance, `${got} instead of ${want}`)

test('dropout of channels drops whole channels of single examples, and keeps the mean', () => {
  for (const [layer, shape] of [
    [new Dropout1d(0.3), [100, 40, 3]],
    [new Dropout2d(0.3), [100, 40, 2, 2]],
    [new Dropout3d(0.3), [100, 40, 1, 2, 2]],
  ] as const) {
    manualSeed(3)
    for (const run of [(x: Tensor) => layer.forward(x), compile((x: Tensor) => layer.forward(x))]) {
      const y = run(ones(shape)).flatten(2)
      assert.deepEqual(y.amax(2).toArray(), y.amin(2).toArray(), 'a channel is one number')
      close(y.mean().item(), 1, 0.03)
      close(y.eq(0).float().mean().item(), 0.3, 0.03)
      // Neither the same channels in all examples, nor all channels of an example.
      assert.ok(y.amax(2).std(0).min().item() > 0)
    }
    assert.equal(layer.eval().forward(ones(shape)).mean().item(), 1)
  }
})

test('AlphaDropout keeps mean and variance, and sets what it drops to one value', () => {
  manualSeed(4)
  const x = randn([40_000])
  for (const p of [0.1, 0.5]) {
    const layer = new AlphaDropout(p)
    for (const run of [(y: Tensor) => layer.forward(y), compile((y: Tensor) => layer.forward(y))]) {
      const y = run(x)
      close(y.mean().item(), 0, 0.03)
      close(y.std().item(), 1, 0.03)
      const values = y.data()
      const counts = new Map<number, number>()
      for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
      close(Math.max(...counts.values()) / values.length, p, 0.02)
    }
    assert.deepEqual(layer.eval().forward(x).data(), x.data())
  }
})

test('dropout as a function: the seed decides, and 0, 1 and use are exact', () => {
  const x = ones([1000])
  const draw = () => dropout(x, 0.5, { generator: new Generator(2) }).data()
  assert.deepEqual(draw(), draw())
  close(
    dropout(x, 0.25, { generator: new Generator(2) })
      .mean()
      .item(),
    1,
    0.1,
  )
  assert.equal(dropout(x, 1).sum().item(), 0)
  assert.equal(dropout(x, 0), x)
  assert.equal(dropout(x, 0.5, { training: false }), x)
})

test('train() and eval() reach the dropout inside of attention, layers and positions: two plans, whatever the order', () => {
  manualSeed(5)
  const x = randn([3, 2, 4])
  const attention = new MultiheadAttention(4, 2, { dropout: 0.5 })
  const layer = new TransformerEncoderLayer(4, 2, { dimFeedforward: 8, dropout: 0.5 })
  const positions = new PositionalEncoding(4, { dropout: 0.5, batchFirst: false })
  for (const [net, forward] of [
    [attention, (y: Tensor) => attention.forward(y, y, y)[0]],
    [layer, (y: Tensor) => layer.forward(y)],
    [positions, (y: Tensor) => positions.forward(y)],
  ] as const) {
    const run = compile(forward)
    for (const each of [forward, run]) {
      for (let round = 0; round < 3; round++) {
        net.train()
        assert.notDeepEqual(each(x).toArray(), each(x).toArray(), 'training draws')
        net.eval()
        assert.deepEqual(each(x).toArray(), each(x).toArray(), 'use does not')
      }
    }
    assert.match(run.explain(), /^2 plans were made/)
  }
})

test('the weights that attention gives are those that it used', () => {
  manualSeed(6)
  const attention = new MultiheadAttention(4, 1, { dropout: 0.5, batchFirst: true })
  const x = randn([1, 6, 4])
  const [, weights] = attention.forward(x, x, x)
  assert.ok(weights?.eq(0).sum().item(), 'some are dropped')
  close(attention.eval().forward(x, x, x)[1]?.sum().item() ?? 0, 6, 1e-5)
})
