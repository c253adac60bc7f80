/**
 * How far a number measured on a sample may lie from the truth: it is measured again and again on samples drawn from the
 * sample itself. Works for any statistic of a set of examples. Efron and Tibshirani, "An introduction to the bootstrap",
 * 1993.
 */
import { type Random, seeded } from '../random.ts'
import { type Interval, requireLevel } from './interval.ts'
import { normalCdf, normalQuantile } from './normal.ts'

/** A number measured on the examples of these indices, which may occur several times. NaN where it cannot be. */
export type Statistic = (indices: Int32Array) => number

export interface BootstrapOptions {
  readonly seed: number
  /** Default 2000. */
  readonly resamples?: number
  /** Default 0.95. */
  readonly level?: number
  /**
   * `percentile`: quantiles of the resampled statistic. `bca` (the default) corrects them for bias and skew, which matters
   * for shares near 0 or 1 and for small samples.
   */
  readonly method?: 'bca' | 'percentile'
  /** [N]: examples are drawn within each stratum, so that all keep their sizes. */
  readonly strata?: Int32Array
}

export interface BootstrapInterval extends Interval {
  readonly standardError: number
  /** Resamples on which the statistic could be measured. */
  readonly resamples: number
}

/**
 * The interval of a statistic over `count` examples. A statistic that could be measured on no resample has NaN bounds.
 * Throws RangeError for options that are no such.
 *
 * @example
 * ```ts
 * import { bootstrap, meanOf } from '@descent/loop'
 * const minutes = Float64Array.of(3, 5, 4, 8, 2, 6, 4, 5)
 * const { estimate, low, high } = bootstrap(8, meanOf(minutes), { seed: 1 })
 * console.log(estimate, low < 4.625 && 4.625 < high) // → 4.625 true
 * ```
 */
export function bootstrap(count: number, statistic: Statistic, options: BootstrapOptions): BootstrapInterval {
  const settings = settled(count, options)
  const estimate = statistic(everyone(count))
  const replicates = resampled(count, settings, (indices) => [statistic(indices)]).map(([value]) => value as number)
  return interval(estimate, replicates, settings, () => acceleration(count, statistic, settings.seed))
}

export interface PairedOptions extends BootstrapOptions {
  /** Default true; say false for errors and losses. */
  readonly higherIsBetter?: boolean
}

export interface PairedComparison {
  readonly a: BootstrapInterval
  readonly b: BootstrapInterval
  /** b − a. */
  readonly difference: BootstrapInterval
  /** Two-sided: how likely a difference as large comes from models that are equally good. At least 2 / (resamples + 1). */
  readonly pValue: number
  /** The share of resamples in which b is better, ties counting half. */
  readonly probabilityBetter: number
}

/**
 * Compares two models on the same examples. Both are measured on each resample, so that what is hard for both does not
 * hide the difference. The p-value inverts the percentile interval: 2 min(#{d* ≤ 0} + 1, #{d* ≥ 0} + 1) / (B + 1). Throws
 * as `bootstrap` does.
 */
export function pairedBootstrap(count: number, a: Statistic, b: Statistic, options: PairedOptions): PairedComparison {
  const { higherIsBetter = true } = options
  const settings = settled(count, options)
  const difference: Statistic = (indices) => b(indices) - a(indices)
  const pairs = resampled(count, settings, (indices) => [a(indices), b(indices)])
  const of = (statistic: Statistic, values: Float64Array) =>
    interval(statistic(everyone(count)), values, settings, () => acceleration(count, statistic, settings.seed))
  const differences = pairs.map(([x, y]) => (y as number) - (x as number)).filter(Number.isFinite)
  const [below, above] = [differences.filter((d) => d <= 0).length, differences.filter((d) => d >= 0).length]
  const ties = below + above - differences.length
  const wins = differences.length - (higherIsBetter ? below : above)
  return {
    a: of(
      a,
      Float64Array.from(pairs, ([x]) => x as number),
    ),
    b: of(
      b,
      Float64Array.from(pairs, ([, y]) => y as number),
    ),
    difference: of(difference, Float64Array.from(differences)),
    pValue: Math.min(1, (2 * (Math.min(below, above) + 1)) / (differences.length + 1)),
    probabilityBetter: (wins + ties / 2) / differences.length,
  }
}

/** The mean of a number known of each example: accuracy from 0 and 1, mean loss from losses. */
export function meanOf(values: Float64Array): Statistic {
  return (indices) => {
    let sum = 0
    for (let i = 0; i < indices.length; i++) sum += values[indices[i] as number] as number
    return sum / indices.length
  }
}

interface Settings {
  readonly seed: number
  readonly resamples: number
  readonly level: number
  readonly method: 'bca' | 'percentile'
  /** The examples of each stratum. */
  readonly groups: readonly Int32Array[]
}

function settled(count: number, options: BootstrapOptions): Settings {
  const { seed, resamples = 2000, level = 0.95, method = 'bca', strata } = options
  requireLevel(level)
  if (!(Number.isInteger(count) && count > 0)) throw new RangeError('A bootstrap needs at least one example.')
  if (!(Number.isInteger(resamples) && resamples > 0))
    throw new RangeError(`resamples must be a whole number above 0, not ${resamples}.`)
  if (strata && strata.length !== count)
    throw new RangeError(`There are ${strata.length} strata for ${count} examples; give one an example.`)
  const members = strata ? [...Map.groupBy(strata.keys(), (i) => strata[i] as number).values()] : null
  const groups = members?.map((group) => Int32Array.from(group)) ?? [everyone(count)]
  return { seed, resamples, level, method, groups }
}

const everyone = (count: number) => Int32Array.from({ length: count }, (_, i) => i)

function resampled(
  count: number,
  { seed, resamples, groups }: Settings,
  measure: (indices: Int32Array) => number[],
): number[][] {
  const random = seeded(seed)
  const indices = new Int32Array(count)
  return Array.from({ length: resamples }, () => {
    drawInto(indices, groups, random)
    return measure(indices)
  })
}

function drawInto(indices: Int32Array, groups: readonly Int32Array[], random: Random): void {
  let at = 0
  for (const group of groups) {
    for (let i = 0; i < group.length; i++) indices[at++] = group[random.below(group.length)] as number
  }
}

function interval(
  estimate: number,
  replicates: ArrayLike<number>,
  { level, method }: Settings,
  skew: () => number,
): BootstrapInterval {
  const sorted = Float64Array.from(replicates).filter(Number.isFinite).sort()
  const resamples = sorted.length
  if (resamples === 0)
    return { estimate, low: Number.NaN, high: Number.NaN, level, standardError: Number.NaN, resamples }
  const mean = sorted.reduce((a, b) => a + b) / resamples
  const variance = sorted.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, resamples - 1)
  const [from, to] = [(1 - level) / 2, (1 + level) / 2]
  const corrected = method === 'bca' ? correction(estimate, sorted, skew) : (p: number) => p
  return {
    estimate,
    low: quantile(sorted, corrected(from)),
    high: quantile(sorted, corrected(to)),
    level,
    standardError: Math.sqrt(variance),
    resamples,
  }
}

/** BCa: which quantile stands for p, given the bias z₀ and the acceleration a. Efron, 1987, equation 6.8. */
function correction(estimate: number, sorted: Float64Array, skew: () => number): (p: number) => number {
  const below = sorted.reduce((sum, x) => sum + (x < estimate ? 1 : x === estimate ? 0.5 : 0), 0)
  // Never quite 0 or 1, whose quantiles are infinite.
  const share = Math.min(Math.max(below, 0.5), sorted.length - 0.5) / sorted.length
  const bias = normalQuantile(share)
  const a = skew()
  return (p) => {
    const z = bias + normalQuantile(p)
    return normalCdf(bias + z / (1 - a * z))
  }
}

/** The quantile between the two nearest values, linear (Hyndman and Fan's type 7). */
function quantile(sorted: Float64Array, p: number): number {
  const place = p * (sorted.length - 1)
  const [below, above] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number]
  return below + (above - below) * (place - Math.floor(place))
}

const mostGroups = 200

/**
 * Acceleration from the jackknife: Σ u³ / 6 (Σ u²)^1.5 with u the mean less the statistic without a group of examples.
 * Groups are single examples where these are few; of more, deleting each alone would cost too much.
 */
function acceleration(count: number, statistic: Statistic, seed: number): number {
  if (count < 2) return 0
  const order = seeded(seed).permutation(count)
  const groups = Math.min(count, mostGroups)
  const without = Array.from({ length: groups }, (_, g) => statistic(order.filter((_, place) => place % groups !== g)))
  const values = without.filter(Number.isFinite)
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const squares = values.reduce((sum, x) => sum + (mean - x) ** 2, 0)
  const cubes = values.reduce((sum, x) => sum + (mean - x) ** 3, 0)
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5)
}
