/** The test of Kolmogorov and Smirnov: whether two samples of numbers come from one distribution. */

export interface KolmogorovSmirnov {
  /** The largest distance of the two cumulative shares, from 0 to 1. */
  readonly distance: number
  /** How likely a distance as large comes by chance. */
  readonly pValue: number
}

/**
 * The two-sample test; missing values (NaN) are left out. The p-value is Kolmogorov's limit with Stephens' correction for
 * small samples (Press et al., "Numerical recipes", 14.3); with ties it is too large rather than too small.
 *
 * @throws {RangeError} where a sample is empty
 *
 * @example
 * ```ts
 * import { kolmogorovSmirnov } from '@descent/loop'
 * const low = Float64Array.from({ length: 100 }, (_, i) => i)
 * const { distance } = kolmogorovSmirnov(low, low.map((x) => x + 25))
 * console.log(distance.toFixed(2)) // → 0.25
 * ```
 */
export function kolmogorovSmirnov(a: Float64Array, b: Float64Array): KolmogorovSmirnov {
  const [x, y] = [a, b].map((sample) => sample.filter((value) => !Number.isNaN(value)).sort()) as [
    Float64Array,
    Float64Array,
  ]
  if (x.length === 0 || y.length === 0) throw new RangeError('kolmogorovSmirnov: a sample has no number.')
  let [i, j, distance] = [0, 0, 0]
  while (i < x.length && j < y.length) {
    const value = Math.min(x[i] as number, y[j] as number)
    while (i < x.length && (x[i] as number) <= value) i++
    while (j < y.length && (y[j] as number) <= value) j++
    distance = Math.max(distance, Math.abs(i / x.length - j / y.length))
  }
  const size = Math.sqrt((x.length * y.length) / (x.length + y.length))
  return { distance, pValue: kolmogorovTail((size + 0.12 + 0.11 / size) * distance) }
}

/** 2 Σ (−1)^(k−1) e^(−2 k² λ²) */
function kolmogorovTail(lambda: number): number {
  if (lambda < 0.3) return 1
  let sum = 0
  for (let k = 1; k <= 100; k++) {
    const term = Math.exp(-2 * k * k * lambda * lambda)
    sum += k % 2 === 1 ? term : -term
    if (term < 1e-17) break
  }
  return Math.min(1, Math.max(0, 2 * sum))
}
