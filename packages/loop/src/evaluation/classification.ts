/** The numbers that sum up a classifier, each with its interval. */
import { type BootstrapOptions, bootstrap, meanOf } from './bootstrap.ts'
import { type ClassPredictions, checkClassPredictions, guesses, logLosses, rightOnes } from './class-predictions.ts'
import { areaUnderCurve, macroF1 } from './class-statistics.ts'
import type { Interval } from './interval.ts'
import { wilson } from './wilson.ts'

export interface ClassificationMetrics {
  /** Where all are right, or none, resampling shows no spread, and the interval is Wilson's. */
  readonly accuracy: Interval
  /** The mean of F1 over classes: what accuracy hides where classes are of unequal size. */
  readonly macroF1: Interval
  /** The mean of −ln p of the true class, in nats. */
  readonly logLoss: Interval
  /** The area under the ROC curve, for two classes; null for more, and where only one of them occurs. */
  readonly auc: Interval | null
}

/**
 * Accuracy, macro F1, log loss, and for two classes AUC, with bootstrap intervals. Resamples keep the sizes of the classes,
 * so that each can be measured on all of them. Throws RangeError for predictions that are none.
 */
export function classificationMetrics(
  predictions: ClassPredictions,
  options: Omit<BootstrapOptions, 'strata'>,
): ClassificationMetrics {
  checkClassPredictions(predictions)
  const { probabilities, truths, classes } = predictions
  const settings = { ...options, strata: truths }
  const count = truths.length
  const f1 = macroF1(guesses(predictions), truths, classes.length)
  const both = classes.length === 2 && truths.includes(0) && truths.includes(1)
  const ofSecond = probabilities.filter((_, at) => at % 2 === 1)
  return {
    accuracy: share(rightOnes(predictions), settings),
    macroF1: bootstrap(count, f1, settings),
    logLoss: bootstrap(count, meanOf(logLosses(predictions)), settings),
    auc: both ? bootstrap(count, areaUnderCurve(ofSecond, truths), settings) : null,
  }
}

function share(right: Float64Array, settings: BootstrapOptions): Interval {
  const hits = right.reduce((a, b) => a + b, 0)
  const { level } = settings
  if (hits === 0 || hits === right.length) return wilson(hits, right.length, level)
  return bootstrap(right.length, meanOf(right), settings)
}
