/**
 * Rows of a file that cannot be used: what is wrong with one, where it stands, and what happens then. One policy for
 * all kinds of files: stop, skip and count, or ask.
 */
import { FormatError } from '../errors.ts'

/** `type`: a value that is not what its column holds. `syntax`: a row that cannot be taken apart (of JSON Lines). */
export type BadReason = 'quote' | 'ragged' | 'type' | 'missing' | 'encoding' | 'syntax'

/** A row that cannot be used. The message names file, line and column. */
export class RowError extends FormatError {
  override name = 'RowError'
  readonly reason: BadReason
  /** The line of the file, or the number of the row where there are no lines; from 1. */
  readonly line: number
  /** From 1; 0 where the fault is not one column's. */
  readonly column: number
  /** '' where the fault is not one column's. */
  readonly columnName: string

  constructor(file: string, place: Place, reason: BadReason, what: string) {
    const { unit = 'line', line, column = 0, columnName = '' } = place
    const named = columnName === '' ? '' : ` ('${columnName}')`
    super(`${file}, ${unit} ${line}${column === 0 ? '' : `, column ${column}${named}`}: ${what}`)
    this.reason = reason
    this.line = line
    this.column = column
    this.columnName = columnName
  }
}

export interface Place {
  /** What `line` counts. Default 'line'. */
  readonly unit?: 'line' | 'row'
  readonly line: number
  readonly column?: number
  readonly columnName?: string
}

/** What happens with a bad row: it is thrown, skipped and counted, or given to a function that throws or lets it be skipped. */
export type OnBadRow = 'error' | 'skip' | ((bad: RowError) => void)

/** The rows that were skipped. */
export interface Skipped {
  readonly count: number
  /** How many for which reason. */
  readonly reasons: Readonly<Partial<Record<BadReason, number>>>
  /** The first ten, to look at. */
  readonly first: readonly RowError[]
}

const SHOWN = 10

/** Applies a policy and counts what it skips. */
export class BadRows {
  readonly #policy: OnBadRow
  readonly #reasons: Partial<Record<BadReason, number>> = {}
  readonly #first: RowError[] = []
  #count = 0

  constructor(policy: OnBadRow = 'error') {
    this.#policy = policy
  }

  /** Throws the error, or counts the row as skipped. */
  add(bad: RowError): void {
    if (this.#policy === 'error') throw bad
    if (this.#policy !== 'skip') this.#policy(bad)
    this.#count++
    this.#reasons[bad.reason] = (this.#reasons[bad.reason] ?? 0) + 1
    if (this.#first.length < SHOWN) this.#first.push(bad)
  }

  skipped(): Skipped {
    return { count: this.#count, reasons: { ...this.#reasons }, first: [...this.#first] }
  }
}

/** A value as it is shown in an error: quoted, and not longer than fits into a line. */
export function shown(value: unknown): string {
  const plain = typeof value === 'object' && !(value instanceof Date)
  const text = typeof value === 'string' || plain ? JSON.stringify(value) : String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…${typeof value === 'string' ? '"' : ''}` : text
}
