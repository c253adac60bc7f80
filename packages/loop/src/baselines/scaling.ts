/**
 * Columns brought to mean 0 and standard deviation 1, with missing values at the mean: what linear models and distances
 * need, and what they must remember to do the same to rows that come later.
 */
import type { Table } from './rows.ts'

export interface Scaling {
  /** The means of what is not missing; 0 where a column is missing throughout. */
  readonly means: Float64Array
  /** The standard deviations; 1 where a column is constant. */
  readonly deviations: Float64Array
}

/** Means and standard deviations of the columns, without the missing values. */
export function scalingOf({ rows, columns, values }: Table): Scaling {
  const counts = new Float64Array(columns)
  const means = new Float64Array(columns)
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at++) {
      const value = values[at] as number
      if (!Number.isNaN(value)) {
        counts[j] = (counts[j] as number) + 1
        means[j] = (means[j] as number) + value
      }
    }
  }
  for (let j = 0; j < columns; j++) means[j] = (means[j] as number) / Math.max(counts[j] as number, 1)
  const squares = new Float64Array(columns)
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at++) {
      const off = (values[at] as number) - (means[j] as number)
      if (!Number.isNaN(off)) squares[j] = (squares[j] as number) + off * off
    }
  }
  const deviations = squares.map((square, j) => {
    const deviation = Math.sqrt(square / Math.max(counts[j] as number, 1))
    return deviation > 1e-12 * Math.max(1, Math.abs(means[j] as number)) ? deviation : 1
  })
  return { means, deviations }
}

/** Rows `from` … `to` − 1, scaled: missing values become 0. */
export function scaleInto(out: Float32Array | Float64Array, x: Table, from: number, to: number, by: Scaling): void {
  const { columns, values } = x
  const { means, deviations } = by
  for (let i = from, at = from * columns, into = 0; i < to; i++) {
    for (let j = 0; j < columns; j++, at++, into++) {
      const off = (values[at] as number) - (means[j] as number)
      out[into] = Number.isNaN(off) ? 0 : off / (deviations[j] as number)
    }
  }
}
