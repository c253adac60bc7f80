/**
 * The population stability index of a column: how far the shares of its values moved. Numbers are cut at quantiles of the
 * reference; a missing value is a bin of its own.
 */
import { chiSquareTail } from './chi-square.ts'

/** How the values of a column are counted. */
export type Bins =
  | { readonly kind: 'number'; readonly cuts: readonly number[] }
  | { readonly kind: 'category'; readonly values: readonly string[] }

/** What a column looked like where nothing had moved yet. */
export interface ColumnReference {
  readonly name: string
  readonly bins: Bins
  readonly counts: readonly number[]
}

export type ColumnValues = Float64Array | readonly (string | null)[]

export interface ColumnDrift {
  readonly column: string
  /** Σ (q − p) ln(q / p): below 0.1 little, above 0.25 much, by the usual rule. */
  readonly stability: number
  /** How likely shares as different come by chance (chi-square test of two samples). */
  readonly pValue: number
  /** Which values became more, and which fewer: the largest first. */
  readonly moved: readonly { readonly value: string; readonly before: number; readonly now: number }[]
}

const missing = 'missing'
const other = 'others'

/**
 * Numbers in up to `bins` ranges of equal share, categories each in its own (up to 30, the rest together).
 *
 * @throws {RangeError} where there is no value
 */
export function columnReference(name: string, values: ColumnValues, bins = 10): ColumnReference {
  if (values.length === 0) throw new RangeError(`Column '${name}' has no value to compare with.`)
  const how = values instanceof Float64Array ? numberBins(values, bins) : categoryBins(values)
  return { name, bins: how, counts: countIn(how, values) }
}

function numberBins(values: Float64Array, bins: number): Bins {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort()
  const cuts = Array.from(
    { length: bins - 1 },
    (_, b) => sorted[Math.ceil(((b + 1) * sorted.length) / bins) - 1] as number,
  )
  return { kind: 'number', cuts: [...new Set(cuts)].filter((cut) => cut < (sorted.at(-1) as number)) }
}

function categoryBins(values: readonly (string | null)[]): Bins {
  const counts = new Map<string, number>()
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1)
  const often = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  return { kind: 'category', values: often.slice(0, 30).map(([value]) => value) }
}

/** How many values fall into each bin; the last two count other categories (or nothing) and missing values. */
function countIn(bins: Bins, values: ColumnValues): number[] {
  const width = bins.kind === 'number' ? bins.cuts.length + 1 : bins.values.length
  const counts = new Array<number>(width + 2).fill(0)
  const places = bins.kind === 'category' ? new Map(bins.values.map((value, i) => [value, i])) : null
  for (const value of values) {
    const at = value === null || Number.isNaN(value) ? width + 1 : placeOf(bins, places, value, width)
    counts[at] = (counts[at] as number) + 1
  }
  return counts
}

function placeOf(bins: Bins, places: ReadonlyMap<string, number> | null, value: string | number, width: number) {
  if (bins.kind === 'category') return places?.get(String(value)) ?? width
  const at = bins.cuts.findIndex((cut) => Number(value) <= cut)
  return at < 0 ? width - 1 : at
}

function nameOf(bins: Bins, at: number): string {
  const width = bins.kind === 'number' ? bins.cuts.length + 1 : bins.values.length
  if (at === width + 1) return missing
  if (at === width) return other
  if (bins.kind === 'category') return bins.values[at] as string
  const short = (value: number | undefined) => String(Number(value?.toPrecision(6)))
  if (bins.cuts.length === 0) return 'any number'
  if (at === 0) return `up to ${short(bins.cuts[0])}`
  return `above ${short(bins.cuts[at - 1])}${at < bins.cuts.length ? `, up to ${short(bins.cuts[at])}` : ''}`
}

/**
 * How far the values moved from the reference. Half an example is added to each bin that either side has, so that an empty
 * one has a logarithm.
 *
 * @throws {RangeError} where there is no value
 *
 * @example
 * ```ts
 * import { columnDrift, columnReference } from '@descent/loop'
 * const before = columnReference('weather', [...Array(90).fill('sun'), ...Array(10).fill('rain')])
 * const { stability, moved } = columnDrift(before, [...Array(50).fill('sun'), ...Array(50).fill('rain')])
 * console.log(stability.toFixed(2), moved[0].value) // → 0.85 sun
 * ```
 */
export function columnDrift(reference: ColumnReference, values: ColumnValues): ColumnDrift {
  if (values.length === 0) throw new RangeError(`Column '${reference.name}' has no value to judge.`)
  const now = countIn(reference.bins, values)
  const places = [...now.keys()].filter((at) => (now[at] as number) + (reference.counts[at] as number) > 0)
  const before = places.map((at) => reference.counts[at] as number)
  const after = places.map((at) => now[at] as number)
  const total = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0)
  const [n, m] = [total(before), total(after)]
  const shares = places.map((at, i) => ({
    value: nameOf(reference.bins, at),
    before: (before[i] as number) / n,
    now: (after[i] as number) / m,
  }))
  let stability = 0
  let statistic = 0
  for (const i of places.keys()) {
    const [b, a] = [before[i] as number, after[i] as number]
    const p = (b + 0.5) / (n + 0.5 * places.length)
    const q = (a + 0.5) / (m + 0.5 * places.length)
    stability += (q - p) * Math.log(q / p)
    statistic += (Math.sqrt(m / n) * b - Math.sqrt(n / m) * a) ** 2 / (a + b)
  }
  const apart = ({ before, now }: (typeof shares)[number]) => Math.abs(now - before)
  return {
    column: reference.name,
    stability,
    pValue: places.length < 2 ? 1 : chiSquareTail(statistic, places.length - 1),
    moved: shares.sort((a, b) => apart(b) - apart(a)).slice(0, 3),
  }
}
