import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noGrad } from '../../autograd.ts'
import { device, setDevice, setThreads } from '../../backend.ts'
import { compile } from '../../compile.ts'
import { tensor, zeros } from '../../create.ts'
import type { DeviceName } from '../../devices/device.ts'
import { testedDevices } from '../../devices/tested.ts'
import { grad, gradCheck } from '../../gradient.ts'
import { SGD } from '../../optim/sgd.ts'
import { manualSeed, randn } from '../../random.ts'
import type { Tensor } from '../../tensor.ts'
import { mseLoss } from '../losses/index.ts'
import type { AnyModule } from '../module.ts'
import { GRU, LSTM, RNN } from './layers.ts'

const tested = testedDevices.filter(({ skip }) => skip === false).map(({ name }) => name)

const makers = {
  'RNN with tanh': (options = {}) => new RNN(3, 4, options),
  'RNN with relu': (options = {}) => new RNN(3, 4, { nonlinearity: 'relu', ...options }),
  LSTM: (options = {}) => new LSTM(3, 4, options),
  GRU: (options = {}) => new GRU(3, 4, options),
} as const

type Layer = ReturnType<(typeof makers)[keyof typeof makers]>

/** The output and the last states in one list. */
function outputsOf(layer: Layer, x: Tensor, states?: readonly Tensor[]): Tensor[] {
  if (layer instanceof LSTM) {
    const [output, last] = layer.forward(x, states as [Tensor, Tensor] | undefined)
    return [output, ...last]
  }
  return [...layer.forward(x, states?.[0])]
}

const on = <T>(name: DeviceName, fn: () => T): T => {
  const before = device()
  setDevice(name)
  try {
    return fn()
  } finally {
    setDevice(before)
  }
}

function close(a: Tensor, b: Tensor, tolerance = 1e-5): void {
  assert.deepEqual(a.shape, b.shape)
  const [x, y] = [a.data(), b.data()]
  for (let i = 0; i < x.length; i++) {
    const [got, want] = [x[i] as number, y[i] as number]
    assert.ok(Math.abs(got - want) <= tolerance * (1 + Math.abs(want)), `element ${i}: ${got} instead of ${want}`)
  }
}

/** Step by step, with a layer that is given one step at a time. */
function byHand(layer: Layer, x: Tensor): Tensor[] {
  let states: readonly Tensor[] | undefined
  const outputs: Tensor[] = []
  for (let t = 0; t < (x.shape[0] as number); t++) {
    const [output, ...last] = outputsOf(layer, x.slice([t, t + 1]), states)
    outputs.push(output as Tensor)
    states = last
  }
  return outputs
}

for (const [name, make] of Object.entries(makers)) {
  test(`${name}: a sequence at once is its steps one by one, from the states that each leaves`, () => {
    manualSeed(1)
    const layer = make()
    const x = randn([6, 2, 3])
    const whole = layer.forward(x)[0] as Tensor
    for (const [t, step] of byHand(layer, x).entries()) close(whole.slice([t, t + 1]), step)
  })

  test(`${name}: gradients are those of small differences`, () => {
    on('reference', () => {
      manualSeed(2)
      const layer = make({ numLayers: 2, bidirectional: true })
      const states = layer instanceof LSTM ? [randn([4, 2, 4]), randn([4, 2, 4])] : [randn([4, 2, 4])]
      const weights = layer.parameters()
      const loss = (x: Tensor, ...first: Tensor[]): Tensor =>
        outputsOf(layer, x, first)
          .map((y, i) =>
            y
              .mul(y)
              .mul(i + 1)
              .sum(),
          )
          .reduce((a, b) => a.add(b))
      gradCheck(loss, [randn([5, 2, 3]), ...states])
      const x = randn([5, 2, 3])
      loss(x, ...states).backward()
      const eps = 1e-5
      for (const weight of weights) {
        const values = weight.data()
        const gradient = weight.grad as Tensor
        const at = Math.floor(values.length / 3)
        const shifted = (by: number): number =>
          noGrad(() => {
            const bump = zeros([weight.size])
            const one = new Float64Array(weight.size)
            one[at] = by
            bump.copy_(Array.from(one))
            const before = weight.clone()
            weight.copy_(weight.add(bump.reshape(weight.shape)))
            const value = loss(x, ...states).item()
            weight.copy_(before)
            return value
          })
        const difference = (shifted(eps) - shifted(-eps)) / (2 * eps)
        const found = gradient.flatten().data()[at] as number
        assert.ok(Math.abs(difference - found) <= 1e-3 * (1 + Math.abs(found)), `${difference} and ${found}`)
      }
    })
  })

  test(`${name}: every device gives the same, compiled as eager, forwards and backwards`, () => {
    const results = tested.map((which) =>
      on(which, () => {
        manualSeed(3)
        const layer = make({ bidirectional: true, batchFirst: true, numLayers: 2 })
        const x = randn([2, 7, 3])
        const run = (input: Tensor): Tensor[] => {
          for (const p of layer.parameters()) p.grad = null
          const leaf = input.detach().requiresGrad_()
          const outputs = outputsOf(layer, leaf)
          outputs
            .map((y) => y.mul(y).sum())
            .reduce((a, b) => a.add(b))
            .backward()
          const found = [leaf.grad as Tensor, ...layer.parameters().map((p) => p.grad as Tensor)]
          return [...outputs, ...found].map((y) => y.detach())
        }
        const eager = run(x)
        const compiled = compile(run)
        const got = compiled(x)
        for (const [i, y] of got.entries()) close(y, eager[i] as Tensor, 1e-4)
        return eager.map((y) => Array.from(y.data()))
      }),
    )
    for (const other of results.slice(1)) {
      for (const [k, list] of other.entries()) close(tensor(list), tensor(results[0]?.[k] as number[]), 1e-4)
    }
  })
}

test('gradients of gradients are refused in words', () => {
  const gru = new GRU(3, 4)
  const slope = grad((x: Tensor) => gru.forward(x)[0].sum())
  assert.equal(slope(randn([3, 2, 3])).shape.length, 3)
  assert.throws(() => grad((x: Tensor) => slope(x).sum())(randn([3, 2, 3])), /gradients of gradients .* not supported/)
})

test('the state dict has PyTorch’s names and layouts', () => {
  const shapes = (layer: AnyModule) =>
    Object.fromEntries(Object.entries(layer.stateDict()).map(([name, { shape }]) => [name, shape]))
  assert.deepEqual(shapes(new LSTM(3, 4, { numLayers: 2, bidirectional: true, bias: false })), {
    weight_ih_l0: [16, 3],
    weight_hh_l0: [16, 4],
    weight_ih_l0_reverse: [16, 3],
    weight_hh_l0_reverse: [16, 4],
    weight_ih_l1: [16, 8],
    weight_hh_l1: [16, 4],
    weight_ih_l1_reverse: [16, 8],
    weight_hh_l1_reverse: [16, 4],
  })
  assert.deepEqual(shapes(new GRU(3, 4)), {
    weight_ih_l0: [12, 3],
    weight_hh_l0: [12, 4],
    bias_ih_l0: [12],
    bias_hh_l0: [12],
  })
})

test('a sequence of any length is one loop over the same few kernels', () => {
  manualSeed(4)
  const lstm = new LSTM(3, 4)
  const kernelsOf = (length: number): { kernels: number; plan: string } => {
    const step = compile((x: Tensor) => {
      lstm.zeroGrad()
      const loss = lstm.forward(x)[0].square().sum()
      loss.backward()
      return [loss.detach(), ...lstm.parameters().map((p) => p.grad as Tensor)]
    })
    step(randn([length, 2, 3]))
    return { kernels: step.print('kernels').split('kernel ').length - 1, plan: step.print('plan') }
  }
  const [short, long] = [kernelsOf(16), kernelsOf(128)]
  assert.equal(long.kernels, short.kernels)
  assert.ok(long.kernels < 20, `${long.kernels} kernels`)
  assert.equal(long.plan.match(/128 times, each on the next parts/g)?.length, 2)
  assert.ok(long.plan.length < 2 * short.plan.length)
})

test('a thousand steps take no more kernels and learn', { timeout: 60_000 }, () => {
  manualSeed(5)
  const gru = new GRU(1, 8)
  const x = randn([1000, 1, 1])
  const y = noGrad(() => x.cumsum(0).sin())
  const optimizer = new SGD(gru.parameters(), { lr: 0.01 })
  const step = compile(() => {
    optimizer.zeroGrad()
    const loss = mseLoss(gru.forward(x)[0].mean(2, true), y)
    loss.backward()
    optimizer.step()
    return loss.detach()
  })
  const first = step().item()
  let last = first
  for (let i = 0; i < 20; i++) last = step().item()
  assert.ok(last < first, `${first} → ${last}`)
})

test('the same bits for any number of threads', () => {
  for (const which of tested.filter((name) => name !== 'reference')) {
    on(which, () => {
      const bits = [1, 2, 4].map((threads) => {
        setThreads(threads)
        manualSeed(6)
        const lstm = new LSTM(48, 64)
        const optimizer = new SGD(lstm.parameters(), { lr: 0.1 })
        const [x, y] = [randn([20, 16, 48]), randn([20, 16, 64])]
        const step = compile(() => {
          optimizer.zeroGrad()
          const loss = mseLoss(lstm.forward(x)[0], y)
          loss.backward()
          optimizer.step()
          return loss.detach()
        })
        for (let i = 0; i < 4; i++) step()
        return lstm.parameters().map((p) => [...new Int32Array(Float32Array.from(p.data()).buffer)])
      })
      setThreads(2)
      assert.deepEqual(bits[1], bits[0])
      assert.deepEqual(bits[2], bits[0])
    })
  }
})

test('dropout lies between layers, while training alone', () => {
  manualSeed(7)
  const lstm = new LSTM(3, 4, { numLayers: 2, dropout: 0.5 })
  const x = randn([5, 2, 3])
  const run = compile(() => lstm.forward(x)[0])
  assert.notDeepEqual(run().toArray(), run().toArray())
  lstm.eval()
  assert.deepEqual(run().toArray(), run().toArray())
})

test('inputs and states that do not fit are errors that say what is taken', () => {
  const lstm = new LSTM(3, 4, { batchFirst: true })
  assert.throws(() => lstm.forward(zeros([2, 5, 4])), /LSTM: takes \[N, T, 3\] with at least one step, got \[2, 5, 4\]/)
  assert.throws(() => lstm.forward(zeros([2, 0, 3])), /at least one step/)
  assert.throws(() => lstm.forward(zeros([5, 3])), { name: 'ShapeError' })
  assert.throws(
    () => lstm.forward(zeros([2, 5, 3]), [zeros([1, 2, 4]), zeros([2, 4])]),
    /the first state must be \[1, 2, 4\], not \[2, 4\]/,
  )
  assert.throws(() => new GRU(3, 4, { numLayers: 0 }), /whole number above 0/)
})
