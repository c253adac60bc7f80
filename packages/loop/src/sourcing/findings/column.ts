/** What a column of rows holds: how many values, how spread, which are common, and whether they only name the rows. */
import { dateOf } from 'descent/cells'
import type { Cell } from '../../store/content.ts'
import type { FieldType } from '../layout.ts'
import type { ColumnFindings } from './findings.ts'
import { spreadOf } from './spread.ts'

const mostCommon = 3
/** Below this many rows all values may be different by chance. */
const leastRows = 20

export interface ExaminedColumn
  extends Pick<ColumnFindings, 'missing' | 'distinct' | 'spread' | 'common' | 'identifies'> {
  /** The values that are numbers or dates, and where they stand in what was given. */
  readonly numbers: Float64Array
  readonly at: readonly number[]
}

export function examineColumn(type: FieldType, values: readonly Cell[]): ExaminedColumn {
  const counts = new Map<Cell, number>()
  let missing = 0
  for (const value of values) {
    if (value === null) missing++
    else counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  const asNumber = (value: Cell) =>
    typeof value === 'number' ? value : type === 'date' && value !== null ? dateOf(String(value)) : Number.NaN
  const at = values.flatMap((value, i) => (Number.isNaN(asNumber(value)) ? [] : [i]))
  const numbers = Float64Array.from(at, (i) => asNumber(values[i] as Cell))
  const common =
    type === 'number' || type === 'date'
      ? []
      : [...counts]
          .sort(([a, m], [b, n]) => n - m || (String(a) < String(b) ? -1 : 1))
          .slice(0, mostCommon)
          .map(([value, count]): [string, number] => [String(value), count])
  return {
    missing,
    distinct: counts.size,
    spread: spreadOf(numbers),
    common,
    identifies: namesRows(values, counts.size, missing),
    numbers,
    at,
  }
}

/** Whole numbers that only grow, one step at a time or more, or single words, of which no two are the same. */
function namesRows(values: readonly Cell[], distinct: number, missing: number): boolean {
  if (missing > 0 || values.length < leastRows || distinct < values.length) return false
  if (values.every((value) => typeof value === 'number'))
    return values.every(
      (value, i) => Number.isInteger(value) && (i === 0 || (value as number) > (values[i - 1] as number)),
    )
  return values.every((value) => typeof value === 'string' && !/\s/.test(value) && Number.isNaN(dateOf(value)))
}
