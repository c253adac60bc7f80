/**
 * What baselines learn from: rows of numbers, dense or sparse, and one target a row. Plain arrays; a missing value is
 * NaN in a dense table, and cannot occur in sparse rows, where what is not stored is zero.
 */
import { UserError } from '../errors.ts'

/** Rows of numbers, row after row: value (i, j) is `values[i * columns + j]`, NaN where it is missing. */
export interface Table {
  readonly rows: number
  readonly columns: number
  readonly values: Float64Array | Float32Array
}

/**
 * Compressed sparse rows: those of row i stand in `indices` and `values` from `starts[i]` up to `starts[i + 1]`, by
 * ascending column.
 */
export interface SparseRows {
  readonly rows: number
  readonly columns: number
  readonly starts: Int32Array
  readonly indices: Int32Array
  readonly values: Float32Array | Float64Array
}

export type Rows = Table | SparseRows

/** One target a row: a class from 0 to `classes` − 1, or a number. */
export type Targets = ClassTargets | NumberTargets

export interface ClassTargets {
  readonly kind: 'classes'
  readonly classes: number
  readonly labels: Int32Array
}

export interface NumberTargets {
  readonly kind: 'numbers'
  readonly values: Float64Array
}

export function isSparse(x: Rows): x is SparseRows {
  return 'starts' in x
}

/** The rows of these numbers, in this order; a row may come several times. */
export function takeRows<X extends Rows>(x: X, rows: ArrayLike<number>): X
export function takeRows(x: Rows, rows: ArrayLike<number>): Rows {
  if (!isSparse(x)) {
    const values = new (x.values instanceof Float32Array ? Float32Array : Float64Array)(rows.length * x.columns)
    for (let i = 0; i < rows.length; i++) {
      const from = (rows[i] as number) * x.columns
      values.set(x.values.subarray(from, from + x.columns), i * x.columns)
    }
    return { rows: rows.length, columns: x.columns, values }
  }
  const starts = new Int32Array(rows.length + 1)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    starts[i + 1] = (starts[i] as number) + (x.starts[row + 1] as number) - (x.starts[row] as number)
  }
  const size = starts[rows.length] as number
  const indices = new Int32Array(size)
  const values = new (x.values instanceof Float32Array ? Float32Array : Float64Array)(size)
  for (let i = 0; i < rows.length; i++) {
    const [from, to] = [x.starts[rows[i] as number] as number, x.starts[(rows[i] as number) + 1] as number]
    indices.set(x.indices.subarray(from, to), starts[i])
    values.set(x.values.subarray(from, to), starts[i])
  }
  return { rows: rows.length, columns: x.columns, starts, indices, values }
}

/** The targets of these rows. */
export function takeTargets<Y extends Targets>(y: Y, rows: ArrayLike<number>): Y
export function takeTargets(y: Targets, rows: ArrayLike<number>): Targets {
  if (y.kind === 'numbers')
    return { kind: 'numbers', values: Float64Array.from(rows, (row) => y.values[row] as number) }
  return { kind: 'classes', classes: y.classes, labels: Int32Array.from(rows, (row) => y.labels[row] as number) }
}

/** How many rows have a target. */
export function targetCount(y: Targets): number {
  return y.kind === 'classes' ? y.labels.length : y.values.length
}

/** Throws UserError where rows and targets do not belong together, or a target is not one. */
export function checkTraining(x: Rows, y: Targets): void {
  checkRows(x)
  const targets = targetCount(y)
  if (x.rows === 0) throw new UserError('There are no rows to learn from. Give at least one.')
  if (targets !== x.rows)
    throw new UserError(`There are ${x.rows} rows but ${targets} targets. Every row needs one target.`)
  if (y.kind === 'numbers') {
    const bad = y.values.findIndex((value) => !Number.isFinite(value))
    if (bad >= 0) throw new UserError(`The target of row ${bad} is ${y.values[bad]}. Leave out rows without a target.`)
    return
  }
  const bad = y.labels.findIndex((label) => label < 0 || label >= y.classes)
  if (bad >= 0) {
    const range = `The classes are numbered 0 to ${y.classes - 1}.`
    throw new UserError(`The target of row ${bad} is class ${y.labels[bad]}. ${range}`)
  }
}

/** Throws UserError where the arrays are not as long as the shape says, or a value is infinite. */
export function checkRows(x: Rows): void {
  if (isSparse(x)) {
    const stored = x.starts[x.rows] ?? 0
    if (x.starts.length !== x.rows + 1 || x.indices.length < stored || x.values.length < stored)
      throw new UserError(`Sparse rows: ${x.rows} rows need ${x.rows + 1} starts, and an index and a value each.`)
    return
  }
  if (x.values.length !== x.rows * x.columns) {
    const expected = `${x.rows} × ${x.columns} = ${x.rows * x.columns}`
    throw new UserError(`The table has ${x.values.length} values, not ${expected}.`)
  }
  for (let i = 0; i < x.values.length; i++) {
    if (Math.abs(x.values[i] as number) === Infinity) {
      const where = `row ${Math.floor(i / x.columns)}, column ${i % x.columns}`
      throw new UserError(`The value in ${where} is infinite. Use NaN for a missing value.`)
    }
  }
}

/** Throws UserError where rows to predict have another number of columns than those that were learned from. */
export function checkColumns(x: Rows, columns: number): void {
  checkRows(x)
  if (x.columns !== columns)
    throw new UserError(`The rows have ${x.columns} columns, but the model was fitted on ${columns}.`)
}
