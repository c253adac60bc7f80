/**
 * One column as a feature: what was learned about it, and how its values are read as numbers from a table or from
 * objects: a number, NaN where it is missing, or for categories the number of the level, UNKNOWN where it has none.
 */
import { FormatError } from '../errors.ts'
import type { ColumnType, TableColumn } from './column-builder.ts'
import { dateOf } from './field.ts'
import { shown } from './row-error.ts'
import type { Table } from './table.ts'
import { type TableValue, valueAt } from './table-value.ts'

export type FeatureKind = ColumnType

/** Plain JSON. Its value in a batch is (value − shift) / scale, or what `encoding` says. */
export interface Feature {
  readonly name: string
  readonly type: FeatureKind
  readonly shift: number
  readonly scale: number
  /** Stands for missing values: a value, or the number of a level. */
  readonly fill: number
  /** Of categories. */
  readonly levels?: readonly string[]
  readonly encoding?: 'oneHot' | 'index'
}

/** Rows of a table, or objects with a value for each column. */
export type Rows = Table | readonly Readonly<Record<string, TableValue | undefined>>[]

export const UNKNOWN = -1

export function widthOf({ levels, encoding }: Feature): number {
  return levels && encoding === 'oneHot' ? levels.length : 1
}

export function featureReader(rows: Rows, feature: Feature): (row: number) => number {
  return Array.isArray(rows) ? objectReader(rows, feature) : columnReader((rows as Table).column(feature.name), feature)
}

function columnReader(column: TableColumn, { name, type, levels }: Feature): (row: number) => number {
  const { values } = column
  if (levels) {
    const places = new Map(levels.map((level, i) => [level, i]))
    if (column.type === 'category') {
      const moved = column.levels.map((level) => places.get(level) ?? UNKNOWN)
      return (row) => ((values[row] as number) < 0 ? Number.NaN : (moved[values[row] as number] as number))
    }
    return (row) => {
      const value = valueAt(column, row)
      return value === null ? Number.NaN : (places.get(levelText(value)) ?? UNKNOWN)
    }
  }
  if (column.type !== type) {
    // A column of which a file shows no value has no type to speak of.
    if (column.type === 'text' && column.values.every((value) => value === null)) return () => Number.NaN
    throw new FormatError(`Column '${name}' holds values of type ${column.type}; in the training data it was ${type}.`)
  }
  if (type === 'boolean') return (row) => ((values[row] as number) < 0 ? Number.NaN : (values[row] as number))
  return (row) => values[row] as number
}

/** A value as a level: dates in ISO 8601, the rest as it prints. */
export function levelText(value: TableValue): string {
  return value instanceof Date ? value.toISOString() : String(value)
}

function objectReader(
  rows: readonly Readonly<Record<string, TableValue | undefined>>[],
  feature: Feature,
): (row: number) => number {
  const { name, type, levels } = feature
  const places = new Map(levels?.map((level, i) => [level, i]))
  return (row) => {
    const value = rows[row]?.[name]
    if (value === null || value === undefined) return Number.NaN
    if (levels) return places.get(levelText(value)) ?? UNKNOWN
    const number =
      type === 'boolean'
        ? typeof value === 'boolean' || value === 0 || value === 1
          ? Number(value)
          : Number.NaN
        : type === 'date'
          ? value instanceof Date
            ? value.getTime()
            : dateOf(String(value))
          : typeof value === 'number'
            ? value
            : Number.NaN
    if (!Number.isFinite(number)) throw new FormatError(`Row ${row}: '${name}' is ${shown(value)}, not a ${type}.`)
    return number
  }
}
