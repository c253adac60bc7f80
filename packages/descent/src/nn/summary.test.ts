import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../compile.ts'
import { defaultGenerator, manualSeed, randn } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import * as nn from './index.ts'

const flopsOf = (net: nn.AnyModule, shape: readonly number[]) => nn.summary(net, shape).flops

test('operations are two for each multiply-add', () => {
  assert.equal(flopsOf(new nn.Linear(5, 7), [3, 5]), 2 * 3 * 5 * 7)
  assert.equal(flopsOf(new nn.Conv2d(4, 8, 3, { padding: 1, groups: 2 }), [2, 4, 6, 5]), 2 * 2 * 8 * 2 * 9 * 30)
  assert.equal(flopsOf(new nn.ConvTranspose1d(3, 2, 4), [2, 3, 5]), 2 * 2 * 5 * 3 * 2 * 4)
  assert.equal(flopsOf(new nn.LSTM(3, 4), [6, 2, 3]), 2 * 6 * 2 * (16 * 3 + 16 * 4))
  assert.equal(flopsOf(new nn.ReLU(), [2, 3]), 6)
  const x = randn([2, 5, 8])
  const attention = nn.summary(new nn.MultiheadAttention(8, 2, { batchFirst: true }), [x, x, x])
  // Projections in, scores and their use, projection out.
  assert.equal(attention.flops, 2 * 10 * 8 * 24 + 2 * 2 * (5 * 5 * 8) * 2 + 2 * 10 * 8 * 8)
})

test('rows are the modules by their names, with shapes and parameters of their own', () => {
  const net = new nn.Sequential(
    new nn.Conv2d(1, 4, 3),
    new nn.BatchNorm2d(4),
    new nn.Sequential(new nn.Flatten(), new nn.Linear(144, 10)),
  )
  const found = nn.summary(net, [2, 1, 8, 8])
  assert.deepEqual(
    found.rows.map(({ name, depth, type, outputs, parameters }) => [name, depth, type, outputs[0]?.join(), parameters]),
    [
      ['', 0, 'Sequential', '2,10', 0],
      ['0', 1, 'Conv2d', '2,4,6,6', 40],
      ['1', 1, 'BatchNorm2d', '2,4,6,6', 8],
      ['2', 1, 'Sequential', '2,10', 0],
      ['2.0', 2, 'Flatten', '2,144', 0],
      ['2.1', 2, 'Linear', '2,10', 1450],
    ],
  )
  assert.deepEqual([found.parameters, found.buffers], [1498, 8])
  assert.match(String(found), /^layer +output +parameters +operations\n─+\nSequential +\[2, 10\]\n {2}0 Conv2d/)
  assert.match(
    String(found),
    /1,498 parameters, 0\.006 MB with 8 further values, [\d,]+ operations for \[2, 1, 8, 8\]$/,
  )
})

test('the network is left as it was: mode, statistics, random numbers, gradients, plans', () => {
  manualSeed(3)
  const net = new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4), new nn.Dropout(0.5))
  net.layers[2]?.eval()
  const run = compile((x: Tensor) => net.forward(x))
  run(randn([4, 3]))
  const state = () => [
    defaultGenerator().draws.item(),
    ...Object.values(net.stateDict()).map((x) => [...x.data()]),
    ...net.modules().map(({ training }) => training),
    ...net.modules().map((module) => Object.hasOwn(module, 'forward')),
  ]
  const before = state()
  nn.summary(net, [4, 3])
  assert.deepEqual(state(), before)
  assert.throws(() => nn.summary(net, [4, 5]), { name: 'ShapeError' })
  assert.deepEqual(state(), before)
})

test('a module that is used twice stands once; one that is not called says so', () => {
  class Twice extends nn.Module {
    readonly inner = new nn.Linear(3, 3)
    readonly spare = new nn.Linear(3, 3)
    override forward(x: Tensor): Tensor {
      return this.inner.forward(this.inner.forward(x))
    }
  }
  const found = nn.summary(new Twice(), [1, 3])
  assert.equal(found.flops, 2 * 2 * 9)
  assert.match(String(found), /spare Linear +not called +12/)
})
