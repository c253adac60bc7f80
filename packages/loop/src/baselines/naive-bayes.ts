/**
 * Multinomial naive Bayes (McCallum and Nigam 1998): each class draws its columns' counts independently,
 *
 *   log p(c | x) = log p(c) + Σⱼ xⱼ log θ(c, j) + constant,   θ(c, j) = (α + Σ xⱼ over c) / Σⱼ (α + Σ xⱼ over c)
 *
 * It also serves for weighted counts such as tf-idf (Rennie et al. 2003). A missing value counts as 0. Without a given
 * α, the one with the lowest loss on held-out rows is taken.
 */
import { UserError } from '../errors.ts'
import type { Work } from '../progress.ts'
import { folds } from './folds.ts'
import { softmax } from './linear.ts'
import { shares } from './majority.ts'
import { Pace } from './pace.ts'
import { type ClassTargets, isSparse, type Rows, takeRows, takeTargets } from './rows.ts'

export interface NaiveBayesModel {
  readonly kind: 'naive-bayes'
  readonly columns: number
  readonly classes: number
  readonly alpha: number
  /** [classes]: log p(c) */
  readonly priors: Float64Array
  /** [columns, classes]: log θ */
  readonly logs: Float64Array
}

export interface NaiveBayesOptions extends Work {
  readonly seed: number
  /** α: what is added to every count. Held-out rows decide where it is left out. */
  readonly alpha?: number | undefined
}

const ALPHAS: readonly number[] = [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001]

export async function fitNaiveBayes(x: Rows, y: ClassTargets, options: NaiveBayesOptions): Promise<NaiveBayesModel> {
  const pace = new Pace(options, 'fitting naive Bayes')
  for (let at = 0; at < x.values.length; at++) {
    if ((x.values[at] as number) < 0)
      throw new UserError('Naive Bayes counts things, so it needs values of 0 or more. Choose another baseline.')
  }
  return fromCounts(await countsOf(x, y, pace), y, x, options.alpha ?? (await chooseAlpha(x, y, options.seed, pace)))
}

async function countsOf(x: Rows, y: ClassTargets, pace: Pace): Promise<Float64Array> {
  const counts = new Float64Array(x.columns * y.classes)
  const sparse = isSparse(x)
  for (let i = 0; i < x.rows; i++) {
    const label = y.labels[i] as number
    const first = sparse ? (x.starts[i] as number) : i * x.columns
    const last = sparse ? (x.starts[i + 1] as number) : first + x.columns
    for (let at = first; at < last; at++) {
      const j = sparse ? (x.indices[at] as number) : at - first
      const value = x.values[at] as number
      if (!Number.isNaN(value)) counts[j * y.classes + label] = (counts[j * y.classes + label] as number) + value
    }
    if (i % 64 === 0 && pace.due()) await pace.rest()
  }
  return counts
}

function fromCounts(counts: Float64Array, y: ClassTargets, x: Rows, alpha: number): NaiveBayesModel {
  const { classes } = y
  const totals = new Float64Array(classes).fill(alpha * x.columns)
  for (let at = 0; at < counts.length; at++) {
    totals[at % classes] = (totals[at % classes] as number) + (counts[at] as number)
  }
  const logTotals = totals.map(Math.log)
  const logs = counts.map((count, at) => Math.log(count + alpha) - (logTotals[at % classes] as number))
  // A class without rows keeps a finite prior, so that no probability becomes NaN.
  const priors = shares(y).map((share) => Math.log((share * x.rows + 1e-9) / (x.rows + 1e-9 * classes)))
  return { kind: 'naive-bayes', columns: x.columns, classes, alpha, priors, logs }
}

async function chooseAlpha(x: Rows, y: ClassTargets, seed: number, pace: Pace): Promise<number> {
  if (x.rows < 10) return 1
  const losses = new Float64Array(ALPHAS.length)
  for (const { training, heldOut } of folds(y, 5, seed)) {
    const [part, targets] = [takeRows(x, training), takeTargets(y, training)]
    const counts = await countsOf(part, targets, pace)
    const asked = takeRows(x, heldOut)
    for (const [i, alpha] of ALPHAS.entries()) {
      const probabilities = await predictNaiveBayes(fromCounts(counts, targets, part, alpha), asked, pace)
      heldOut.forEach((row, at) => {
        const right = probabilities[at * y.classes + (y.labels[row] as number)] as number
        losses[i] = (losses[i] as number) - Math.log(Math.max(right, 1e-15))
      })
    }
  }
  return ALPHAS[losses.indexOf(Math.min(...losses))] as number
}

/** Probabilities [rows, classes]. */
export async function predictNaiveBayes(model: NaiveBayesModel, x: Rows, pace: Pace): Promise<Float64Array> {
  const { classes, logs, priors } = model
  const out = new Float64Array(x.rows * classes)
  const sparse = isSparse(x)
  for (let i = 0; i < x.rows; i++) {
    const row = out.subarray(i * classes, (i + 1) * classes)
    row.set(priors)
    const first = sparse ? (x.starts[i] as number) : i * x.columns
    const last = sparse ? (x.starts[i + 1] as number) : first + x.columns
    for (let at = first; at < last; at++) {
      const j = sparse ? (x.indices[at] as number) : at - first
      const value = x.values[at] as number
      if (value === 0 || Number.isNaN(value)) continue
      for (let k = 0; k < classes; k++) row[k] = (row[k] as number) + value * (logs[j * classes + k] as number)
    }
    softmax(row)
    if (i % 64 === 0 && pace.due()) await pace.rest(i / x.rows)
  }
  return out
}
