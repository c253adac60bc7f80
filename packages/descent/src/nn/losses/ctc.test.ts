import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { testedDevices } from '../../devices/tested.ts'
import {
  arange,
  type CTCLossOptions,
  checkLossFit,
  compile,
  ctcLoss,
  grad,
  gradCheck,
  IndexError,
  nn,
  optim,
  randint,
  randn,
  type SequenceLengths,
  ShapeError,
  setDevice,
  type Tensor,
  tensor,
  zeros,
} from '../../index.ts'

const ints = (values: readonly unknown[]): Tensor => tensor(values as number[], { dtype: 'i32' })
/** [5, 3, 4], for a log-softmax. */
const scores = (): Tensor => tensor(Array.from({ length: 60 }, (_, i) => (((i * 7) % 11) - 5) * 0.3)).reshape(5, 3, 4)
const padded = (): Tensor =>
  ints([
    [1, 2, 2],
    [3, 1, 0],
    [2, -1, -7],
  ]) // The last three do not count.

function near(x: Tensor | null, want: readonly number[]): void {
  const got = [...(x as Tensor).values()]
  assert.equal(got.length, want.length)
  got.forEach((value, i) => {
    const expected = want[i] as number
    const fits =
      Object.is(value, expected) || value === expected || Math.abs(value - expected) <= 4e-6 + 2e-5 * Math.abs(expected)
    assert.ok(fits, `${i}: ${value} instead of ${expected}`)
  })
}

/** PyTorch 2.15's losses, and its gradients with respect to the scores where the losses' cotangents are 1, 2, 3. */
interface Figure {
  readonly targets: Tensor
  readonly lengths: readonly [SequenceLengths, SequenceLengths]
  readonly options?: CTCLossOptions
  readonly losses: readonly number[]
  readonly gradient?: readonly number[]
}
const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY]
const weighted = [
  0.024046, -0.734996, 0.077562, 0.633387, 0.269817, 0.133816, 1.092764, -1.496397, -1.142983, 1.981024, -1.017755,
  0.179714, 0.019108, -0.001733, -0.181942, 0.164567, 0.019234, -0.308248, 0.397782, -0.108768, -1.050909, 0.423674,
  -0.414835, 1.04207, -0.148079, 0.660341, -0.572167, 0.059905, -0.350821, -0.330135, 0.085072, 0.595884, -0.719144,
  0.200724, 0.024719, 0.493701, -0.50521, 0.141225, 0.016629, 0.347357, -1.196784, -0.225115, 1.092765, 0.329134, 0, 0,
  0, 0, 0.214654, 0.066908, -0.446129, 0.164567, 0, 0, 0, 0, 0, 0, 0, 0,
]
/** Of targets that are nothing but blanks: the second one's. The first target is too long, the third input has no steps. */
const impossible = (first: number): number[] =>
  [
    [first, first, first, first, -0.777857, 0.066908, 0.546382, 0.164567, 0, 0, 0, 0],
    [first, first, first, first, -0.919136, 0.660341, 0.198891, 0.059905, 0, 0, 0, 0],
    [0, 0, 0, 0, -0.531117, 0.141225, 0.042536, 0.347357, 0, 0, 0, 0],
    [0, 0, 0, 0, -0.777857, 0.066908, 0.546382, 0.164567, 0, 0, 0, 0],
    [0, 0, 0, 0, -0.919137, 0.660341, 0.198891, 0.059905, 0, 0, 0, 0],
  ].flatMap((row) => row.map((x, i) => (i >= 4 && i < 8 ? 2 * x : x)))
const figures: Readonly<Record<string, () => Figure>> = {
  'targets in rows': () => ({
    targets: padded(),
    lengths: [ints([5, 4, 3]), ints([3, 2, 1])],
    losses: [4.243566, 3.945372, 2.984246],
    gradient: weighted,
  }),
  'targets one after the other': () => ({
    targets: ints([1, 2, 2, 3, 1, 2]),
    lengths: [ints([5, 4, 3]), ints([3, 2, 1])],
    losses: [4.243566, 3.945372, 2.984246],
    gradient: weighted,
  }),
  'another blank': () => ({
    targets: ints([
      [0, 1],
      [2, 2],
      [1, 0],
    ]),
    lengths: [
      [5, 5, 5],
      [2, 2, 2],
    ],
    options: { blank: 3 },
    losses: [4.448921, 4.514072, 3.437914],
    gradient: [
      -0.049406, 0.257516, 0.077562, -0.285673, 0.444285, 0.133816, -0.534932, -0.043169, 0.242589, -0.921968, 0.596673,
      0.082706, -0.659011, 0.055582, 0.546383, 0.057046, 0.161726, 1.320682, -1.199784, -0.282624, 0.163088, -0.194413,
      0.127608, -0.096283, -0.071269, -0.126335, 0.198891, -0.001287, 0.937765, 0.282449, 0.00817, -1.228385, -0.880773,
      0.039911, 1.639147, -0.798285, 0.397459, -0.227555, 0.042536, -0.21244, 0.444285, 0.133816, -0.504802, -0.073299,
      -0.138819, 0.710473, 0.232687, -0.804341, 0.222143, -0.169818, 0.546382, -0.598706, 0.161726, 1.320682, -1.229915,
      -0.252494, -0.353209, 0.200724, 1.639147, -1.486662,
    ],
  }),
  'what cannot be': () => ({
    targets: padded(),
    lengths: [
      [2, 5, 0],
      [3, 0, 0],
    ],
    losses: [inf, 8.796272, 0],
    gradient: impossible(nan),
  }),
  'what cannot be, as nothing': () => ({
    targets: padded(),
    lengths: [
      [2, 5, 0],
      [3, 0, 0],
    ],
    options: { zeroInfinity: true },
    losses: [0, 8.796272, 0],
    gradient: impossible(0),
  }),
  'inputs of no steps': () => ({
    targets: padded(),
    lengths: [
      [0, 0, 0],
      [1, 0, 1],
    ],
    losses: [inf, 0, inf],
    gradient: Array.from({ length: 60 }, () => 0),
  }),
}

for (const { name: device, skip } of testedDevices) {
  for (const mode of ['eager', 'compiled']) {
    test(`losses and gradients are PyTorch's, ${mode} on ${device}`, { skip }, () => {
      setDevice(device)
      for (const make of Object.values(figures)) {
        const { targets, lengths, options, losses, gradient } = make()
        const run = (x: Tensor, targets: Tensor, inputs: SequenceLengths, outputs: SequenceLengths): Tensor => {
          const each = ctcLoss(x.logSoftmax(2), targets, inputs, outputs, { ...options, reduction: 'none' })
          each.mul(arange(3).add(1)).sum().backward()
          return each
        }
        const x = scores().requiresGrad_()
        near((mode === 'compiled' ? compile(run) : run)(x, targets, ...lengths), losses)
        if (gradient) near(x.grad, gradient)
      }
    })
  }
}

test("the mean is PyTorch's: of losses divided by the targets' lengths", () => {
  setDevice('reference')
  const x = scores().logSoftmax(2)
  const of = (options: CTCLossOptions): Tensor => new nn.CTCLoss(options).forward(x, padded(), [5, 4, 3], [3, 2, 1])
  near(of({}), [2.123818])
  near(of({ reduction: 'sum' }), [11.173184])
  near(ctcLoss(x, padded(), [2, 5, 0], [3, 0, 0], { zeroInfinity: true }), [2.932091])
  near(ctcLoss(x, padded(), [2, 5, 0], [3, 0, 0]), [inf])
})

test('one sequence needs no batch', () => {
  setDevice('reference')
  const x = scores().slice(null, 0).logSoftmax(1)
  const loss = ctcLoss(x, ints([1, 2, 2]), tensor(5, { dtype: 'i32' }), 3, { reduction: 'none' })
  assert.deepEqual(loss.shape, [])
  near(loss, [4.243566])
  near(ctcLoss(x, ints([1, 2, 2]), 5, [3]), [1.414522])
})

test('probabilities of all targets that an input can give add up to 1', () => {
  setDevice('reference')
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 2 }), (steps, blank) => {
      const x = randn([steps, 1, 3]).logSoftmax(2)
      const others = [0, 1, 2].filter((c) => c !== blank)
      let all: number[][] = [[]]
      let sum = 0
      for (let length = 0; length <= steps; length++) {
        for (const target of all) {
          const targets = target.length === 0 ? zeros([1, 0], { dtype: 'i32' }) : ints([target])
          sum += Math.exp(-ctcLoss(x, targets, [steps], [length], { blank, reduction: 'sum' }).item())
        }
        all = all.flatMap((target) => others.map((c) => [...target, c]))
      }
      assert.ok(Math.abs(sum - 1) < 1e-9, `${sum}`)
    }),
    { numRuns: 12 },
  )
})

test('gradients, and gradients of gradients, agree with differences', () => {
  setDevice('reference')
  const run = (x: Tensor): Tensor =>
    ctcLoss(
      x.logSoftmax(2),
      ints([
        [1, 1],
        [2, 0],
      ]),
      [4, 3],
      [2, 1],
    )
  const x = randn([4, 2, 3])
  assert.ok(gradCheck(run, [x]))
  assert.ok(
    gradCheck(
      (x) =>
        ctcLoss(
          x,
          ints([
            [1, 1],
            [2, 0],
          ]),
          [4, 3],
          [2, 1],
        ),
      [x],
    ),
  )
  assert.ok(gradCheck((x) => grad((y) => run(y as Tensor).square())(x), [x], { tolerance: 1e-5 }))
})

test('a step that is never likely, or impossible, gives no NaN', () => {
  setDevice('reference')
  const x = scores().logSoftmax(2)
  const barred = x
    .eq(x.slice([1, 2], [0, 1], [2, 3]))
    .where(Number.NEGATIVE_INFINITY, x)
    .detach()
    .requiresGrad_()
  const losses = ctcLoss(barred, padded(), [5, 4, 3], [3, 2, 1], { reduction: 'sum', zeroInfinity: true })
  losses.backward()
  assert.ok([losses, barred.grad as Tensor].every((x) => [...x.values()].every(Number.isFinite)))
})

test('a network learns an order of labels that nobody aligned, compiled, and long inputs stay exact', () => {
  setDevice('reference')
  const [steps, classes] = [20, 5]
  const net = new nn.LSTM(3, 8)
  const head = new nn.Linear(8, classes)
  const x = randn([steps, 2, 3])
  const targets = ints([
    [1, 2, 3],
    [4, 4, 0],
  ])
  const optimizer = new optim.Adam([...net.parameters(), ...head.parameters()], { lr: 0.03 })
  const step = compile((x: Tensor, targets: Tensor, lengths: Tensor) => {
    optimizer.zeroGrad()
    const logProbs = head.forward(net.forward(x)[0]).logSoftmax(2)
    const loss = ctcLoss(logProbs, targets, [steps, steps], lengths)
    loss.backward()
    optimizer.step()
    return loss
  })
  const first = step(x, targets, ints([3, 2])).item()
  for (let i = 0; i < 60; i++) step(x, targets, ints([3, 2]))
  assert.ok(step(x, targets, ints([3, 2])).item() < first / 4)
  // All paths as likely: −log of how many of the Cᵀ there are, here all blanks.
  const even = zeros([2000, 1, 4]).logSoftmax(2)
  const loss = ctcLoss(even, zeros([1, 0], { dtype: 'i32' }), [2000], [0], { reduction: 'sum' }).item()
  assert.ok(Math.abs(loss - 2000 * Math.log(4)) < 1e-6 * loss)
})

test('what does not fit is said', () => {
  setDevice('reference')
  const x = randn([4, 2, 3]).logSoftmax(2)
  const targets = ints([
    [1, 2],
    [2, 0],
  ])
  assert.throws(() => ctcLoss(x, targets.float(), [4, 4], [2, 1]), /targets \[2, 2\] are f32; convert them with \.int/)
  assert.throws(
    () => ctcLoss(x, ints([[1]]), [4, 4], [1, 1]),
    /takes logProbs \[T, N, C\] .* got \[4, 2, 3\] and \[1, 1\]/,
  )
  assert.throws(
    () => ctcLoss(x, ints([1, 2]), [4, 4], [2, 1]),
    /targets \[2\] must be all labels .* 3 by targetLengths/,
  )
  assert.throws(() => ctcLoss(x, targets, [4], [2, 1]), /1 inputLengths for 2 sequences/)
  assert.throws(() => ctcLoss(x, targets, ints([4]), [2, 1]), ShapeError)
  assert.throws(() => ctcLoss(x, targets, [4, 4], tensor([2, 1])), /targetLengths are f32/)
  assert.throws(() => ctcLoss(x, targets, [4, 3.5], [2, 1]), /inputLengths are whole numbers, not 3\.5/)
  assert.throws(() => ctcLoss(x, targets, [4, 4], [2, 1], { blank: 3 }), /blank = 3 must be one of the 3 classes/)
  const concatenated = compile((...args: Parameters<typeof ctcLoss>) => ctcLoss(...args))
  assert.throws(
    () => concatenated(x, ints([1, 2, 1, 1]), ints([4, 4]), ints([2, 1])),
    /labels beyond all targetLengths/,
  )
  const index = (label: RegExp, size: number) => (e: unknown) =>
    e instanceof IndexError && label.test(e.message) && e.size === size
  for (const wrap of [(fn: typeof ctcLoss) => fn, (fn: typeof ctcLoss) => compile(fn)]) {
    const loss = wrap((...args) => ctcLoss(...args))
    assert.throws(() => loss(x, targets, ints([4, 5]), ints([2, 1])), index(/ctcLoss inputLengths: index 5/, 5))
    assert.throws(() => loss(x, targets, ints([4, 4]), ints([2, 3])), index(/ctcLoss targetLengths: index 3/, 3))
    assert.throws(
      () =>
        loss(
          x,
          ints([
            [1, 3],
            [2, 0],
          ]),
          ints([4, 4]),
          ints([2, 1]),
        ),
      index(/ctcLoss target: index 3/, 3),
    )
  }
})

test('probabilities instead of their logarithms are noticed', () => {
  setDevice('reference')
  const net = new nn.Sequential(new nn.Linear(4, 3), new nn.Softmax(2))
  const loss = (output: Tensor, target: Tensor): Tensor => ctcLoss(output, target, [5, 5], [2, 2])
  const said = checkLossFit(net, loss, net.forward(randn([5, 2, 4])), randint(1, 3, [2, 2]))
  assert.match(String(said), /ctcLoss takes logarithms of probabilities, but its input comes from a softmax/)
})
