/** Draws of their own for each part of a work: trees and rounds must not depend on how many came before them. */
import { type Random, seeded } from '../random.ts'

/** The random numbers of a part of what a seed decides. */
export function drawsOf(seed: number, part: number): Random {
  return seeded((seed % 2 ** 52) + (part % 2 ** 20) * 2 ** 32)
}

/** `count` different ones of the numbers 0 … size − 1, in random order. */
export function sampleOf(draws: Random, size: number, count = size): Int32Array {
  const numbers = Int32Array.from({ length: size }, (_, i) => i)
  for (let i = 0; i < count; i++) {
    const j = i + draws.below(size - i)
    const kept = numbers[i] as number
    numbers[i] = numbers[j] as number
    numbers[j] = kept
  }
  return numbers.slice(0, count)
}
