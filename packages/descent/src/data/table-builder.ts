/**
 * From rows to a table: waits for a sample of rows, decides what each column holds where nobody has said so, then
 * writes rows into typed columns. The same for every kind of file.
 */
import { FormatError } from '../errors.ts'
import { type ColumnBuilder, type ColumnType, columnBuilder, columnTypes, described } from './column-builder.ts'
import { inferType } from './infer.ts'
import { BadRows, type OnBadRow, type Place, RowError, shown } from './row-error.ts'
import { Table } from './table.ts'

/** What all readers of tables take. */
export interface TableOptions {
  /** Types of columns by name; the others are inferred from the first rows. */
  readonly types?: Readonly<Record<string, ColumnType>>
  /** Only these columns. Default: all. */
  readonly columns?: readonly string[]
  /** Columns, or all of them, in which a missing value makes the row a bad one. Default: none. */
  readonly required?: readonly string[] | true
  /** What happens with rows that cannot be used: `'error'` (default), `'skip'` (counted in `table.skipped`), or a function
   * that is given each and may throw. */
  readonly onBadRow?: OnBadRow
  /** From how many rows types are inferred. Default 1000. */
  readonly inferRows?: number
}

export interface Layout {
  /** The file's name in errors. */
  readonly file: string
  readonly unit: 'line' | 'row'
  /** Whether values are texts that stand for numbers, as in CSV. */
  readonly written: boolean
}

const encoder = /* @__PURE__ */ new TextEncoder()

export class TableBuilder {
  readonly names: readonly string[]
  readonly bad: BadRows
  /** Where each name stands in the file's rows. */
  readonly positions: readonly number[]
  /** For each name whether a missing value is an error. */
  readonly required: readonly boolean[]
  /** The columns, once their types are known. */
  builders: readonly ColumnBuilder[] | null = null
  /** The number of the row that is written next. */
  length = 0
  readonly #layout: Layout
  readonly #types: readonly (ColumnType | undefined)[]
  readonly #inferRows: number
  #lines = new Int32Array(64)
  #sample: { readonly line: number; readonly values: readonly unknown[] }[] = []

  /** Throws FormatError for names that stand twice, and for options about columns that the file does not have. */
  constructor(layout: Layout, header: readonly string[], options: TableOptions, bad = new BadRows(options.onBadRow)) {
    const { types = {}, columns, required = [], inferRows = 1000 } = options
    const { file } = layout
    for (const [i, name] of header.entries()) {
      const first = header.indexOf(name)
      if (first < i) throw new FormatError(`${file}: columns ${first + 1} and ${i + 1} are both named '${name}'.`)
    }
    const named = [...Object.keys(types), ...(columns ?? []), ...(required === true ? [] : required)]
    for (const name of named) {
      if (!header.includes(name))
        throw new FormatError(`${file} has no column '${name}'. It has ${header.map((h) => `'${h}'`).join(', ')}.`)
    }
    for (const [name, type] of Object.entries(types)) {
      if (!columnTypes.includes(type))
        throw new RangeError(`${file}: column '${name}' cannot have type '${type}', only ${columnTypes.join(', ')}.`)
    }
    this.#layout = layout
    this.names = columns ?? header
    this.positions = this.names.map((name) => header.indexOf(name))
    this.required = this.names.map((name) => required === true || required.includes(name))
    this.#types = this.names.map((name) => (Object.hasOwn(types, name) ? types[name] : undefined))
    this.#inferRows = inferRows
    this.bad = bad
    if (this.#types.every((type) => type !== undefined)) this.#decide()
  }

  /** A row of values, one a name, null where missing. */
  add(line: number, values: readonly unknown[]): void {
    if (this.builders) {
      this.#write(this.builders, line, values)
      return
    }
    this.#sample.push({ line, values })
    if (this.#sample.length >= this.#inferRows) this.#decide()
  }

  /** Keeps the row that was written at `length`. */
  commit(line: number): void {
    if (this.length === this.#lines.length) {
      const lines = new Int32Array(2 * this.length)
      lines.set(this.#lines)
      this.#lines = lines
    }
    this.#lines[this.length++] = line
  }

  /** Counts or throws a bad row; column c is the c-th of `names`. */
  reject(line: number, c: number, reason: 'type' | 'missing' | 'encoding', value?: unknown): void {
    const columnName = this.names[c] as string
    const type = this.builders?.[c]?.type ?? 'text'
    const inferred = this.#types[c] === undefined && reason === 'type'
    const what =
      reason === 'missing'
        ? 'the value is missing.'
        : reason === 'encoding'
          ? 'the text is not UTF-8.'
          : `${shown(value)} is not ${described[type]}.${inferred ? ` Most of the values before ${this.length < this.#inferRows ? 'and after ' : ''}it are: correct it, list it in \`missing\`, skip such rows with \`onBadRow: 'skip'\`, or declare \`types: { ${JSON.stringify(columnName)}: 'text' }\`.` : ''}`
    const place: Place = { unit: this.#layout.unit, line, column: (this.positions[c] as number) + 1, columnName }
    this.bad.add(new RowError(this.#layout.file, place, reason, what))
  }

  /** The rows so far, which it then forgets. `last`: no more will come. */
  take(last: boolean): Table {
    if (last && !this.builders) this.#decide()
    const { length, builders } = this
    const columns = (builders ?? []).map((builder) => builder.take(length))
    const lines = this.#lines.slice(0, length)
    this.length = 0
    return new Table(columns, { lines, unit: this.#layout.unit, file: this.#layout.file, skipped: this.bad.skipped() })
  }

  #decide(): void {
    const sample = this.#sample
    this.#sample = []
    const builders = this.names.map((name, c) =>
      columnBuilder(
        name,
        this.#types[c] ??
          inferType(
            sample.map(({ values }) => values[c]),
            this.#layout.written,
          ),
      ),
    )
    this.builders = builders
    for (const { line, values } of sample) this.#write(builders, line, values)
  }

  #write(builders: readonly ColumnBuilder[], line: number, values: readonly unknown[]): void {
    for (const [c, builder] of builders.entries()) {
      const value = values[c]
      if (value === null || value === undefined) {
        if (this.required[c]) {
          this.reject(line, c, 'missing')
          return
        }
        builder.setMissing(this.length)
      } else if (!this.#set(builder, value)) {
        this.reject(line, c, 'type', value)
        return
      }
    }
    this.commit(line)
  }

  #set(builder: ColumnBuilder, value: unknown): boolean {
    if (!this.#layout.written || typeof value !== 'string') return builder.setValue(this.length, value)
    const bytes = encoder.encode(value)
    return builder.setBytes(this.length, bytes, 0, bytes.length)
  }
}
