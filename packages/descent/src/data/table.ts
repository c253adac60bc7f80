/**
 * A table: typed columns of equally many rows, in memory, whatever kind of file they come from. Rows remember where they
 * stood, so that a later complaint can name the place.
 */
import { ShapeError } from '../errors.ts'
import type { ColumnType, TableColumn } from './column-builder.ts'
import { permutation } from './permutation.ts'
import { Preprocessing, type PreprocessingOptions, TableDataset } from './preprocessing.ts'
import type { Skipped } from './row-error.ts'
import { type SplitOptions, splitNumbers } from './split.ts'
import { type TableValue, valueAt } from './table-value.ts'

/** Where a table's rows come from. */
export interface Origin {
  readonly file: string
  /** What `lines` counts. */
  readonly unit: 'line' | 'row'
  /** The line of the file on which each row begins, or its number there; from 1. */
  readonly lines: Int32Array
  readonly skipped: Skipped
}

/** Typed columns of equally many rows. Readers make them: see `readCsv`, `readJsonl`, `readParquet`, `fromArrays`. */
export class Table {
  readonly columns: readonly TableColumn[]
  readonly origin: Origin
  /** How many rows there are. */
  readonly length: number

  constructor(columns: readonly TableColumn[], origin: Origin) {
    this.columns = columns
    this.origin = origin
    this.length = origin.lines.length
    for (const { name, values } of columns) {
      if (values.length !== this.length)
        throw new ShapeError(`Table: column '${name}' has ${values.length} values, for ${this.length} rows.`)
    }
  }

  /** The type of each column, by name. */
  get types(): Readonly<Record<string, ColumnType>> {
    return Object.fromEntries(this.columns.map(({ name, type }) => [name, type]))
  }

  /** The rows of the file that were left out, and why. */
  get skipped(): Skipped {
    return this.origin.skipped
  }

  /** The column of this name. Throws RangeError, listing all names, where there is none. */
  column(name: string): TableColumn {
    const found = this.columns.find((column) => column.name === name)
    if (found) return found
    const names = this.columns.map((column) => `'${column.name}'`).join(', ')
    throw new RangeError(`There is no column '${name}' in ${this.origin.file}, which has ${names}.`)
  }

  /** A row's values by name, null where missing. Throws RangeError for a row that does not exist. */
  row(number: number): Record<string, TableValue> {
    if (!Number.isInteger(number) || number < 0 || number >= this.length)
      throw new RangeError(`Row ${number} does not exist: there are ${this.length}.`)
    return Object.fromEntries(this.columns.map((column) => [column.name, valueAt(column, number)]))
  }

  /** All rows, one after the other. */
  *rows(): Generator<Record<string, TableValue>> {
    for (let i = 0; i < this.length; i++) yield this.row(i)
  }

  /** Where a row stood, for people: `people.csv, line 3`. */
  place(row: number): string {
    return `${this.origin.file}, ${this.origin.unit} ${this.origin.lines[row]}`
  }

  /** The rows of these numbers, in this order. */
  select(numbers: Int32Array): Table {
    const columns = this.columns.map((column) => selected(column, numbers))
    const lines = Int32Array.from(numbers, (i) => this.origin.lines[i] as number)
    return new Table(columns, { ...this.origin, lines })
  }

  /**
   * The rows in random order, cut into parts: `table.split([0.8, 0.2])`. With `stratify`, the name of a column of
   * categories or booleans, each part has its values in the same shares.
   */
  split(parts: readonly number[], options: SplitOptions & { readonly stratify?: string } = {}): Table[] {
    const { stratify, seed = 0 } = options
    if (stratify === undefined) {
      return splitNumbers(permutation(this.length, seed, 0), parts).map((numbers) => this.select(numbers))
    }
    const column = this.column(stratify)
    if (column.type !== 'category' && column.type !== 'boolean')
      throw new RangeError(
        `split: '${stratify}' is a column of type ${column.type}; stratify by categories or booleans.`,
      )
    return splitNumbers(permutation(this.length, seed, 0), parts, column.values).map((numbers) => this.select(numbers))
  }

  /**
   * A dataset of this table: features x f32 [N, F], and a target: classes i32 [N] from categories, texts and booleans,
   * numbers f32 [N, T]. Numbers are standardised with the mean and deviation of this table; for data to test or validate
   * with, give the `preprocessing` of the training data instead. See `Preprocessing`.
   *
   * @example
   * ```ts
   * import { data } from 'descent'
   * const table = data.parseCsv('size,colour,kind\n1,red,a\n3,blue,b\n', { types: { colour: 'category', kind: 'category' } })
   * const dataset = table.toDataset({ target: 'kind' })
   * const { x, y } = dataset.batch(Int32Array.of(0, 1))
   * console.log(x.toArray(), y.toArray()) // → [ [ -1, 0, 1 ], [ 1, 1, 0 ] ] [ 0, 1 ]
   * console.log(dataset.preprocessing.featureNames) // → [ 'size', 'colour=blue', 'colour=red' ]
   * console.log(dataset.preprocessing.classes) // → [ 'a', 'b' ]
   * ```
   */
  toDataset(options: PreprocessingOptions | { readonly preprocessing: Preprocessing }): TableDataset {
    const preprocessing = 'preprocessing' in options ? options.preprocessing : Preprocessing.fit(this, options)
    return new TableDataset(this, preprocessing)
  }

  /** The first rows as text. */
  toString(): string {
    const shownRows = Math.min(5, this.length)
    const lines = [this.columns.map(({ name, type }) => `${name}: ${type}`)]
    for (let i = 0; i < shownRows; i++) lines.push(this.columns.map((column) => text(valueAt(column, i))))
    const widths = this.columns.map((_, c) => Math.max(...lines.map((line) => (line[c] as string).length)))
    const rows = lines.map((line) =>
      line
        .map((cell, c) => cell.padEnd(widths[c] as number))
        .join('  ')
        .trimEnd(),
    )
    const count = `${this.length} row${this.length === 1 ? '' : 's'}`
    return [...rows, this.skipped.count > 0 ? `${count}, ${this.skipped.count} skipped` : count].join('\n')
  }

  /** The same with levels in the order of their texts, so that it does not matter which came first. */
  withSortedLevels(): Table {
    const columns = this.columns.map((column): TableColumn => {
      if (column.type !== 'category') return column
      const levels = [...column.levels].sort()
      const places = new Map(levels.map((level, i) => [level, i]))
      const moved = column.levels.map((level) => places.get(level) as number)
      return { ...column, levels, values: column.values.map((level) => (level < 0 ? level : (moved[level] as number))) }
    })
    return new Table(columns, this.origin)
  }
}

function text(value: TableValue): string {
  if (value === null) return '–'
  return value instanceof Date ? value.toISOString() : String(value).slice(0, 40)
}

function selected(column: TableColumn, numbers: Int32Array): TableColumn {
  switch (column.type) {
    case 'number':
    case 'date':
      return { ...column, values: Float64Array.from(numbers, (i) => column.values[i] as number) }
    case 'boolean':
    case 'category':
      return { ...column, values: Int32Array.from(numbers, (i) => column.values[i] as number) }
    case 'text':
      return { ...column, values: Array.from(numbers, (i) => column.values[i] ?? null) }
  }
}
