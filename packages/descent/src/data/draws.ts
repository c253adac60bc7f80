/**
 * Random numbers for one example: a function of seed, epoch, the example's number and which step asks, so that they do not
 * depend on the batch it is in, or on the thread.
 */
import { philox4x32 } from '../philox.ts'

export class Draws {
  readonly #key: readonly [number, number]
  readonly #counter = new Uint32Array(4)
  readonly #words = new Uint32Array(4)
  #at = 4

  constructor(seed: number) {
    this.#key = [seed % 2 ** 32, Math.floor(seed / 2 ** 32)]
  }

  /** Begins the numbers of one example in step `step` of those that change it. */
  begin(epoch: number, number: number, step: number): void {
    this.#counter[0] = 0
    this.#counter[1] = epoch
    this.#counter[2] = number
    // 'aug' keeps these apart from the draws of shuffles and of the devices' generator.
    this.#counter[3] = 0x61756700 + step
    this.#at = 4
  }

  /** Uniform in [0, 1), a multiple of 2⁻³². */
  uniform(): number {
    if (this.#at === 4) {
      philox4x32(this.#counter, this.#key, this.#words)
      this.#counter[0] = (this.#counter[0] as number) + 1
      this.#at = 0
    }
    return (this.#words[this.#at++] as number) / 2 ** 32
  }

  /** Uniform in [−limit, limit). */
  within(limit: number): number {
    return (2 * this.uniform() - 1) * limit
  }

  /** A whole number in [0, count). */
  below(count: number): number {
    return Math.floor(this.uniform() * count)
  }

  /** Standard normal, by Box and Muller's transform. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** Gamma of this shape and scale 1 (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000). */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * (1 - this.uniform()) ** (1 / shape)
    const d = shape - 1 / 3
    for (;;) {
      const x = this.normal()
      const v = (1 + x / Math.sqrt(9 * d)) ** 3
      if (v > 0 && Math.log(1 - this.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
    }
  }

  beta(a: number, b: number): number {
    const x = this.gamma(a)
    return x / (x + this.gamma(b))
  }
}
