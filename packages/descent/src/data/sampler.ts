/** Which examples an epoch has, and in which order. */
import { Draws } from './draws.ts'

/** Decides which examples an epoch has, and in which order. */
export interface Sampler {
  /** How many examples an epoch has. */
  readonly length: number
  /** Their numbers: decided by the seed and the number of the epoch. */
  order(seed: number, epoch: number): Int32Array
}

/**
 * Draws examples with probabilities in proportion to their weights: with replacement (default), so that rare ones come
 * often enough, or without. torch.utils.data.WeightedRandomSampler.
 *
 * Throws RangeError for weights that are negative or not finite, or all zero, and for more examples than there are
 * to draw without replacement.
 *
 * @example
 * ```ts
 * import { data } from 'descent'
 * const labels = Int32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
 * const sampler = new data.WeightedRandomSampler(data.balancedWeights(labels), { numSamples: 1000 })
 * const ones = sampler.order(1, 0).filter((i) => labels[i] === 1).length
 * console.log(ones > 450 && ones < 550) // → true
 * ```
 */
export class WeightedRandomSampler implements Sampler {
  readonly length: number
  readonly #sums: Float64Array
  readonly #replacement: boolean

  constructor(
    weights: ArrayLike<number>,
    options: { readonly numSamples?: number; readonly replacement?: boolean } = {},
  ) {
    const { numSamples = weights.length, replacement = true } = options
    this.#sums = new Float64Array(weights.length)
    let sum = 0
    let drawable = 0
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i] as number
      if (!(weight >= 0 && weight < Infinity))
        throw new RangeError(`WeightedRandomSampler: weight ${i} is ${weight}; weights are finite and not negative.`)
      if (weight > 0) drawable++
      sum += weight
      this.#sums[i] = sum
    }
    if (sum === 0) throw new RangeError('WeightedRandomSampler: all weights are zero.')
    if (!Number.isInteger(numSamples) || numSamples < 1 || (!replacement && numSamples > drawable)) {
      throw new RangeError(
        `WeightedRandomSampler: ${numSamples} examples cannot be drawn${replacement ? '' : ` without replacement from ${drawable}`}.`,
      )
    }
    this.length = numSamples
    this.#replacement = replacement
  }

  order(seed: number, epoch: number): Int32Array {
    const sums = this.#sums
    const draws = new Draws(seed)
    draws.begin(epoch, 0, 255)
    if (!this.#replacement) {
      // The largest u^(1/w), by Efraimidis and Spirakis, "Weighted random sampling with a reservoir" (2006).
      const keys = Float64Array.from(sums, (sum, i) => {
        const weight = sum - (sums[i - 1] ?? 0)
        return weight === 0 ? -Infinity : Math.log(1 - draws.uniform()) / weight
      })
      const sorted = Array.from(keys, (_, i) => i).sort((a, b) => (keys[b] as number) - (keys[a] as number) || a - b)
      return Int32Array.from(sorted.slice(0, this.length))
    }
    const total = sums.at(-1) as number
    return Int32Array.from({ length: this.length }, () => {
      const wanted = draws.uniform() * total
      let [low, high] = [0, sums.length - 1]
      while (low < high) {
        const middle = (low + high) >> 1
        if ((sums[middle] as number) > wanted) high = middle
        else low = middle + 1
      }
      return low
    })
  }
}

/** A weight for each example, 1 / (how many have its class): so that classes come equally often. */
export function balancedWeights(labels: ArrayLike<number>): Float64Array {
  const counts = new Map<number, number>()
  for (let i = 0; i < labels.length; i++) counts.set(labels[i] as number, (counts.get(labels[i] as number) ?? 0) + 1)
  return Float64Array.from(labels, (label) => 1 / (counts.get(label) as number))
}
