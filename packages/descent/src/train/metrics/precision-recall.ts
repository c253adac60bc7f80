/** Precision, recall and F1: from how often each class was meant, said, and both. */
import type { Tensor } from '../../tensor.ts'
import { type AccumulatingMetric, type ClassOptions, eachPair, requireSome, scoredClasses } from './accumulating.ts'

/**
 * How classes become one number. `binary`: of class 1 of two; `macro`: the mean over classes that occur; `weighted`: the
 * same, weighted by how often a class is the true one; `micro`: from counts over all classes.
 */
export type Average = 'binary' | 'macro' | 'micro' | 'weighted'

export interface AverageOptions extends ClassOptions {
  /** Default: binary for two classes, macro for more. */
  readonly average?: Average
}

/** Counts of a class. */
interface Counts {
  /** Said and true. */
  hits: number
  said: number
  meant: number
}

abstract class FromCounts implements AccumulatingMetric {
  abstract readonly name: string
  readonly #options: AverageOptions
  #classes: Counts[] = []

  constructor(options: AverageOptions = {}) {
    this.#options = options
  }

  protected abstract score(counts: Counts): number

  reset(): void {
    this.#classes = []
  }

  update(output: Tensor, target: Tensor): void {
    const { name } = this
    const scored = scoredClasses(name, output, target)
    const { average } = this.#options
    if (average === 'binary' && scored.classes !== 2)
      throw new RangeError(`${name}: average 'binary' is for two classes, not ${scored.classes}; take 'macro'.`)
    const pairs: number[] = []
    eachPair(name, scored, this.#options, (guess, truth) => pairs.push(guess, truth))
    while (this.#classes.length < scored.classes) this.#classes.push({ hits: 0, said: 0, meant: 0 })
    for (let i = 0; i < pairs.length; i += 2) {
      const said = this.#classes[pairs[i] as number] as Counts
      const meant = this.#classes[pairs[i + 1] as number] as Counts
      said.said++
      meant.meant++
      if (said === meant) said.hits++
    }
  }

  /** The number of each class; 0 where it would be 0 / 0. */
  perClass(): number[] {
    return this.#classes.map((counts) => this.score(counts))
  }

  compute(): number {
    const classes = this.#classes
    const total = { hits: 0, said: 0, meant: 0 }
    for (const { hits, said, meant } of classes) {
      total.hits += hits
      total.said += said
      total.meant += meant
    }
    requireSome(this.name, total.meant)
    const average = this.#options.average ?? (classes.length === 2 ? 'binary' : 'macro')
    const mean = (weight: (counts: Counts) => number) => {
      const weights = classes.map(weight)
      return (
        this.perClass().reduce((sum, score, c) => sum + score * (weights[c] as number), 0) /
        weights.reduce((a, b) => a + b)
      )
    }
    switch (average) {
      case 'binary':
        return this.score(classes[1] as Counts)
      case 'micro':
        return this.score(total)
      case 'macro':
        return mean(({ said, meant }) => Number(said + meant > 0))
      case 'weighted':
        return mean(({ meant }) => meant)
      default:
        throw new RangeError(`${this.name}: no average '${average satisfies never}'.`)
    }
  }
}

const ratio = (a: number, b: number) => (b === 0 ? 0 : a / b)

/**
 * Of the examples said to be of a class, the share that is: TP / (TP + FP). Inputs and errors as Accuracy. Source:
 * sklearn.metrics.precision_score with zero_division=0.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'descent'
 * const precision = new metrics.Precision()
 * precision.update(tensor([0.9, 0.8, 0.3, 0.6]), tensor([1, 0, 1, 1]))
 * console.log(precision.compute().toFixed(3)) // → 0.667
 * ```
 */
export class Precision extends FromCounts {
  override readonly name = 'Precision'
  protected override score({ hits, said }: Counts): number {
    return ratio(hits, said)
  }
}

/**
 * Of the examples of a class, the share that is found: TP / (TP + FN). Inputs and errors as Accuracy. Source:
 * sklearn.metrics.recall_score with zero_division=0.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'descent'
 * const recall = new metrics.Recall()
 * recall.update(tensor([0.9, 0.8, 0.3, 0.1]), tensor([1, 0, 1, 0]))
 * console.log(recall.compute()) // → 0.5
 * ```
 */
export class Recall extends FromCounts {
  override readonly name = 'Recall'
  protected override score({ hits, meant }: Counts): number {
    return ratio(hits, meant)
  }
}

/**
 * The harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN). Inputs and errors as Accuracy. Source:
 * sklearn.metrics.f1_score.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'descent'
 * const f1 = new metrics.F1({ average: 'macro' })
 * f1.update(tensor([[2, 1, 0], [0, 1, 2], [0, 2, 1]]), tensor([0, 1, 1], { dtype: 'i32' }))
 * console.log(f1.compute().toFixed(4), f1.perClass().map((x) => x.toFixed(3))) // → 0.5556 [ '1.000', '0.667', '0.000' ]
 * ```
 */
export class F1 extends FromCounts {
  override readonly name = 'F1'
  protected override score({ hits, said, meant }: Counts): number {
    return ratio(2 * hits, said + meant)
  }
}
