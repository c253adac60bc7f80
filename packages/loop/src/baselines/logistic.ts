/**
 * Multinomial logistic regression: the minimum of
 *
 *   f(W, b) = −(1/n) Σᵢ log softmax(xᵢ W + b)[yᵢ] + (λ/2) ‖W‖²
 *
 * over scaled columns (sparse rows stay as they are), found by L-BFGS. The minimum is unique but for a shift of all
 * biases. Without a given λ, the one with the lowest loss on held-out rows is taken.
 */

import type { Work } from '../progress.ts'
import { type Design, denseDesign, sparseDesign } from './design.ts'
import { folds } from './folds.ts'
import { largest, minimize, type Point } from './lbfgs.ts'
import { type LinearModel, softmax, unscaled } from './linear.ts'
import { Pace } from './pace.ts'
import { type ClassTargets, isSparse, type Rows, takeRows, takeTargets } from './rows.ts'
import { type Scaling, scalingOf } from './scaling.ts'

export interface LogisticOptions extends Work {
  readonly seed: number
  /** λ times the number of rows: the penalty against the whole sum of losses, 1/C elsewhere. Held-out rows decide. */
  readonly penalty?: number | undefined
}

/** From strong to weak. */
const PENALTIES: readonly number[] = [1000, 100, 10, 1, 0.1, 0.01]
/** Sparse rows have length 1: their weights must be large to say anything. */
const SPARSE_PENALTIES: readonly number[] = [10, 1, 0.1, 0.01, 0.001]

/** More rows say little about the best penalty. */
const MOST_TO_CHOOSE = 4000
const FEW = 1500

/** How near to the optimum, as a share of the gradient at zero: the mean of losses does not change visibly beyond. */
const EXACT = 1e-7
const COMPILED = 5e-4
/** Sparse rows have many columns, each of which matters little. */
const SPARSE = 1e-4
const CHOOSING = 3e-3

/** Fits W and b. */
export async function fitLogistic(x: Rows, y: ClassTargets, options: LogisticOptions): Promise<LinearModel> {
  const pace = new Pace(options, 'fitting a logistic regression')
  const scaling = isSparse(x) ? unitScaling(x.columns) : scalingOf(x)
  const penalty = options.penalty ?? (await choosePenalty(x, y, scaling, options.seed, pace.part(0, 0.3)))
  const l2 = penalty / x.rows
  const design = designOf(x, scaling)
  const tolerance = isSparse(x) ? SPARSE : design.precision > 1e-10 ? COMPILED : EXACT
  const found = await optimum(design, y, l2, null, tolerance, pace.part(options.penalty ? 0 : 0.3, 1))
  const size = x.columns * y.classes
  return {
    kind: 'linear',
    link: 'softmax',
    columns: x.columns,
    outputs: y.classes,
    ...unscaled(found.at.subarray(0, size), found.at.subarray(size), scaling),
    scaling,
    l2,
    gradient: found.gradient,
  }
}

function designOf(x: Rows, scaling: Scaling): Design {
  return isSparse(x) ? sparseDesign(x) : denseDesign(x, scaling)
}

function unitScaling(columns: number): Scaling {
  return { means: new Float64Array(columns), deviations: new Float64Array(columns).fill(1) }
}

async function optimum(
  design: Design,
  y: ClassTargets,
  l2: number,
  start: Float64Array | null,
  precise: number,
  pace: Pace,
) {
  const zero = new Float64Array((design.columns + 1) * y.classes)
  const from = start ?? zero
  const { gradient } = await logisticLoss(design, y, l2, zero, pace)
  const tolerance = precise * Math.min(1, largest(gradient))
  const options = { tolerance, maxIterations: 1000, noise: 8 * design.precision }
  return minimize((at) => logisticLoss(design, y, l2, at, pace), from, options, pace)
}

/** f and its gradient at (W, b), laid out as one vector of [columns, classes] and [classes]. */
export async function logisticLoss(
  design: Design,
  y: ClassTargets,
  l2: number,
  at: Float64Array,
  pace: Pace,
): Promise<Point> {
  const { rows, columns } = design
  const { classes, labels } = y
  const size = columns * classes
  const weights = at.subarray(0, size)
  const bias = at.subarray(size)
  const residuals = await design.times(weights, classes, pace)
  const gradient = new Float64Array(at.length)
  const biasGradient = gradient.subarray(size)
  let value = 0
  for (let i = 0; i < rows; i++) {
    const row = residuals.subarray(i * classes, (i + 1) * classes)
    for (let k = 0; k < classes; k++) row[k] = (row[k] as number) + (bias[k] as number)
    const label = labels[i] as number
    const logit = row[label] as number
    value += (softmax(row) - logit) / rows
    row[label] = (row[label] as number) - 1
    for (let k = 0; k < classes; k++) {
      row[k] = (row[k] as number) / rows
      biasGradient[k] = (biasGradient[k] as number) + (row[k] as number)
    }
  }
  gradient.set(await design.transposed(residuals, classes, pace))
  for (let i = 0; i < size; i++) {
    const weight = weights[i] as number
    gradient[i] = (gradient[i] as number) + l2 * weight
    value += (l2 / 2) * weight * weight
  }
  return { value, gradient }
}

/** The penalty whose weights have the lowest loss on held-out rows: five folds of few rows, one of many. */
async function choosePenalty(x: Rows, y: ClassTargets, scaling: Scaling, seed: number, pace: Pace): Promise<number> {
  const penalties = isSparse(x) ? SPARSE_PENALTIES : PENALTIES
  const losses = new Float64Array(penalties.length)
  const sample = folds(y, Math.max(1, Math.round(x.rows / MOST_TO_CHOOSE)), seed)[0]?.heldOut as Int32Array
  if (sample.length < 10) return 1
  const [part, targets] = [takeRows(x, sample), takeTargets(y, sample)]
  const trials = folds(targets, 5, seed).slice(0, isSparse(x) ? 2 : sample.length <= FEW ? 5 : 1)
  for (const [trial, { training, heldOut }] of trials.entries()) {
    const design = designOf(takeRows(part, training), scaling)
    const other = designOf(takeRows(part, heldOut), scaling)
    const [learned, asked] = [takeTargets(targets, training), takeTargets(targets, heldOut)]
    let start: Float64Array | null = null
    for (const [i, penalty] of penalties.entries()) {
      const share = (j: number) => (trial + j / penalties.length) / trials.length
      const within = pace.part(share(i), share(i + 1))
      const found: { readonly at: Float64Array } = await optimum(
        design,
        learned,
        penalty / training.length,
        start,
        CHOOSING,
        within,
      )
      start = found.at
      losses[i] = (losses[i] as number) + (await logisticLoss(other, asked, 0, found.at, within)).value
    }
  }
  return penalties[losses.indexOf(Math.min(...losses))] as number
}
