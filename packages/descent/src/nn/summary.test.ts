import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ones, tensor } from '../create.ts'
import { examples } from '../io/module-examples.ts'
import { manualSeed, rand, randn } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import * as nn from './index.ts'

test('the table of a network: shapes, parameters, operations, and their sums', () => {
  const net = new nn.Sequential(
    new nn.Conv2d(1, 4, 3),
    new nn.Sequential(new nn.BatchNorm2d(4), new nn.ReLU()),
    new nn.Flatten(),
    new nn.Linear(1024, 10),
  )
  const table = nn.summary(net, [2, 1, 18, 18])
  assert.equal(
    String(table),
    `layer  type         output          parameters   FLOPs
──────────────────────────────────────────────────────
net    Sequential   [2, 10]
  0    Conv2d       [2, 4, 16, 16]          40  36,864
  1    Sequential   [2, 4, 16, 16]
    0  BatchNorm2d  [2, 4, 16, 16]           8   2,048
    1  ReLU         [2, 4, 16, 16]               2,048
  2    Flatten      [2, 1024]
  3    Linear       [2, 10]             10,250  40,960
──────────────────────────────────────────────────────
10,298 parameters; 0.0412 MB; 81,920 FLOPs`,
  )
  assert.deepEqual(
    table.rows.map(({ name, depth }) => [name, depth]),
    [
      ['', 0],
      ['0', 1],
      ['1', 1],
      ['1.0', 2],
      ['1.1', 2],
      ['2', 1],
      ['3', 1],
    ],
  )
  assert.equal(table.buffers, 8)
  assert.equal(table.megabytes, ((10_298 + 8) * 4) / 1e6)
  for (const value of net.layers[0]?.parameters() ?? []) value.requiresGrad_(false)
  assert.match(String(nn.summary(net, [1, 1, 18, 18])), /10,298 parameters, 40 of them frozen/)
})

/** Operations counted by hand: 2 for each multiply-add. */
const counted: readonly (readonly [nn.Module<never[], unknown>, Parameters<typeof nn.summary>[1], number])[] = [
  [new nn.Linear(3, 5), [2, 7, 3], 2 * 14 * 3 * 5],
  [new nn.Conv1d(4, 6, 3, { groups: 2, stride: 2 }), [2, 4, 9], 2 * (2 * 6 * 4) * (2 * 3)],
  [new nn.Conv3d(1, 2, [1, 2, 3], { padding: 'same' }), [1, 1, 3, 4, 5], 2 * (2 * 60) * 6],
  // Each element of the input meets each weight of its channel.
  [new nn.ConvTranspose2d(3, 8, 3, { stride: 2, bias: false }), [1, 3, 5, 4], 2 * 60 * 8 * 9],
  [
    new nn.Bilinear(2, 3, 4),
    [
      [5, 2],
      [5, 3],
    ],
    2 * 5 * (2 * 4 * 3 + 4 * 3),
  ],
  [new nn.LSTM(3, 4, { bidirectional: true }), [5, 2, 3], 2 * 2 * 10 * (16 * 3 + 16 * 4)],
  [new nn.GRUCell(3, 4), [2, 3], 2 * 2 * (12 * 3 + 12 * 4)],
  [
    new nn.MultiheadAttention(4, 2),
    [
      [3, 2, 4],
      [5, 2, 4],
      [5, 2, 4],
    ],
    2 * (6 + 10 + 10 + 6) * 16 + 4 * 2 * 15 * 4,
  ],
  [
    new nn.MultiheadAttention(4, 2, { kdim: 3, vdim: 2, batchFirst: true }),
    [
      [2, 3, 4],
      [2, 5, 3],
      [2, 5, 2],
    ],
    2 * (6 * 16 + 10 * 12 + 10 * 8 + 6 * 16) + 4 * 2 * 15 * 4,
  ],
  [
    new nn.MultiheadAttention(4, 2),
    [
      [3, 4],
      [3, 4],
      [3, 4],
    ],
    2 * 12 * 16 + 4 * 9 * 4,
  ],
  [new nn.Embedding(9, 4), tensor([[1, 2, 8]], { dtype: 'i32' }), 0],
  [new nn.Dropout(0.5), [3, 4], 0],
  [new nn.GELU(), [3, 4], 12],
]
for (const [net, input, flops] of counted) {
  test(`${net.constructor.name} takes ${flops} operations`, () => {
    assert.equal(nn.summary(net, input).flops, flops)
  })
}

test('a summary leaves everything as it was: modes, statistics, random numbers, gradients, forwards', () => {
  class Noisy extends nn.Module {
    override forward(x: Tensor): Tensor {
      return x.add(rand(x.shape))
    }
  }
  const shared = new nn.Dropout(0.5)
  const net = new nn.Sequential(
    new nn.Sequential(new nn.BatchNorm1d(3), shared),
    new Noisy(),
    shared,
    new nn.Linear(3, 1),
  )
  const modes = () => net.modules().map((module) => module.training)
  net.layers[0]?.eval()
  shared.train()
  const before = modes()
  assert.deepEqual(before, [true, false, false, true, true, true])
  manualSeed(11)
  const wanted = randn([3]).toArray()
  const state = JSON.stringify(Object.values(net.stateDict()).map((value) => value.toArray()))
  manualSeed(11)
  nn.summary(net, [4, 3])
  assert.throws(() => nn.summary(net, [4, 2]), {
    name: 'ShapeError',
    message: /got \[4, 2\].* \(summary: in '0\.0', a Bat/,
  })
  assert.deepEqual(randn([3]).toArray(), wanted)
  assert.deepEqual(modes(), before)
  assert.equal(JSON.stringify(Object.values(net.stateDict()).map((value) => value.toArray())), state)
  assert.ok(net.parameters().every((value) => value.grad === null))
  for (const module of net.modules()) assert.ok(!Object.hasOwn(module, 'forward'))
})

test('a module that is used twice stands once, with its calls; one that is not used says so', () => {
  class Twice extends nn.Module {
    readonly inner = new nn.Linear(2, 2)
    readonly idle = new nn.ModuleList([new nn.Linear(2, 3)])
    readonly tied = new nn.Linear(2, 2)
    constructor() {
      super()
      Object.assign(this.tied, { weight: this.inner.weight })
    }
    override forward(x: Tensor): Tensor {
      return this.tied.forward(this.inner.forward(this.inner.forward(x)))
    }
  }
  const table = nn.summary(new Twice(), ones([1, 2]))
  assert.deepEqual(
    table.rows.map(({ name, calls, parameters, flops }) => [name, calls, parameters, flops]),
    [
      ['', 1, 0, 0],
      ['inner', 2, 6, 16],
      ['idle', 0, 0, 0],
      ['idle.0', 0, 9, 0],
      ['tied', 1, 2, 8],
    ],
  )
  assert.equal(table.parameters, 17)
  assert.match(String(table), /Linear \(2 calls\) +\[1, 2\][\s\S]*ModuleList +not called/)
})

test('every module that takes tensors has a summary whose parts add up', () => {
  for (const [name, { make, inputs }] of Object.entries(examples)) {
    if (name === 'ModuleList') continue
    const net = make()
    const table = nn.summary(net, inputs)
    assert.equal(
      table.rows.reduce((sum, row) => sum + row.parameters, 0),
      table.parameters,
      name,
    )
    assert.equal(
      table.parameters,
      net.parameters().reduce((sum, { size }) => sum + size, 0),
      name,
    )
    assert.ok(Number.isInteger(table.flops) && table.rows[0]?.type === name, `${name}: ${table.flops}`)
  }
})
