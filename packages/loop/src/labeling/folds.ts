/**
 * Cross-validation: examples are dealt into folds, and each is predicted by a model that was trained on all other folds.
 */
import { seeded } from '../random.ts'

/**
 * The fold of each example, [N] of 0 … folds − 1: by lot, of each class (or other stratum) alike, sizes differing by at
 * most one. Throws RangeError for fewer than two folds, or more than examples.
 */
export function assignFolds(strata: Int32Array, folds: number, seed: number): Int32Array {
  if (!(Number.isInteger(folds) && folds >= 2 && folds <= strata.length))
    throw new RangeError(`${strata.length} examples cannot be dealt into ${folds} folds: take 2 to ${strata.length}.`)
  const order = seeded(seed).permutation(strata.length)
  // A stable sort keeps the lot within a stratum; dealing round then spreads each over all folds.
  const dealt = [...order].sort((a, b) => (strata[a] as number) - (strata[b] as number))
  const fold = new Int32Array(strata.length)
  for (const [place, i] of dealt.entries()) fold[i] = place % folds
  return fold
}

export interface CrossValidation {
  readonly labels: Int32Array
  readonly classes: number
  /** Default 5. */
  readonly folds?: number
  readonly seed: number
  /** Trains anew on the examples `train`, and gives the probabilities [held.length, K] of the examples `held`. */
  predict(train: Int32Array, held: Int32Array, fold: number): Float32Array | Promise<Float32Array>
  readonly onProgress?: (done: number, folds: number) => void
  readonly signal?: AbortSignal
}

/**
 * Probabilities [N, K], each row from a model that has not seen that example: what `findLabelErrors` needs. Rejects with
 * the signal's reason where it is aborted between folds, and with RangeError where `predict` gives another number of values.
 */
export async function outOfSampleProbabilities(options: CrossValidation): Promise<Float32Array> {
  const { labels, classes, folds = 5, seed, predict, onProgress, signal } = options
  const fold = assignFolds(labels, folds, seed)
  const all = Int32Array.from(labels.keys())
  const probabilities = new Float32Array(labels.length * classes)
  for (let f = 0; f < folds; f++) {
    signal?.throwIfAborted()
    const held = all.filter((i) => fold[i] === f)
    const found = await predict(
      all.filter((i) => fold[i] !== f),
      held,
      f,
    )
    if (found.length !== held.length * classes)
      throw new RangeError(`Fold ${f}: ${found.length} probabilities for ${held.length} examples × ${classes} classes.`)
    for (const [row, i] of held.entries())
      probabilities.set(found.subarray(row * classes, (row + 1) * classes), i * classes)
    onProgress?.(f + 1, folds)
  }
  return probabilities
}
