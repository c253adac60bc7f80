/** How often the right class is the most likely one, or among the k most likely. */
import type { Tensor } from '../../tensor.ts'
import {
  type AccumulatingMetric,
  type ClassOptions,
  classAt,
  eachPair,
  requireSome,
  scoredClasses,
} from './accumulating.ts'

/**
 * The share of examples whose most likely class is the true one: right / N. Output [N, C, ...] with classes [N, ...],
 * or one score an example for class 1, which counts from `threshold` on. Throws ShapeError, IndexError for a class that
 * does not exist, and RangeError for NaN. Source: sklearn.metrics.accuracy_score.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'descent'
 * const accuracy = new metrics.Accuracy()
 * accuracy.update(tensor([[1, 2], [4, 3]]), tensor([1, 1], { dtype: 'i32' }))
 * accuracy.update(tensor([[0, 2]]), tensor([1], { dtype: 'i32' }))
 * console.log(accuracy.compute().toFixed(3)) // → 0.667
 * ```
 */
export class Accuracy implements AccumulatingMetric {
  readonly #options: ClassOptions
  #right = 0
  #count = 0

  constructor(options: ClassOptions = {}) {
    this.#options = options
  }

  reset(): void {
    this.#right = 0
    this.#count = 0
  }

  update(output: Tensor, target: Tensor): void {
    let right = 0
    let count = 0
    eachPair('Accuracy', scoredClasses('Accuracy', output, target), this.#options, (guess, truth) => {
      right += Number(guess === truth)
      count++
    })
    this.#right += right
    this.#count += count
  }

  compute(): number {
    requireSome('Accuracy', this.#count)
    return this.#right / this.#count
  }
}

/**
 * The share of examples whose true class is among the k most likely: output [N, C, ...], classes [N, ...]. Of equal
 * scores the first comes first. Throws as Accuracy does, and RangeError where k is no whole number above 0 or there are
 * fewer than k classes. Source: sklearn.metrics.top_k_accuracy_score.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'descent'
 * const top2 = new metrics.TopK(2)
 * top2.update(tensor([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]), tensor([1, 2], { dtype: 'i32' }))
 * console.log(top2.compute()) // → 0.5
 * ```
 */
export class TopK implements AccumulatingMetric {
  readonly k: number
  readonly #options: Pick<ClassOptions, 'ignoreIndex'>
  #right = 0
  #count = 0

  constructor(k = 5, options: Pick<ClassOptions, 'ignoreIndex'> = {}) {
    if (!(Number.isInteger(k) && k > 0)) throw new RangeError(`TopK: k must be a whole number above 0, not ${k}.`)
    this.k = k
    this.#options = options
  }

  reset(): void {
    this.#right = 0
    this.#count = 0
  }

  update(output: Tensor, target: Tensor): void {
    const scored = scoredClasses('TopK', output, target)
    const { scores, classes, binary, at } = scored
    if (binary || classes < this.k)
      throw new RangeError(`TopK: k = ${this.k} needs scores of at least ${this.k} classes, not [${output.shape}].`)
    let right = 0
    let count = 0
    for (let place = 0; place < scored.count; place++) {
      const truth = classAt('TopK', scored, place, this.#options.ignoreIndex)
      if (truth === null) continue
      const own = scores[at(place, truth)] as number
      let before = 0
      for (let c = 0; c < classes; c++) {
        const score = scores[at(place, c)] as number
        if (score > own || (score === own && c < truth)) before++
      }
      right += Number(before < this.k)
      count++
    }
    this.#right += right
    this.#count += count
  }

  compute(): number {
    requireSome('TopK', this.#count)
    return this.#right / this.#count
  }
}
