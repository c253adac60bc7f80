/** Rows that are objects (JSON Lines, Parquet) to examples: the same content as the same rows written as CSV. */
import { booleanOf, dateOf, numberOf } from 'descent/cells'
import { type Cell, canonicalRow } from '../store/content.ts'
import type { BatchBuilder } from './batch.ts'
import { type LabelRule, readLabel } from './label-rule.ts'
import type { FieldType, Layout } from './layout.ts'

export type ObjectRow = Readonly<Record<string, unknown>>

export class ObjectRows {
  readonly #layout: Layout
  readonly #known: ReadonlySet<string>
  readonly #label: LabelRule
  readonly #out: BatchBuilder

  constructor(layout: Layout, label: LabelRule, out: BatchBuilder) {
    this.#layout = layout
    this.#known = new Set(layout.names)
    this.#label = label
    this.#out = out
  }

  /** `original` is made only where the row is rejected. */
  add(place: number, row: ObjectRow, original: () => string): void {
    const wrong = this.#add(place, row)
    if (wrong !== null) this.reject(place, wrong, original())
  }

  reject(place: number, reason: string, original: string): void {
    this.#out.reject({ place, name: null, reason, original: original.slice(0, 10_000) })
  }

  #add(place: number, row: ObjectRow): string | null {
    const { content, columns, target, group, time } = this.#layout
    const out = this.#out
    for (const key of Object.keys(row)) {
      if (!this.#known.has(key)) return `none of the first rows has the key ${JSON.stringify(key)}`
    }
    let body: string
    const missing: number[] = []
    if (content === 'row') {
      const values: Record<string, Cell> = {}
      for (const [c, { name, type, loose }] of columns.entries()) {
        const value = own(row, name)
        let cell = toCell(type, value)
        if (cell instanceof WrongCell && loose) cell = toCell('text', value)
        if (cell instanceof WrongCell) return `'${name}': ${cell.what}`
        if (cell === null) missing.push(c)
        else values[name] = cell
      }
      body = canonicalRow(values)
    } else {
      const name = columns[0]?.name ?? ''
      const cell = toCell('text', own(row, name))
      if (cell instanceof WrongCell) return `'${name}': ${cell.what}`
      if (cell === null) return `'${name}': there is no text`
      body = cell as string
    }
    const label = target ? readLabel(this.#label, target, asText(own(row, target.name))) : { value: this.#label.fixed }
    if (typeof label === 'string') return label
    for (const c of missing) out.missing[c] = (out.missing[c] ?? 0) + 1
    out.add(content, Buffer.from(body), {
      place,
      label: label.value,
      group: group && asText(own(row, group.name)),
      time: time && asText(own(row, time.name)),
    })
    return null
  }
}

function own(row: ObjectRow, name: string): unknown {
  return Object.hasOwn(row, name) ? row[name] : null
}

export class WrongCell {
  readonly what: string
  constructor(what: string) {
    this.what = what
  }
}

/** The cell that the value is in a column of this type. */
export function toCell(type: FieldType, value: unknown): Cell | WrongCell {
  const text = asText(value)
  if (text === null) return null
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text)
  if (typeof value === 'object' && !(value instanceof Date)) return new WrongCell(`${shown} is a list or an object`)
  const bytes = Buffer.from(text)
  switch (type) {
    case 'number': {
      const number = typeof value === 'number' ? value : numberOf(bytes, 0, bytes.length)
      return Number.isFinite(number) ? number : new WrongCell(`${shown} is no finite number`)
    }
    case 'boolean': {
      const truth = booleanOf(bytes, 0, bytes.length, true)
      return truth < 0 ? new WrongCell(`${shown} is neither true nor false`) : truth === 1
    }
    case 'date':
      return Number.isNaN(dateOf(text)) ? new WrongCell(`${shown} is no date (as in 2024-03-01)`) : text
    case 'category':
    case 'text':
      return text
    default:
      return type satisfies never
  }
}

/** The value as CSV would have it; null where there is none. */
export function asText(value: unknown): string | null {
  if (value === null || value === undefined || value === '' || Number.isNaN(value)) return null
  if (typeof value === 'string') return value
  // Days are written as days.
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) return null
    return value
      .toISOString()
      .replace(/T00:00:00\.000Z$/, '')
      .replace(/\.000Z$/, 'Z')
  }
  if (typeof value === 'object')
    return JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? String(item) : item))
  return String(value)
}
