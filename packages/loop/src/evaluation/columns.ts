/** Cutting examples into slices by a column of values. */

/** Categories, null for a missing one; or numbers, NaN for a missing one. */
export interface Column {
  readonly name: string
  readonly values: readonly (string | null)[] | Float64Array
  /** How a number is written in the names of slices; where not given, with as many digits as it takes. */
  readonly write?: (value: number) => string
}

/** The examples of a column's value or range. */
export interface Slice {
  readonly column: string
  /** The value or range, in words. */
  readonly name: string
  /** Ascending. */
  readonly rows: Int32Array
}

const missing = 'missing'

/**
 * The slices of a column: one a category; for numbers one for each of `quantiles` equally large ranges (fewer where many
 * values are equal), or one a value where there are no more values than that. Each example lies in exactly one. Throws
 * RangeError for fewer than two quantiles.
 */
export function sliceColumn({ name, values, write }: Column, quantiles = 4): Slice[] {
  if (!(Number.isInteger(quantiles) && quantiles >= 2))
    throw new RangeError(`quantiles must be a whole number from 2, not ${quantiles}.`)
  const nameOf =
    values instanceof Float64Array ? rangeNames(values, quantiles, write) : (row: number) => values[row] ?? missing
  const groups = Map.groupBy(values.keys(), nameOf)
  return Array.from(groups, ([slice, rows]) => ({ column: name, name: slice, rows: Int32Array.from(rows) }))
}

function rangeNames(values: Float64Array, quantiles: number, write: Column['write']): (row: number) => string {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort()
  const distinct = new Set(sorted)
  if (distinct.size <= quantiles) {
    const short = write ?? writer([...distinct])
    return (row) => (Number.isNaN(values[row]) ? missing : short(values[row] as number))
  }
  const cuts = Array.from(
    { length: quantiles - 1 },
    (_, q) => sorted[Math.ceil(((q + 1) * sorted.length) / quantiles) - 1] as number,
  )
  // A range ends with its cut; the last cut may be the largest value, above which there is nothing.
  const ends = [...new Set(cuts)].filter((cut) => cut < (sorted.at(-1) as number))
  const short = write ?? writer(ends)
  const names = [...ends, Infinity].map((end, r) => {
    const start = ends[r - 1]
    if (start === undefined) return `up to ${short(end)}`
    return end === Infinity ? `above ${short(start)}` : `above ${short(start)}, up to ${short(end)}`
  })
  return (row) => {
    const value = values[row] as number
    if (Number.isNaN(value)) return missing
    const range = ends.findIndex((end) => value <= end)
    return names[range < 0 ? names.length - 1 : range] as string
  }
}

/** Writes numbers with six digits, or as many more as it takes to tell these apart. */
function writer(numbers: readonly number[]): (value: number) => string {
  const digits = [6, 9, 12, 15, 17]
  const enough = digits.find((d) => new Set(numbers.map((value) => value.toPrecision(d))).size === numbers.length) ?? 17
  return (value) => String(Number(value.toPrecision(enough)))
}
