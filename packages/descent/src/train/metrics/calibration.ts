/** Whether what is said with 80 % certainty is right in 80 % of cases. */
import type { Tensor } from '../../tensor.ts'
import { type AccumulatingMetric, requireSome } from './accumulating.ts'
import { type ProbabilityOptions, probabilities } from './probabilities.ts'

export interface CalibrationOptions extends ProbabilityOptions {
  /** Bins of equal width. Default 15. */
  readonly bins?: number
}

/** What is known of the predictions of a bin. */
export interface CalibrationBin {
  readonly count: number
  /** The mean certainty of its predictions; NaN where there are none. */
  readonly confidence: number
  /** The share that was right; NaN where there are none. */
  readonly accuracy: number
}

/**
 * The expected calibration error: Σ_b n_b / N · |accuracy_b − confidence_b| over bins of equal width of the certainty, 0
 * at best. Output [N, C, ...] with classes [N, ...]: the certainty is that of the most likely class. One probability an
 * example: it is that of class 1, against how often the target is 1. Throws ShapeError, IndexError, and RangeError where
 * outputs are no probabilities. Source: Guo et al., "On calibration of modern neural networks", 2017.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'descent'
 * const calibration = new metrics.CalibrationError({ bins: 10 })
 * calibration.update(tensor([[0.75, 0.25], [0.75, 0.25]]), tensor([0, 1], { dtype: 'i32' }))
 * console.log(calibration.compute()) // → 0.25
 * ```
 */
export class CalibrationError implements AccumulatingMetric {
  readonly #options: CalibrationOptions
  readonly #count: Float64Array
  readonly #confidence: Float64Array
  readonly #right: Float64Array

  constructor(options: CalibrationOptions = {}) {
    const { bins = 15 } = options
    if (!(Number.isInteger(bins) && bins > 0))
      throw new RangeError(`CalibrationError: bins must be a whole number above 0, not ${bins}.`)
    this.#options = options
    this.#count = new Float64Array(bins)
    this.#confidence = new Float64Array(bins)
    this.#right = new Float64Array(bins)
  }

  reset(): void {
    for (const sums of [this.#count, this.#confidence, this.#right]) sums.fill(0)
  }

  update(output: Tensor, target: Tensor): void {
    const { values, truths, classes, binary } = probabilities('CalibrationError', output, target, this.#options)
    for (const [i, truth] of truths.entries()) {
      if (binary) {
        this.#add(values[i] as number, truth === 1)
        continue
      }
      const row = values.subarray(i * classes, (i + 1) * classes)
      const confidence = row.reduce((a, b) => Math.max(a, b))
      this.#add(confidence, row.indexOf(confidence) === truth)
    }
  }

  #add(confidence: number, right: boolean): void {
    const bins = this.#count.length
    const bin = Math.min(Math.max(Math.ceil(confidence * bins) - 1, 0), bins - 1)
    this.#count[bin] = (this.#count[bin] as number) + 1
    this.#confidence[bin] = (this.#confidence[bin] as number) + confidence
    this.#right[bin] = (this.#right[bin] as number) + Number(right)
  }

  /** The bins, from certainty 0 to 1: the reliability diagram. */
  bins(): CalibrationBin[] {
    return Array.from(this.#count, (count, b) => ({
      count,
      confidence: (this.#confidence[b] as number) / count,
      accuracy: (this.#right[b] as number) / count,
    }))
  }

  compute(): number {
    const total = this.#count.reduce((a, b) => a + b)
    requireSome('CalibrationError', total)
    return (
      this.#count.reduce(
        (sum, _, b) => sum + Math.abs((this.#right[b] as number) - (this.#confidence[b] as number)),
        0,
      ) / total
    )
  }
}
