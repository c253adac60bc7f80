/**
 * Rows: numbers, dates and booleans scaled by what the training rows had, missing ones at their mean with an indicator where
 * training had missing ones too; categories as numbers of levels, 0 for rare and unknown ones, 1 for missing.
 */
import type { data } from 'descent'
import { UserError } from '../../errors.ts'
import type { Cell, Content } from '../../store/content.ts'
import type { Layout } from '../input.ts'
import type { Preprocess } from '../recipe.ts'
import { requireKind } from './kind.ts'

export interface TableColumn {
  readonly name: string
  readonly type: 'number' | 'category' | 'text' | 'date' | 'boolean'
}

export interface NumberState {
  readonly name: string
  readonly type: 'number' | 'date' | 'boolean'
  /** (value − center) / scale */
  readonly center: number
  readonly scale: number
  /** Whether an input of its own says that the value is missing. */
  readonly indicator: boolean
}

export interface CategoryState {
  readonly name: string
  /** Level i has the number i + 2. */
  readonly levels: readonly string[]
}

export interface TableState {
  readonly type: 'table'
  readonly numbers: readonly NumberState[]
  readonly categories: readonly CategoryState[]
  /** Scaled numbers beyond ± this count as this; null where numbers go in as they are. */
  readonly limit: number | null
  /** Columns that are not used, and why. */
  readonly leftOut: readonly { readonly name: string; readonly why: string }[]
}

/** In standard deviations: a typing mistake of a factor of 1000 must not drown the other columns. */
const LIMIT = 10

const day = 24 * 3600_000

type RowContent = Extract<Content, { kind: 'row' }>

/** Mean and variance in one pass (Welford 1962). */
class Spread {
  count = 0
  missing = 0
  mean = 0
  min = Number.POSITIVE_INFINITY
  max = Number.NEGATIVE_INFINITY
  #sum = 0

  add(value: number): void {
    this.count++
    const away = value - this.mean
    this.mean += away / this.count
    this.#sum += away * (value - this.mean)
    this.min = Math.min(this.min, value)
    this.max = Math.max(this.max, value)
  }

  get deviation(): number {
    return Math.sqrt(this.#sum / this.count)
  }
}

export async function fitTable(
  { numbers: scaling, rareBelow, maxLevels }: Extract<Preprocess, { type: 'table' }>,
  rows: AsyncIterable<RowContent>,
  columns: readonly TableColumn[],
): Promise<TableState> {
  const spreads = new Map<string, Spread>()
  const levels = new Map<string, Map<string, number>>()
  for (const { name, type } of columns) {
    if (type === 'category') levels.set(name, new Map())
    else if (type !== 'text') spreads.set(name, new Spread())
  }
  let count = 0
  for await (const { values } of rows) {
    count++
    for (const { name, type } of columns) {
      if (type === 'text') continue
      if (type === 'category') {
        const counts = levels.get(name) as Map<string, number>
        const level = levelOf(values[name])
        if (level !== null) counts.set(level, (counts.get(level) ?? 0) + 1)
        else counts.set(missing, (counts.get(missing) ?? 0) + 1)
        continue
      }
      const spread = spreads.get(name) as Spread
      const value = numberOf(values[name], type, name)
      if (value === null) spread.missing++
      else spread.add(value)
    }
  }
  if (count === 0) throw new UserError('The training split has no rows: label some, then make a new snapshot.')

  const leftOut: { name: string; why: string }[] = []
  const found: NumberState[] = []
  const categories: CategoryState[] = []
  for (const { name, type } of columns) {
    if (type === 'text') {
      leftOut.push({ name, why: 'it holds free text' })
    } else if (type === 'category') {
      const counts = levels.get(name) as Map<string, number>
      const distinct = [...counts.keys()].filter((level) => level !== missing)
      const kept = distinct.filter((level) => (counts.get(level) as number) >= rareBelow).sort()
      if (counts.size < 2) leftOut.push({ name, why: 'it is the same in all training rows' })
      else if (distinct.length > maxLevels)
        leftOut.push({ name, why: `it has ${distinct.length} levels, more than ${maxLevels} (preprocess.maxLevels)` })
      else categories.push({ name, levels: kept })
    } else {
      const spread = spreads.get(name) as Spread
      const constant = spread.count === 0 || spread.min === spread.max
      if (constant && (spread.missing === 0 || spread.count === 0))
        leftOut.push({ name, why: 'it is the same in all training rows' })
      else found.push({ name, type, ...scaleOf(scaling, spread), indicator: spread.missing > 0 })
    }
  }
  if (found.length + categories.length === 0) {
    throw new UserError(
      `No column is left to learn from: ${leftOut.map(({ name, why }) => `${name} is left out, ${why}`).join('; ') || 'the rows have none'}.`,
    )
  }
  return { type: 'table', numbers: found, categories, limit: scaling === 'none' ? null : LIMIT, leftOut }
}

/** No text, so that no level of the data is it. */
const missing = '\u0000missing'

function scaleOf(
  scaling: Extract<Preprocess, { type: 'table' }>['numbers'],
  { mean, deviation, min, max }: Spread,
): { center: number; scale: number } {
  switch (scaling) {
    case 'standardize':
      return { center: mean, scale: deviation || 1 }
    case 'minMax':
      return { center: min, scale: max - min || 1 }
    case 'none':
      return { center: 0, scale: 1 }
    default:
      return scaling satisfies never
  }
}

/** @throws {UserError} for what is no number, date or boolean */
export function numberOf(cell: Cell | undefined, type: NumberState['type'], name: string): number | null {
  if (cell === null || cell === undefined || cell === '') return null
  const value =
    type === 'date' ? (typeof cell === 'number' ? cell : Date.parse(String(cell))) / day : truthOrNumber(cell)
  if (Number.isFinite(value)) return value
  throw new UserError(`Column '${name}': ${JSON.stringify(cell)} is no ${type}.`)
}

function truthOrNumber(cell: string | number | boolean): number {
  if (typeof cell === 'string') {
    if (/^(true|yes)$/i.test(cell)) return 1
    if (/^(false|no)$/i.test(cell)) return 0
  }
  return Number(cell)
}

/** Null where the value is missing. */
export function levelOf(cell: Cell | undefined): string | null {
  return cell === null || cell === undefined || cell === '' ? null : String(cell)
}

export class TableFeatures {
  readonly state: TableState
  readonly layout: Extract<Layout, { type: 'table' }>
  readonly #levels: readonly ReadonlyMap<string, number>[]

  constructor(state: TableState) {
    this.state = state
    this.layout = {
      type: 'table',
      numbers: state.numbers.reduce((sum, { indicator }) => sum + (indicator ? 2 : 1), 0),
      categories: state.categories.map(({ levels }) => levels.length + 2),
    }
    this.#levels = state.categories.map(({ levels }) => new Map(levels.map((level, i) => [level, i + 2])))
  }

  get notes(): readonly string[] {
    return this.state.leftOut.map(({ name, why }) => `Column '${name}' is left out: ${why}.`)
  }

  /** f32 [N, numbers + categories]. A column that a row does not have is missing. */
  async encode(contents: readonly Content[]): Promise<data.RawArray> {
    const { numbers, categories, limit } = this.state
    const most = limit ?? Number.POSITIVE_INFINITY
    const width = this.layout.numbers + categories.length
    const values = new Float32Array(contents.length * width)
    for (const [row, content] of contents.entries()) {
      const cells = requireKind(content, 'row').values
      let at = row * width
      for (const { name, type, center, scale, indicator } of numbers) {
        const value = numberOf(cells[name], type, name)
        values[at++] = value === null ? 0 : Math.max(-most, Math.min(most, (value - center) / scale))
        if (indicator) values[at++] = value === null ? 1 : 0
      }
      for (const [i, { name }] of categories.entries()) {
        const level = levelOf(cells[name])
        values[at++] = level === null ? 1 : (this.#levels[i]?.get(level) ?? 0)
      }
    }
    return { shape: [contents.length, width], values }
  }
}
