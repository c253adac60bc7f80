/** How values are spread, and which lie far outside of the rest (Tukey, Exploratory Data Analysis, 1977). */
import type { Spread } from './findings.ts'

/** A value this many interquartile ranges beyond the quartiles is far out. */
const farOut = 3

/** Of finite numbers; null where there are none. Quartiles are interpolated (Hyndman and Fan's type 7). */
export function spreadOf(values: Float64Array): Spread | null {
  if (values.length === 0) return null
  const sorted = values.slice().sort()
  const quantile = (share: number): number => {
    const at = share * (sorted.length - 1)
    const below = sorted[Math.floor(at)] as number
    return below + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] as number) - below)
  }
  return {
    least: sorted[0] as number,
    lower: quantile(0.25),
    median: quantile(0.5),
    upper: quantile(0.75),
    greatest: sorted[sorted.length - 1] as number,
  }
}

/**
 * The positions of values that are far out, the farthest first: more than three interquartile ranges beyond a quartile.
 * None where more than half of the values are the same, as there is no range to measure by.
 */
export function outlierPositions(values: Float64Array, spread: Spread): number[] {
  const { lower, upper } = spread
  const range = upper - lower
  if (range === 0) return []
  const beyond = (value: number) => Math.max(lower - value, value - upper)
  const found: number[] = []
  for (let i = 0; i < values.length; i++) if (beyond(values[i] as number) > farOut * range) found.push(i)
  return found.sort((a, b) => beyond(values[b] as number) - beyond(values[a] as number) || a - b)
}
