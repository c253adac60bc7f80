/**
 * Learns a preprocessing from tables, one after the other and in constant memory: means and deviations by the merging
 * rule of Chan, Golub and LeVeque (1979), levels by counting.
 */
import type { ColumnType, TableColumn } from './column-builder.ts'
import { type Feature, levelText } from './features.ts'
import type { PreprocessingOptions, PreprocessingState, Target } from './preprocessing.ts'
import type { Table } from './table.ts'
import { valueAt } from './table-value.ts'

const DAY = 86_400_000

/** What is known of one column so far. */
interface Seen {
  readonly name: string
  readonly type: ColumnType
  count: number
  mean: number
  /** The sum of squared deviations from the mean. */
  squares: number
  min: number
  max: number
  readonly levels: Map<string, number>
}

export class PreprocessingFit {
  readonly #options: PreprocessingOptions
  readonly #targets: readonly string[]
  #features: Seen[] | null = null
  #seenTargets: Seen[] = []
  #classes = false

  constructor(options: PreprocessingOptions) {
    this.#options = options
    this.#targets = typeof options.target === 'string' ? [options.target] : options.target
  }

  add(table: Table): void {
    this.#features ??= this.#begin(table)
    for (const seen of this.#features) see(seen, table.column(seen.name), seen.type === 'category')
    for (const seen of this.#seenTargets) see(seen, table.column(seen.name), this.#classes)
  }

  state(): PreprocessingState {
    const { missing = 'error', unknown = 'error' } = this.#options
    const features = (this.#features ?? []).map((seen) => this.#feature(seen))
    return { features, target: this.#target(), missing, unknown }
  }

  #begin(table: Table): Seen[] {
    const { features, targetType } = this.#options
    const targets = this.#targets.map((name) => table.column(name))
    const [first] = targets
    if (!first) throw new RangeError('Preprocessing: there is no target.')
    this.#classes = (targetType ?? (first.type === 'number' || first.type === 'date' ? 'number' : 'class')) === 'class'
    if (this.#classes && targets.length > 1)
      throw new RangeError(`Preprocessing: ${targets.length} targets must all be numbers; '${first.name}' is not.`)
    if (!this.#classes) {
      const other = targets.find(({ type }) => type !== 'number')
      if (other) throw new RangeError(`Preprocessing: the target '${other.name}' is of type ${other.type}, not number.`)
    }
    this.#seenTargets = targets.map(unseen)
    const chosen = features
      ? features.map((name) => table.column(name))
      : table.columns.filter(({ name, type }) => type !== 'text' && !this.#targets.includes(name))
    for (const { name, type } of chosen) {
      if (type === 'text')
        throw new RangeError(
          `Preprocessing: '${name}' is text, which is no feature. Read it as a category, or encode it first.`,
        )
      if (this.#targets.includes(name))
        throw new RangeError(`Preprocessing: '${name}' is both a feature and the target.`)
    }
    if (chosen.length === 0) throw new RangeError('Preprocessing: no column is left to be a feature.')
    return chosen.map(unseen)
  }

  #feature({ name, type, count, mean, squares, min, max, levels }: Seen): Feature {
    const { numbers = 'standardize', categories = 'oneHot' } = this.#options
    if (type === 'category') {
      const sorted = [...levels.keys()].sort()
      const most = [...levels].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0]
      return {
        name,
        type,
        shift: 0,
        scale: 1,
        fill: Math.max(0, sorted.indexOf(most ?? '')),
        levels: sorted,
        encoding: categories,
      }
    }
    if (type === 'boolean') return { name, type, shift: 0, scale: 1, fill: Math.round(mean) }
    const fill = count === 0 ? 0 : mean
    switch (numbers) {
      case 'standardize':
        return { name, type, shift: fill, scale: deviation(squares, count), fill }
      case 'minMax':
        return { name, type, shift: count === 0 ? 0 : min, scale: max > min ? max - min : 1, fill }
      case 'none':
        return { name, type, shift: 0, scale: type === 'date' ? DAY : 1, fill }
    }
  }

  #target(): Target {
    const seen = this.#seenTargets
    const [first] = seen
    if (!first) throw new RangeError('Preprocessing: there are no rows to learn from.')
    if (this.#classes) {
      const classes = [...first.levels.keys()]
      // Numbers that are classes stand in the order of numbers: '10' after '9'.
      if (first.type === 'number') classes.sort((a, b) => Number(a) - Number(b))
      else classes.sort()
      return { kind: 'class', name: first.name, type: first.type, classes }
    }
    const scaled = this.#options.targetScaling === 'standardize'
    return {
      kind: 'number',
      names: seen.map(({ name }) => name),
      shift: seen.map(({ mean }) => (scaled ? mean : 0)),
      scale: seen.map(({ squares, count }) => (scaled ? deviation(squares, count) : 1)),
    }
  }
}

/** A column that never changes is moved, not scaled. */
function deviation(squares: number, count: number): number {
  return Math.sqrt(squares / Math.max(1, count)) || 1
}

function unseen({ name, type }: TableColumn): Seen {
  return { name, type, count: 0, mean: 0, squares: 0, min: Infinity, max: -Infinity, levels: new Map() }
}

function see(seen: Seen, column: TableColumn, asLevels: boolean): void {
  if (asLevels && column.type === 'category') {
    const counts = new Int32Array(column.levels.length)
    for (const level of column.values) if (level >= 0) counts[level] = (counts[level] as number) + 1
    for (const [i, level] of column.levels.entries())
      if (counts[i]) seen.levels.set(level, (seen.levels.get(level) ?? 0) + (counts[i] as number))
    return
  }
  if (asLevels) {
    for (let i = 0; i < column.values.length; i++) {
      const value = valueAt(column, i)
      if (value !== null) seen.levels.set(levelText(value), (seen.levels.get(levelText(value)) ?? 0) + 1)
    }
    return
  }
  if (column.type === 'text' || column.type === 'category') return
  let count = 0
  let sum = 0
  const isMissing = (value: number): boolean => Number.isNaN(value) || (column.type === 'boolean' && value < 0)
  for (const value of column.values) {
    if (isMissing(value)) continue
    count++
    sum += value
    if (value < seen.min) seen.min = value
    if (value > seen.max) seen.max = value
  }
  if (count === 0) return
  const mean = sum / count
  let squares = 0
  for (const value of column.values) if (!isMissing(value)) squares += (value - mean) ** 2
  const total = seen.count + count
  const apart = mean - seen.mean
  seen.squares += squares + (apart * apart * seen.count * count) / total
  seen.mean += (apart * count) / total
  seen.count = total
}
