/** One number that says how good predictions are. */
import type { Targets } from './rows.ts'

/** Accuracy of probabilities [rows, classes], or R² of values [rows]: 1 is best, for both. */
export function scoreOf(predicted: Float64Array, y: Targets): number {
  return y.kind === 'classes' ? accuracyOf(predicted, y.labels, y.classes) : rSquared(predicted, y.values)
}

/** The share of rows whose most probable class is theirs; of equal ones the first counts. */
export function accuracyOf(probabilities: Float64Array, labels: Int32Array, classes: number): number {
  let right = 0
  for (let i = 0; i < labels.length; i++) {
    let best = 0
    for (let k = 1; k < classes; k++) {
      if ((probabilities[i * classes + k] as number) > (probabilities[i * classes + best] as number)) best = k
    }
    if (best === labels[i]) right++
  }
  return right / labels.length
}

/** 1 − Σ (y − ŷ)² / Σ (y − ȳ)² */
export function rSquared(predicted: Float64Array, values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let errors = 0
  let spread = 0
  for (let i = 0; i < values.length; i++) {
    errors += ((values[i] as number) - (predicted[i] as number)) ** 2
    spread += ((values[i] as number) - mean) ** 2
  }
  return 1 - errors / spread
}
