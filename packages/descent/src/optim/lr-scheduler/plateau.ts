/** The schedule that follows a measure instead of the number of steps. */
import { forGroups, LRScheduler, requireWhole, type Schedulable, type SchedulerState, setRates } from './scheduler.ts'

export interface PlateauOptions {
  /** Whether lower or higher is better. Default 'min'. */
  readonly mode?: 'min' | 'max'
  /** Below 1. Default 0.1. */
  readonly factor?: number
  /** How many steps may pass without an improvement. Default 10. */
  readonly patience?: number
  /** How much better counts. Default 1e-4. */
  readonly threshold?: number
  /** A share of the best value ('rel') or a difference ('abs'). Default 'rel'. */
  readonly thresholdMode?: 'rel' | 'abs'
  /** How many steps to wait after a reduction. Default 0. */
  readonly cooldown?: number
  /** For all groups, or one for each. Default 0. */
  readonly minLr?: number | readonly number[]
  /** A smaller change of the rate is not made. Default 1e-8. */
  readonly eps?: number
}

/**
 * The rate times `factor` where a measure, the validation loss for instance, has not become better for more than
 * `patience` steps: `step(metric)` after each epoch. NaN is no improvement. Throws RangeError for a factor of 1 or more
 * and for a step without a number. Source: torch.optim.lr_scheduler.ReduceLROnPlateau.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const sgd = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 })
 * const schedule = new optim.lrScheduler.ReduceLROnPlateau(sgd, { factor: 0.5, patience: 1 })
 * for (const loss of [3, 2, 2, 2]) schedule.step(loss)
 * console.log(sgd.lr) // → 0.5
 * ```
 */
export class ReduceLROnPlateau extends LRScheduler {
  protected override readonly kind = 'ReduceLROnPlateau'
  readonly #options: PlateauOptions
  readonly #lowest: readonly number[]
  readonly #factor: number
  #best: number | null = null
  #bad = 0
  #cooling = 0

  constructor(optimizer: Schedulable, options: PlateauOptions = {}) {
    super(optimizer)
    const { factor = 0.1, patience = 10, cooldown = 0 } = options
    if (!(factor < 1)) throw new RangeError(`ReduceLROnPlateau: factor must be below 1, not ${factor}.`)
    requireWhole('ReduceLROnPlateau', 'patience', patience, 0)
    requireWhole('ReduceLROnPlateau', 'cooldown', cooldown, 0)
    this.#options = options
    this.#factor = factor
    this.#lowest = forGroups('ReduceLROnPlateau', 'minLr', options.minLr ?? 0, optimizer.groups.length)
  }

  /** The best measure so far, or null. */
  get best(): number | null {
    return this.#best
  }

  protected override rate(_epoch: number, _base: number, group: number): number {
    return this.lastLr[group] as number
  }

  /** `metric`: what was measured after the epoch. */
  override step(metric?: number): void {
    if (typeof metric !== 'number')
      throw new RangeError('ReduceLROnPlateau: step(metric) needs what was measured, the validation loss for instance.')
    const { patience = 10, cooldown = 0 } = this.#options
    this.lastEpoch++
    if (this.#isBetter(metric)) {
      this.#best = metric
      this.#bad = 0
    } else this.#bad++
    if (this.#cooling > 0) {
      this.#cooling--
      this.#bad = 0
    }
    if (this.#bad > patience) {
      this.#reduce()
      this.#cooling = cooldown
      this.#bad = 0
    }
  }

  #reduce(): void {
    const { eps = 1e-8 } = this.#options
    const rates = this.lastLr.map((rate, i) => {
      const lower = Math.max(rate * this.#factor, this.#lowest[i] ?? 0)
      return rate - lower > eps ? lower : rate
    })
    setRates(this.optimizer, rates)
  }

  #isBetter(metric: number): boolean {
    const { mode = 'min', threshold = 1e-4, thresholdMode = 'rel' } = this.#options
    if (this.#best === null) return mode === 'min' ? metric < Infinity : metric > -Infinity
    const sign = mode === 'min' ? -1 : 1
    const needed = thresholdMode === 'rel' ? this.#best * (1 + sign * threshold) : this.#best + sign * threshold
    return mode === 'min' ? metric < needed : metric > needed
  }

  override stateDict(): SchedulerState {
    return { ...super.stateDict(), best: this.#best, numBadEpochs: this.#bad, cooldownCounter: this.#cooling }
  }

  override loadStateDict(state: SchedulerState): this {
    const { best, numBadEpochs, cooldownCounter } = state
    this.requireState(state)
    if (!(best === null || typeof best === 'number') || !isCount(numBadEpochs) || !isCount(cooldownCounter)) {
      throw new RangeError('ReduceLROnPlateau.loadStateDict: best, numBadEpochs or cooldownCounter is no number.')
    }
    super.loadStateDict(state)
    this.#best = best
    this.#bad = numBadEpochs
    this.#cooling = cooldownCounter
    return this
  }
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value)
}
