/** Tests: how likely what was seen comes by chance. */
import type { Random } from '../random.ts'
import { normalCdf } from './normal.ts'

/**
 * Fisher's exact test, one-sided: of `total` examples `failures` failed; how likely `count` drawn by lot have `seen`
 * failures or more.
 */
export function hypergeometricTail(seen: number, count: number, failures: number, total: number): number {
  const first = Math.max(seen, count - (total - failures), 0)
  // Each term by its logarithm: a recurrence from a first term that underflows would lose them all.
  const all = logChoose(total, count)
  let sum = 0
  for (let x = first; x <= Math.min(count, failures); x++)
    sum += Math.exp(logChoose(failures, x) + logChoose(total - failures, count - x) - all)
  return Math.min(1, sum)
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k)
}

/** ln n!: a sum for small n, Stirling's series (error below 1e-15 from 20 on) for large. */
function logFactorial(n: number): number {
  if (n < 20) {
    let product = 1
    for (let i = 2; i <= n; i++) product *= i
    return Math.log(product)
  }
  const x = n + 1
  const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5) - 1 / (1680 * x ** 7)
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series
}

const permutations = 9999
const fewEnough = 200

/**
 * The permutation test of a mean, one-sided: how likely as many values drawn by lot, none twice, have a mean as large as
 * those of `rows`. By 9,999 lots, (as large + 1) / (lots + 1); for 200 rows and more by the normal distribution with the
 * permutations' own mean and variance, which the mean then follows.
 */
export function permutationTail(values: Float64Array, rows: Int32Array, random: Random): number {
  const [n, count] = [values.length, rows.length]
  const own = rows.reduce((sum, row) => sum + (values[row] as number), 0)
  if (Math.min(count, n - count) >= fewEnough) {
    const mean = values.reduce((a, b) => a + b) / n
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1)
    const deviation = Math.sqrt(variance * count * (1 - count / n))
    return deviation === 0 ? 1 : normalCdf(-(own - mean * count) / deviation)
  }
  const total = values.reduce((a, b) => a + b, 0)
  const lots = values.slice()
  // The smaller part is drawn: the other has what is left.
  const drawn = Math.min(count, n - count)
  // Rounding of sums in another order must not make equal ones smaller.
  const least = own - 1e-9 * (Math.abs(own) + Math.abs(total) + 1)
  let asLarge = 0
  for (let p = 0; p < permutations; p++) {
    let sum = 0
    for (let i = 0; i < drawn; i++) {
      const j = i + random.below(n - i)
      const lot = lots[j] as number
      lots[j] = lots[i] as number
      lots[i] = lot
      sum += lot
    }
    asLarge += Number((drawn === count ? sum : total - sum) >= least)
  }
  return (asLarge + 1) / (permutations + 1)
}

/**
 * Holm's correction: p-values such that those below α contain a false alarm in at most a share α of reports, whatever the
 * tests have to do with each other. Holm, "A simple sequentially rejective multiple test procedure", 1979.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = [...pValues.keys()].sort((a, b) => (pValues[a] as number) - (pValues[b] as number))
  const corrected = new Array<number>(pValues.length)
  let largest = 0
  for (const [rank, i] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (pValues[i] as number) * (pValues.length - rank)))
    corrected[i] = largest
  }
  return corrected
}
