/** The figures of a run on one split, from what it predicted: plain arrays in, numbers out. */

/** Of classes: accuracy, macroF1, logLoss; of numbers: mae, rmse, r2. */
export type Metrics = Readonly<Record<string, number>>

/** Probabilities are not taken for smaller than this, so that one certain mistake does not make the mean infinite. */
const SMALLEST = 1e-12

/**
 * accuracy: the share whose most likely class is the true one. macroF1: the mean over the classes that occur of
 * 2 TP / (2 TP + FP + FN). logLoss: the mean of −ln p(true class).
 * @param probabilities [N, classes] row by row
 * @param labels the true classes [N]
 */
export function classMetrics(probabilities: ArrayLike<number>, labels: ArrayLike<number>, classes: number): Metrics {
  const n = labels.length
  const [hits, said, there] = [0, 1, 2].map(() => new Float64Array(classes)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  let right = 0
  let loss = 0
  for (let i = 0; i < n; i++) {
    const label = labels[i] as number
    const guess = mostLikely(probabilities, i, classes)
    said[guess] = (said[guess] as number) + 1
    there[label] = (there[label] as number) + 1
    if (guess === label) {
      right++
      hits[label] = (hits[label] as number) + 1
    }
    loss -= Math.log(Math.max(SMALLEST, probabilities[i * classes + label] as number))
  }
  let f1 = 0
  let occurring = 0
  for (let c = 0; c < classes; c++) {
    if ((there[c] as number) === 0) continue
    occurring++
    f1 += (2 * (hits[c] as number)) / ((said[c] as number) + (there[c] as number))
  }
  return { accuracy: right / n, macroF1: f1 / occurring, logLoss: loss / n }
}

/** The class of row `i` with the largest probability; the first of several. */
export function mostLikely(probabilities: ArrayLike<number>, i: number, classes: number): number {
  let best = 0
  for (let c = 1; c < classes; c++)
    if ((probabilities[i * classes + c] as number) > (probabilities[i * classes + best] as number)) best = c
  return best
}

/** mae: mean |y − t|. rmse: √ mean (y − t)². r2: 1 − Σ (y − t)² / Σ (t − t̄)², the share of the variance that is explained. */
export function numberMetrics(values: ArrayLike<number>, labels: ArrayLike<number>): Metrics {
  const n = labels.length
  let mean = 0
  for (let i = 0; i < n; i++) mean += (labels[i] as number) / n
  let [absolute, squared, spread] = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    const error = (values[i] as number) - (labels[i] as number)
    absolute += Math.abs(error)
    squared += error ** 2
    spread += ((labels[i] as number) - mean) ** 2
  }
  return { mae: absolute / n, rmse: Math.sqrt(squared / n), r2: spread > 0 ? 1 - squared / spread : Number.NaN }
}
