/** Columns of numbers and of categories as one table: a category becomes a column of its own, 1 where it holds. */
import { UserError } from '../errors.ts'
import type { Table } from './rows.ts'

export type Column =
  /** NaN where a value is missing. */
  | { readonly kind: 'numbers'; readonly name: string; readonly values: ArrayLike<number> }
  /** The number of each row's category, −1 where it is missing; a number beyond them for another category. */
  | {
      readonly kind: 'categories'
      readonly name: string
      readonly categories: readonly string[]
      readonly codes: ArrayLike<number>
    }

/** A table, and the names of its columns: `Island = Dream` for a category. Throws UserError where lengths differ. */
export function encodeColumns(columns: readonly Column[]): { readonly table: Table; readonly names: string[] } {
  const names = columns.flatMap((column) => {
    return column.kind === 'numbers' ? [column.name] : column.categories.map((c) => `${column.name} = ${c}`)
  })
  const [first] = columns
  const rows = first ? lengthOf(first) : 0
  const odd = columns.find((column) => lengthOf(column) !== rows)
  if (odd) throw new UserError(`Column '${odd.name}' has ${lengthOf(odd)} rows, but '${first?.name}' has ${rows}.`)
  const values = new Float64Array(rows * names.length)
  let at = 0
  for (const column of columns) {
    const width = column.kind === 'numbers' ? 1 : column.categories.length
    for (let i = 0; i < rows; i++) {
      const from = i * names.length + at
      if (column.kind === 'numbers') values[from] = column.values[i] as number
      else {
        const code = column.codes[i] as number
        if (code < 0) values.fill(NaN, from, from + width)
        else if (code < width) values[from + code] = 1
      }
    }
    at += width
  }
  return { table: { rows, columns: names.length, values }, names }
}

function lengthOf(column: Column): number {
  return column.kind === 'numbers' ? column.values.length : column.codes.length
}
