/**
 * Columns that grow row by row, each of one type, from fields of bytes (CSV) or from values (JSON Lines, Parquet, arrays).
 * A row is written at its number; one that turns out bad is written over by the next.
 */
import { booleanOf, dateOf, numberOf, textOf } from './field.ts'

/** Missing values: NaN in numbers and dates, −1 in categories and booleans, null in texts. */
export type TableColumn =
  | { readonly name: string; readonly type: 'number'; readonly values: Float64Array }
  /** Milliseconds since 1970 began, UTC. */
  | { readonly name: string; readonly type: 'date'; readonly values: Float64Array }
  /** 0 or 1. */
  | { readonly name: string; readonly type: 'boolean'; readonly values: Int32Array }
  /** Indices into `levels`. */
  | {
      readonly name: string
      readonly type: 'category'
      readonly values: Int32Array
      readonly levels: readonly string[]
    }
  | { readonly name: string; readonly type: 'text'; readonly values: readonly (string | null)[] }

/** What a column of a table holds. */
export type ColumnType = TableColumn['type']
export const columnTypes: readonly ColumnType[] = ['number', 'category', 'text', 'boolean', 'date']

export interface ColumnBuilder {
  readonly name: string
  readonly type: ColumnType
  /** Whether bytes[start, end) are a value of this type. Throws EncodingError for a text that is not UTF-8. */
  setBytes(row: number, bytes: Uint8Array, start: number, end: number): boolean
  /** Whether the value is one of this type. */
  setValue(row: number, value: unknown): boolean
  setMissing(row: number): void
  /** The first `count` rows. The builder begins anew, and keeps its levels. */
  take(count: number): TableColumn
}

/** What a value that a column does not take is not. */
export const described: Readonly<Record<ColumnType, string>> = {
  number: 'a finite number',
  date: 'a date (ISO 8601: 2024-12-31 or 2024-12-31T23:59:59Z)',
  boolean: 'a boolean (true, false, yes, no, 1 or 0)',
  category: 'a category',
  text: 'a text',
}

export function columnBuilder(name: string, type: ColumnType): ColumnBuilder {
  switch (type) {
    case 'number':
      return numbers(name, type, numberOf, (value) =>
        typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value,
      )
    case 'date':
      return numbers(name, type, (bytes, start, end) => dateOf(textOf(bytes, start, end)), timeOf)
    case 'boolean':
      return booleans(name)
    case 'category':
      return categories(name)
    case 'text':
      return texts(name)
  }
}

function timeOf(value: unknown): unknown {
  return value instanceof Date ? value.getTime() : typeof value === 'string' ? dateOf(value) : Number.NaN
}

function numbers(
  name: string,
  type: 'number' | 'date',
  read: (bytes: Uint8Array, start: number, end: number) => number,
  convert: (value: unknown) => unknown,
): ColumnBuilder {
  let values = new Float64Array(64)
  const set = (row: number, value: number): void => {
    if (row >= values.length) values = larger(values, new Float64Array(2 * row))
    values[row] = value
  }
  return {
    name,
    type,
    setBytes(row, bytes, start, end) {
      const value = read(bytes, start, end)
      set(row, value)
      return !Number.isNaN(value)
    },
    setValue(row, value) {
      const converted = convert(value)
      if (typeof converted !== 'number' || !Number.isFinite(converted)) return false
      set(row, converted)
      return true
    },
    setMissing: (row) => set(row, Number.NaN),
    take: (count) => ({ name, type, values: values.slice(0, count) }),
  }
}

function booleans(name: string): ColumnBuilder {
  let values = new Int32Array(64)
  const set = (row: number, value: number): void => {
    if (row >= values.length) values = larger(values, new Int32Array(2 * row))
    values[row] = value
  }
  const setBytes = (row: number, bytes: Uint8Array, start: number, end: number): boolean => {
    const truth = booleanOf(bytes, start, end, true)
    set(row, truth)
    return truth >= 0
  }
  return {
    name,
    type: 'boolean',
    setBytes,
    setValue(row, value) {
      if (typeof value === 'string') {
        const bytes = new TextEncoder().encode(value)
        return setBytes(row, bytes, 0, bytes.length)
      }
      set(row, Number(value))
      return typeof value === 'boolean' || value === 0 || value === 1
    },
    setMissing: (row) => set(row, -1),
    take: (count) => ({ name, type: 'boolean', values: values.slice(0, count) }),
  }
}

function texts(name: string): ColumnBuilder {
  let values: (string | null)[] = []
  return {
    name,
    type: 'text',
    setBytes(row, bytes, start, end) {
      values[row] = textOf(bytes, start, end)
      return true
    },
    setValue(row, value) {
      values[row] = String(value)
      return typeof value !== 'object'
    },
    setMissing(row) {
      values[row] = null
    },
    take(count) {
      const taken = values.slice(0, count)
      values = []
      return { name, type: 'text', values: taken }
    },
  }
}

/** Levels are numbered as they come; equal bytes are found by a hash, without making a string of them. */
function categories(name: string): ColumnBuilder {
  let values = new Int32Array(64)
  const levels: string[] = []
  const byText = new Map<string, number>()
  const byHash = new Map<number, { readonly bytes: Uint8Array; readonly level: number }>()
  const set = (row: number, value: number): void => {
    if (row >= values.length) values = larger(values, new Int32Array(2 * row))
    values[row] = value
  }
  const levelOf = (text: string): number => {
    let level = byText.get(text)
    if (level === undefined) {
      level = levels.push(text) - 1
      byText.set(text, level)
    }
    return level
  }
  return {
    name,
    type: 'category',
    setBytes(row, bytes, start, end) {
      let hash = 0
      for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0
      const known = byHash.get(hash)
      if (known && same(known.bytes, bytes, start, end)) set(row, known.level)
      else {
        const level = levelOf(textOf(bytes, start, end))
        if (!known) byHash.set(hash, { bytes: bytes.slice(start, end), level })
        set(row, level)
      }
      return true
    },
    setValue(row, value) {
      set(row, levelOf(String(value)))
      return typeof value !== 'object'
    },
    setMissing: (row) => set(row, -1),
    take: (count) => ({ name, type: 'category', values: values.slice(0, count), levels: [...levels] }),
  }
}

function same(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false
  return true
}

function larger<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
