/** The standard normal distribution, to about 14 digits. */

/** Φ(z): how likely a standard normal number is at most z. */
export function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const upper = x < 2.5 ? (1 - erfSeries(x)) / 2 : erfcFraction(x) / 2
  return z < 0 ? upper : 1 - upper
}

/** Φ⁻¹(p), for p from 0 to 1 (±Infinity at the ends). Throws RangeError for another. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`normalQuantile: ${p} is no probability.`)
  if (p === 0 || p === 1) return p === 0 ? -Infinity : Infinity
  // By symmetry from the lower tail, where p keeps its digits.
  if (p > 0.5) return -normalQuantile(1 - p)
  let [low, high] = [-40, 0]
  while (high - low > 1e-15 * -low) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) break
    if (normalCdf(middle) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** erf(x) = 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (2n+1)!! (Abramowitz and Stegun, 7.1.6). */
function erfSeries(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; term > 1e-17 * sum; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}

/** erfc(x) for large x, by its continued fraction from behind (Abramowitz and Stegun, 7.1.14). */
function erfcFraction(x: number): number {
  let fraction = x
  for (let n = 60; n > 0; n--) fraction = x + n / 2 / fraction
  return Math.exp(-x * x) / (fraction * Math.sqrt(Math.PI))
}
