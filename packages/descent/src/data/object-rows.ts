/** Rows that are objects: from JSON Lines and from the program. */
import { BadRows, RowError, shown } from './row-error.ts'
import type { Table } from './table.ts'
import { TableBuilder, type TableOptions } from './table-builder.ts'

export type JsonRow = Readonly<Record<string, unknown>>

/** Rows that are objects, in a table: the columns are the keys of the first rows, or those that were asked for. */
export class ObjectRows {
  readonly bad: BadRows
  readonly #file: string
  readonly #unit: 'line' | 'row'
  readonly #options: TableOptions
  readonly #sampleRows: number
  #sample: { readonly line: number; readonly row: JsonRow }[] = []
  #builder: TableBuilder | null = null
  #known: ReadonlySet<string> = new Set()

  constructor(file: string, unit: 'line' | 'row', options: TableOptions) {
    this.#file = file
    this.#unit = unit
    this.#options = options
    this.#sampleRows = options.inferRows ?? 1000
    this.bad = new BadRows(options.onBadRow)
  }

  add(line: number, row: JsonRow): void {
    if (this.#builder) this.#put(this.#builder, line, row)
    else if (this.#sample.push({ line, row }) >= this.#sampleRows) this.#begin()
  }

  take(last: boolean): Table | null {
    if (last && !this.#builder) this.#begin()
    return this.#builder?.take(last) ?? null
  }

  #begin(): TableBuilder {
    const names = new Set(this.#options.columns ?? this.#sample.flatMap(({ row }) => Object.keys(row)))
    this.#known = names
    const layout = { file: this.#file, unit: this.#unit, written: false }
    const builder = new TableBuilder(layout, [...names], this.#options, this.bad)
    this.#builder = builder
    for (const { line, row } of this.#sample) this.#put(builder, line, row)
    this.#sample = []
    return builder
  }

  #put(builder: TableBuilder, line: number, row: JsonRow): void {
    if (!this.#options.columns) {
      const other = Object.keys(row).find((key) => !this.#known.has(key))
      if (other !== undefined) {
        const what = `none of the first ${this.#sampleRows} rows has the key ${shown(other)}. Say with \`columns\` which to read.`
        this.bad.add(new RowError(this.#file, { unit: this.#unit, line }, 'ragged', what))
        return
      }
    }
    builder.add(
      line,
      builder.names.map((name) => (Object.hasOwn(row, name) ? row[name] : null)),
    )
  }
}
