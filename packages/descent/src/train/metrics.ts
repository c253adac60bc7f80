/** Numbers that say how good a network is, and their means over batches of different sizes. */
import type { Tensor } from '../tensor.ts'
import type { AccumulatingMetric } from './metrics/accumulating.ts'

export type { AccumulatingMetric } from './metrics/accumulating.ts'

/** From a batch's outputs and targets to a tensor of one element: a mean over the batch. */
export type Metric = (output: Tensor, target: Tensor) => Tensor
/** Metrics by the names under which they are shown. */
/** By name. Those that accumulate are measured over validation sets, not while training. */
export type Metrics = Readonly<Record<string, Metric | AccumulatingMetric>>

/**
 * The share of examples whose largest output is that of their class: output [N, C, ...], target i32 [N, ...].
 *
 * @example
 * ```ts
 * import { accuracy, tensor } from 'descent'
 * console.log(accuracy(tensor([[1, 2], [4, 3]]), tensor([1, 1], { dtype: 'i32' })).item()) // → 0.5
 * ```
 */
export function accuracy(output: Tensor, target: Tensor): Tensor {
  return output.argmax(1).eq(target).float().mean()
}

/** What is measured where nothing is asked for: accuracy where targets are classes. */
export function defaultMetrics(target: Tensor | readonly Tensor[]): Metrics {
  return 'dtype' in target && target.dtype === 'i32' ? { accuracy } : {}
}

/** Loss and metrics as numbers. */
export interface Scores {
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
}

/** The metrics that are means over batches. */
export function meanMetrics(metrics: Metrics): [string, Metric][] {
  return Object.entries(metrics).filter((entry): entry is [string, Metric] => typeof entry[1] === 'function')
}

/** The metrics that see a whole set. */
export function accumulatingMetrics(metrics: Metrics): [string, AccumulatingMetric][] {
  return Object.entries(metrics).filter(
    (entry): entry is [string, AccumulatingMetric] => typeof entry[1] !== 'function',
  )
}

/** Means over all examples so far, whatever the sizes of the batches. */
export class Averages {
  #count = 0
  #loss = 0
  readonly #metrics = new Map<string, number>()

  add(count: number, { loss, metrics }: Scores): void {
    this.#count += count
    this.#loss += loss * count
    for (const [name, value] of Object.entries(metrics)) {
      this.#metrics.set(name, (this.#metrics.get(name) ?? 0) + value * count)
    }
  }

  get count(): number {
    return this.#count
  }

  /** As plain JSON, and back. */
  get state(): AveragesState {
    return { count: this.#count, loss: this.#loss, metrics: Object.fromEntries(this.#metrics) }
  }
  set state({ count, loss, metrics }: AveragesState) {
    this.#count = count
    this.#loss = loss
    this.#metrics.clear()
    for (const [name, sum] of Object.entries(metrics)) this.#metrics.set(name, sum)
  }

  scores(): Scores {
    const metrics = Array.from(this.#metrics, ([name, sum]) => [name, sum / this.#count] as const)
    return { loss: this.#loss / this.#count, metrics: Object.fromEntries(metrics) }
  }
}

/** Sums so far. */
export interface AveragesState {
  readonly count: number
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
}
