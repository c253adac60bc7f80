/**
 * Sparse rows for models that need dense ones: only the columns that tell the classes apart best, by the chi-squared
 * statistic of Yang and Pedersen (1997), or that go along with a number best, by their correlation.
 */
import { isSparse, type Rows, type SparseRows, type Table, type Targets } from './rows.ts'

/** Dense rows, and which columns of the sparse ones they are; null where all rows were dense already. */
export interface DenseColumns {
  readonly table: Table
  readonly chosen: Int32Array | null
}

/** A table as it is; of sparse rows the `most` best columns. */
export function denseColumns(x: Rows, y: Targets, most: number): DenseColumns {
  if (!isSparse(x)) return { table: x, chosen: null }
  const scores = y.kind === 'classes' ? chiSquared(x, y.labels, y.classes) : correlations(x, y.values)
  const order = Int32Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b)
  const chosen = order.slice(0, most).filter((j) => (scores[j] as number) > 0)
  // One column is left where none says anything, so that there is a table at all.
  const kept = chosen.length > 0 ? chosen.sort() : Int32Array.of(0)
  return { table: pickColumns(x, kept), chosen: kept }
}

/** The chosen columns of sparse rows as a table; a table, and rows of which none are chosen, as they are. */
export function asTable(x: Rows, chosen: Int32Array | null): Table {
  if (!isSparse(x)) return x
  return pickColumns(x, chosen ?? Int32Array.from({ length: x.columns }, (_, j) => j))
}

function pickColumns(x: SparseRows, chosen: Int32Array): Table {
  const place = new Int32Array(x.columns).fill(-1)
  chosen.forEach((j, at) => {
    place[j] = at
  })
  const values = new Float64Array(x.rows * chosen.length)
  for (let i = 0; i < x.rows; i++) {
    for (let at = x.starts[i] as number; at < (x.starts[i + 1] as number); at++) {
      const into = place[x.indices[at] as number] as number
      if (into >= 0) values[i * chosen.length + into] = x.values[at] as number
    }
  }
  return { rows: x.rows, columns: chosen.length, values }
}

/**
 * χ² of each column between what its values sum to in each class and what they would sum to if the column did not
 * depend on the class. For values of 0 or more.
 */
export function chiSquared(x: SparseRows, labels: Int32Array, classes: number): Float64Array {
  const sums = new Float64Array(x.columns * classes)
  const shares = new Float64Array(classes)
  for (let i = 0; i < x.rows; i++) {
    const label = labels[i] as number
    shares[label] = (shares[label] as number) + 1 / x.rows
    for (let at = x.starts[i] as number; at < (x.starts[i + 1] as number); at++) {
      const into = (x.indices[at] as number) * classes + label
      sums[into] = (sums[into] as number) + (x.values[at] as number)
    }
  }
  const statistics = new Float64Array(x.columns)
  for (let j = 0; j < x.columns; j++) {
    let total = 0
    for (let k = 0; k < classes; k++) total += sums[j * classes + k] as number
    if (total <= 0) continue
    let statistic = 0
    for (let k = 0; k < classes; k++) {
      const expected = total * (shares[k] as number)
      if (expected > 0) statistic += ((sums[j * classes + k] as number) - expected) ** 2 / expected
    }
    statistics[j] = statistic
  }
  return statistics
}

/** The squared correlation of each column with the targets. */
export function correlations(x: SparseRows, targets: Float64Array): Float64Array {
  const mean = targets.reduce((sum, value) => sum + value, 0) / x.rows
  const sums = new Float64Array(x.columns)
  const squares = new Float64Array(x.columns)
  const products = new Float64Array(x.columns)
  for (let i = 0; i < x.rows; i++) {
    for (let at = x.starts[i] as number; at < (x.starts[i + 1] as number); at++) {
      const j = x.indices[at] as number
      const value = x.values[at] as number
      sums[j] = (sums[j] as number) + value
      squares[j] = (squares[j] as number) + value * value
      products[j] = (products[j] as number) + value * ((targets[i] as number) - mean)
    }
  }
  return products.map((product, j) => {
    const variance = (squares[j] as number) - (sums[j] as number) ** 2 / x.rows
    return variance > 1e-12 ? product ** 2 / variance : 0
  })
}
