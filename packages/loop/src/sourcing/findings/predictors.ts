/**
 * Columns that alone tell the label: often it has leaked into them, or they were filled in once it was known. Each column's
 * values (numbers in up to 50 groups of equal size, a missing one a value of its own) predict the label of one half of the
 * rows from what the other half says, so that a column of names, different in each row, predicts nothing.
 */
import { seeded } from '../../random.ts'
import type { Predictor } from './findings.ts'

const groups = 50
/** In both halves a group needs a few rows to say anything. */
const leastRows = 20

/** A column's values as they were written; numbers as numbers; null where there is none. */
export interface PredictorColumn {
  readonly name: string
  readonly values: readonly (string | number | null)[]
}

/**
 * For each column Goodman and Kruskal's λ of its best guess for classes, R² for numbers, both on rows that it was not fitted
 * to; only those of at least `least`, the best first.
 */
export function predictors(
  columns: readonly PredictorColumn[],
  labels: readonly (string | number | null)[],
  { least = 0.98, seed = 1 } = {},
): Predictor[] {
  const rows = labels.flatMap((label, r) => (label === null ? [] : [r]))
  if (rows.length < leastRows) return []
  const isNumber = rows.every((r) => typeof labels[r] === 'number')
  const order = seeded(seed).permutation(rows.length)
  const halves = [0, 1].map((half) => rows.filter((_, i) => ((order[i] as number) & 1) === half))
  const found: Predictor[] = []
  for (const { name, values } of columns) {
    const keys = keysOf(values, rows)
    // Where hardly a value is there twice, one half says nothing of the other.
    if (new Set(keys).size > rows.length / 2) continue
    let [wrong, wrongBefore] = [0, 0]
    for (const [fitted, tested] of [
      [halves[0], halves[1]],
      [halves[1], halves[0]],
    ] as [number[], number[]][]) {
      const measure = isNumber ? numberErrors : classErrors
      const [with_, without] = measure(keys, labels, fitted, tested)
      wrong += with_
      wrongBefore += without
    }
    const share = wrongBefore === 0 ? 0 : 1 - wrong / wrongBefore
    if (share >= least) found.push({ column: name, share })
  }
  return found.sort((a, b) => b.share - a.share)
}

/** The group that each row's value is in. */
function keysOf(values: readonly (string | number | null)[], rows: readonly number[]): readonly (string | number)[] {
  const numbers = rows
    .flatMap((r) => (typeof values[r] === 'number' ? [values[r] as number] : []))
    .sort((a, b) => a - b)
  const count = Math.max(2, Math.min(groups, Math.floor(rows.length / 8)))
  const distinct = new Set(numbers)
  const borders =
    distinct.size <= count
      ? null
      : [
          ...new Set(
            Array.from({ length: count - 1 }, (_, i) => numbers[Math.floor(((i + 1) * numbers.length) / count)]),
          ),
        ]
  return values.map((value) => {
    if (value === null) return 'missing'
    if (typeof value !== 'number') return `=${value}`
    if (borders === null) return value
    let [low, high] = [0, borders.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((borders[middle] as number) <= value) low = middle + 1
      else high = middle
    }
    return low
  })
}

type Errors = readonly [withColumn: number, without: number]

function classErrors(
  keys: readonly (string | number)[],
  labels: readonly (string | number | null)[],
  fitted: readonly number[],
  tested: readonly number[],
): Errors {
  const most = (counts: ReadonlyMap<unknown, number>) =>
    [...counts].reduce((best, item) => (item[1] > best[1] ? item : best), [null, 0] as [unknown, number])[0]
  const all = new Map<unknown, number>()
  const byKey = new Map<unknown, Map<unknown, number>>()
  for (const r of fitted) {
    const label = labels[r]
    all.set(label, (all.get(label) ?? 0) + 1)
    const counts = byKey.get(keys[r]) ?? new Map<unknown, number>()
    counts.set(label, (counts.get(label) ?? 0) + 1)
    byKey.set(keys[r], counts)
  }
  const common = most(all)
  const guess = new Map([...byKey].map(([key, counts]) => [key, most(counts)]))
  let [wrong, without] = [0, 0]
  for (const r of tested) {
    if ((guess.has(keys[r]) ? guess.get(keys[r]) : common) !== labels[r]) wrong++
    if (common !== labels[r]) without++
  }
  return [wrong, without]
}

function numberErrors(
  keys: readonly (string | number)[],
  labels: readonly (string | number | null)[],
  fitted: readonly number[],
  tested: readonly number[],
): Errors {
  const sums = new Map<unknown, [sum: number, count: number]>()
  let total = 0
  for (const r of fitted) {
    const label = labels[r] as number
    total += label
    const sum = sums.get(keys[r]) ?? [0, 0]
    sum[0] += label
    sum[1]++
    sums.set(keys[r], sum)
  }
  const mean = total / fitted.length
  let [wrong, without] = [0, 0]
  for (const r of tested) {
    const label = labels[r] as number
    const sum = sums.get(keys[r])
    wrong += (label - (sum ? sum[0] / sum[1] : mean)) ** 2
    without += (label - mean) ** 2
  }
  return [wrong, without]
}
