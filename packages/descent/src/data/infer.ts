/**
 * What a column holds, from a sample of its values. Where nine of ten values are numbers, dates or booleans, the column
 * is one of them, and the tenth is a bad row that is named: a broken number must not turn a column of numbers
 * into categories without a word.
 */
import type { ColumnType } from './column-builder.ts'
import { booleanOf, dateOf, numberOf } from './field.ts'

const MOST = 0.9
/** Other texts are categories where values come back: at most so many, and half as many as rows. */
const MOST_LEVELS = 1000

const encoder = /* @__PURE__ */ new TextEncoder()

/** The type of values, null for missing ones. Numbers and dates written as text count as such where `written`. */
export function inferType(values: readonly unknown[], written: boolean): ColumnType {
  const counts = { number: 0, boolean: 0, date: 0 }
  const texts = new Map<unknown, number>()
  let present = 0
  for (const value of values) {
    if (value === null) continue
    present++
    const kind = kindOf(value, written)
    if (kind !== null) counts[kind]++
    texts.set(value, (texts.get(value) ?? 0) + 1)
  }
  if (present === 0) return 'text'
  for (const type of ['number', 'boolean', 'date'] as const) if (counts[type] >= MOST * present) return type
  return texts.size <= MOST_LEVELS && texts.size <= Math.max(1, present / 2) ? 'category' : 'text'
}

function kindOf(value: unknown, written: boolean): 'number' | 'boolean' | 'date' | null {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'string': {
      if (!Number.isNaN(dateOf(value))) return 'date'
      if (!written) return null
      const bytes = encoder.encode(value)
      if (!Number.isNaN(numberOf(bytes, 0, bytes.length))) return 'number'
      return booleanOf(bytes, 0, bytes.length, false) < 0 ? null : 'boolean'
    }
    default:
      return value instanceof Date ? 'date' : null
  }
}
