/** The temperature of a version: found on the validation split of its run, which it was not trained on. */
import { fitTemperature, logitsOf } from '../evaluation/calibration.ts'
import { partOf } from '../evaluation/evaluate.ts'
import type { Predictions } from '../training/predictions.ts'
import type { Target } from '../training/target.ts'

export interface Calibration {
  /** Logits are divided by it. 1: probabilities are as the network gives them. */
  readonly temperature: number
  /** The validation examples that it was found on. */
  readonly examples: number
  /** The mean of −ln p of their true class without and with it, in nats; null where none was found. */
  readonly logLoss: { readonly before: number; readonly after: number } | null
  /** Why it is 1 although nobody found that, in a sentence. */
  readonly note: string | null
}

export function calibrationOf(predictions: Predictions, target: Target): Calibration {
  const none = (examples: number, note: string | null): Calibration => ({
    temperature: 1,
    examples,
    logLoss: null,
    note,
  })
  if (target.task === 'number') return none(0, null)
  const { predicted, labels, examples } = partOf(predictions, 'validation')
  const count = examples.length
  if (count === 0) return none(0, 'There is no validation example, so that certainty could not be calibrated.')
  const { temperature, before, after, atBound } = fitTemperature(logitsOf(predicted), Int32Array.from(labels))
  // At its bound the best temperature is 0 or infinite: what all-right or all-random answers ask for, and no knowledge.
  if (atBound)
    return none(count, `All or none of ${count} validation examples are right: too few to calibrate certainty by.`)
  return { temperature, examples: count, logLoss: { before, after }, note: null }
}
