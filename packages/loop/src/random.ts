/**
 * A small seeded generator for choices that need no tensors: which examples to look at, how to resample.
 * SplitMix64's finaliser in 32 bits as in `splitmix32` (Steele, Lea and Flood 2014); the same seed gives the same numbers everywhere.
 */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** A number from 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    let z = this.#state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32
  }

  /** A whole number from 0 to below `size`. */
  below(size: number): number {
    return Math.floor(this.next() * size)
  }

  /** Puts the items in a random order, in place (Fisher and Yates). */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const kept = items[i]
      items[i] = items[j]
      items[j] = kept
    }
    return items
  }
}
