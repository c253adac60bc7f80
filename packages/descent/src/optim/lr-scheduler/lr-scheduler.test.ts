import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { compile } from '../../compile.ts'
import { tensor } from '../../create.ts'
import { Adagrad } from '../adagrad.ts'
import { Adam } from '../adam.ts'
import { Lion } from '../lion.ts'
import { SGD } from '../sgd.ts'
import type { LRScheduler, Schedulable } from './index.ts'
import * as lr from './index.ts'

const parameter = () => tensor([1], { requiresGrad: true })
const sgdOf = (rate = 0.1) => new SGD([parameter()], { lr: rate, momentum: 0.7 })

interface TorchCase {
  readonly schedule: string
  readonly options: object
  readonly rates: readonly (readonly number[])[]
  readonly momenta?: readonly (readonly number[])[]
}

function close(got: readonly number[], want: readonly number[], where: string): void {
  for (const [i, value] of got.entries()) {
    const wanted = want[i] as number
    assert.ok(Math.abs(value - wanted) <= 1e-10 * (1 + Math.abs(wanted)), `${where}: ${value} instead of ${wanted}`)
  }
}

/** Made by PyTorch 2.15, with two groups of rates 0.1 and 0.02 and momentum 0.7. */
const torchCases = JSON.parse(readFileSync(new URL('torch-schedules.json', import.meta.url), 'utf8')) as TorchCase[]
const classes = lr as unknown as Record<string, new (optimizer: Schedulable, options: object) => LRScheduler>

for (const { schedule: name, options, rates, momenta } of torchCases) {
  test(`${name} with ${JSON.stringify(options)} is PyTorch's`, () => {
    const sgd = new SGD([{ parameters: [parameter()] }, { parameters: [parameter()], lr: 0.02 }], {
      lr: 0.1,
      momentum: 0.7,
    })
    const schedule = new (classes[name] as (typeof classes)[string])(sgd, options)
    for (const [i, want] of rates.entries()) {
      if (i > 0) schedule.step()
      close(schedule.lastLr, want, `rates after ${i} steps`)
      const wanted = momenta?.[i] ?? [0.7, 0.7]
      close(
        sgd.groups.map((group) => group.momentum),
        wanted,
        `momenta after ${i} steps`,
      )
    }
  })
}

test('a sequence goes from one schedule to the next as in PyTorch', () => {
  const sgd = sgdOf()
  const parts = [
    new lr.LinearLR(sgd, { startFactor: 0.1, totalIters: 4 }),
    new lr.CosineAnnealingLR(sgd, { tMax: 5 }),
    new lr.StepLR(sgd, { stepSize: 2, gamma: 0.5 }),
  ]
  const schedule = new lr.SequentialLR(sgd, parts, { milestones: [4, 9] })
  const got = [sgd.lr]
  for (let i = 1; i < 14; i++) {
    schedule.step()
    got.push(sgd.lr)
  }
  const start = [0.01, 0.0325, 0.055, 0.0775, 0.1, 0.0904508497187, 0.0654508497187, 0.0345491502813, 0.00954915028125]
  close(got, [...start, 0.1, 0.1, 0.05, 0.05, 0.025], 'rates')
})

test('a plateau is found as PyTorch finds it, and NaN is no improvement', () => {
  const sgd = sgdOf()
  const schedule = new lr.ReduceLROnPlateau(sgd, {
    mode: 'max',
    factor: 0.5,
    patience: 1,
    threshold: 0.02,
    thresholdMode: 'abs',
    cooldown: 2,
    minLr: 0.02,
  })
  const metrics = [0.5, 0.6, 0.61, 0.605, 0.59, 0.62, 0.62, 0.62, 0.62, Number.NaN, 0.7, 0.7, 0.7, 0.7, 0.7]
  const rates = metrics.map((metric) => {
    schedule.step(metric)
    return sgd.lr
  })
  close(rates, [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.025, 0.025, 0.02, 0.02, 0.02], 'rates')
})

const makers: Record<string, (o: Schedulable) => LRScheduler> = {
  StepLR: (o) => new lr.StepLR(o, { stepSize: 3 }),
  MultiStepLR: (o) => new lr.MultiStepLR(o, { milestones: [2, 7] }),
  ExponentialLR: (o) => new lr.ExponentialLR(o, { gamma: 0.9 }),
  ConstantLR: (o) => new lr.ConstantLR(o),
  LinearLR: (o) => new lr.LinearLR(o),
  PolynomialLR: (o) => new lr.PolynomialLR(o, { totalIters: 9 }),
  LambdaLR: (o) => new lr.LambdaLR(o, { lrLambda: (t) => 1 / (t + 1) }),
  CosineAnnealingLR: (o) => new lr.CosineAnnealingLR(o, { tMax: 6 }),
  CosineAnnealingWarmRestarts: (o) => new lr.CosineAnnealingWarmRestarts(o, { t0: 2, tMult: 2 }),
  CyclicLR: (o) => new lr.CyclicLR(o, { baseLr: 0.1, maxLr: 1, stepSizeUp: 3 }),
  OneCycleLR: (o) => new lr.OneCycleLR(o, { maxLr: 1, totalSteps: 20 }),
  ReduceLROnPlateau: (o) => new lr.ReduceLROnPlateau(o, { patience: 1 }),
  WarmUpLR: (o) => new lr.WarmUpLR(o, { totalIters: 4, after: new lr.CosineAnnealingLR(o, { tMax: 9 }) }),
  SequentialLR: (o) =>
    new lr.SequentialLR(o, [new lr.ConstantLR(o), new lr.StepLR(o, { stepSize: 2 })], { milestones: [5] }),
}

const advance = (schedule: LRScheduler, t: number): void =>
  schedule instanceof lr.ReduceLROnPlateau ? schedule.step(t % 4) : schedule.step()

test('every schedule goes on from a saved state to the same rates, to the last digit', () => {
  for (const [name, make] of Object.entries(makers)) {
    fc.assert(
      fc.property(fc.nat(9), fc.double({ min: 1e-6, max: 10, noNaN: true }), (stop, rate) => {
        const [a, b] = [sgdOf(rate), sgdOf(0.3)]
        const [first, second] = [make(a), make(b)]
        for (let t = 0; t < stop; t++) advance(first, t)
        second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())))
        for (let t = stop; t < 12; t++) {
          assert.deepEqual([b.lr, b.groups[0]?.momentum], [a.lr, a.groups[0]?.momentum], name)
          advance(first, t)
          advance(second, t)
        }
      }),
      { numRuns: 10 },
    )
  }
  assert.deepEqual(
    Object.keys(makers).sort(),
    Object.keys(lr)
      .filter((name) => name !== 'LRScheduler')
      .sort(),
    'every schedule is tested',
  )
})

test('a compiled training step goes on with its plan, whatever a schedule sets', () => {
  for (const [name, make] of Object.entries(makers)) {
    const p = parameter()
    const adam = new Adam([p], { lr: 0.5 })
    const schedule = make(adam)
    const step = compile(() => {
      adam.zeroGrad()
      p.mul(p).sum().backward()
      adam.step()
    })
    for (let t = 0; t < 12; t++) {
      step()
      advance(schedule, t)
    }
    assert.match(step.explain(), /^1 plan was made/, name)
  }
})

test('the momentum is cycled where there is one: β₁ too', () => {
  const adam = new Adam([parameter()], { betas: [0.5, 0.999] })
  const schedule = new lr.OneCycleLR(adam, { maxLr: 1, totalSteps: 11, pctStart: 0.5 })
  assert.deepEqual(adam.groups[0]?.betas, [0.95, 0.999])
  for (let t = 0; t < 10; t++) schedule.step()
  assert.deepEqual(adam.groups[0]?.betas, [0.95, 0.999])
  assert.ok(Math.abs(adam.lr - 1 / 25 / 1e4) < 1e-12)
  const adagrad = new Adagrad([parameter()])
  assert.throws(() => new lr.OneCycleLR(adagrad, { maxLr: 1, totalSteps: 3 }), /no momentum to cycle/)
  assert.throws(() => new lr.CyclicLR(adagrad, { baseLr: 0.1, maxLr: 1 }), /Set cycleMomentum: false/)
  new lr.OneCycleLR(adagrad, { maxLr: 1, totalSteps: 3, cycleMomentum: false })
})

test('a schedule stepped past its end says so, and changes nothing', () => {
  const sgd = sgdOf()
  const schedule = new lr.OneCycleLR(sgd, { maxLr: 1, epochs: 2, stepsPerEpoch: 3 })
  for (let t = 0; t < 6; t++) schedule.step()
  const [rate, state] = [sgd.lr, schedule.stateDict()]
  assert.throws(() => schedule.step(), {
    name: 'RangeError',
    message: 'OneCycleLR: it has 6 steps, and this would be step 7. Give it more totalSteps, or stop stepping it.',
  })
  assert.equal(sgd.lr, rate)
  assert.deepEqual(schedule.stateDict(), state)
})

test('a rate set by hand is a new start for the next schedule', () => {
  const sgd = sgdOf(0.5)
  new lr.LinearLR(sgd, { startFactor: 0.5 })
  assert.deepEqual(new lr.ExponentialLR(sgd, { gamma: 0.5 }).baseLrs, [0.5])
  sgd.lr = 0.125
  assert.deepEqual(new lr.ExponentialLR(sgd, { gamma: 0.5 }).baseLrs, [0.125])
})

test('settings and states that cannot be are errors', () => {
  const sgd = sgdOf()
  assert.throws(() => new lr.StepLR(sgd, { stepSize: 0 }), /StepLR: stepSize must be a whole number from 1, not 0/)
  assert.throws(() => new lr.LinearLR(sgd, { startFactor: 0 }), /startFactor must be above 0/)
  assert.throws(() => new lr.OneCycleLR(sgd, { maxLr: 1 }), /give totalSteps, or both epochs and stepsPerEpoch/)
  assert.throws(() => new lr.OneCycleLR(sgd, { maxLr: [1, 2], totalSteps: 3 }), /maxLr has 2 values for 1 groups/)
  assert.throws(() => new lr.ReduceLROnPlateau(sgd, { factor: 1 }), /factor must be below 1/)
  assert.throws(() => new lr.ReduceLROnPlateau(sgd).step(), /needs what was measured/)
  const plateau = new lr.ReduceLROnPlateau(sgd)
  assert.throws(() => new lr.SequentialLR(sgd, [plateau], { milestones: [] }), /follows a measure/)
  const steps = new lr.StepLR(sgd, { stepSize: 1 })
  assert.throws(() => new lr.SequentialLR(sgd, [steps], { milestones: [1] }), /1 schedules need 0 milestones/)
  assert.throws(() => new lr.SequentialLR(sgdOf(), [steps], { milestones: [] }), /different optimizers/)
  assert.throws(() => steps.loadStateDict(plateau.stateDict()), /StepLR\.loadStateDict: the state is of "ReduceLR/)
  assert.throws(() => steps.loadStateDict({ ...steps.stateDict(), lastLr: [1, 2] }), /rates \[1,2\] for 1 group/)
  assert.throws(() => steps.loadStateDict({ ...steps.stateDict(), lastEpoch: 'x' }), /no whole number/)
  assert.equal(steps.lastEpoch, 0)
  assert.equal(new Lion([parameter()]).lr, 1e-4)
})
