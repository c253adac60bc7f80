/** JSON Lines from files. Loaded by `readJsonl` and by streams. */
import { FormatError } from '../errors.ts'
import { byteStream } from './byte-stream.ts'
import { joined } from './bytes.ts'
import { EncodingError, textOf } from './field.ts'
import { type FileSource, sourceName } from './file-source.ts'
import { type JsonRow, ObjectRows } from './object-rows.ts'
import { RowError, shown } from './row-error.ts'
import type { Table } from './table.ts'
import type { TableOptions } from './table-builder.ts'

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

/** See `readJsonl`. */
export async function readJsonlFile(source: FileSource, options: TableOptions): Promise<Table> {
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
