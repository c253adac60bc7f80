/**
 * Which model to use, and why, in one sentence: of those that are as good as the best one as far as the paired interval can
 * tell, the one that costs least. Costs are weighed as a geometric mean of training time, time a prediction, and size: half
 * of any counts the same.
 */
import type { Interval } from '../evaluation/interval.ts'
import type { Costs } from './contender.ts'

export interface Judged {
  readonly kind: 'network' | 'baseline'
  readonly name: string
  readonly score: Interval
  /** Its score less the best one's, on the same examples; null for the best. */
  readonly behind: Interval | null
  readonly costs: Costs
}

export interface Advice {
  /** The place of the model to use among those that were judged. */
  readonly use: number
  /** Whether a baseline is better than the network by more than chance explains. */
  readonly networkLoses: boolean
  readonly sentence: string
}

/** What stands for the share of right answers, or R², in a sentence. */
export interface Wording {
  /** 0.98 as `98.00 %`. */
  readonly score: (value: number) => string
  /** A difference of scores without its sign: `1.20 points`. */
  readonly difference: (value: number) => string
}

export const accuracyWording: Wording = {
  score: (value) => `${(100 * value).toFixed(2)} %`,
  difference: (value) => `${(100 * Math.abs(value)).toFixed(2)} points`,
}

export const r2Wording: Wording = {
  score: (value) => `R² ${value.toFixed(3)}`,
  difference: (value) => Math.abs(value).toFixed(3),
}

/** Names of baselines that look at nothing. */
const BLIND = ['majority class', 'mean']

/** `judged`: at least one, in any order; exactly one has `behind` null. */
export function advise(judged: readonly Judged[], wording: Wording): Advice {
  const best = judged.find(({ behind }) => behind === null) as Judged
  const good = judged.filter((one) => asGood(one))
  const use = good.reduce((a, b) => (cost(b.costs) < cost(a.costs) ? b : a))
  const network = judged.find(({ kind }) => kind === 'network')
  const networkLoses = network !== undefined && !asGood(network)
  return { use: judged.indexOf(use), networkLoses, sentence: sentenceOf({ use, best, network, judged, wording }) }
}

/** As far as the interval can tell: it is not behind, or the interval reaches to where it is ahead. */
function asGood({ behind }: Judged): boolean {
  return behind === null || behind.estimate >= 0 || behind.high > 0
}

/** The logarithm of the product; nothing costs nothing, so that it has one. */
function cost({ training, prediction, bytes }: Costs): number {
  return Math.log(Math.max(training, 1e-3)) + Math.log(Math.max(prediction, 0.1)) + Math.log(Math.max(bytes, 8))
}

interface Case {
  readonly use: Judged
  readonly best: Judged
  readonly network: Judged | undefined
  readonly judged: readonly Judged[]
  readonly wording: Wording
}

function sentenceOf({ use, best, network, judged, wording }: Case): string {
  const name = named(use)
  const { score, difference } = wording
  if (BLIND.includes(use.name))
    return `Use none of them: on these examples no model is better than ${name} (${score(use.score.estimate)}) by more than chance explains. More examples, or better columns, come first.`
  if (network && !asGood(network)) {
    const lost = network.behind as Interval
    const costs = ratios(use.costs, network.costs)
    return `Use ${name}: the network loses. It has ${score(network.score.estimate)}, ${named(best)} has ${score(best.score.estimate)}, ${difference(lost.estimate)} more (paired 95 % interval ${difference(lost.high)} to ${difference(lost.low)})${use === best ? '' : `, and ${name}, with ${score(use.score.estimate)}, is as good as that`}${costs ? `; ${name} takes ${costs} of the network` : ''}.`
  }
  const other = use === network || !network ? rival(use, best, judged) : network
  if (!other) return `Use ${name}: it has ${score(use.score.estimate)}.`
  const gap = gapOf(use, other, best)
  const costs = ratios(use.costs, other.costs)
  if (gap && !asGood(other))
    return `Use ${name}: its ${score(use.score.estimate)} is better than ${named(other)}'s ${score(other.score.estimate)}, the best of the rest, by ${difference(gap.estimate)} (paired 95 % interval ${difference(gap.high)} to ${difference(gap.low)})${costs ? `; it takes ${costs} of ${named(other)}` : ''}.`
  const good = use.score.estimate > other.score.estimate ? 'at least as good as' : 'as good as'
  const apart = other === best && use.behind ? ` (paired difference ${pairedText(use.behind, wording)})` : ''
  return `Use ${name}: its ${score(use.score.estimate)} is ${good} ${named(other)}'s ${score(other.score.estimate)}, as far as these examples can tell${apart}${costs ? `, and it takes ${costs} of ${named(other)}` : ''}.`
}

/** Whom the model to use is held against: the best, or where it is that itself, the best of the rest. */
function rival(use: Judged, best: Judged, judged: readonly Judged[]): Judged | undefined {
  if (use !== best) return best
  return judged.filter((one) => one !== use).toSorted((a, b) => b.score.estimate - a.score.estimate)[0]
}

/** `−0.55 points, 95 % interval −1.32 points to +0.11 points` */
function pairedText({ estimate, low, high }: Interval, { difference }: Wording): string {
  const signed = (value: number) => `${value < 0 ? '−' : value > 0 ? '+' : ''}${difference(value)}`
  return `${signed(estimate)}, 95 % interval ${signed(low)} to ${signed(high)}`
}

function gapOf(use: Judged, other: Judged, best: Judged): Interval | null {
  return use === best ? other.behind : null
}

export function named({ kind, name }: Pick<Judged, 'kind' | 'name'>): string {
  if (kind === 'network') return 'the network'
  return name === 'majority class' ? 'the majority class' : name === 'mean' ? 'the mean' : name
}

/** `56 % of the training time, 12 times the time a prediction and 1/9 of the size`; what differs little is left out. */
function ratios(own: Costs, other: Costs): string {
  const parts = [
    ratio(own.training, other.training, 'training time'),
    ratio(own.prediction, other.prediction, 'time a prediction'),
    ratio(own.bytes, other.bytes, 'size'),
  ].filter((part) => part !== null)
  return parts.length > 1 ? `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}` : (parts[0] ?? '')
}

function ratio(own: number, other: number, what: string): string | null {
  const share = own / other
  if (!Number.isFinite(share) || share <= 0 || (share > 2 / 3 && share < 1.5)) return null
  if (share >= 1) return `${rounded(share)} times the ${what}`
  return share > 0.1 ? `${Math.round(100 * share)} % of the ${what}` : `1/${rounded(1 / share)} of the ${what}`
}

/** Two digits that count: 1.5, 14, 2,300. */
function rounded(value: number): string {
  return Number(value.toPrecision(2)).toLocaleString('en')
}
