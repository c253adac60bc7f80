/**
 * Whether what a model says with 80 % certainty is right in 80 % of cases, and a temperature that makes it so. Guo et al.,
 * "On calibration of modern neural networks", 2017.
 */
import { metrics } from 'descent'
import { asTensors, type ClassPredictions, checkClassPredictions } from './class-predictions.ts'
import type { Interval } from './interval.ts'
import { wilson } from './wilson.ts'

export { logitsOf, withTemperature } from './temperature.ts'

/** The predictions whose certainty lies in a range. */
export interface ReliabilityBin {
  readonly from: number
  readonly to: number
  readonly count: number
  /** The mean certainty; NaN where there are none. */
  readonly confidence: number
  /** The share that was right, with Wilson's interval. */
  readonly accuracy: Interval
}

export interface Reliability {
  readonly bins: readonly ReliabilityBin[]
  /** The expected calibration error, 0 at best. */
  readonly error: number
}

/**
 * The reliability diagram: bins of equal width of the certainty of the likeliest class, and the expected calibration error
 * over them. Throws RangeError for predictions that are none.
 */
export function reliability(
  predictions: ClassPredictions,
  { bins = 15, level = 0.95 }: { readonly bins?: number; readonly level?: number } = {},
): Reliability {
  checkClassPredictions(predictions)
  const measured = new metrics.CalibrationError({ bins })
  measured.update(...asTensors(predictions))
  return {
    bins: measured.bins().map(({ count, confidence, accuracy }, b) => ({
      from: b / bins,
      to: (b + 1) / bins,
      count,
      confidence,
      accuracy: wilson(count === 0 ? 0 : Math.round(accuracy * count), count, level),
    })),
    error: measured.compute(),
  }
}

export interface Temperature {
  /** T: divide logits by it. Above 1 the model was too sure, below 1 not sure enough. */
  readonly temperature: number
  /** The mean of −ln p of the true class, in nats, as it was and with T. */
  readonly before: number
  readonly after: number
  /** Whether T stands at the end of the range, 1/100 to 100: all is right, or nothing is better than chance. */
  readonly atBound: boolean
}

const hottest = 100

/**
 * The temperature T that makes softmax(z / T) likeliest, for logits [N, K] and classes [N]; or sigmoid(z / T), for logits
 * [N] of class 1 of two. Fit it on examples that the model was not trained on. The likeliest class stays the same.
 *
 * The loss is convex in β = 1 / T, with slope Σ E_β[z] − z_y and curvature Σ Var_β[z]: Newton's steps, kept within a
 * bracket that bisection halves where a step would leave it. Throws RangeError for sizes that do not fit, classes that are
 * none, and logits that are not finite.
 *
 * @example
 * ```ts
 * import { fitTemperature } from '@descent/loop'
 * const sure = Float32Array.of(4, 4, 4, -4) // right in three of four cases: sigmoid(4 / T) should be 0.75
 * console.log(fitTemperature(sure, Int32Array.of(1, 1, 0, 0)).temperature.toFixed(3)) // → 3.641
 * ```
 */
export function fitTemperature(logits: Float32Array, truths: Int32Array): Temperature {
  const z = asPairs(logits, truths)
  const width = z.length / truths.length
  for (const [i, truth] of truths.entries()) {
    if (!(truth >= 0 && truth < width))
      throw new RangeError(`Example ${i} is of class ${truth}; there are ${width} (0 to ${width - 1}).`)
  }
  const wrong = z.findIndex((x) => !Number.isFinite(x))
  if (wrong >= 0) throw new RangeError(`A logit of example ${Math.floor(wrong / width)} is ${z[wrong]}.`)
  let [low, high] = [1 / hottest, hottest]
  let beta = 1
  const [atLow, atHigh] = [low, high].map((end) => lossAt(z, truths, end).slope) as [number, number]
  if (atLow >= 0) beta = low
  else if (atHigh <= 0) beta = high
  else {
    for (let step = 0; step < 100 && high - low > 1e-10 * high; step++) {
      const { slope, curvature } = lossAt(z, truths, beta)
      if (slope < 0) low = beta
      else high = beta
      const next = beta - slope / curvature
      if (Math.abs(next - beta) < 1e-12 * beta) break
      beta = next > low && next < high ? next : (low + high) / 2
    }
  }
  return {
    temperature: 1 / beta,
    before: lossAt(z, truths, 1).loss,
    after: lossAt(z, truths, beta).loss,
    atBound: atLow >= 0 || atHigh <= 0,
  }
}

/** Logits [N, K] in float64; one logit z an example becomes 0 and z. */
function asPairs(logits: Float32Array, truths: Int32Array): Float64Array {
  if (truths.length === 0 || logits.length % truths.length !== 0)
    throw new RangeError(`fitTemperature: ${logits.length} logits do not fit ${truths.length} examples.`)
  if (logits.length > truths.length) return Float64Array.from(logits)
  const pairs = new Float64Array(2 * logits.length)
  for (const [i, z] of logits.entries()) pairs[2 * i + 1] = z
  return pairs
}

/** The mean loss of softmax(βz), and its first two derivatives by β. */
function lossAt(z: Float64Array, truths: Int32Array, beta: number) {
  const width = z.length / truths.length
  let [loss, slope, curvature] = [0, 0, 0]
  for (let i = 0; i < truths.length; i++) {
    const at = i * width
    const own = z[at + (truths[i] as number)] as number
    let highest = -Infinity
    for (let k = 0; k < width; k++) highest = Math.max(highest, z[at + k] as number)
    let [sum, first, second] = [0, 0, 0]
    for (let k = 0; k < width; k++) {
      // Differences to the highest: variance from small numbers keeps its digits.
      const below = (z[at + k] as number) - highest
      const e = Math.exp(beta * below)
      sum += e
      first += e * below
      second += e * below * below
    }
    const mean = first / sum
    loss += Math.log(sum) - beta * (own - highest)
    slope += mean - (own - highest)
    curvature += second / sum - mean * mean
  }
  const n = truths.length
  return { loss: loss / n, slope: slope / n, curvature: curvature / n }
}
