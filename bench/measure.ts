/** Order statistics of timings, and how long to measure. Times are in milliseconds. */
export interface Measured {
  readonly median: number
  readonly min: number
  readonly n: number
}

export function summary(times: readonly number[]): Measured {
  if (times.length === 0) throw new RangeError('no timings')
  const sorted = times.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
  return { median, min: sorted[0] as number, n: sorted.length }
}

/** Contenders take turns: `rounds` turns of about `turnMs` each, at least `least` steps a turn, `budgetMs` in all. */
export const schedule = { rounds: 7, turnMs: 120, least: 3, most: 3000, budgetMs: 8000 } as const
