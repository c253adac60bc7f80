/** Reading rows of class probabilities: the likeliest two, and the information in them. */

/** The two likeliest classes of a row, with their probabilities. A set of one class has itself twice, the second at 0. */
export interface TopTwo {
  readonly first: number
  readonly second: number
  readonly p: number
  readonly q: number
}

export function topTwo(values: Float32Array, width: number, row: number): TopTwo {
  let [first, second, p, q] = [0, 0, -1, -1]
  for (let c = 0; c < width; c++) {
    const value = values[row * width + c] as number
    if (value > p) [first, second, p, q] = [c, first, value, p]
    else if (value > q) [second, q] = [c, value]
  }
  return { first, second, p, q: Math.max(q, 0) }
}

/** −Σ p ln p of `width` values from `at`, in nats. */
export function entropyAt(values: Float32Array | Float64Array, width: number, at: number): number {
  let sum = 0
  for (let c = 0; c < width; c++) {
    const p = values[at + c] as number
    if (p > 0) sum -= p * Math.log(p)
  }
  return sum
}

/** The largest entropy of so many classes, or 1 where it would be 0: what entropies are divided by. */
export const mostEntropy = (width: number): number => (width > 1 ? Math.log(width) : 1)
