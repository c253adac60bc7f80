import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testedDevices } from '../../devices/tested.ts'
import {
  compile,
  grad,
  gradCheck,
  manualSeed,
  nn,
  ones,
  optim,
  randn,
  ShapeError,
  setDevice,
  stack,
  type Tensor,
} from '../../index.ts'

type Layer = nn.RNN | nn.GRU | nn.LSTM
type Cell = nn.RNNCell | nn.GRUCell | nn.LSTMCell

const kinds: readonly (readonly [
  string,
  (i: number, h: number, o?: nn.RecurrentOptions) => Layer,
  (i: number, h: number) => Cell,
])[] = [
  ['RNN', (i, h, o) => new nn.RNN(i, h, o), (i, h) => new nn.RNNCell(i, h)],
  ['GRU', (i, h, o) => new nn.GRU(i, h, o), (i, h) => new nn.GRUCell(i, h)],
  ['LSTM', (i, h, o) => new nn.LSTM(i, h, o), (i, h) => new nn.LSTMCell(i, h)],
]

/** The output, and h and c in one list. */
function call(layer: Layer, x: Tensor, state: readonly Tensor[] | null = null): { output: Tensor; states: Tensor[] } {
  const given = state && (state.length === 2 ? state : state[0])
  const [output, last] = layer.forward(x, given as never)
  return { output, states: [last].flat() as Tensor[] }
}

function near(got: Tensor, want: Tensor, tolerance = 1e-5): void {
  assert.deepEqual(got.shape, want.shape)
  const [a, b] = [got.values(), want.values()]
  a.forEach((x, i) => {
    assert.ok(Math.abs(x - (b[i] as number)) <= tolerance * (1 + Math.abs(b[i] as number)), `${i}: ${x}, ${b[i]}`)
  })
}

for (const { name: device, skip } of testedDevices) {
  for (const [name, makeLayer, makeCell] of kinds) {
    test(`${device}: ${name} is its cell, step by step, with the same gradients, eager and compiled`, { skip }, () => {
      setDevice(device)
      manualSeed(3)
      const [layer, cell] = [makeLayer(5, 7), makeCell(5, 7)]
      const state = layer.stateDict()
      cell.loadStateDict(
        Object.fromEntries(Object.entries(state).map(([key, value]) => [key.replace('_l0', ''), value])),
      )
      const [x, target] = [randn([4, 3, 5]), randn([4, 3, 7])]
      const first = Array.from({ length: name === 'LSTM' ? 2 : 1 }, () => randn([3, 7]))
      const byHand = (x: Tensor): Tensor => {
        let states: readonly Tensor[] = first
        const outputs: Tensor[] = []
        for (let t = 0; t < 4; t++) {
          states = [cell.forward(x.slice(t), (states.length === 2 ? states : states[0]) as never)].flat() as Tensor[]
          outputs.push(states[0] as Tensor)
        }
        return stack(outputs)
      }
      const byLayer = (x: Tensor): Tensor =>
        call(
          layer,
          x,
          first.map((s) => s.unsqueeze(0)),
        ).output
      near(byLayer(x), byHand(x))
      const gradients = (net: nn.AnyModule, run: (x: Tensor) => Tensor) => (): Tensor[] => {
        net.zeroGrad()
        const input = x.detach().requiresGrad_()
        run(input).mul(target).sum().backward()
        const found = [input, ...net.parameters()].map((p) => p.grad as Tensor)
        net.zeroGrad()
        return found
      }
      const want = gradients(cell, byHand)()
      for (const got of [gradients(layer, byLayer)(), compile(gradients(layer, byLayer))()])
        got.forEach((g, i) => {
          near(g, want[i] as Tensor, 3e-5)
        })
    })
  }
}

for (const [name, makeLayer] of kinds) {
  test(`the gradients of ${name} agree with differences, and so do their own`, () => {
    setDevice('reference')
    const layer = makeLayer(2, 3, { bidirectional: true, numLayers: 2 })
    const x = randn([3, 2, 2])
    const run = (x: Tensor): Tensor => {
      const { output, states } = call(layer, x)
      return output.sum().add(states.reduce((sum, s) => sum.add(s.square().sum()), output.square().sum()))
    }
    gradCheck(run, [x])
    gradCheck((x) => grad((y) => run(y as Tensor))(x as Tensor), [x], { tolerance: 1e-5 })
  })

  test(`${name}: both directions, layers and orders of dimensions`, () => {
    setDevice('reference')
    const layer = makeLayer(4, 6, { numLayers: 2, bidirectional: true })
    const x = randn([5, 3, 4])
    const { output, states } = call(layer, x)
    assert.deepEqual(output.shape, [5, 3, 12])
    for (const state of states) assert.deepEqual(state.shape, [4, 3, 6])
    const turned = makeLayer(4, 6, { numLayers: 2, bidirectional: true, batchFirst: true })
    turned.loadStateDict(layer.stateDict())
    near(call(turned, x.transpose(0, 1)).output.transpose(0, 1), output)
    // Without a batch it is a batch of one.
    const single = call(layer, x.slice(null, 1))
    near(single.output, output.slice(null, 1))
    single.states.forEach((state, i) => {
      near(state, (states[i] as Tensor).slice(null, 1))
    })
    // The last step forwards and the first backwards end where the states are.
    near(output.slice(4, null, [0, 6]), (states[0] as Tensor).slice(2))
    near(output.slice(0, null, [6, null]), (states[0] as Tensor).slice(3))
  })

  test(`${name} learns, drops out between layers while training, and not afterwards`, () => {
    setDevice('reference')
    manualSeed(1)
    const layer = makeLayer(3, 4, { numLayers: 2, dropout: 0.5 })
    const x = randn([6, 2, 3])
    const again = compile((x: Tensor) => call(layer, x).output)
    assert.notDeepEqual(again(x).toArray(), again(x).toArray())
    layer.eval()
    assert.deepEqual(again(x).toArray(), again(x).toArray())
    layer.train()
    const optimizer = new optim.Adam(layer.parameters(), { lr: 0.02 })
    const target = x.cumsum(0).sum(-1, true).tanh().mul(0.5)
    const step = compile(() => {
      optimizer.zeroGrad()
      const loss = call(layer, x).output.sub(target).square().mean()
      loss.backward()
      optimizer.step()
      return loss
    })
    const before = step().item()
    for (let i = 0; i < 60; i++) step()
    assert.ok(step().item() < before / 2)
  })

  test(`${name} says what does not fit`, () => {
    setDevice('reference')
    const layer = makeLayer(3, 4)
    assert.throws(() => call(layer, ones([5, 2, 7])), new RegExp(`${name}: takes \\[T, N, 3\\].*got \\[5, 2, 7\\]`))
    assert.throws(() => call(layer, ones([0, 2, 3])), ShapeError)
    assert.throws(
      () => call(layer, ones([5, 2, 3]), [ones([1, 3, 4]), ones([1, 3, 4])].slice(name === 'LSTM' ? 0 : 1)),
      /state is \[1, 3, 4\] instead of \[1, 2, 4\]/,
    )
    assert.throws(() => makeLayer(3, 0), /hiddenSize = 0/)
    assert.throws(() => makeLayer(3, 4, { dropout: 2 }), /2 is not a probability/)
  })
}

test('names in the state dict are those of PyTorch', () => {
  setDevice('reference')
  const names = Object.keys(
    new nn.GRU(2, 3, { numLayers: 2, bidirectional: true, bias: false, dropout: 0.1 }).stateDict(),
  )
  assert.deepEqual(
    names,
    ['l0', 'l0_reverse', 'l1', 'l1_reverse'].flatMap((l) => [`weight_ih_${l}`, `weight_hh_${l}`]),
  )
  assert.deepEqual(Object.keys(new nn.LSTMCell(2, 3).stateDict()), ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'])
})
