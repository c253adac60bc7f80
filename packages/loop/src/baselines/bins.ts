/**
 * Columns cut into at most 254 bins at quantiles, a byte a value, column after column: trees look for splits among the
 * cuts only, and so pass over bytes instead of sorting numbers.
 */
import type { Pace } from './pace.ts'
import type { Table } from './rows.ts'

export interface Bins {
  readonly rows: number
  readonly columns: number
  /** Value (i, j) is in bin `codes[j * rows + i]`: 0 is that of missing values. */
  readonly codes: Uint8Array
  /** For each column, ascending: bin b ≥ 1 holds values up to and with `cuts[b − 1]`, the last bin those above all cuts. */
  readonly cuts: readonly Float64Array[]
}

export const MISSING = 0

/** The cuts of larger tables are those of a sample: quantiles of so many values are near enough. */
const MOST_SAMPLED = 10_000

/** Bins of a table. `most` is the largest number of bins a column, 2 to 254. */
export async function binned(x: Table, most: number, pace: Pace): Promise<Bins> {
  const { rows, columns, values } = x
  const codes = new Uint8Array(rows * columns)
  const cuts: Float64Array[] = []
  const column = new Float64Array(rows)
  const stride = Math.max(1, Math.floor(rows / MOST_SAMPLED))
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < rows; i++) column[i] = values[i * columns + j] as number
    const sample = column.filter((value, i) => i % stride === 0 && !Number.isNaN(value)).sort()
    const edges = cutsOf(sample, most)
    const out = codes.subarray(j * rows, (j + 1) * rows)
    for (let i = 0; i < rows; i++) out[i] = binOf(edges, column[i] as number)
    cuts.push(edges)
    if (pace.due()) await pace.rest(j / columns)
  }
  return { rows, columns, codes, cuts }
}

/** Cuts midway between neighbours: all of them where there are few different values, else at quantiles. */
function cutsOf(sorted: Float64Array, most: number): Float64Array {
  const between: number[] = []
  for (let i = 1; i < sorted.length && between.length <= most; i++) {
    if (sorted[i] !== sorted[i - 1]) between.push(middle(sorted[i - 1] as number, sorted[i] as number))
  }
  if (between.length < most) return Float64Array.from(between)
  const quantiles: number[] = []
  for (let b = 1; b < most; b++) {
    const i = Math.floor((b * sorted.length) / most)
    const value = sorted[i] as number
    // A value that fills several bins gets one of its own.
    let j = i
    while (j > 0 && sorted[j - 1] === value) j--
    if (j === 0) continue
    const cut = middle(sorted[j - 1] as number, value)
    if (quantiles.length === 0 || cut > (quantiles.at(-1) as number)) quantiles.push(cut)
  }
  return Float64Array.from(quantiles)
}

/** Between a and b, and below b, so that b is above the cut. */
function middle(a: number, b: number): number {
  const half = a + (b - a) / 2
  return half < b ? half : a
}

/** The first bin whose cut is not below the value; 0 where it is missing. */
export function binOf(cuts: Float64Array, value: number): number {
  if (Number.isNaN(value)) return MISSING
  let low = 0
  let high = cuts.length
  while (low < high) {
    const half = (low + high) >> 1
    if (value <= (cuts[half] as number)) high = half
    else low = half + 1
  }
  return low + 1
}
