/** JSON Lines (https://jsonlines.org): one object a line, each a row; a key is a column. */
import { FormatError } from '../errors.ts'
import { byteStream, type FileSource, joined, sourceName } from './byte-stream.ts'
import { EncodingError, textOf } from './field.ts'
import { BadRows, RowError, shown } from './row-error.ts'
import type { Table } from './table.ts'
import { TableBuilder, type TableOptions } from './table-builder.ts'

type JsonRow = Readonly<Record<string, unknown>>

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

class JsonlParser {
  readonly #file: string
  readonly #rows: ObjectRows
  #rest: Uint8Array = new Uint8Array(0)
  #line = 1

  constructor(file: string, options: TableOptions) {
    this.#file = file
    this.#rows = new ObjectRows(file, 'line', options)
  }

  push(piece: Uint8Array): void {
    const bytes = joined(this.#rest, piece)
    let at = this.#line === 1 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
    for (;;) {
      const end = bytes.indexOf(10, at)
      if (end < 0) break
      this.#read(bytes, at, end)
      at = end + 1
    }
    this.#rest = bytes.slice(at)
  }

  take(last: boolean): Table | null {
    if (last) this.#read(this.#rest, 0, this.#rest.length)
    return this.#rows.take(last)
  }

  #read(bytes: Uint8Array, start: number, end: number): void {
    const line = this.#line++
    const fail = (reason: 'encoding' | 'syntax', what: string): void =>
      this.#rows.bad.add(new RowError(this.#file, { line }, reason, what))
    let row: unknown
    try {
      const text = textOf(bytes, start, end).trim()
      if (text === '') return
      row = JSON.parse(text)
    } catch (error) {
      if (error instanceof EncodingError) fail('encoding', 'the text is not UTF-8.')
      else fail('syntax', `this is not JSON (${(error as Error).message}).`)
      return
    }
    if (row === null || typeof row !== 'object' || Array.isArray(row))
      fail('syntax', `a line must be an object {…}, not ${shown(JSON.stringify(row))}.`)
    else this.#rows.add(line, row as JsonRow)
  }
}

/**
 * Reads JSON Lines, one object a line, into a table: see `readCsv` for sources and options. Strings are categories,
 * texts or dates, never numbers. A key that a row lacks, and null, are missing values. Throws RowError, naming the line,
 * for lines that are no objects, for a key that none of the first rows has, and for values of another type.
 *
 * @example
 * ```ts
 * import { data } from 'descent'
 * const bytes = new TextEncoder().encode('{"x": 1, "ok": true}\n{"x": 2.5}\n')
 * const table = await data.readJsonl(bytes)
 * console.log([...table.rows()]) // → [ { x: 1, ok: true }, { x: 2.5, ok: null } ]
 * ```
 */
export async function readJsonl(source: FileSource, options: TableOptions = {}): Promise<Table> {
  const file = sourceName(source, 'JSON Lines')
  const parser = new JsonlParser(file, options)
  for await (const piece of byteStream(source, file)) parser.push(piece)
  const table = parser.take(true) as Table
  if (table.columns.length === 0) throw new FormatError(`${file} holds no rows.`)
  return table.withSortedLevels()
}

/** The rows of a file in tables of as many as one piece of the file holds. */
export async function* jsonlTables(source: FileSource, options: TableOptions = {}): AsyncGenerator<Table> {
  const file = sourceName(source, 'JSON Lines')
  const parser = new JsonlParser(file, options)
  for await (const piece of byteStream(source, file)) {
    parser.push(piece)
    const table = parser.take(false)
    if (table && table.length > 0) yield table
  }
  yield parser.take(true) as Table
}
