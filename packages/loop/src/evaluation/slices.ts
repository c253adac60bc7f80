/**
 * Where a model is worse than elsewhere: its score in each slice of the examples, and which slices are so much worse than
 * the rest that chance does not explain it. Each slice is tested one-sided; as many are looked at, p-values are corrected
 * by Holm's procedure.
 */
import { seeded } from '../random.ts'
import { bootstrap, meanOf } from './bootstrap.ts'
import { type Column, type Slice, sliceColumn } from './columns.ts'
import { holm, hypergeometricTail, permutationTail } from './significance.ts'
import { wilson } from './wilson.ts'

export interface SliceOptions {
  /** For the lots of tests and intervals. */
  readonly seed: number
  /** Whether a larger score is better, as of accuracy; false for losses and errors. */
  readonly higherIsBetter: boolean
  /** How often a slice may be called worse by chance, in the whole report. Default 0.05. */
  readonly alpha?: number
  /** Into how many equally large parts numbers are cut. Default 4. */
  readonly quantiles?: number
  /** Smaller slices are not judged. Default 10. */
  readonly smallest?: number
}

export interface SliceScore {
  readonly column: string
  /** The value or range. */
  readonly slice: string
  readonly count: number
  /** The mean score of its examples, with an interval of 95 %: Wilson's for scores of 0 and 1, otherwise by bootstrap. */
  readonly score: number
  readonly low: number
  readonly high: number
  /** The mean score of all other examples. */
  readonly rest: number
  /** One-sided: how likely a slice drawn by lot would be as bad. Corrected for the number of slices. */
  readonly pValue: number
  readonly worse: boolean
}

export interface SliceReport {
  /** Those worse than the rest first, by p-value; then by score, worst first. */
  readonly slices: readonly SliceScore[]
  /** Slices that were too small to be judged, and those that leave no rest. */
  readonly leftOut: readonly Slice[]
}

/**
 * Scores in the slices that columns give: each category, and numbers by quantiles; a missing value is a slice of its own.
 * `scores` [N] say how good each example's answer is: 1 and 0 for right and wrong, or its loss. Scores of 0 and 1 are tested
 * exactly (Fisher), others by permutation. Throws RangeError for columns of another length and scores that are not finite.
 *
 * @example
 * ```ts
 * import { sliceScores } from '@descent/loop'
 * const right = Float64Array.from({ length: 200 }, (_, i) => (i % 4 === 0 && i % 8 !== 0 ? 0 : 1))
 * const light = Array.from(right, (_, i) => (i % 4 === 0 ? 'night' : 'day'))
 * const report = sliceScores(right, [{ name: 'light', values: light }], { seed: 1, higherIsBetter: true })
 * const [worst] = report.slices
 * console.log(worst.slice, worst.score, worst.rest, worst.worse) // → night 0.5 1 true
 * ```
 */
export function sliceScores(scores: Float64Array, columns: readonly Column[], options: SliceOptions): SliceReport {
  const { seed, higherIsBetter, alpha = 0.05, quantiles = 4, smallest = 10 } = options
  const wrong = scores.findIndex((score) => !Number.isFinite(score))
  if (wrong >= 0) throw new RangeError(`The score of example ${wrong} is ${scores[wrong]}.`)
  const all = columns.flatMap((column) => {
    if (column.values.length !== scores.length)
      throw new RangeError(`Column '${column.name}' has ${column.values.length} values for ${scores.length} examples.`)
    return sliceColumn(column, quantiles)
  })
  const judged = (slice: Slice) => slice.rows.length >= smallest && slice.rows.length < scores.length
  const slices = all.filter(judged)
  const test = tester(scores, higherIsBetter, seed)
  const corrected = holm(slices.map(({ rows }) => test(rows)))
  const total = scores.reduce((a, b) => a + b, 0)
  const found = slices.map((slice, s): SliceScore => {
    const { column, name, rows } = slice
    const { estimate: score, low, high } = scoreOf(scores, rows, seed)
    const rest = (total - score * rows.length) / (scores.length - rows.length)
    const pValue = corrected[s] as number
    return { column, slice: name, count: rows.length, score, low, high, rest, pValue, worse: pValue < alpha }
  })
  const badness = ({ score }: SliceScore) => (higherIsBetter ? score : -score)
  found.sort(
    (a, b) => Number(b.worse) - Number(a.worse) || (a.worse ? a.pValue - b.pValue : 0) || badness(a) - badness(b),
  )
  return { slices: found, leftOut: all.filter((slice) => !judged(slice)) }
}

const isBinary = (scores: Float64Array) => scores.every((score) => score === 0 || score === 1)

function scoreOf(scores: Float64Array, rows: Int32Array, seed: number) {
  const own = Float64Array.from(rows, (row) => scores[row] as number)
  if (isBinary(own))
    return wilson(
      own.reduce((a, b) => a + b, 0),
      own.length,
    )
  return bootstrap(own.length, meanOf(own), { seed, resamples: 1000 })
}

/** How likely a slice drawn by lot is as bad as one of these rows. */
function tester(scores: Float64Array, higherIsBetter: boolean, seed: number): (rows: Int32Array) => number {
  const bad = scores.map((score) => (higherIsBetter ? -score : score))
  if (!isBinary(scores)) return (rows) => permutationTail(bad, rows, seeded(seed))
  const failures = scores.map((score) => (higherIsBetter ? 1 - score : score))
  const total = failures.reduce((a, b) => a + b, 0)
  return (rows) => {
    const own = rows.reduce((sum, row) => sum + (failures[row] as number), 0)
    return hypergeometricTail(own, rows.length, total, scores.length)
  }
}
