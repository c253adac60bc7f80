/** How well each class is found, with intervals that do not need a bootstrap. */
import { metrics } from 'descent'
import { asTensors, type ClassPredictions, checkClassPredictions } from './class-predictions.ts'
import type { Interval } from './interval.ts'
import { wilson } from './wilson.ts'

export interface ClassReport {
  readonly name: string
  /** Examples of the class. */
  readonly support: number
  /** Examples said to be of it. */
  readonly said: number
  /** Of those said to be of it, the share that is. */
  readonly precision: Interval
  /** Of those of it, the share that is found. */
  readonly recall: Interval
  readonly f1: Interval
}

/**
 * Precision, recall and F1 of each class. Intervals are Wilson's: precision and recall are shares of what was said and of
 * what there is; F1 = 2J / (1 + J) rises with J = TP / (TP + FP + FN), a share as well. A class that was never said has
 * precision 0 and the interval 0 to 1. Throws RangeError for predictions that are none.
 */
export function perClass(predictions: ClassPredictions, level = 0.95): ClassReport[] {
  checkClassPredictions(predictions)
  const [output, target] = asTensors(predictions)
  const measured = [new metrics.Precision(), new metrics.Recall(), new metrics.F1()] as const
  const confusion = new metrics.ConfusionMatrix()
  for (const metric of [...measured, confusion]) metric.update(output, target)
  const [precision, recall, f1] = measured.map((metric) => metric.perClass())
  const counts = confusion.matrix()
  return predictions.classes.map((name, k) => {
    const hits = counts[k]?.[k] as number
    const support = (counts[k] as number[]).reduce((a, b) => a + b)
    const said = counts.reduce((sum, row) => sum + (row[k] as number), 0)
    const jaccard = wilson(hits, support + said - hits, level)
    const fromJaccard = (j: number) => (2 * j) / (1 + j)
    return {
      name,
      support,
      said,
      precision: { ...wilson(hits, said, level), estimate: precision?.[k] as number },
      recall: { ...wilson(hits, support, level), estimate: recall?.[k] as number },
      f1: { estimate: f1?.[k] as number, low: fromJaccard(jaccard.low), high: fromJaccard(jaccard.high), level },
    }
  })
}
