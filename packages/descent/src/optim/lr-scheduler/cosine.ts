/** Schedules along a cosine. */
import { LRScheduler, requireWhole, type Schedulable } from './scheduler.ts'

/** From `high` at 0 to `low` at 1. */
export function cosine(high: number, low: number, share: number): number {
  return low + ((high - low) * (1 + Math.cos(Math.PI * share))) / 2
}

/**
 * etaMin + (lr₀ − etaMin)(1 + cos(π t / tMax)) / 2: down to etaMin in `tMax` steps, and up again after them. Source:
 * Loshchilov and Hutter, "SGDR", 2016, without restarts; torch.optim.lr_scheduler.CosineAnnealingLR.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const adam = new optim.Adam([tensor([1], { requiresGrad: true })], { lr: 1 })
 * const schedule = new optim.lrScheduler.CosineAnnealingLR(adam, { tMax: 2 })
 * schedule.step()
 * console.log(adam.lr.toFixed(2)) // → 0.50
 * ```
 */
export class CosineAnnealingLR extends LRScheduler {
  protected override readonly kind = 'CosineAnnealingLR'
  readonly #tMax: number
  readonly #etaMin: number

  constructor(optimizer: Schedulable, options: { readonly tMax: number /** Default 0. */; readonly etaMin?: number }) {
    super(optimizer)
    this.#tMax = requireWhole('CosineAnnealingLR', 'tMax', options.tMax, 1)
    this.#etaMin = options.etaMin ?? 0
    this.apply(0)
  }

  protected override rate(epoch: number, base: number): number {
    return cosine(base, this.#etaMin, epoch / this.#tMax)
  }
}

export interface WarmRestartsOptions {
  /** The length of the first period. */
  readonly t0: number
  /** What each period's length is multiplied by. Default 1. */
  readonly tMult?: number
  /** Default 0. */
  readonly etaMin?: number
}

/**
 * Cosine annealing that starts again from lr₀ after t0 steps, then after t0·tMult more, and so on. Throws RangeError
 * for periods that are not whole numbers from 1. Source: Loshchilov and Hutter, "SGDR", 2016;
 * torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  protected override readonly kind = 'CosineAnnealingWarmRestarts'
  readonly #t0: number
  readonly #tMult: number
  readonly #etaMin: number

  constructor(optimizer: Schedulable, { t0, tMult = 1, etaMin = 0 }: WarmRestartsOptions) {
    super(optimizer)
    this.#t0 = requireWhole('CosineAnnealingWarmRestarts', 't0', t0, 1)
    this.#tMult = requireWhole('CosineAnnealingWarmRestarts', 'tMult', tMult, 1)
    this.#etaMin = etaMin
    this.apply(0)
  }

  protected override rate(epoch: number, base: number): number {
    let [place, period] = [epoch, this.#t0]
    if (this.#tMult === 1) place %= period
    else {
      while (place >= period) {
        place -= period
        period *= this.#tMult
      }
    }
    return cosine(base, this.#etaMin, place / period)
  }
}
