/** The interval of a share: `hits` of `count`. */
import { type Interval, requireLevel } from './interval.ts'
import { normalQuantile } from './normal.ts'

/**
 * Wilson's score interval, which stays within 0 and 1 and is right also for few examples and for shares near the ends:
 * (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n). Of no examples it is 0 to 1, and the estimate NaN. Throws RangeError
 * where hits are not between 0 and count. Source: Wilson, "Probable inference, the law of succession, and statistical
 * inference", 1927.
 *
 * @example
 * ```ts
 * import { wilson } from '@descent/loop'
 * const { low, high } = wilson(98, 100)
 * console.log(low.toFixed(3), high.toFixed(3)) // → 0.930 0.994
 * ```
 */
export function wilson(hits: number, count: number, level = 0.95): Interval {
  requireLevel(level)
  if (!(hits >= 0 && hits <= count)) throw new RangeError(`wilson: ${hits} of ${count} is no share.`)
  if (count === 0) return { estimate: Number.NaN, low: 0, high: 1, level }
  const z2 = normalQuantile((1 - level) / 2) ** 2
  const p = hits / count
  const centre = p + z2 / (2 * count)
  const reach = Math.sqrt(z2 * ((p * (1 - p)) / count + z2 / (4 * count * count)))
  const scale = 1 + z2 / count
  return {
    estimate: p,
    low: hits === 0 ? 0 : Math.max(0, (centre - reach) / scale),
    high: hits === count ? 1 : Math.min(1, (centre + reach) / scale),
    level,
  }
}
