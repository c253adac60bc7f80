/** The metrics of the library as statistics that can be resampled. */
import { type metrics, tensor } from 'descent'
import type { Statistic } from './bootstrap.ts'

/**
 * A metric of the library over any set of examples: outputs [N, ...] (rows of equal length, or one number an example) and
 * targets [N]; classes as Int32Array. Throws RangeError where sizes do not fit, and what the metric throws.
 *
 * @example
 * ```ts
 * import { metrics } from 'descent'
 * import { metricStatistic } from '@descent/loop'
 * const output = Float32Array.of(0.9, 0.1, 0.4, 0.6, 0.7, 0.3)
 * const f1 = metricStatistic(() => new metrics.F1(), output, Int32Array.of(0, 1, 1))
 * console.log(f1(Int32Array.of(0, 1)), f1(Int32Array.of(0, 1, 2)).toFixed(2)) // → 1 0.67
 * ```
 */
export function metricStatistic(
  make: () => metrics.AccumulatingMetric,
  output: Float32Array,
  target: Int32Array | Float32Array,
): Statistic {
  const width = output.length / target.length
  if (!Number.isInteger(width)) throw new RangeError(`${output.length} outputs do not fit ${target.length} targets.`)
  return (indices) => {
    const n = indices.length
    // New arrays each time: a tensor keeps the one that it was made of.
    const rows = new Float32Array(n * width)
    const truths = target instanceof Int32Array ? new Int32Array(n) : new Float32Array(n)
    for (let row = 0; row < n; row++) {
      const i = indices[row] as number
      truths[row] = target[i] as number
      for (let c = 0; c < width; c++) rows[row * width + c] = output[i * width + c] as number
    }
    const metric = make()
    metric.update(tensor(rows, { shape: width === 1 ? [n] : [n, width] }), tensor(truths, { shape: [n] }))
    return metric.compute()
  }
}
