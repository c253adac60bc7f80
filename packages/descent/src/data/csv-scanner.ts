/**
 * One row of RFC 4180 at a time: from bytes to the places of its fields. Nothing is copied, and a row that is not yet
 * complete is scanned again when there are more bytes. Rows end with CRLF, LF or CR.
 */

/** A row that breaks the rules of quoting: in which field, and how many line breaks after the row's beginning. */
export interface QuoteFault {
  readonly field: number
  readonly linesBefore: number
  readonly what: string
}

export const INCOMPLETE = -1
export const FAULTY = -2

const LF = 10
const CR = 13

export class CsvScanner {
  /** The fields of the last row: field f is bytes[starts[f], ends[f]), without its quotes. */
  starts = new Int32Array(64)
  ends = new Int32Array(64)
  /** 1 where a field holds doubled quotes, which stand for one. */
  doubled = new Uint8Array(64)
  count = 0
  /** Line breaks within the last row's quotes. */
  lines = 0
  fault: QuoteFault | null = null
  readonly #quote: number
  readonly #delimiter: number
  readonly #special = new Uint8Array(256)

  /** Character codes below 128; a quote of −1 is none. */
  constructor(delimiter: number, quote: number) {
    this.#delimiter = delimiter
    this.#quote = quote
    for (const code of [delimiter, LF, CR]) this.#special[code] = 1
    if (quote >= 0) this.#special[quote] = 1
  }

  /**
   * Scans the row that begins at `at`. Returns where the next begins; INCOMPLETE where the bytes end before it does
   * and are not the `final` ones; FAULTY, with `fault`, where quotes are broken.
   */
  scan(bytes: Uint8Array, at: number, end: number, final: boolean): number {
    const special = this.#special
    this.count = 0
    this.lines = 0
    this.fault = null
    let i = at
    for (;;) {
      const start = i
      let stop: number
      let escaped = 0
      if (i < end && bytes[i] === this.#quote) {
        const opened = this.lines
        for (i++; ; i++) {
          while (i < end && bytes[i] !== this.#quote) {
            if (bytes[i] === LF || (bytes[i] === CR && bytes[i + 1] !== LF)) this.lines++
            i++
          }
          if (i + 1 < end && bytes[i + 1] === this.#quote) {
            escaped = 1
            i++
          } else break
        }
        if (i >= end) return final ? this.#broken(opened, 'the quote that opens here is never closed') : INCOMPLETE
        if (i + 1 >= end && !final) return INCOMPLETE
        this.#push(start + 1, i, escaped)
        stop = ++i
        const after = i < end ? (bytes[i] as number) : LF
        if (after !== this.#delimiter && after !== LF && after !== CR) {
          this.count--
          return this.#broken(
            opened,
            `${JSON.stringify(String.fromCharCode(after))} follows the closing quote${this.lines > opened ? `, ${this.lines - opened} line${this.lines - opened > 1 ? 's' : ''} after the opening one` : ''}`,
          )
        }
      } else {
        while (i < end && special[bytes[i] as number] === 0) i++
        stop = i
        if (i >= end && !final) return INCOMPLETE
        if (i < end && bytes[i] === this.#quote)
          return this.#broken(this.lines, 'a quote stands inside of a field that does not begin with one')
        this.#push(start, stop, 0)
      }
      if (i >= end) return end
      const code = bytes[i++] as number
      if (code === this.#delimiter) continue
      if (code === CR) {
        if (i >= end && !final) return INCOMPLETE
        if (i < end && bytes[i] === LF) i++
      }
      return i
    }
  }

  #broken(linesBefore: number, what: string): number {
    this.fault = { field: this.count, linesBefore, what }
    return FAULTY
  }

  #push(start: number, end: number, doubled: number): void {
    if (this.count === this.starts.length) {
      this.starts = grown(this.starts, new Int32Array(2 * this.count))
      this.ends = grown(this.ends, new Int32Array(2 * this.count))
      this.doubled = grown(this.doubled, new Uint8Array(2 * this.count))
    }
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.doubled[this.count++] = doubled
  }
}

function grown<T extends Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/** Writes bytes[start, end) with doubled quotes made single, and returns the length. */
export function undouble(bytes: Uint8Array, start: number, end: number, quote: number, out: Uint8Array): number {
  let length = 0
  for (let i = start; i < end; i++) {
    out[length++] = bytes[i] as number
    if (bytes[i] === quote) i++
  }
  return length
}
