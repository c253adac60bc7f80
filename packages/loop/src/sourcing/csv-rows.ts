/** CSV and TSV: bytes come in piece by piece, rows go out as examples and rejects. */
import { isUtf8 } from 'node:buffer'
import { CsvScanner, FAULTY, INCOMPLETE, undouble } from 'descent/cells'
import { UserError } from '../errors.ts'
import type { BatchBuilder } from './batch.ts'
import { textAt, writeBytes, writeCell } from './cell-writer.ts'
import type { Encoding } from './encoding.ts'
import { type LabelRule, readLabel } from './label-rule.ts'
import type { Layout } from './layout.ts'
import { longestMissing, missingFirst, missingWords } from './missing-values.ts'

/** A row that grows beyond this has lost its closing quote. */
export const mostRowBytes = 1 << 24
const longestOriginal = 10_000
const quote = 34
const encoder = new TextEncoder()

/** What a row of written cells is given to: field f is bytes[starts[f], ends[f]). */
export interface ScannedRow {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
  readonly line: number
}

/** Splits bytes into rows, whatever pieces they come in. */
export class CsvLines {
  readonly scanner: CsvScanner
  /** The line that the next row begins in, from 1. */
  line = 1
  readonly #file: string
  readonly #onRow: (row: ScannedRow) => void
  readonly #onFault: (row: ScannedRow, reason: string) => void
  #rest: Uint8Array = new Uint8Array(0)

  constructor(
    file: string,
    delimiter: string,
    onRow: (row: ScannedRow) => void,
    onFault: (row: ScannedRow, reason: string) => void,
  ) {
    this.scanner = new CsvScanner(delimiter.charCodeAt(0), quote)
    this.#file = file
    this.#onRow = onRow
    this.#onFault = onFault
  }

  push(piece: Uint8Array): void {
    this.#scan(this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]), false)
  }

  end(): void {
    this.#scan(this.#rest, true)
  }

  #scan(bytes: Uint8Array, final: boolean): void {
    const { scanner } = this
    let at = 0
    while (at < bytes.length) {
      let next = scanner.scan(bytes, at, bytes.length, final)
      // A quote that is never closed would gather the rest of the file.
      if (next === INCOMPLETE && bytes.length - at > mostRowBytes) {
        next = scanner.scan(bytes, at, bytes.length, true)
        if (next !== FAULTY)
          throw new UserError(
            `${this.#file}, line ${this.line}: the row is longer than 16 MB. Shorten it, or take it out.`,
          )
      }
      if (next === INCOMPLETE) break
      if (next === FAULTY) {
        const end = bytes.indexOf(10, at)
        if (end < 0 && !final) break
        const to = end < 0 ? bytes.length : end + 1
        const field = (scanner.fault?.field ?? 0) + 1
        this.#onFault({ bytes, from: at, to, line: this.line }, `column ${field}: ${scanner.fault?.what ?? ''}`)
        this.line++
        at = to
        continue
      }
      // A blank line is no row.
      const blank = scanner.count === 1 && scanner.starts[0] === scanner.ends[0] && bytes[at] !== quote
      if (!blank) this.#onRow({ bytes, from: at, to: next, line: this.line })
      this.line += 1 + scanner.lines
      at = next
    }
    this.#rest = bytes.slice(at)
  }
}

/** The fields of the row that was scanned last, as texts. */
export function fieldTexts(scanner: CsvScanner, bytes: Uint8Array): string[] {
  return Array.from({ length: scanner.count }, (_, f) => {
    const text = textAt(bytes, scanner.starts[f] as number, scanner.ends[f] as number)
    return scanner.doubled[f] === 1 ? text.replaceAll('""', '"') : text
  })
}

/** Rows of CSV to examples, as the layout says. */
export class CsvRows {
  readonly #layout: Layout
  readonly #label: LabelRule
  readonly #out: BatchBuilder
  readonly #lines: CsvLines
  readonly #checkUtf8: boolean
  /** What is written before each column's value, where it is the first of a row and where it is not. */
  readonly #names: readonly Uint8Array[]
  #header = true
  #scratch = new Uint8Array(256)
  #from = 0
  #to = 0
  /** The columns without a value in the row that was written last. */
  readonly #missed: number[] = []
  #missedCount = 0

  constructor(
    file: string,
    delimiter: string,
    encoding: Encoding,
    layout: Layout,
    label: LabelRule,
    out: BatchBuilder,
  ) {
    this.#layout = layout
    this.#label = label
    this.#out = out
    this.#checkUtf8 = encoding === 'utf-8 with faults'
    this.#names = layout.columns.map(({ name }) => encoder.encode(`${JSON.stringify(name)}:`))
    this.#lines = new CsvLines(
      file,
      delimiter,
      (row) => this.#row(row),
      (row, reason) => this.#reject(row, reason),
    )
  }

  push(piece: Uint8Array): void {
    this.#lines.push(piece)
  }

  end(): void {
    this.#lines.end()
  }

  #row(row: ScannedRow): void {
    if (this.#header) {
      this.#header = false
      return
    }
    const out = this.#out
    const layout = this.#layout
    const { count } = this.#lines.scanner
    if (count !== layout.width) {
      this.#reject(row, `the row has ${count} field${count === 1 ? '' : 's'}, not ${layout.width}`)
      return
    }
    if (this.#checkUtf8 && !isUtf8(row.bytes.subarray(row.from, row.to))) {
      this.#reject(row, 'the text is not UTF-8')
      return
    }
    const from = out.at
    const wrong = layout.content === 'row' ? this.#writeRow(row) : this.#writeText(row)
    const label = wrong ?? this.#readLabel(row)
    if (typeof label === 'string') {
      out.at = from
      this.#reject(row, label)
      return
    }
    for (let i = 0; i < this.#missedCount; i++) {
      const c = this.#missed[i] as number
      out.missing[c] = (out.missing[c] as number) + 1
    }
    out.addWritten(from, layout.content, {
      place: row.line,
      label: label.value,
      group: layout.group && this.#cell(row, layout.group.at),
      time: layout.time && this.#cell(row, layout.time.at),
    })
  }

  #writeRow({ bytes }: ScannedRow): string | null {
    const out = this.#out
    const { columns } = this.#layout
    writeBytes(out, rowPrefix)
    let first = true
    let missed = 0
    for (let c = 0; c < columns.length; c++) {
      const { at, type, name, loose } = columns[c] as (typeof columns)[number]
      const from = this.#locate(bytes, at)
      if (this.#isMissing(from)) {
        this.#missed[missed++] = c
        continue
      }
      if (!first) {
        out.reserve(1)
        out.bytes[out.at++] = 44
      }
      first = false
      writeBytes(out, this.#names[c] as Uint8Array)
      const wrong = writeCell(out, type, from, this.#from, this.#to)
      if (wrong !== null && loose) writeCell(out, 'text', from, this.#from, this.#to)
      else if (wrong !== null)
        return `column ${at + 1} ('${name}'): ${shown(textAt(from, this.#from, this.#to))} ${wrong}`
    }
    out.reserve(1)
    out.bytes[out.at++] = 125
    this.#missedCount = missed
    return null
  }

  #writeText({ bytes }: ScannedRow): string | null {
    const out = this.#out
    const [column] = this.#layout.columns
    const from = this.#locate(bytes, column?.at ?? 0)
    if (this.#from === this.#to) return `column ${(column?.at ?? 0) + 1} ('${column?.name}'): there is no text`
    writeBytes(out, textPrefix)
    out.reserve(this.#to - this.#from)
    out.bytes.set(from.subarray(this.#from, this.#to), out.at)
    out.at += this.#to - this.#from
    return null
  }

  #readLabel(row: ScannedRow): string | { value: string | number | null } {
    const { target } = this.#layout
    if (!target) return { value: this.#label.fixed }
    return readLabel(this.#label, target, this.#cell(row, target.at))
  }

  /** The text of a field; null where there is no value. */
  #cell({ bytes }: ScannedRow, at: number): string | null {
    const from = this.#locate(bytes, at)
    return this.#isMissing(from) ? null : textAt(from, this.#from, this.#to)
  }

  /** Finds field `at`, its doubled quotes made single, between `#from` and `#to` of the bytes that it returns. */
  #locate(bytes: Uint8Array, at: number): Uint8Array {
    const { starts, ends, doubled } = this.#lines.scanner
    const start = starts[at] as number
    const end = ends[at] as number
    if (doubled[at] === 0) {
      this.#from = start
      this.#to = end
      return bytes
    }
    if (this.#scratch.length < end - start) this.#scratch = new Uint8Array(2 * (end - start))
    this.#from = 0
    this.#to = undouble(bytes, start, end, quote, this.#scratch)
    return this.#scratch
  }

  #isMissing(bytes: Uint8Array): boolean {
    if (this.#from === this.#to) return true
    if (missingFirst[bytes[this.#from] as number] === 0 || this.#to - this.#from > longestMissing) return false
    return missingWords.has(textAt(bytes, this.#from, this.#to))
  }

  #reject({ bytes, from, to, line }: ScannedRow, reason: string): void {
    const original = textAt(bytes, from, Math.min(to, from + longestOriginal)).replace(/\r?\n$/, '')
    this.#out.reject({ place: line, name: null, reason, original })
  }
}

const rowPrefix = encoder.encode('row\n{')
const textPrefix = encoder.encode('text\n')

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text)
}
