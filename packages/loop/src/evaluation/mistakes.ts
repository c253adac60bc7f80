/** The worst mistakes, and which of them may be mistakes of the label. */
import { findLabelErrors } from '../labeling/label-errors.ts'
import { type ClassPredictions, checkClassPredictions, guesses, logLosses } from './class-predictions.ts'
import { checkRegression } from './regression.ts'

/** An example that was given the wrong class. */
export interface ClassMistake {
  readonly index: number
  readonly truth: string
  readonly said: string
  /** How likely the model took what it said to be. */
  readonly confidence: number
  /** −ln p of the true class, in nats. */
  readonly loss: number
  /** Whether confident learning takes the label, rather than the model, to be wrong. */
  readonly likelyLabelError: boolean
}

/**
 * The `count` wrong answers of the largest loss, worst first. Label errors are judged among all these predictions, which
 * must be of examples that the model was not trained on. Throws RangeError for predictions that are none.
 */
export function worstMistakes(predictions: ClassPredictions, count: number): ClassMistake[] {
  checkClassPredictions(predictions)
  const { probabilities, truths, classes } = predictions
  const said = guesses(predictions)
  const losses = logLosses(predictions)
  const wrong = [...truths.keys()].filter((i) => said[i] !== truths[i])
  if (wrong.length === 0) return []
  const { suspects } = findLabelErrors({ probabilities, labels: truths, classes: classes.length })
  const suspected = new Set(suspects.map(({ index }) => index))
  return wrong
    .sort((a, b) => (losses[b] as number) - (losses[a] as number))
    .slice(0, count)
    .map((index) => ({
      index,
      truth: classes[truths[index] as number] as string,
      said: classes[said[index] as number] as string,
      confidence: probabilities[index * classes.length + (said[index] as number)] as number,
      loss: losses[index] as number,
      likelyLabelError: suspected.has(index),
    }))
}

/** An example whose number was missed. */
export interface NumberMistake {
  readonly index: number
  readonly target: number
  readonly predicted: number
  /** Predicted less target. */
  readonly error: number
}

/** The `count` predictions farthest from their targets, worst first. Throws RangeError where they do not fit. */
export function largestErrors(outputs: Float32Array, targets: Float32Array, count: number): NumberMistake[] {
  checkRegression(outputs, targets)
  return Array.from(targets, (target, index) => {
    const predicted = outputs[index] as number
    return { index, target, predicted, error: predicted - target }
  })
    .sort((a, b) => Math.abs(b.error) - Math.abs(a.error))
    .slice(0, count)
}
