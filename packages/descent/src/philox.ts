/**
 * Philox4x32-10 on the host: the same words as the kernels of `ops/random.ts` compute (Salmon et al., "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011). For shuffles and small first values, where a kernel would cost more to
 * compile than to do without.
 */

/** Four random 32-bit words from a counter of four words and a key of two. */
export function philox4x32(counter: ArrayLike<number>, key: ArrayLike<number>, out: Int32Array | Uint32Array): void {
  let c0 = (counter[0] as number) | 0
  let c1 = (counter[1] as number) | 0
  let c2 = (counter[2] as number) | 0
  let c3 = (counter[3] as number) | 0
  let k0 = (key[0] as number) | 0
  let k1 = (key[1] as number) | 0
  for (let round = 0; round < 10; round++) {
    const next0 = multiplyHigh(0xcd9e8d57, c2) ^ c1 ^ k0
    const next2 = multiplyHigh(0xd2511f53, c0) ^ c3 ^ k1
    c1 = Math.imul(0xcd9e8d57, c2)
    c3 = Math.imul(0xd2511f53, c0)
    c0 = next0
    c2 = next2
    k0 = (k0 + 0x9e3779b9) | 0
    k1 = (k1 + 0xbb67ae85) | 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

/** The upper 32 bits of the product of two unsigned words, by halves. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16
  const aLow = a & 0xffff
  const bHigh = b >>> 16
  const bLow = b & 0xffff
  const highLow = Math.imul(aHigh, bLow)
  const lowHigh = Math.imul(aLow, bHigh)
  const carry = ((Math.imul(aLow, bLow) >>> 16) + (highLow & 0xffff) + (lowHigh & 0xffff)) >>> 16
  return (Math.imul(aHigh, bHigh) + (highLow >>> 16) + (lowHigh >>> 16) + carry) | 0
}
