/** One value of a column, as JavaScript has it. */
import type { TableColumn } from './column-builder.ts'

/** null: missing. */
export type TableValue = number | string | boolean | Date | null

export function valueAt(column: TableColumn, row: number): TableValue {
  const value = column.values[row] as number | string | null
  if (value === null || Number.isNaN(value)) return null
  switch (column.type) {
    case 'number':
    case 'text':
      return value
    case 'date':
      return new Date(value)
    case 'boolean':
      return value === -1 ? null : value === 1
    case 'category':
      return value === -1 ? null : (column.levels[value as number] ?? null)
  }
}
