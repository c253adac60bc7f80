/** Schedules that multiply the first rate by a factor: in steps, by a power, along a line, or by a function. */
import { forGroups, LRScheduler, requireWhole, type Schedulable } from './scheduler.ts'

/**
 * The rate times gamma after every `stepSize` steps: lr₀ · gamma^⌊t / stepSize⌋. Throws RangeError for a stepSize that
 * is not a whole number above 0. Source: torch.optim.lr_scheduler.StepLR.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const sgd = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 0.5 })
 * const schedule = new optim.lrScheduler.StepLR(sgd, { stepSize: 2, gamma: 0.5 })
 * const rates = [1, 2, 3, 4].map(() => {
 *   schedule.step()
 *   return sgd.lr
 * })
 * console.log(rates) // → [ 0.5, 0.25, 0.25, 0.125 ]
 * ```
 */
export class StepLR extends LRScheduler {
  protected override readonly kind = 'StepLR'
  readonly #stepSize: number
  readonly #gamma: number

  constructor(
    optimizer: Schedulable,
    options: { readonly stepSize: number /** Default 0.1. */; readonly gamma?: number },
  ) {
    super(optimizer)
    this.#stepSize = requireWhole('StepLR', 'stepSize', options.stepSize, 1)
    this.#gamma = options.gamma ?? 0.1
    this.apply(0)
  }

  protected override rate(epoch: number, base: number): number {
    return base * this.#gamma ** Math.floor(epoch / this.#stepSize)
  }
}

/**
 * The rate times gamma at each milestone, which are numbers of steps. Source:
 * torch.optim.lr_scheduler.MultiStepLR.
 */
export class MultiStepLR extends LRScheduler {
  protected override readonly kind = 'MultiStepLR'
  readonly #milestones: readonly number[]
  readonly #gamma: number

  constructor(
    optimizer: Schedulable,
    options: { readonly milestones: readonly number[] /** Default 0.1. */; readonly gamma?: number },
  ) {
    super(optimizer)
    this.#milestones = options.milestones
    this.#gamma = options.gamma ?? 0.1
    this.apply(0)
  }

  protected override rate(epoch: number, base: number): number {
    return base * this.#gamma ** this.#milestones.filter((milestone) => milestone <= epoch).length
  }
}

/** lr₀ · gammaᵗ. Source: torch.optim.lr_scheduler.ExponentialLR. */
export class ExponentialLR extends LRScheduler {
  protected override readonly kind = 'ExponentialLR'
  readonly #gamma: number

  constructor(optimizer: Schedulable, options: { readonly gamma: number }) {
    super(optimizer)
    this.#gamma = options.gamma
    this.apply(0)
  }

  protected override rate(epoch: number, base: number): number {
    return base * this.#gamma ** epoch
  }
}

/**
 * lr₀ · factor for the first `totalIters` steps, then lr₀. Source: torch.optim.lr_scheduler.ConstantLR.
 */
export class ConstantLR extends LRScheduler {
  protected override readonly kind = 'ConstantLR'
  readonly #factor: number
  readonly #total: number

  constructor(
    optimizer: Schedulable,
    options: { /** Default 1/3. */ readonly factor?: number /** Default 5. */; readonly totalIters?: number } = {},
  ) {
    super(optimizer)
    const { factor = 1 / 3, totalIters = 5 } = options
    if (!(factor >= 0 && factor <= 1)) throw new RangeError(`ConstantLR: factor must be from 0 to 1, not ${factor}.`)
    this.#factor = factor
    this.#total = requireWhole('ConstantLR', 'totalIters', totalIters, 0)
    this.apply(0)
  }

  protected override rate(epoch: number, base: number): number {
    return epoch < this.#total ? base * this.#factor : base
  }
}

export interface LinearOptions {
  /** Above 0, at most 1. Default 1/3. */
  readonly startFactor?: number
  /** Default 1. */
  readonly endFactor?: number
  /** Default 5. */
  readonly totalIters?: number
}

/**
 * lr₀ times a factor that goes from startFactor to endFactor along a line in `totalIters` steps, and stays. Throws
 * RangeError for factors out of range. Source: torch.optim.lr_scheduler.LinearLR.
 */
export class LinearLR extends LRScheduler {
  protected override readonly kind = 'LinearLR'
  readonly #start: number
  readonly #end: number
  readonly #total: number

  constructor(optimizer: Schedulable, options: LinearOptions = {}) {
    super(optimizer)
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options
    if (!(startFactor > 0 && startFactor <= 1))
      throw new RangeError(`LinearLR: startFactor must be above 0 and at most 1, not ${startFactor}.`)
    if (!(endFactor >= 0 && endFactor <= 1))
      throw new RangeError(`LinearLR: endFactor must be from 0 to 1, not ${endFactor}.`)
    this.#start = startFactor
    this.#end = endFactor
    this.#total = requireWhole('LinearLR', 'totalIters', totalIters, 1)
    this.apply(0)
  }

  protected override rate(epoch: number, base: number): number {
    return base * (this.#start + (this.#end - this.#start) * Math.min(epoch / this.#total, 1))
  }
}

/**
 * lr₀ · (1 − t / totalIters)^power, and 0 after `totalIters` steps. Source: torch.optim.lr_scheduler.PolynomialLR.
 */
export class PolynomialLR extends LRScheduler {
  protected override readonly kind = 'PolynomialLR'
  readonly #total: number
  readonly #power: number

  constructor(
    optimizer: Schedulable,
    options: { /** Default 5. */ readonly totalIters?: number /** Default 1. */; readonly power?: number } = {},
  ) {
    super(optimizer)
    this.#total = requireWhole('PolynomialLR', 'totalIters', options.totalIters ?? 5, 1)
    this.#power = options.power ?? 1
    this.apply(0)
  }

  protected override rate(epoch: number, base: number): number {
    return base * (1 - Math.min(epoch / this.#total, 1)) ** this.#power
  }
}

/**
 * lr₀ · f(t): one function for all groups or one for each, of the number of steps. The functions are not part of the
 * state. Source: torch.optim.lr_scheduler.LambdaLR.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const sgd = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 })
 * const schedule = new optim.lrScheduler.LambdaLR(sgd, { lrLambda: (t) => 1 / (1 + t) })
 * schedule.step()
 * console.log(sgd.lr) // → 0.5
 * ```
 */
export class LambdaLR extends LRScheduler {
  protected override readonly kind = 'LambdaLR'
  readonly #lambdas: readonly ((epoch: number) => number)[]

  constructor(
    optimizer: Schedulable,
    options: { readonly lrLambda: ((epoch: number) => number) | readonly ((epoch: number) => number)[] },
  ) {
    super(optimizer)
    this.#lambdas = forGroups('LambdaLR', 'lrLambda', options.lrLambda, this.baseLrs.length)
    this.apply(0)
  }

  protected override rate(epoch: number, base: number, group: number): number {
    return base * (this.#lambdas[group] as (epoch: number) => number)(epoch)
  }
}
