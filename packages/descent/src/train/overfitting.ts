/** Whether training and validation part: a word of advice from the reports of the epochs. */
import { AlphaDropout, Dropout } from '../nn/dropout.ts'
import type { AnyModule } from '../nn/module.ts'
import type { EpochReport } from './progress.ts'

/** What helps against over-fitting. */
export type Remedy = 'dropout' | 'weightDecay' | 'augmentation' | 'earlyStopping' | 'smallerNetwork'

/** What `overfitting` found. */
export interface Overfitting {
  /** The epoch after that of the lowest validation loss. */
  readonly since: number
  /** One sentence: since when, what is seen, what to try. */
  readonly message: string
}

/** Fewer epochs say nothing. */
const FEWEST = 6
/** The validation loss has to stay above its lowest for so many epochs. */
const LASTING = 3
/** By so many standard deviations of its noise, and by this share of itself and of what was gained. */
const CLEAR = 4
const SHARE = 0.02

/**
 * Finds over-fitting in a training's history: the validation loss has risen clearly and lastingly above its lowest,
 * while the training loss went on falling. Null where it does not, where there are fewer than 6 epochs with validation,
 * or a loss is no number. The lowest is that of a smoothed curve; noise is estimated from second differences, so that a
 * trend does not count as noise. `inUse` leaves advice out.
 *
 * @example
 * ```ts
 * import { type EpochReport, overfitting } from 'descent'
 * const history = [1, 0.8, 0.7, 0.65, 0.7, 0.8, 0.9, 1, 1.1, 1.2].map((loss, i): EpochReport => {
 *   const speed = { seconds: 1, examplesPerSecond: 1 }
 *   return { epoch: i + 1, loss: 1 / (i + 1), metrics: {}, validation: { loss, metrics: {} }, ...speed }
 * })
 * const found = overfitting(history, ['dropout'])
 * console.log(found?.since) // → 5
 * console.log(found?.message)
 * // → Over-fitting since epoch 5: the validation loss rose from 0.65 to 1.2 while the training loss fell from 0.25
 * //   to 0.1; try weight decay, more data or augmentation, early stopping (at epoch 4), or a smaller network.
 * ```
 */
export function overfitting(history: readonly EpochReport[], inUse: Iterable<Remedy> = []): Overfitting | null {
  const epochs = history.flatMap(({ epoch, loss, validation }) =>
    validation ? [{ epoch, training: loss, validation: validation.loss }] : [],
  )
  const training = epochs.map((e) => e.training)
  const validation = epochs.map((e) => e.validation)
  if (epochs.length < FEWEST || ![...training, ...validation].every(Number.isFinite)) return null
  const smoothed = smooth(validation)
  const best = smoothed.indexOf(Math.min(...smoothed))
  const last = validation.slice(-LASTING)
  if (epochs.length - 1 - best < LASTING) return null
  const lowest = smoothed[best] as number
  const gained = Math.max((smoothed[0] as number) - lowest, 0)
  const needed = Math.max(CLEAR * noise(validation), SHARE * Math.abs(lowest), SHARE * gained)
  if (Math.min(...last) - lowest <= needed) return null
  const learned = smooth(training)
  if (!((learned.at(-1) as number) < (learned[best] as number))) return null
  const at = epochs[best] as (typeof epochs)[number]
  const now = epochs.at(-1) as typeof at
  const since = (epochs[best + 1] as typeof at).epoch
  return {
    since,
    message: `Over-fitting since epoch ${since}: the validation loss rose from ${short(at.validation)} to ${short(now.validation)} while the training loss fell from ${short(at.training)} to ${short(now.training)}; try ${advice(at.epoch, new Set(inUse))}.`,
  }
}

/**
 * What a network and its optimizer use already against over-fitting: dropout with a p above 0, weight decay of any group.
 *
 * @example
 * ```ts
 * import { nn, optim, remediesInUse } from 'descent'
 * const net = new nn.Sequential(new nn.Linear(2, 2), new nn.Dropout(0.2))
 * console.log(remediesInUse(net, new optim.SGD(net.parameters(), { lr: 0.1 }))) // → [ 'dropout' ]
 * ```
 */
export function remediesInUse(
  net: AnyModule,
  optimizer: { readonly groups: readonly { readonly weightDecay: number }[] },
): Remedy[] {
  const drops = net.modules().some((m) => (m instanceof Dropout || m instanceof AlphaDropout) && m.p > 0)
  const decays = optimizer.groups.some(({ weightDecay }) => weightDecay > 0)
  return [...(drops ? ['dropout' as const] : []), ...(decays ? ['weightDecay' as const] : [])]
}

function advice(best: number, inUse: ReadonlySet<Remedy>): string {
  const all: readonly (readonly [Remedy, string])[] = [
    ['dropout', 'dropout'],
    ['weightDecay', 'weight decay'],
    ['augmentation', 'more data or augmentation'],
    ['earlyStopping', `early stopping (at epoch ${best})`],
    ['smallerNetwork', 'a smaller network'],
  ]
  const left = all.flatMap(([remedy, words]) =>
    inUse.has(remedy) ? (remedy === 'augmentation' ? ['more data'] : []) : [words],
  )
  const first = left.slice(0, -1).join(', ')
  return left.length < 2 ? left.join() : `${first}${left.length > 2 ? ',' : ''} or ${left.at(-1)}`
}

/** Medians of three, which take out single outliers, then means of five. */
function smooth(values: readonly number[]): number[] {
  const calm = values.map((_, i) => median(values.slice(Math.max(0, i - 1), i + 2)))
  return calm.map((_, i) => {
    const near = calm.slice(Math.max(0, i - 2), i + 3)
    return near.reduce((a, b) => a + b) / near.length
  })
}

/** The standard deviation of the noise of a curve, from its second differences, whose deviation is √6 times it. */
function noise(values: readonly number[]): number {
  const bends = values
    .slice(2)
    .map((value, i) => Math.abs(value - 2 * (values[i + 1] as number) + (values[i] as number)))
  return median(bends) / (0.6745 * Math.sqrt(6))
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2
}

function short(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3)))
}
