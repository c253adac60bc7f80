/** Which classes are taken for which. */
import { metrics } from 'descent'
import { asTensors, type ClassPredictions, checkClassPredictions } from './class-predictions.ts'

/** One class that was taken for another. */
export interface ConfusedPair {
  readonly truth: string
  readonly said: string
  readonly count: number
  /** Of the examples of the true class. */
  readonly share: number
}

export interface Confusion {
  /** `matrix[truth][said]`: examples. */
  readonly matrix: readonly (readonly number[])[]
  /** Pairs that occur, the most frequent first. */
  readonly pairs: readonly ConfusedPair[]
  /** The matrix as lines of text, with the classes' names. */
  readonly text: string
}

/** The confusion matrix, and its pairs in order. Throws RangeError for predictions that are none. */
export function confusion(predictions: ClassPredictions): Confusion {
  checkClassPredictions(predictions)
  const { classes } = predictions
  const counted = new metrics.ConfusionMatrix({ names: classes })
  counted.update(...asTensors(predictions))
  const matrix = counted.matrix()
  const pairs = matrix.flatMap((row, k) => {
    const support = row.reduce((a, b) => a + b)
    return row.flatMap((count, c) =>
      c === k || count === 0
        ? []
        : [{ truth: classes[k] as string, said: classes[c] as string, count, share: count / support }],
    )
  })
  return { matrix, pairs: pairs.sort((a, b) => b.count - a.count || b.share - a.share), text: counted.toString() }
}
