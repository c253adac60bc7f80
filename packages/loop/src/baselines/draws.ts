/** Seeded draws for bootstraps, samples and shuffles: the same seed gives the same numbers everywhere. */

/** SplitMix32's stream of 32-bit words (Steele, Lea and Flood, OOPSLA 2014, with the mixer of MurmurHash3). */
export class Draws {
  #state: number

  constructor(seed: number, stream = 0) {
    this.#state = mix((seed >>> 0) ^ mix(Math.floor(seed / 2 ** 32) ^ mix(stream + 0x9e3779b9)))
  }

  /** A whole number from 0 to `count` − 1. */
  below(count: number): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    return Math.floor(((mix(this.#state) >>> 0) * count) / 2 ** 32)
  }

  /** `count` different ones of the numbers 0 … size − 1, in random order. */
  sample(size: number, count = size): Int32Array {
    const numbers = Int32Array.from({ length: size }, (_, i) => i)
    for (let i = 0; i < count; i++) {
      const j = i + this.below(size - i)
      const kept = numbers[i] as number
      numbers[i] = numbers[j] as number
      numbers[j] = kept
    }
    return numbers.slice(0, count)
  }
}

function mix(word: number): number {
  let z = word | 0
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
  return z ^ (z >>> 16)
}
