/**
 * Shuffles that depend on a seed and the number of the epoch, and on nothing that happened before: so a training
 * can be taken up at any epoch. The random words are Philox4x32-10's (Salmon et al., SC 2011) as on the devices.
 */

/** Four random 32-bit words from a counter of four words and a key of two. */
export function philox4x32(counter: ArrayLike<number>, key0: number, key1: number, out: Uint32Array): void {
  let c0 = counter[0] as number
  let c1 = counter[1] as number
  let c2 = counter[2] as number
  let c3 = counter[3] as number
  let k0 = key0
  let k1 = key1
  for (let round = 0; round < 10; round++) {
    const next0 = multiplyHigh(0xcd9e8d57, c2) ^ c1 ^ k0
    const next2 = multiplyHigh(0xd2511f53, c0) ^ c3 ^ k1
    c1 = Math.imul(0xcd9e8d57, c2)
    c3 = Math.imul(0xd2511f53, c0)
    c0 = next0
    c2 = next2
    k0 += 0x9e3779b9
    k1 += 0xbb67ae85
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

/** The upper 32 bits of the product of two unsigned words. */
function multiplyHigh(a: number, b: number): number {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff]
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const other = aLow * bHigh + (middle % 0x10000)
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000)
}

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
  // 'shuf' keeps these draws apart from those of the devices' generator, whose last counter word is 0.
  const counter = Uint32Array.of(0, epoch, 0, 0x73687566)
  for (let i = count - 1; i > 0; i--) {
    const drawn = count - 1 - i
    if (drawn % 4 === 0) {
      counter[0] = drawn / 4
      philox4x32(counter, seed % 2 ** 32, Math.floor(seed / 2 ** 32), words)
    }
    const j = Math.floor(((words[drawn % 4] as number) * (i + 1)) / 2 ** 32)
    const kept = order[i] as number
    order[i] = order[j] as number
    order[j] = kept
  }
  return order
}
