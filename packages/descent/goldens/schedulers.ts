/** The learning-rate schedules of `schedulers.json`: the rate at every step. */
import { optim, tensor } from '../src/index.ts'
import { Args, type SchedulerCase } from './cases.ts'
import { compareNumbers, usual, type Verdict } from './compare.ts'
import { missing } from './operation.ts'

const { lrScheduler } = optim

type ScheduleOf = (optimizer: optim.SGD, args: Args) => optim.lrScheduler.LRScheduler

const schedules: Readonly<Record<string, ScheduleOf>> = {
  step: (o, args) => new lrScheduler.StepLR(o, { stepSize: args.number('step_size'), gamma: args.number('gamma') }),
  multi_step: (o, args) =>
    new lrScheduler.MultiStepLR(o, { milestones: args.numbers('milestones'), gamma: args.number('gamma') }),
  exponential: (o, args) => new lrScheduler.ExponentialLR(o, { gamma: args.number('gamma') }),
  cosine_annealing: (o, args) =>
    new lrScheduler.CosineAnnealingLR(o, { tMax: args.number('T_max'), etaMin: args.number('eta_min', 0) }),
  cosine_warm_restarts: (o, args) =>
    new lrScheduler.CosineAnnealingWarmRestarts(o, { t0: args.number('T_0'), tMult: args.number('T_mult', 1) }),
  linear: (o, args) =>
    new lrScheduler.LinearLR(o, {
      startFactor: args.number('start_factor'),
      totalIters: args.number('total_iters'),
    }),
  polynomial: (o, args) =>
    new lrScheduler.PolynomialLR(o, { totalIters: args.number('total_iters'), power: args.number('power', 1) }),
  one_cycle: (o, args) =>
    new lrScheduler.OneCycleLR(o, {
      maxLr: args.number('max_lr'),
      totalSteps: args.number('total_steps'),
      pctStart: args.number('pct_start', 0.3),
      cycleMomentum: args.flag('cycle_momentum', true),
    }),
  cyclic: (o, args) =>
    new lrScheduler.CyclicLR(o, {
      baseLr: args.number('base_lr'),
      maxLr: args.number('max_lr'),
      stepSizeUp: args.number('step_size_up'),
      cycleMomentum: args.flag('cycle_momentum', true),
    }),
}

export function runScheduler(c: SchedulerCase): Verdict[] {
  const args = new Args(c.args)
  const sgd = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: args.number('lr') })
  const { metrics } = c
  if (metrics && c.op === 'reduce_on_plateau') {
    const plateau = new lrScheduler.ReduceLROnPlateau(sgd, {
      factor: args.number('factor'),
      patience: args.number('patience'),
    })
    const rates = metrics.map((metric) => {
      plateau.step(metric)
      return sgd.lr
    })
    return [compareNumbers('rate by step', rates, c.rates, usual)]
  }
  const make = schedules[c.op]
  if (!make) return [missing]
  const schedule = make(sgd, args)
  const rates = c.rates.map((_, i) => {
    if (i > 0) schedule.step()
    return sgd.lr
  })
  return [compareNumbers('rate by step', rates, c.rates, usual)]
}
