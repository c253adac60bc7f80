/** Clipping, averages, penalties, and gradients that add up over several batches. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { setDevice } from '../backend.ts'
import { compile } from '../compile.ts'
import { tensor } from '../create.ts'
import { testedDevices } from '../devices/tested.ts'
import { Linear } from '../nn/linear.ts'
import { mseLoss } from '../nn/losses/regression.ts'
import { Sequential } from '../nn/sequential.ts'
import { Generator, randn } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import { Adam } from './adam.ts'
import { ExponentialMovingAverage } from './average.ts'
import { clipGradNorm_, clipGradValue_ } from './clip.ts'
import { l1Penalty, l2Penalty, softThreshold_ } from './penalty.ts'
import { SGD } from './sgd.ts'

const withGradient = (values: number[]): Tensor => {
  const p = tensor(values.map(() => 0)).requiresGrad_()
  p.grad = tensor(values)
  return p
}

test('clipping by norm keeps directions and gives the norm before; small gradients pass', () => {
  const values = fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(
      values,
      values,
      fc.constantFrom(1, 2, 3, Infinity),
      fc.float({ min: 0.5, max: 50, noNaN: true }),
      (a, b, n, most) => {
        const [p, q] = [withGradient(a), withGradient(b)]
        const all = [...a, ...b].map(Math.abs)
        const norm = n === Infinity ? Math.max(...all) : all.reduce((sum, x) => sum + x ** n, 0) ** (1 / n)
        const got = clipGradNorm_([p, q], most, { normType: n })
        assert.ok(Math.abs(got.item() - norm) <= 1e-4 * (1 + norm), `${got.item()}, ${norm}`)
        const factor = Math.min(1, most / (norm + 1e-6))
        for (const [i, x] of [...(p.grad?.data() ?? []), ...(q.grad?.data() ?? [])].entries()) {
          const want = ([...a, ...b][i] as number) * factor
          assert.ok(Math.abs(x - want) <= 1e-4 * (1 + Math.abs(want)), `${x}, ${want}`)
        }
      },
    ),
    { numRuns: 50 },
  )
})

test('clipping is in place, passes over parameters without a gradient, and refuses what cannot be', () => {
  const p = withGradient([3, 4])
  const { grad } = p
  clipGradNorm_([p, tensor([1], { requiresGrad: true })], 1)
  assert.equal(p.grad, grad)
  assert.ok(Math.abs((p.grad?.norm().item() ?? 0) - 1) < 1e-5)
  clipGradValue_([p], 0.7)
  assert.ok(Math.abs((p.grad?.data()[1] ?? 0) - 0.7) < 1e-6)
  assert.equal(clipGradNorm_([tensor([1])], 1).item(), 0)
  assert.throws(() => clipGradNorm_([p], -1), /maxNorm must be 0 or more/)
  assert.throws(() => clipGradNorm_([p], 1, { normType: 0 }), /normType must be above 0/)
  assert.throws(() => clipGradValue_([p], Number.NaN), RangeError)
})

for (const { name: device, skip } of testedDevices) {
  test(`a NaN gradient is an error that names the parameter, and nothing is updated, on ${device}`, { skip }, () => {
    setDevice(device)
    const generator = new Generator(1)
    const net = new Sequential(new Linear(3, 4, { generator }), new Linear(4, 1, { generator }))
    const adam = new Adam(net.parameters(), { lr: 0.1 })
    const step = compile((x: Tensor, y: Tensor) => {
      adam.zeroGrad()
      const loss = mseLoss(net.forward(x), y)
      loss.backward()
      clipGradNorm_(net.namedParameters(), 1, { errorIfNonfinite: true })
      adam.step()
      return loss
    })
    const x = randn([5, 3], { generator })
    step(x, randn([5, 1], { generator }))
    const state = () =>
      JSON.stringify([net.stateDict(), adam.stateDict()].map((s) => Object.values(s).map((t) => [...t.data()])))
    const before = state()
    const bad = tensor([[1], [2], [Number.NaN], [3], [4]])
    const expected = {
      name: 'NonFiniteGradientError',
      parameter: '0.weight',
      message: /gradient of 0\.weight holds NaN/,
    }
    assert.throws(() => step(x, bad), expected)
    assert.equal(state(), before)
    mseLoss(net.forward(x), bad).backward()
    assert.throws(() => clipGradNorm_(net.namedParameters(), 1, { errorIfNonfinite: true }), expected)
    assert.throws(
      () => clipGradNorm_([withGradient([1]), withGradient([Infinity, 1])], 1, { errorIfNonfinite: true }),
      {
        message: /The gradient of parameter 1 \[2\] holds/,
      },
    )
  })
}
test.after(() => setDevice('wasm'))

test('steps on parts of a batch add up to the step on the whole batch, however they are compiled', () => {
  const [x, y] = [randn([12, 3], { generator: new Generator(2) }), randn([12, 2], { generator: new Generator(3) })]
  const train = (parts: number, compiled: boolean): number[] => {
    const net = new Linear(3, 2, { generator: new Generator(4) })
    const adam = new Adam(net.parameters(), { lr: 0.1 })
    const wrap: typeof compile = compiled ? compile : (((fn: unknown) => fn) as typeof compile)
    // A mean over the batch is the mean of the parts' means.
    const add = wrap((a: Tensor, b: Tensor) => {
      mseLoss(net.forward(a), b).div(parts).backward()
    })
    const take = wrap(() => {
      adam.step()
      adam.zeroGrad()
    })
    for (let i = 0; i < 5; i++) {
      const [xs, ys] = [x.split(12 / parts), y.split(12 / parts)]
      for (const [k, part] of xs.entries()) add(part, ys[k] as Tensor)
      take()
    }
    if (compiled) {
      assert.match(add.explain(), parts === 1 ? /^1 plan was/ : /^2 plans were/)
      assert.match(take.explain(), /^1 plan was/)
    }
    return net.parameters().flatMap((p) => [...p.data()])
  }
  const whole = train(1, false)
  for (const parts of [1, 3, 4]) {
    for (const compiled of [false, true]) {
      for (const [i, got] of train(parts, compiled).entries()) assert.ok(Math.abs(got - (whole[i] as number)) < 1e-5)
    }
  }
})

test('gradients that are zeroed in place keep their place', () => {
  const p = tensor([1], { requiresGrad: true })
  const sgd = new SGD([p], { lr: 0.5 })
  const add = compile((x: Tensor) => {
    p.mul(x).sum().backward()
  })
  const take = compile(() => {
    sgd.step()
    sgd.zeroGrad({ setToNone: false })
  })
  for (let i = 0; i < 3; i++) {
    add(tensor([1]))
    add(tensor([2]))
    take()
  }
  assert.equal(p.item(), 1 - 3 * 1.5)
  assert.equal(p.grad?.item(), 0)
})

test('an average forgets as its decay says, compiled or not, and its warm-up lets the first weights go', () => {
  for (const warmUp of [false, true]) {
    for (const wrap of [compile, (fn: () => void) => fn]) {
      const w = tensor([0], { requiresGrad: true })
      const average = new ExponentialMovingAverage([w], { decay: 0.9, warmUp })
      const update = wrap(() => average.update())
      let want = Number.NaN
      for (let t = 0; t < 20; t++) {
        w.fill_(t * t)
        update()
        const decay = warmUp ? Math.min(0.9, (1 + t) / (10 + t)) : 0.9
        want = t === 0 ? 0 : decay * want + (1 - decay) * t * t
      }
      assert.ok(Math.abs((average.averages[0]?.item() ?? 0) - want) < 1e-3, `${average.averages[0]}, ${want}`)
    }
  }
})

test('averages stand in for the weights while they are used, also where that fails or takes time', async () => {
  const net = new Linear(2, 1)
  const average = new ExponentialMovingAverage(net.namedParameters(), { decay: 0.5 })
  average.update()
  const first = net.weight.toArray()
  net.weight.fill_(7)
  const weights = () => net.weight.data()[0]
  assert.notEqual(average.use(weights), 7)
  assert.equal(weights(), 7)
  assert.throws(() =>
    average.use(() => {
      throw new Error('no')
    }),
  )
  assert.equal(weights(), 7)
  const used = average.use(async () => {
    await null
    return net.weight.toArray()
  })
  assert.deepEqual(await used, first)
  assert.equal(weights(), 7)
  const other = new ExponentialMovingAverage(net.namedParameters()).loadStateDict(average.stateDict())
  assert.deepEqual(other.averages[0]?.toArray(), first)
  assert.deepEqual(Object.keys(average.stateDict()), ['n_averaged', 'average.weight', 'average.bias'])
  assert.throws(() => new ExponentialMovingAverage([net.weight], { decay: 2 }), RangeError)
  assert.throws(() => compile(() => average.swap())(), { name: 'TraceError' })
})

test('an L1 penalty with its proximal step finds the weights that matter; the squares only shrink', () => {
  const generator = new Generator(6)
  const x = randn([64, 6], { generator })
  const truth = tensor([3, 0, 0, -2, 0, 0])
  const y = x.matmul(truth)
  const learn = (kind: 'l1' | 'proximal' | 'l2'): number[] => {
    const w = tensor([0.5, 0.5, 0.5, 0.5, 0.5, 0.5], { requiresGrad: true })
    const sgd = new SGD([w], { lr: 0.1 })
    const step = compile(() => {
      sgd.zeroGrad()
      let loss = mseLoss(x.matmul(w), y)
      if (kind === 'l1') loss = loss.add(l1Penalty([w]).mul(0.2))
      if (kind === 'l2') loss = loss.add(l2Penalty([w]).mul(0.2))
      loss.backward()
      sgd.step()
      if (kind === 'proximal') softThreshold_([w], 0.1 * 0.2)
    })
    for (let i = 0; i < 100; i++) step()
    return [...w.data()]
  }
  const proximal = learn('proximal')
  assert.deepEqual(
    proximal.map((value) => value !== 0),
    [true, false, false, true, false, false],
  )
  for (const [i, value] of learn('l1').entries()) assert.ok(Math.abs(value - (proximal[i] as number)) < 0.03)
  assert.ok(learn('l2').every((value) => value !== 0))
  assert.throws(() => softThreshold_([], -1), RangeError)
  assert.equal(l1Penalty([]).item(), 0)
})
