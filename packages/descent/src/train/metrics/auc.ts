/** The area under the ROC curve, exact: every example is kept. */
import type { Tensor } from '../../tensor.ts'
import { type AccumulatingMetric, classAt, requireSome, scoredClasses } from './accumulating.ts'
import { type ProbabilityOptions, probabilities } from './probabilities.ts'

/**
 * The area under the ROC curve: how likely an example of the class has a higher score than one of the others, ties
 * counting half: (Σ [p > n] + ½ [p = n]) / (P·N). Exact over all batches (it keeps a score for each example and class).
 *
 * Two classes: one score an example, logit or probability, or [N, 2]. More: the mean over classes of each against the
 * rest, from probabilities [N, C, ...], or logits where so said. Throws ShapeError, IndexError, and RangeError where a
 * class does not occur, or no other does. Source: Hanley and McNeil, "The meaning and use of the area under a receiver
 * operating characteristic curve", 1982; sklearn.metrics.roc_auc_score (`multi_class='ovr'`).
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'descent'
 * const auc = new metrics.AUC()
 * auc.update(tensor([0.1, 0.4, 0.35, 0.8]), tensor([0, 0, 1, 1]))
 * console.log(auc.compute()) // → 0.75
 * ```
 */
export class AUC implements AccumulatingMetric {
  readonly #options: ProbabilityOptions
  /** Batches: a score for each example and class, one class after another, and the true classes. */
  #batches: { readonly scores: readonly Float64Array[]; readonly truths: Int32Array }[] = []
  #count = 0

  constructor(options: ProbabilityOptions = {}) {
    this.#options = options
  }

  reset(): void {
    this.#batches = []
    this.#count = 0
  }

  update(output: Tensor, target: Tensor): void {
    const batch = this.#read(output, target)
    const [first] = this.#batches
    if (first && first.scores.length !== batch.scores.length)
      throw new RangeError(`AUC: output [${output.shape}] has other classes than the batches before.`)
    this.#batches.push(batch)
    this.#count += batch.truths.length
  }

  #read(output: Tensor, target: Tensor): { scores: Float64Array[]; truths: Int32Array } {
    const scored = scoredClasses('AUC', output, target)
    const { scores, classes, binary, count, at } = scored
    if (classes > 2) {
      const { values, truths } = probabilities('AUC', output, target, this.#options)
      const ofClass = (c: number) => Float64Array.from(truths, (_, i) => values[i * classes + c] as number)
      return { scores: Array.from({ length: classes }, (_, c) => ofClass(c)), truths }
    }
    // The difference of two logits orders as the softmax does, and does not round to 1.
    const score = (i: number) => (binary ? scores[i] : (scores[at(i, 1)] as number) - (scores[at(i, 0)] as number))
    const truths = Int32Array.from({ length: count }, (_, i) => classAt('AUC', scored, i, Number.NaN) as number)
    return { scores: [Float64Array.from(truths, (_, i) => score(i) as number)], truths }
  }

  compute(): number {
    requireSome('AUC', this.#count)
    const columns = this.#batches[0]?.scores.length ?? 0
    let sum = 0
    for (let c = 0; c < columns; c++) sum += this.#area(c, columns === 1 ? 1 : c)
    return sum / columns
  }

  #area(column: number, c: number): number {
    const of = (wanted: boolean) =>
      Float64Array.from(
        this.#batches.flatMap(({ scores, truths }) =>
          Array.from((scores[column] as Float64Array).filter((_, i) => (truths[i] === c) === wanted)),
        ),
      ).sort()
    const [own, others] = [of(true), of(false)]
    if (own.length === 0 || others.length === 0) {
      throw new RangeError(
        `AUC: ${own.length === 0 ? 'no' : 'every'} example is of class ${c}; it needs some of it and some of others.`,
      )
    }
    let below = 0
    let upTo = 0
    let halves = 0
    for (const score of own) {
      while (below < others.length && (others[below] as number) < score) below++
      while (upTo < others.length && (others[upTo] as number) <= score) upTo++
      halves += below + upTo
    }
    return halves / 2 / own.length / others.length
  }
}
