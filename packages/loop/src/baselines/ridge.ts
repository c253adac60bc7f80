/**
 * Linear regression with a little of Hoerl and Kennard's ridge (1970): the minimum of
 *
 *   Σᵢ (yᵢ − xᵢ w − b)² + λ ‖w‖²
 *
 * over scaled columns. Dense rows are solved by Cholesky's factorisation of XᵀX + λI; sparse ones, and those with too
 * many columns for that, by conjugate gradients on the same system, with the columns centred in thought only.
 */

import type { Work } from '../progress.ts'
import { solveCholesky } from './cholesky.ts'
import { type Design, denseDesign, sparseDesign } from './design.ts'
import { dot } from './lbfgs.ts'
import { type LinearModel, unscaled } from './linear.ts'
import { shares } from './majority.ts'
import { Pace } from './pace.ts'
import { isSparse, type NumberTargets, type Rows } from './rows.ts'
import { scalingOf } from './scaling.ts'

export interface RidgeOptions extends Work {
  /** λ: enough to settle columns that depend on one another. 1 unless said otherwise; must be above 0. */
  readonly penalty?: number | undefined
}

/** Above so many columns their square would be too large. */
const MOST_COLUMNS = 3000

export async function fitRidge(x: Rows, y: NumberTargets, options: RidgeOptions = {}): Promise<LinearModel> {
  const pace = new Pace(options, 'fitting a linear regression')
  const penalty = options.penalty ?? 1
  const mean = shares(y)[0] as number
  const off = y.values.map((value) => value - mean)
  if (isSparse(x)) {
    const scaling = { means: columnMeans(x), deviations: new Float64Array(x.columns).fill(1) }
    const solved = await conjugateGradients(sparseDesign(x), scaling.means, off, penalty, pace)
    return model(x.columns, solved.weights, mean, scaling, penalty, solved.gradient)
  }
  const scaling = scalingOf(x)
  const design = denseDesign(x, scaling)
  const centred = new Float64Array(x.columns)
  if (x.columns > MOST_COLUMNS) {
    const solved = await conjugateGradients(design, centred, off, penalty, pace)
    return model(x.columns, solved.weights, mean, scaling, penalty, solved.gradient)
  }
  const gram = await design.gram(pace)
  for (let j = 0; j < x.columns; j++) gram[j * x.columns + j] = (gram[j * x.columns + j] as number) + penalty
  const right = await design.transposed(off, 1, pace)
  const weights = await solveCholesky(gram, right, pace)
  const gradient = (await normal(design, centred, weights, penalty, pace)).map((v, j) => v - (right[j] as number))
  return model(x.columns, weights, mean, scaling, penalty, largest(gradient))
}

function model(
  columns: number,
  weights: Float64Array,
  mean: number,
  scaling: LinearModel['scaling'],
  l2: number,
  gradient: number,
): LinearModel {
  const raw = unscaled(weights, Float64Array.of(mean), scaling)
  return { kind: 'linear', link: 'identity', columns, outputs: 1, ...raw, scaling, l2, gradient }
}

/** (XᵀX + λI) v, for X less its means. */
async function normal(design: Design, means: Float64Array, v: Float64Array, penalty: number, pace: Pace) {
  const shift = dot(means, v)
  const image = (await design.times(v, 1, pace)).map((value) => value - shift)
  return back(design, means, image, pace, v, penalty)
}

/** Xᵀ r + λ v, for X less its means. */
async function back(
  design: Design,
  means: Float64Array,
  r: Float64Array,
  pace: Pace,
  v: Float64Array | null = null,
  penalty = 0,
): Promise<Float64Array> {
  const sum = r.reduce((total, value) => total + value, 0)
  const out = await design.transposed(r, 1, pace)
  return out.map((value, j) => value - sum * (means[j] as number) + penalty * (v?.[j] ?? 0))
}

/** Hestenes and Stiefel's method (1952), until the residual is a 10⁻⁸ of the right side, or rounding ends it. */
async function conjugateGradients(
  design: Design,
  means: Float64Array,
  targets: Float64Array,
  penalty: number,
  pace: Pace,
): Promise<{ readonly weights: Float64Array; readonly gradient: number }> {
  const weights = new Float64Array(design.columns)
  const residual = await back(design, means, targets, pace)
  const direction = residual.slice()
  let square = dot(residual, residual)
  const goal = square * Math.max(1e-8, 8 * design.precision) ** 2
  for (let step = 0; step < 2000 && square > goal; step++) {
    const image = await normal(design, means, direction, penalty, pace)
    const length = square / dot(direction, image)
    for (let j = 0; j < weights.length; j++) {
      weights[j] = (weights[j] as number) + length * (direction[j] as number)
      residual[j] = (residual[j] as number) - length * (image[j] as number)
    }
    const next = dot(residual, residual)
    for (let j = 0; j < weights.length; j++) {
      direction[j] = (residual[j] as number) + (next / square) * (direction[j] as number)
    }
    square = next
    if (pace.due()) await pace.rest()
  }
  return { weights, gradient: largest(residual) }
}

function columnMeans(x: { rows: number; columns: number; indices: Int32Array; values: ArrayLike<number> }) {
  const means = new Float64Array(x.columns)
  for (let at = 0; at < x.indices.length; at++) {
    const j = x.indices[at] as number
    means[j] = (means[j] as number) + (x.values[at] as number) / x.rows
  }
  return means
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}
