import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../compile.ts'
import { ones, tensor, zeros } from '../create.ts'
import type { Tensor } from '../tensor.ts'
import { BatchNorm1d } from './batch-norm.ts'
import { Linear } from './linear.ts'
import { buffer, Module, parameter } from './module.ts'
import { Sequential } from './sequential.ts'
import { StateDictError } from './state-dict.ts'

class Tower extends Module {
  readonly inputScale = parameter(ones([2]))
  readonly seenCount = buffer(zeros([]))
  readonly floors = [new Linear(2, 2), new Linear(2, 2, { bias: false })]
  readonly roof = this.floors[0] as Linear
  /** A tensor that is no part of the state. */
  readonly note = zeros([3])

  override forward(x: Tensor): Tensor {
    return this.floors.reduce((value, floor) => floor.forward(value), x.mul(this.inputScale))
  }
}

test('names are the properties in snake_case, arrays by number, and a shared tensor stands under each name', () => {
  const tower = new Tower()
  const names = [
    'input_scale',
    'seen_count',
    'floors.0.weight',
    'floors.0.bias',
    'floors.1.weight',
    'roof.weight',
    'roof.bias',
  ]
  assert.deepEqual(Object.keys(tower.stateDict()), names)
  assert.deepEqual(
    tower.namedParameters().map(([name]) => name),
    ['input_scale', 'floors.0.weight', 'floors.0.bias', 'floors.1.weight'],
  )
  assert.deepEqual(tower.buffers(), [tower.seenCount])
  assert.equal(tower.modules().length, 3)
})

test('PyTorch names of running statistics', () => {
  assert.deepEqual(Object.keys(new BatchNorm1d(2).stateDict()), ['weight', 'bias', 'running_mean', 'running_var'])
})

test('the mode reaches every module inside', () => {
  const tower = new Tower()
  assert.equal(tower.training, true)
  tower.eval()
  assert.deepEqual(
    tower.modules().map((module) => module.training),
    [false, false, false],
  )
  tower.train()
  assert.equal(tower.floors[1]?.training, true)
})

test('a compiled function follows the mode', () => {
  const norm = new BatchNorm1d(1, { eps: 0 })
  const run = compile((x: Tensor) => norm.forward(x))
  const x = tensor([[2], [4]])
  assert.deepEqual(run(x).toArray(), [[-1], [1]])
  norm.eval()
  norm.runningMean.fill_(0)
  norm.runningVar.fill_(1)
  assert.deepEqual(run(x).toArray(), [[2], [4]])
  norm.train()
  assert.deepEqual(run(x).toArray(), [[-1], [1]])
  assert.match(run.explain(), /^2 plans were made/)
})

test('a state dict carries one network over to another', () => {
  const [a, b] = [new Tower(), new Tower()]
  b.loadStateDict(a.stateDict())
  const x = tensor([[1, -2]])
  assert.deepEqual(b.forward(x).toArray(), a.forward(x).toArray())
})

test('a state that does not fit names all that is wrong and changes nothing', () => {
  const net = new Sequential(new Linear(2, 3))
  const before = net.parameters().map((p) => p.data())
  const state = { '0.weight': zeros([3, 5]), '1.bias': zeros([3]) }
  assert.throws(() => net.loadStateDict(state), {
    name: 'StateDictError',
    missing: ['0.bias'],
    unexpected: ['1.bias'],
    message: /missing: 0\.bias; unexpected: 1\.bias; 0\.weight is \[3,5\] instead of \[3,2\]/,
  })
  assert.throws(() => net.loadStateDict({ '0.weight': zeros([3]) }, { strict: false }), StateDictError)
  assert.throws(
    () => net.loadStateDict(Object.create({ '0.weight': zeros([3, 2]), '0.bias': zeros([3]) })),
    StateDictError,
  )
  assert.deepEqual(
    net.parameters().map((p) => p.data()),
    before,
  )
})

test('without strict, what is there is taken; counters of batches are passed over always', () => {
  const net = new Sequential(new Linear(2, 3))
  net.loadStateDict({ '0.bias': ones([3]), other: zeros([1]) }, { strict: false })
  assert.deepEqual((net.layers[0] as Linear).bias?.toArray(), [1, 1, 1])
  const norm = new BatchNorm1d(2)
  norm.loadStateDict({ ...norm.stateDict(), num_batches_tracked: tensor(5, { dtype: 'i32' }) })
})

test('zeroGrad forgets gradients, and apply meets every module once, inner ones first', () => {
  const tower = new Tower()
  tower
    .forward(ones([1, 2]))
    .sum()
    .backward()
  assert.ok(tower.inputScale.grad)
  tower.zeroGrad()
  assert.equal(tower.inputScale.grad, null)
  const met: unknown[] = []
  tower.apply((module) => met.push(module))
  assert.deepEqual(met, [tower.floors[1], tower.floors[0], tower])
})
