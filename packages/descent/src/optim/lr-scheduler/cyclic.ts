/** Schedules that raise the rate and lower it again, and the momentum the other way. */
import { cosine } from './cosine.ts'
import { forGroups, LRScheduler, requireWhole, type Schedulable, type ScheduledGroup } from './scheduler.ts'

/** Sets the momentum, or Adam's β₁, which is the same thing. */
function setMomentum(group: ScheduledGroup, momentum: number): void {
  if (group.betas) group.betas = [momentum, group.betas[1]]
  else group.momentum = momentum
}

function requireMomentum(kind: string, { groups }: Schedulable): void {
  if (!groups.every((group) => 'momentum' in group || 'betas' in group)) {
    throw new RangeError(`${kind}: the optimizer has no momentum to cycle. Set cycleMomentum: false.`)
  }
}

export interface OneCycleOptions {
  /** The highest rate: one for all groups, or one for each. */
  readonly maxLr: number | readonly number[]
  /** How many steps the cycle has: give this, or both of the next two. */
  readonly totalSteps?: number
  readonly epochs?: number
  readonly stepsPerEpoch?: number
  /** The share of steps in which the rate rises. Default 0.3. */
  readonly pctStart?: number
  /** Default 'cos'. */
  readonly annealStrategy?: 'cos' | 'linear'
  /** Whether the momentum goes the other way. Default true. */
  readonly cycleMomentum?: boolean
  /** Default 0.85. */
  readonly baseMomentum?: number | readonly number[]
  /** Default 0.95. */
  readonly maxMomentum?: number | readonly number[]
  /** It begins with maxLr / divFactor. Default 25. */
  readonly divFactor?: number
  /** It ends with maxLr / divFactor / finalDivFactor. Default 1e4. */
  readonly finalDivFactor?: number
  /** Three phases: up, down again, and to the end; otherwise up, and to the end. Default false. */
  readonly threePhase?: boolean
}

/**
 * The 1cycle policy, to be stepped after each batch: from maxLr / divFactor up to maxLr in pctStart of `totalSteps`,
 * then down to maxLr / divFactor / finalDivFactor; the momentum (or β₁) from maxMomentum down to baseMomentum and back.
 * Throws RangeError for settings that cannot be, for an optimizer without momentum unless `cycleMomentum` is false, and
 * for a step past `totalSteps`. Source: Smith and Topin, "Super-convergence", 2017;
 * torch.optim.lr_scheduler.OneCycleLR.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const sgd = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 0.1, momentum: 0.9 })
 * const schedule = new optim.lrScheduler.OneCycleLR(sgd, { maxLr: 1, totalSteps: 11, pctStart: 0.5 })
 * for (let batch = 0; batch < 4; batch++) schedule.step()
 * console.log(sgd.lr.toFixed(2), sgd.groups[0]?.momentum.toFixed(2)) // → 0.97 0.85
 * ```
 */
export class OneCycleLR extends LRScheduler {
  protected override readonly kind = 'OneCycleLR'
  readonly #highest: readonly number[]
  readonly #lowMomentum: readonly number[]
  readonly #highMomentum: readonly number[]
  readonly #total: number
  readonly #options: OneCycleOptions
  /** Each ends at a step; rates and momenta go from one number to the other in it. */
  readonly #phases: readonly { readonly end: number; readonly from: Point; readonly to: Point }[]

  constructor(optimizer: Schedulable, options: OneCycleOptions) {
    super(optimizer)
    const { epochs, stepsPerEpoch, pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options
    const total = options.totalSteps ?? (epochs ?? Number.NaN) * (stepsPerEpoch ?? Number.NaN)
    if (Number.isNaN(total)) throw new RangeError('OneCycleLR: give totalSteps, or both epochs and stepsPerEpoch.')
    this.#total = requireWhole('OneCycleLR', 'totalSteps', total, 1)
    if (!(pctStart >= 0 && pctStart <= 1)) {
      throw new RangeError(`OneCycleLR: pctStart must be from 0 to 1, not ${pctStart}.`)
    }
    if (options.cycleMomentum ?? true) requireMomentum('OneCycleLR', optimizer)
    const groups = optimizer.groups.length
    this.#options = options
    this.#highest = forGroups('OneCycleLR', 'maxLr', options.maxLr, groups)
    this.#lowMomentum = forGroups('OneCycleLR', 'baseMomentum', options.baseMomentum ?? 0.85, groups)
    this.#highMomentum = forGroups('OneCycleLR', 'maxMomentum', options.maxMomentum ?? 0.95, groups)
    const [start, last] = [1 / divFactor, 1 / divFactor / finalDivFactor]
    const rising = pctStart * total - 1
    this.#phases = options.threePhase
      ? [
          { end: rising, from: { rate: start, momentum: 1 }, to: { rate: 1, momentum: 0 } },
          { end: 2 * pctStart * total - 2, from: { rate: 1, momentum: 0 }, to: { rate: start, momentum: 1 } },
          { end: total - 1, from: { rate: start, momentum: 1 }, to: { rate: last, momentum: 1 } },
        ]
      : [
          { end: rising, from: { rate: start, momentum: 1 }, to: { rate: 1, momentum: 0 } },
          { end: total - 1, from: { rate: 1, momentum: 0 }, to: { rate: last, momentum: 1 } },
        ]
    this.apply(0)
  }

  protected override rate(epoch: number, _base: number, group: number): number {
    return (this.#highest[group] as number) * this.#at(epoch).rate
  }

  protected override setOthers(epoch: number): void {
    if (this.#options.cycleMomentum === false) return
    const share = this.#at(epoch).momentum
    for (const [i, group] of this.optimizer.groups.entries()) {
      const [low, high] = [this.#lowMomentum[i], this.#highMomentum[i]]
      if (low !== undefined && high !== undefined) setMomentum(group, low + (high - low) * share)
    }
  }

  /** The rate as a share of the highest, and the momentum's place from the lowest, 0, to the highest, 1. */
  #at(epoch: number): Point {
    if (epoch > this.#total) {
      throw new RangeError(
        `OneCycleLR: it has ${this.#total} steps, and this would be step ${epoch}. Give it more totalSteps, or stop stepping it.`,
      )
    }
    let begin = 0
    for (const { end, from, to } of this.#phases) {
      const last = end === this.#total - 1
      if (epoch <= end || last) {
        const share = end > begin ? Math.min((epoch - begin) / (end - begin), 1) : 1
        const between = this.#options.annealStrategy === 'linear' ? line : cosine
        return { rate: between(from.rate, to.rate, share), momentum: between(from.momentum, to.momentum, share) }
      }
      begin = end
    }
    throw new Error('OneCycleLR: no phase')
  }
}

interface Point {
  readonly rate: number
  readonly momentum: number
}

function line(from: number, to: number, share: number): number {
  return from + (to - from) * share
}

export interface CyclicOptions {
  /** The lowest rate: one for all groups, or one for each. */
  readonly baseLr: number | readonly number[]
  readonly maxLr: number | readonly number[]
  /** The steps of the rising half of a cycle. Default 2000. */
  readonly stepSizeUp?: number
  /** Those of the falling half. Default: the same. */
  readonly stepSizeDown?: number
  /** 'triangular2' halves the height with each cycle, 'expRange' scales it by gammaᵗ. Default 'triangular'. */
  readonly mode?: 'triangular' | 'triangular2' | 'expRange'
  /** Default 1. */
  readonly gamma?: number
  /** Scales the height in place of `mode`: a function of the cycle, from 1, or of the steps. */
  readonly scaleFn?: (x: number) => number
  /** Default 'cycle'. */
  readonly scaleMode?: 'cycle' | 'iterations'
  /** Whether the momentum goes the other way. Default true. */
  readonly cycleMomentum?: boolean
  /** Default 0.8. */
  readonly baseMomentum?: number | readonly number[]
  /** Default 0.9. */
  readonly maxMomentum?: number | readonly number[]
}

/**
 * The rate goes up and down between baseLr and maxLr along lines, the momentum (or β₁) the other way; to be stepped
 * after each batch. Throws RangeError for settings that cannot be, and for an optimizer without momentum unless
 * `cycleMomentum` is false. Source: Smith, "Cyclical learning rates for training neural networks", 2015;
 * torch.optim.lr_scheduler.CyclicLR.
 */
export class CyclicLR extends LRScheduler {
  protected override readonly kind = 'CyclicLR'
  readonly #lowest: readonly number[]
  readonly #highest: readonly number[]
  readonly #lowMomentum: readonly number[]
  readonly #highMomentum: readonly number[]
  readonly #up: number
  readonly #cycle: number
  readonly #options: CyclicOptions

  constructor(optimizer: Schedulable, options: CyclicOptions) {
    super(optimizer)
    const { stepSizeUp = 2000, stepSizeDown = stepSizeUp } = options
    if (!(stepSizeUp > 0 && stepSizeDown > 0))
      throw new RangeError(`CyclicLR: half cycles of ${stepSizeUp} and ${stepSizeDown} steps: they must be above 0.`)
    if (options.cycleMomentum ?? true) requireMomentum('CyclicLR', optimizer)
    const groups = optimizer.groups.length
    this.#lowest = forGroups('CyclicLR', 'baseLr', options.baseLr, groups)
    this.#highest = forGroups('CyclicLR', 'maxLr', options.maxLr, groups)
    this.#lowMomentum = forGroups('CyclicLR', 'baseMomentum', options.baseMomentum ?? 0.8, groups)
    this.#highMomentum = forGroups('CyclicLR', 'maxMomentum', options.maxMomentum ?? 0.9, groups)
    this.#cycle = stepSizeUp + stepSizeDown
    this.#up = stepSizeUp / this.#cycle
    this.#options = options
    this.apply(0)
  }

  protected override rate(epoch: number, _base: number, group: number): number {
    return line(this.#lowest[group] as number, this.#highest[group] as number, this.#height(epoch))
  }

  protected override setOthers(epoch: number): void {
    if (this.#options.cycleMomentum === false) return
    const height = this.#height(epoch)
    for (const [i, group] of this.optimizer.groups.entries()) {
      const [low, high] = [this.#lowMomentum[i], this.#highMomentum[i]]
      if (low !== undefined && high !== undefined) setMomentum(group, line(high, low, height))
    }
  }

  #height(epoch: number): number {
    const cycle = Math.floor(1 + epoch / this.#cycle)
    const place = 1 + epoch / this.#cycle - cycle
    const height = place <= this.#up ? place / this.#up : (place - 1) / (this.#up - 1)
    return height * this.#scale(cycle, epoch)
  }

  #scale(cycle: number, epoch: number): number {
    const { mode = 'triangular', gamma = 1, scaleFn, scaleMode } = this.#options
    if (scaleFn) return scaleFn(scaleMode === 'iterations' ? epoch : cycle)
    switch (mode) {
      case 'triangular':
        return 1
      case 'triangular2':
        return 0.5 ** (cycle - 1)
      case 'expRange':
        return gamma ** epoch
    }
  }
}
