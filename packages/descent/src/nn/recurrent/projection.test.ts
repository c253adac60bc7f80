/** The LSTM whose h is projected. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testedDevices } from '../../devices/tested.ts'
import { arange, compile, grad, gradCheck, nn, optim, randn, setDevice, type Tensor, tensor } from '../../index.ts'

/** All parameters hold quarters from −3/4 to 3/4, counted on from one to the next. */
function quarters(layer: nn.LSTM): nn.LSTM {
  let count = 0
  for (const values of layer.parameters()) {
    values.copy_(Array.from({ length: values.size }, (_, i) => (((count + i) % 7) - 3) / 4))
    count += values.size
  }
  return layer
}

function near(x: Tensor | null | undefined, want: readonly number[]): void {
  const got = [...(x as Tensor).values()]
  assert.equal(got.length, want.length)
  got.forEach((value, i) => {
    const expected = want[i] as number
    assert.ok(Math.abs(value - expected) <= 3e-6 + 3e-5 * Math.abs(expected), `${i}: ${value} instead of ${expected}`)
  })
}

const sequence = (): Tensor => tensor([[[1, -1]], [[0.5, 2]], [[-2, 0]]])

for (const { name: device, skip } of testedDevices) {
  for (const mode of ['eager', 'compiled']) {
    const wrapped = <A extends readonly Tensor[], R>(fn: (...xs: A) => R) => (mode === 'compiled' ? compile(fn) : fn)

    test(`both directions of two layers and their gradients are PyTorch's, ${mode} on ${device}`, { skip }, () => {
      setDevice(device)
      const layer = quarters(new nn.LSTM(2, 3, { projSize: 2, numLayers: 2, bidirectional: true }))
      const x = sequence().requiresGrad_()
      const [output, h, c] = wrapped((x: Tensor) => {
        const [output, [h, c]] = layer.forward(x)
        output
          .mul(arange(12).add(1).reshape(3, 1, 4))
          .sum()
          .add(h.sum())
          .add(c.sum().mul(2))
          .backward()
        return [output, h, c]
      })(x) as [Tensor, Tensor, Tensor]
      assert.deepEqual(output.shape, [3, 1, 4])
      near(
        output,
        [
          0.081388, 0.061778, -0.242335, 0.123946, 0.111987, 0.07407, -0.209039, 0.116854, 0.114522, 0.118405, -0.1309,
          0.077847,
        ],
      )
      assert.deepEqual(h.shape, [4, 1, 2])
      near(h, [0.041635, -0.056009, 0.036139, 0.083471, 0.114522, 0.118405, -0.242335, 0.123946])
      assert.deepEqual(c.shape, [4, 1, 3])
      near(
        c,
        [
          -0.39769, 0.529673, 0.006054, 0.341537, -0.443053, 0.332564, -0.293882, -0.123297, 0.462738, -0.196997,
          0.028251, -0.619333,
        ],
      )
      near(x.grad, [-0.714125, -0.298513, -0.30531, -0.331342, 0.456097, 0.966524])
      const gradients = new Map(layer.namedParameters().map(([name, value]) => [name, value.grad]))
      near(gradients.get('weight_hr_l0'), [-0.055912, 0.307437, -0.152911, -0.40097, -0.084283, 0.139103])
      near(gradients.get('weight_hr_l1_reverse'), [-1.632642, 0.691914, -4.964637, -1.942021, 0.809019, -5.95561])
      near(
        gradients.get('weight_hh_l0_reverse'),
        [
          0.047107, -0.049173, -0.02742, 0.046842, 0.016885, -0.043628, -0.006472, 0.013296, -0.012501, 0.005655,
          0.02402, -0.027972, 0.023314, -0.06847, 0.079641, -0.116584, 0.061072, -0.114675, 0.006712, -0.00602,
          0.010629, -0.01512, -0.002034, 0.00252,
        ],
      )
    })

    test(`a given state of two sizes goes in, and gets its gradient, ${mode} on ${device}`, { skip }, () => {
      setDevice(device)
      const layer = quarters(new nn.LSTM(2, 3, { projSize: 2 }))
      const h0 = tensor([[[0.5, -0.5]]]).requiresGrad_()
      const c0 = tensor([[[1, 0, -1]]]).requiresGrad_()
      const [output, h, c] = wrapped((x: Tensor, h0: Tensor, c0: Tensor) => {
        const [output, [h, c]] = layer.forward(x, [h0, c0])
        output.sum().add(c.sum()).backward()
        return [output, h, c]
      })(sequence(), h0, c0) as [Tensor, Tensor, Tensor]
      near(output, [-0.12089, 0.378723, -0.122557, 0.271886, 0.025547, -0.00765])
      near(h, [0.025547, -0.00765])
      near(c, [-0.395519, 0.539702, -0.090556])
      near(h0.grad, [-0.037776, 0.103838])
      near(c0.grad, [0.087493, 0.210336, -0.008446])
    })
  }
}

test('gradients, and gradients of gradients, agree with differences', () => {
  setDevice('reference')
  const layer = new nn.LSTM(2, 3, { projSize: 2, bidirectional: true })
  const run = (x: Tensor): Tensor => layer.forward(x)[0].square().sum()
  gradCheck(run, [randn([3, 2, 2])])
  gradCheck((x) => grad((y) => run(y as Tensor))(x), [randn([3, 1, 2])], { tolerance: 1e-5 })
})

test("names, shapes and order in the state dict are PyTorch's", () => {
  setDevice('reference')
  const layer = new nn.LSTM(4, 6, { projSize: 5, numLayers: 2, bias: false })
  assert.deepEqual(
    Object.entries(layer.stateDict()).map(([name, { shape }]) => [name, ...shape]),
    [
      ['weight_ih_l0', 24, 4],
      ['weight_hh_l0', 24, 5],
      ['weight_hr_l0', 5, 6],
      ['weight_ih_l1', 24, 5],
      ['weight_hh_l1', 24, 5],
      ['weight_hr_l1', 5, 6],
    ],
  )
  assert.deepEqual(Object.keys(new nn.LSTM(2, 3, { projSize: 1 }).stateDict()), [
    'weight_ih_l0',
    'weight_hh_l0',
    'bias_ih_l0',
    'bias_hh_l0',
    'weight_hr_l0',
  ])
})

test('a projected LSTM learns, and says what does not fit', () => {
  setDevice('reference')
  const layer = new nn.LSTM(3, 6, { projSize: 2, batchFirst: true })
  const x = randn([2, 6, 3])
  const target = x.slice(null, null, [0, 2]).cumsum(1).tanh().mul(0.3)
  const optimizer = new optim.Adam(layer.parameters(), { lr: 0.02 })
  const step = compile(() => {
    optimizer.zeroGrad()
    const loss = layer.forward(x)[0].sub(target).square().mean()
    loss.backward()
    optimizer.step()
    return loss
  })
  const before = step().item()
  for (let i = 0; i < 80; i++) step()
  assert.ok(step().item() < before / 3)
  assert.throws(() => new nn.LSTM(2, 3, { projSize: 3 }), /projSize = 3 must be 0, for none, or less than the hidden/)
  assert.throws(
    () => layer.forward(x, [randn([1, 2, 6]), randn([1, 2, 6])]),
    /an initial state is \[1, 2, 6\] instead of \[1, 2, 2\]/,
  )
})
