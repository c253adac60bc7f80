/**
 * Shuffles that depend on a seed and the number of the epoch, and on nothing that happened before: so a training
 * can be taken up at any epoch.
 */
import { philox4x32 } from '../philox.ts'

/**
 * The numbers 0 … count−1 in an order drawn from `seed` and `epoch` (Fisher and Yates' shuffle).
 *
 * @example
 * ```ts
 * import { data } from 'descent'
 * console.log(data.permutation(5, 1, 0).length) // → 5
 * ```
 */
export function permutation(count: number, seed: number, epoch: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i)
  const words = new Uint32Array(4)
  const key = [seed % 2 ** 32, Math.floor(seed / 2 ** 32)]
  // 'shuf' keeps these draws apart from those of the devices' generator, whose last counter word is 0.
  const counter = Uint32Array.of(0, epoch, 0, 0x73687566)
  for (let i = count - 1; i > 0; i--) {
    const drawn = count - 1 - i
    if (drawn % 4 === 0) {
      counter[0] = drawn / 4
      philox4x32(counter, key, words)
    }
    const j = Math.floor(((words[drawn % 4] as number) * (i + 1)) / 2 ** 32)
    const kept = order[i] as number
    order[i] = order[j] as number
    order[j] = kept
  }
  return order
}
