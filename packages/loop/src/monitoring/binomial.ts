/** How likely a count comes by chance. */

/**
 * The probability of `hits` or more in `count` independent tries of probability `p`, by summing the terms.
 *
 * @throws {RangeError} for hits or a probability that cannot be
 */
export function binomialTail(hits: number, count: number, p: number): number {
  if (!(hits >= 0 && hits <= count)) throw new RangeError(`binomialTail: ${hits} of ${count}.`)
  if (!(p >= 0 && p <= 1)) throw new RangeError(`binomialTail: ${p} is no probability.`)
  if (hits === 0) return 1
  if (p === 0 || p === 1) return p
  // ln C(count, hits) p^hits (1−p)^(count−hits), then each further term from the one before.
  let term = hits * Math.log(p) + (count - hits) * Math.log1p(-p)
  for (let i = 1; i <= hits; i++) term += Math.log((count - hits + i) / i)
  let sum = 0
  for (let k = hits; k <= count; k++) {
    sum += Math.exp(term)
    term += Math.log(((count - k) / (k + 1)) * (p / (1 - p)))
  }
  return Math.min(1, sum)
}
