/**
 * Models whose outputs are weighted sums of the columns: what logistic and ridge regression give. The weights stand for
 * rows as they come, not scaled ones, so prediction needs no scaling; a missing value counts as its column's mean.
 */
import type { Pace } from './pace.ts'
import { isSparse, type Rows } from './rows.ts'
import type { Scaling } from './scaling.ts'

export interface LinearModel {
  readonly kind: 'linear'
  readonly link: 'softmax' | 'identity'
  readonly columns: number
  /** Classes, or 1. */
  readonly outputs: number
  /** [columns, outputs] */
  readonly weights: Float64Array
  /** [outputs] */
  readonly bias: Float64Array
  /** What a missing value counts as, and how much the columns vary; the weights times the latter can be compared. */
  readonly scaling: Scaling
  /** What the penalty on the squared weights was, as it stands in the objective. */
  readonly l2: number
  /** The largest absolute element of the objective's gradient at these weights: how near it is to the optimum. */
  readonly gradient: number
}

/** Weights for scaled columns become weights for the columns as they come. */
export function unscaled(
  weights: Float64Array,
  bias: Float64Array,
  { means, deviations }: Scaling,
): { readonly weights: Float64Array; readonly bias: Float64Array } {
  const outputs = bias.length
  const raw = weights.map((weight, at) => weight / (deviations[Math.floor(at / outputs)] as number))
  const shifted = bias.slice()
  for (let at = 0; at < raw.length; at++) {
    const k = at % outputs
    shifted[k] = (shifted[k] as number) - (raw[at] as number) * (means[Math.floor(at / outputs)] as number)
  }
  return { weights: raw, bias: shifted }
}

/** [rows, outputs]: probabilities, or values. */
export async function predictLinear(model: LinearModel, x: Rows, pace: Pace): Promise<Float64Array> {
  const { outputs, weights, bias } = model
  const { means } = model.scaling
  const out = new Float64Array(x.rows * outputs)
  for (let i = 0; i < x.rows; i++) {
    const row = out.subarray(i * outputs, (i + 1) * outputs)
    row.set(bias)
    const sparse = isSparse(x)
    const first = sparse ? (x.starts[i] as number) : i * x.columns
    const last = sparse ? (x.starts[i + 1] as number) : first + x.columns
    for (let at = first; at < last; at++) {
      const j = sparse ? (x.indices[at] as number) : at - first
      const found = x.values[at] as number
      const value = Number.isNaN(found) ? (means[j] as number) : found
      if (value === 0) continue
      for (let k = 0; k < outputs; k++) row[k] = (row[k] as number) + value * (weights[j * outputs + k] as number)
    }
    if (model.link === 'softmax') softmax(row)
    if (i % 64 === 0 && pace.due()) await pace.rest(i / x.rows)
  }
  return out
}

/** Logits become probabilities, in place. Returns the logarithm of the sum of their exponentials. */
export function softmax(logits: Float64Array): number {
  let most = -Infinity
  for (let k = 0; k < logits.length; k++) most = Math.max(most, logits[k] as number)
  let sum = 0
  for (let k = 0; k < logits.length; k++) {
    const power = Math.exp((logits[k] as number) - most)
    logits[k] = power
    sum += power
  }
  for (let k = 0; k < logits.length; k++) logits[k] = (logits[k] as number) / sum
  return most + Math.log(sum)
}
