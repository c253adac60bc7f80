/**
 * F1 and AUC as statistics for thousands of resamples. The library's metrics measure a batch in milliseconds; these count
 * multiplicities in microseconds, and must give the same numbers: the tests hold them against the library's.
 */
import type { Statistic } from './bootstrap.ts'

/** The mean of F1 over the classes that occur, from said and true classes [N]. */
export function macroF1(said: Int32Array, truths: Int32Array, classes: number): Statistic {
  const hits = new Float64Array(classes)
  const seen = new Float64Array(classes)
  return (indices) => {
    hits.fill(0)
    seen.fill(0)
    for (let i = 0; i < indices.length; i++) {
      const [guess, truth] = [said[indices[i] as number] as number, truths[indices[i] as number] as number]
      seen[guess] = (seen[guess] as number) + 1
      seen[truth] = (seen[truth] as number) + 1
      if (guess === truth) hits[truth] = (hits[truth] as number) + 1
    }
    let [sum, occurring] = [0, 0]
    for (let k = 0; k < classes; k++) {
      if (seen[k] === 0) continue
      sum += (2 * (hits[k] as number)) / (seen[k] as number)
      occurring++
    }
    return sum / occurring
  }
}

/** The area under the ROC curve of scores [N] for class 1 of 0 and 1; NaN where only one class is drawn. */
export function areaUnderCurve(scores: Float32Array, truths: Int32Array): Statistic {
  const order = Int32Array.from(scores.keys()).sort((a, b) => (scores[a] as number) - (scores[b] as number))
  const times = new Int32Array(scores.length)
  return (indices) => {
    times.fill(0)
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i] as number
      times[index] = (times[index] as number) + 1
    }
    let [below, pairs, positives] = [0, 0, 0]
    for (let from = 0; from < order.length; ) {
      // Equal scores together: a tie counts half.
      const score = scores[order[from] as number]
      let [zeros, ones] = [0, 0]
      let to = from
      for (; to < order.length && scores[order[to] as number] === score; to++) {
        const index = order[to] as number
        if (truths[index] === 1) ones += times[index] as number
        else zeros += times[index] as number
      }
      pairs += ones * (below + zeros / 2)
      below += zeros
      positives += ones
      from = to
    }
    return pairs / (positives * below)
  }
}
