/** The losses of gradient boosting: where scores begin, their first and second derivatives, and what they mean. */
import { softmax } from './linear.ts'
import { shares } from './majority.ts'
import type { Targets } from './rows.ts'

/** Scores [rows, outputs] are logits (one for two classes, the second's), or values. */
export interface BoostingLoss {
  readonly outputs: number
  /** The best constant scores [outputs]. */
  readonly start: Float64Array
  /** The mean loss over these rows. */
  mean(scores: Float64Array, rows: Int32Array): number
  /** First and second derivatives of the loss by the scores, into arrays laid out [outputs, rows]. */
  derivatives(scores: Float64Array, first: Float32Array, second: Float32Array): void
}

export function lossOf(y: Targets): BoostingLoss {
  if (y.kind === 'numbers') return squaredError(y.values)
  const prior = shares(y).map((share) => Math.log(Math.max(share, 1e-6)))
  return y.classes === 2 ? binaryLogLoss(y.labels, prior) : logLoss(y.labels, prior)
}

/** (s − y)² / 2 */
function squaredError(values: Float64Array): BoostingLoss {
  return {
    outputs: 1,
    start: shares({ kind: 'numbers', values }),
    mean(scores, rows) {
      let sum = 0
      for (const row of rows) sum += ((scores[row] as number) - (values[row] as number)) ** 2
      return sum / (2 * rows.length)
    },
    derivatives(scores, first, second) {
      for (let i = 0; i < scores.length; i++) first[i] = (scores[i] as number) - (values[i] as number)
      second.fill(1)
    },
  }
}

/** log(1 + eˢ) − y s */
function binaryLogLoss(labels: Int32Array, prior: Float64Array): BoostingLoss {
  return {
    outputs: 1,
    start: Float64Array.of((prior[1] as number) - (prior[0] as number)),
    mean(scores, rows) {
      let sum = 0
      for (const row of rows) {
        const margin = labels[row] === 1 ? (scores[row] as number) : -(scores[row] as number)
        sum += margin > 0 ? Math.log1p(Math.exp(-margin)) : Math.log1p(Math.exp(margin)) - margin
      }
      return sum / rows.length
    },
    derivatives(scores, first, second) {
      for (let i = 0; i < scores.length; i++) {
        const p = 1 / (1 + Math.exp(-(scores[i] as number)))
        first[i] = p - (labels[i] as number)
        second[i] = p * (1 - p)
      }
    },
  }
}

/** −log softmax(s)[y]; the second derivatives are Friedman's (2001), with his factor K / (K − 1). */
function logLoss(labels: Int32Array, prior: Float64Array): BoostingLoss {
  const classes = prior.length
  const row = new Float64Array(classes)
  const read = (scores: Float64Array, i: number) => {
    for (let k = 0; k < classes; k++) row[k] = scores[i * classes + k] as number
    return softmax(row)
  }
  return {
    outputs: classes,
    start: prior,
    mean(scores, rows) {
      let sum = 0
      for (const i of rows) sum += read(scores, i) - (scores[i * classes + (labels[i] as number)] as number)
      return sum / rows.length
    },
    derivatives(scores, first, second) {
      const count = labels.length
      const factor = classes / Math.max(classes - 1, 1)
      for (let i = 0; i < count; i++) {
        read(scores, i)
        for (let k = 0; k < classes; k++) {
          const p = row[k] as number
          first[k * count + i] = p - (labels[i] === k ? 1 : 0)
          second[k * count + i] = factor * p * (1 - p)
        }
      }
    },
  }
}
