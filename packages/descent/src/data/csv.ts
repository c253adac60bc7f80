/**
 * CSV (RFC 4180), of any size: bytes come in piece by piece, rows go into typed columns. Quotes, doubled quotes and line
 * breaks within them, CRLF, LF or CR, a byte order mark, gzip, any delimiter.
 */
import { FormatError } from '../errors.ts'
import { joined } from './bytes.ts'
import { CsvScanner, FAULTY, INCOMPLETE, undouble } from './csv-scanner.ts'
import { EncodingError, textOf } from './field.ts'
import type { FileSource } from './file-source.ts'
import { BadRows, RowError, shown } from './row-error.ts'
import type { Table } from './table.ts'
import { TableBuilder, type TableOptions } from './table-builder.ts'

/** How a CSV file is written, and what is wanted of it. */
export interface CsvOptions extends TableOptions {
  /** One character. Default ',', or a tab for files whose name ends in .tsv. */
  readonly delimiter?: string
  /** One character, or null where quotes mean nothing. Default '"'. */
  readonly quote?: string | null
  /** Whether the first row names the columns (default), or their names where it does not. */
  readonly header?: boolean | readonly string[]
  /** Texts that mean that there is no value. Default: '', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL'. */
  readonly missing?: readonly string[]
}

const MISSING: readonly string[] = ['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL']
/** A row that grows beyond this has lost its closing quote. */
const MOST_ROW_BYTES = 1 << 24

export class CsvParser {
  readonly #file: string
  readonly #options: CsvOptions
  readonly #scanner: CsvScanner
  readonly #quote: number
  readonly #missing: ReadonlySet<string>
  readonly #longestMissing: number
  /** 1 for bytes that a missing value may begin with. */
  readonly #missingFirst = new Uint8Array(256)
  readonly #bad: BadRows
  #builder: TableBuilder | null = null
  /** Columns of the file, once its first row is known. */
  #width = 0
  #rest = new Uint8Array(0)
  #line = 1
  #started = false
  #scratch = new Uint8Array(256)

  constructor(options: CsvOptions = {}, file = 'CSV data') {
    this.#file = file
    this.#options = options
    const delimiter = options.delimiter ?? (/\.(tsv|tab)(\.gz)?$/i.test(file) ? '\t' : ',')
    this.#quote = options.quote === null ? -1 : code('quote', options.quote ?? '"')
    this.#scanner = new CsvScanner(code('delimiter', delimiter), this.#quote)
    const missing = options.missing ?? MISSING
    this.#missing = new Set(missing)
    this.#longestMissing = Math.max(0, ...missing.map((text) => 3 * text.length))
    for (const text of missing) this.#missingFirst[new TextEncoder().encode(text)[0] ?? 0] = 1
    this.#bad = new BadRows(options.onBadRow)
  }

  push(piece: Uint8Array): void {
    this.#scan(joined(this.#rest, piece), false)
  }

  /** The rows so far, which it then forgets. `last`: no more bytes will come. Throws FormatError for an empty file. */
  take(last: boolean): Table | null {
    if (last) {
      this.#scan(this.#rest, true)
      if (!this.#builder) throw new FormatError(`${this.#file} is empty.`)
    }
    return this.#builder?.take(last) ?? null
  }

  #scan(bytes: Uint8Array, final: boolean): void {
    let at = 0
    if (!this.#started) {
      if (bytes.length < 3 && !final) {
        this.#rest = bytes.slice()
        return
      }
      this.#started = true
      if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
        throw new FormatError(`${this.#file} is UTF-16: save it as UTF-8.`)
      if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) at = 3
    }
    while (at < bytes.length) {
      let next = this.#scanner.scan(bytes, at, bytes.length, final)
      // A quote that is never closed would gather the rest of the file.
      if (next === INCOMPLETE && bytes.length - at > MOST_ROW_BYTES) {
        next = this.#scanner.scan(bytes, at, bytes.length, true)
        if (next !== FAULTY) throw new FormatError(`${this.#file}, line ${this.#line}: the row is longer than 16 MB.`)
      }
      if (next === INCOMPLETE) break
      if (next === FAULTY) {
        const end = bytes.indexOf(10, at)
        if (end < 0 && !final) break
        this.#rejectQuote()
        this.#line++
        at = end < 0 ? bytes.length : end + 1
        continue
      }
      this.#row(bytes)
      this.#line += 1 + this.#scanner.lines
      at = next
    }
    this.#rest = bytes.slice(at)
  }

  #rejectQuote(): void {
    const { fault } = this.#scanner
    if (!fault) return
    const columnName = this.#builder?.positions.includes(fault.field) ? this.#nameAt(fault.field) : ''
    const place = { line: this.#line + fault.linesBefore, column: fault.field + 1, columnName }
    const error = new RowError(this.#file, place, 'quote', `${fault.what}.`)
    // Without names there is nothing to go on with.
    if (!this.#builder) throw error
    this.#bad.add(error)
  }

  #nameAt(field: number): string {
    return this.#builder?.names[this.#builder.positions.indexOf(field)] ?? ''
  }

  #row(bytes: Uint8Array): void {
    const { count, starts, ends } = this.#scanner
    // A blank line is no row, but the one missing value where there is only one column.
    if (count === 1 && starts[0] === ends[0] && bytes[(starts[0] as number) - 1] !== this.#quote && this.#width !== 1)
      return
    if (!this.#builder) {
      this.#begin(bytes, count)
      if ((this.#options.header ?? true) === true) return
    }
    const builder = this.#builder as TableBuilder
    if (count !== this.#width) {
      const what = `the row has ${count} field${count === 1 ? '' : 's'}, not ${this.#width}.`
      const column = Math.min(count, this.#width) + 1
      const place = { line: this.#line, column, columnName: this.#nameAt(column - 1) }
      this.#bad.add(new RowError(this.#file, place, 'ragged', what))
      return
    }
    let c = 0
    try {
      if (!builder.builders) {
        const values: (string | null)[] = []
        for (; c < builder.positions.length; c++) {
          const text = this.#text(bytes, builder.positions[c] as number)
          values.push(this.#missing.has(text) ? null : text)
        }
        builder.add(this.#line, values)
        return
      }
      const { builders, positions, required, length } = builder
      for (; c < builders.length; c++) {
        const f = positions[c] as number
        const column = builders[c] as (typeof builders)[number]
        let from = bytes
        let start = starts[f] as number
        let end = ends[f] as number
        if (this.#scanner.doubled[f] === 1) {
          end = this.#undoubled(bytes, start, end)
          from = this.#scratch
          start = 0
        }
        if (this.#isMissing(from, start, end)) {
          if (required[c]) {
            builder.reject(this.#line, c, 'missing')
            return
          }
          column.setMissing(length)
        } else if (!column.setBytes(length, from, start, end)) {
          builder.reject(this.#line, c, 'type', textOf(from, start, end))
          return
        }
      }
      builder.commit(this.#line)
    } catch (error) {
      if (!(error instanceof EncodingError)) throw error
      builder.reject(this.#line, c, 'encoding')
    }
  }

  /** Takes the names from the first row, or counts its fields. */
  #begin(bytes: Uint8Array, count: number): void {
    const { header = true, delimiter } = this.#options
    const fields = Array.from({ length: count }, (_, f) => {
      try {
        return this.#text(bytes, f)
      } catch {
        const place = { line: this.#line, column: f + 1 }
        throw new RowError(this.#file, place, 'encoding', 'the text is not UTF-8.')
      }
    })
    const other = count === 1 && delimiter === undefined ? /[;\t|]/.exec(fields[0] as string) : null
    if (other)
      throw new FormatError(
        `${this.#file}, line ${this.#line}: there is one column, ${shown(fields[0])}. Is the delimiter ${shown(other[0])}? Give it as \`delimiter\`.`,
      )
    const names =
      header === true
        ? fields.map((name, f) => (name === '' ? `column${f + 1}` : name))
        : header === false
          ? fields.map((_, f) => `column${f + 1}`)
          : header
    this.#width = names.length
    const layout = { file: this.#file, unit: 'line', written: true } as const
    this.#builder = new TableBuilder(layout, names, this.#options, this.#bad)
  }

  #text(bytes: Uint8Array, f: number): string {
    const { starts, ends, doubled } = this.#scanner
    if (doubled[f] === 0) return textOf(bytes, starts[f] as number, ends[f] as number)
    return textOf(this.#scratch, 0, this.#undoubled(bytes, starts[f] as number, ends[f] as number))
  }

  #undoubled(bytes: Uint8Array, start: number, end: number): number {
    if (this.#scratch.length < end - start) this.#scratch = new Uint8Array(2 * (end - start))
    return undouble(bytes, start, end, this.#quote, this.#scratch)
  }

  #isMissing(bytes: Uint8Array, start: number, end: number): boolean {
    if (start === end) return this.#missing.has('')
    if (this.#missingFirst[bytes[start] as number] === 0 || end - start > this.#longestMissing) return false
    return this.#missing.has(textOf(bytes, start, end))
  }
}

function code(what: string, character: string): number {
  const value = character.charCodeAt(0)
  if (character.length !== 1 || value > 127 || value === 10 || value === 13)
    throw new RangeError(`CSV: the ${what} must be one ASCII character, not ${shown(character)}.`)
  return value
}

/**
 * The table in a text or in bytes (not compressed) of CSV. See `readCsv`.
 *
 * @example
 * ```ts
 * import { data } from 'descent'
 * const table = data.parseCsv('name,age\n"Ada, Countess",36\nAlan,41\n')
 * console.log(table.types, table.row(0)) // → { name: 'text', age: 'number' } { name: 'Ada, Countess', age: 36 }
 * ```
 */
export function parseCsv(source: string | Uint8Array, options: CsvOptions = {}, file = 'CSV data'): Table {
  const parser = new CsvParser(options, file)
  parser.push(typeof source === 'string' ? new TextEncoder().encode(source) : source)
  return (parser.take(true) as Table).withSortedLevels()
}

/**
 * Reads CSV (RFC 4180) into a table of typed columns: from a path (in Node), a URL, bytes, a Blob or File, or a stream,
 * plain or gzip. Types are inferred from the first rows (`number`, `category`, `text`, `boolean`, `date`) or declared.
 * Blank lines are left out.
 *
 * Throws RowError, naming line and column, for a broken quote, a row with more or fewer fields than the first, a value
 * that is not of its column's type, one that is `required` and missing, and text that is not UTF-8, unless `onBadRow`
 * says otherwise; FormatError for a file that is empty, UTF-16, damaged gzip, or names a column twice.
 *
 * @example
 * ```ts
 * import { data } from 'descent'
 * const bytes = new TextEncoder().encode('x,y\n1,2\n3\n5,six\n7,8\n')
 * const table = await data.readCsv(bytes, { types: { y: 'number' }, onBadRow: 'skip' })
 * console.log(table.length, table.skipped.count, table.skipped.reasons) // → 2 2 { ragged: 1, type: 1 }
 * console.log(table.skipped.first[1]?.message) // → CSV data, line 4, column 2 ('y'): "six" is not a finite number.
 * ```
 */
export async function readCsv(source: FileSource, options: CsvOptions = {}): Promise<Table> {
  const { readCsvFile } = await import('./on-demand.ts')
  return readCsvFile(source, options)
}
