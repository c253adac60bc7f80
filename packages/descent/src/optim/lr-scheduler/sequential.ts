/** Schedules one after the other. */
import { LinearLR } from './factors.ts'
import { LRScheduler, requireWhole, type Schedulable, type SchedulerState, setRates } from './scheduler.ts'

/**
 * The first schedule up to the first milestone, from there the second as if it began, and so on; milestones are numbers
 * of steps, one fewer than schedules. Make them with the same optimizer, before any step. Throws RangeError where their
 * numbers do not fit, milestones do not rise, or a schedule follows a measure. Source:
 * torch.optim.lr_scheduler.SequentialLR.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const { ConstantLR, ExponentialLR, SequentialLR } = optim.lrScheduler
 * const sgd = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 })
 * const parts = [new ConstantLR(sgd, { factor: 0.25, totalIters: 9 }), new ExponentialLR(sgd, { gamma: 0.5 })]
 * const schedule = new SequentialLR(sgd, parts, { milestones: [2] })
 * const rates = [sgd.lr]
 * for (let t = 0; t < 4; t++) {
 *   schedule.step()
 *   rates.push(sgd.lr)
 * }
 * console.log(rates) // → [ 0.25, 0.25, 1, 0.5, 0.25 ]
 * ```
 */
export class SequentialLR extends LRScheduler {
  protected override readonly kind: string = 'SequentialLR'
  readonly #parts: readonly LRScheduler[]
  readonly #milestones: readonly number[]

  constructor(
    optimizer: Schedulable,
    schedulers: readonly LRScheduler[],
    options: { readonly milestones: readonly number[] },
  ) {
    super(optimizer)
    const { milestones } = options
    if (schedulers.length !== milestones.length + 1 || schedulers.length === 0) {
      throw new RangeError(
        `SequentialLR: ${schedulers.length} schedules need ${schedulers.length - 1} milestones, not ${milestones.length}.`,
      )
    }
    for (const [i, milestone] of milestones.entries())
      requireWhole('SequentialLR', `milestone ${i}`, milestone, (milestones[i - 1] ?? 0) + 1)
    for (const part of schedulers) {
      if (part.step.length > 0)
        throw new RangeError('SequentialLR: a schedule that follows a measure cannot be part of another.')
      if (part.optimizer !== optimizer) throw new RangeError('SequentialLR: the schedules have different optimizers.')
    }
    this.#parts = schedulers
    this.#milestones = milestones
    this.apply(0)
  }

  protected override rate(_epoch: number, _base: number, group: number): number {
    return this.lastLr[group] as number
  }

  override apply(epoch: number): void {
    const passed = this.#milestones.filter((milestone) => milestone <= epoch).length
    const part = this.#parts[passed] as LRScheduler
    const own = epoch - (passed > 0 ? (this.#milestones[passed - 1] as number) : 0)
    part.apply(own)
    part.lastEpoch = own
  }

  override stateDict(): SchedulerState {
    return { ...super.stateDict(), schedulers: this.#parts.map((part) => part.stateDict()) }
  }

  override loadStateDict(state: SchedulerState): this {
    const { lastLr } = this.requireState(state)
    const { schedulers } = state
    if (!Array.isArray(schedulers) || schedulers.length !== this.#parts.length)
      throw new RangeError(`${this.kind}.loadStateDict: the state has not ${this.#parts.length} schedules.`)
    for (const [i, part] of this.#parts.entries()) part.loadStateDict(schedulers[i] as SchedulerState)
    super.loadStateDict(state)
    this.apply(this.lastEpoch)
    setRates(this.optimizer, lastLr)
    return this
  }
}

/**
 * Warm-up: the rate rises along a line from lr₀ · startFactor to lr₀ in `totalIters` steps; then `after` begins, or the
 * rate stays. Source: Goyal et al., "Accurate, large minibatch SGD", 2017.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const adam = new optim.Adam([tensor([1], { requiresGrad: true })], { lr: 1 })
 * const after = new optim.lrScheduler.CosineAnnealingLR(adam, { tMax: 90 })
 * const schedule = new optim.lrScheduler.WarmUpLR(adam, { totalIters: 10, startFactor: 0.1, after })
 * for (let t = 0; t < 5; t++) schedule.step()
 * console.log(adam.lr.toFixed(2)) // → 0.55
 * ```
 */
export class WarmUpLR extends SequentialLR {
  protected override readonly kind = 'WarmUpLR'

  constructor(
    optimizer: Schedulable,
    options: {
      readonly totalIters: number
      /** Above 0. Default 0.01. */
      readonly startFactor?: number
      readonly after?: LRScheduler
    },
  ) {
    const { totalIters, startFactor = 0.01, after } = options
    const rising = new LinearLR(optimizer, { totalIters, startFactor })
    super(optimizer, after ? [rising, after] : [rising], { milestones: after ? [totalIters] : [] })
  }
}
