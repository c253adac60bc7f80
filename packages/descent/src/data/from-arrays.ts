/** Tables of values that a program already has. */
import { ShapeError } from '../errors.ts'
import { ObjectRows } from './object-rows.ts'
import type { Table } from './table.ts'
import { TableBuilder, type TableOptions } from './table-builder.ts'

/** null, undefined and NaN are missing values. */
type Cell = number | bigint | string | boolean | Date | null | undefined

/**
 * A table of columns, each an array: `{ age: [36, 41], name: ['Ada', 'Alan'] }`. Throws ShapeError where they are not
 * equally long, and RowError for a value that is not of its column's type.
 *
 * @example
 * ```ts
 * import { data } from 'descent'
 * const table = data.fromArrays({ x: Float32Array.of(1, 2), kind: ['a', 'b'] }, { types: { kind: 'category' } })
 * console.log(table.types, table.row(1)) // → { x: 'number', kind: 'category' } { x: 2, kind: 'b' }
 * ```
 */
export function fromArrays(columns: Readonly<Record<string, ArrayLike<Cell>>>, options: TableOptions = {}): Table {
  const names = Object.keys(columns)
  const length = columns[names[0] ?? '']?.length ?? 0
  for (const name of names) {
    const own = columns[name]?.length
    if (own !== length)
      throw new ShapeError(`fromArrays: column '${name}' has ${own} values, '${names[0]}' has ${length}.`)
  }
  const builder = new TableBuilder({ file: 'The arrays', unit: 'row', written: false }, names, options)
  for (let i = 0; i < length; i++)
    builder.add(
      i + 1,
      builder.names.map((name) => presentOrNull(columns[name]?.[i])),
    )
  return builder.take(true).withSortedLevels()
}

/**
 * A table of rows, each an object: `[{ age: 36, name: 'Ada' }]`. A key that is missing is a missing value.
 *
 * @example
 * ```ts
 * import { data } from 'descent'
 * console.log(data.fromRows([{ x: 1 }, { x: 2, y: true }]).row(0)) // → { x: 1, y: null }
 * ```
 */
export function fromRows(rows: Iterable<Readonly<Record<string, Cell>>>, options: TableOptions = {}): Table {
  const made = new ObjectRows('The rows', 'row', options)
  let line = 1
  for (const row of rows) {
    made.add(line++, Object.fromEntries(Object.entries(row).map(([key, value]) => [key, presentOrNull(value)])))
  }
  return (made.take(true) as Table).withSortedLevels()
}

function presentOrNull(value: Cell): Cell {
  return value === undefined || Number.isNaN(value) ? null : value
}
