/**
 * What a workload is: a step that can be repeated, and how much arithmetic and memory traffic it cannot do without.
 * The limits that the table shows follow from these two numbers.
 */
export interface Workload {
  readonly name: string
  /** In one line, for the table's foot. */
  readonly about: string
  /** Floating-point operations that a step cannot do without (a multiply-add counts as two). */
  readonly flops: number
  /** Bytes that a step must read or write in main memory: inputs and results larger than the caches. */
  readonly bytes: number
}

/** A step of a prepared workload; it ends when its result has been read. */
export type Step = () => unknown

/** Multiply-adds of one training step of a stack of linear layers, as operations; the first input needs no gradient. */
export function mlpStepFlops(batch: number, widths: readonly number[]): number {
  let flops = 0
  for (let i = 0; i + 1 < widths.length; i++) {
    const product = 2 * batch * (widths[i] as number) * (widths[i + 1] as number)
    flops += product * (i === 0 ? 2 : 3)
  }
  return flops
}

/** A fixed sequence of numbers in [−1, 1), the same for every contender. */
export function sequence(length: number, seed = 1): Float32Array {
  const values = new Float32Array(length)
  let state = seed >>> 0
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    values[i] = state / 2 ** 31 - 1
  }
  return values
}

export function classes(length: number, count: number): Int32Array {
  return Int32Array.from(sequence(length, 7), (x) => Math.floor(((x + 1) / 2) * count))
}
