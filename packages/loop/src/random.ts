/**
 * Seeded random numbers on the host: the same seed gives the same numbers on every machine. The generator is sfc32 (Doty-
 * Humphrey's small fast chaotic generator, PractRand), seeded through splitmix32 so that neighbouring seeds have nothing
 * in common. Not for secrets.
 */

/** A stream of random numbers. */
export interface Random {
  /** Uniform in [0, 1), multiples of 2⁻⁵³. */
  uniform(): number
  /** A whole number in [0, bound), for bounds up to 2³². */
  below(bound: number): number
  /** Standard normal (Box and Muller's transform). */
  normal(): number
  /** The numbers 0 … count−1 in random order (Fisher and Yates' shuffle). */
  permutation(count: number): Int32Array
}

/**
 * A generator of its own for a seed, a whole number from 0 to 2⁵³ − 1. Throws RangeError for another.
 *
 * @example
 * ```ts
 * import { seeded } from '@descent/loop'
 * console.log(seeded(7).below(100) === seeded(7).below(100)) // → true
 * ```
 */
export function seeded(seed: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`A seed is a whole number from 0 to 2^53 - 1, not ${seed}.`)
  const next = sfc32(seed)
  const uniform = () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53
  const below = (bound: number) => Math.floor((next() * bound) / 2 ** 32)
  return {
    uniform,
    below,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    permutation(count) {
      const order = Int32Array.from({ length: count }, (_, i) => i)
      for (let i = count - 1; i > 0; i--) {
        const j = below(i + 1)
        const kept = order[i] as number
        order[i] = order[j] as number
        order[j] = kept
      }
      return order
    },
  }
}

/** A function that gives 32 random bits a call, as an unsigned number. */
function sfc32(seed: number): () => number {
  let mixed = (seed ^ Math.imul(Math.floor(seed / 2 ** 32), 0x85ebca6b)) | 0
  const splitmix = () => {
    mixed = (mixed + 0x9e3779b9) | 0
    let z = mixed ^ (mixed >>> 16)
    z = Math.imul(z, 0x21f0aaad)
    z ^= z >>> 15
    z = Math.imul(z, 0x735a2d97)
    return z ^ (z >>> 15)
  }
  let [a, b, c, counter] = [splitmix(), splitmix(), splitmix(), 1]
  const next = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return sum >>> 0
  }
  for (let i = 0; i < 12; i++) next()
  return next
}
