/**
 * k nearest neighbours (Cover and Hart 1967): the shares of the classes among the k nearest rows, or the mean of their
 * numbers. Without given settings, k and whether columns are scaled to one deviation are those that predict rows best
 * from all others.
 */

import type { Work } from '../progress.ts'
import { asTable, denseColumns } from './dense-columns.ts'
import { drawsOf, sampleOf } from './draws.ts'
import { type Nearest, nearest, type Points } from './nearest.ts'
import { Pace } from './pace.ts'
import type { Rows, Table, Targets } from './rows.ts'
import { takeRows, takeTargets } from './rows.ts'
import { type Scaling, scaleInto, scalingOf } from './scaling.ts'

export interface NeighborsModel {
  readonly kind: 'neighbors'
  readonly columns: number
  /** The columns of sparse rows that distances are measured on; null where rows are dense. */
  readonly chosen: Int32Array | null
  readonly k: number
  readonly scaling: Scaling
  /** [rows, columns], scaled */
  readonly points: Float32Array
  /** The number of classes, or 0 for numbers. */
  readonly classes: number
  readonly targets: Int32Array | Float64Array
}

export interface NeighborsOptions extends Work {
  readonly seed: number
  readonly k?: number | undefined
  /** Whether columns are brought to standard deviation 1. */
  readonly scaled?: boolean | undefined
}

const MOST_COLUMNS = 1000
const NUMBERS: readonly number[] = [1, 3, 5, 7, 11, 15, 21]
/** The choice of settings asks about so many rows, among so many. */
const MOST_ASKED = 1000
const MOST_AMONG = 10_000

export async function fitNeighbors(x: Rows, y: Targets, options: NeighborsOptions): Promise<NeighborsModel> {
  const pace = new Pace(options, 'choosing neighbours')
  const { table, chosen } = denseColumns(x, y, MOST_COLUMNS)
  const scalings = (options.scaled === undefined ? [true, false] : [options.scaled]).map((scaled) => {
    const scaling = scalingOf(table)
    return scaled ? scaling : { ...scaling, deviations: new Float64Array(table.columns).fill(1) }
  })
  const numbers = options.k === undefined ? NUMBERS : [options.k]
  const allowed = numbers.filter((k) => k < x.rows)
  const settings = await choose(table, y, scalings, allowed.length > 0 ? allowed : [1], options.seed, pace)
  return {
    kind: 'neighbors',
    columns: x.columns,
    chosen,
    ...settings,
    points: pointsOf(table, settings.scaling).values,
    classes: y.kind === 'classes' ? y.classes : 0,
    targets: y.kind === 'classes' ? y.labels.slice() : y.values.slice(),
  }
}

function pointsOf(table: Table, scaling: Scaling): Points {
  const values = new Float32Array(table.rows * table.columns)
  scaleInto(values, table, 0, table.rows, scaling)
  return { count: table.rows, columns: table.columns, values }
}

/** The k and scaling with the fewest mistakes, each row being asked about among the others. */
async function choose(
  table: Table,
  y: Targets,
  scalings: readonly Scaling[],
  numbers: readonly number[],
  seed: number,
  pace: Pace,
): Promise<{ readonly k: number; readonly scaling: Scaling }> {
  const [only] = scalings
  if (scalings.length * numbers.length === 1 || table.rows < 3) {
    return { k: numbers[0] as number, scaling: only as Scaling }
  }
  const some = sampleOf(drawsOf(seed, 0x6b6e), table.rows, Math.min(table.rows, MOST_AMONG))
  const [among, targets] = [takeRows(table, some), takeTargets(y, some)]
  const asked = Int32Array.from({ length: Math.min(among.rows, MOST_ASKED) }, (_, i) => i)
  const most = Math.max(...numbers)
  let best = { k: numbers[0] as number, scaling: only as Scaling, loss: Infinity }
  for (const [i, scaling] of scalings.entries()) {
    const points = pointsOf(among, scaling)
    const queries = pointsOf(takeRows(among, asked), scaling)
    const part = pace.part(i / scalings.length, (i + 1) / scalings.length)
    const found = await nearest(points, queries, most, part, asked)
    for (const k of numbers) {
      const loss = mistakes(answers(found, k, targets), targets, asked.length)
      if (loss < best.loss) best = { k, scaling, loss }
    }
  }
  return { k: best.k, scaling: best.scaling }
}

/** Wrong classes, or squared errors, of the first rows. */
function mistakes(given: Float64Array, y: Targets, count: number): number {
  let sum = 0
  for (let i = 0; i < count; i++) {
    if (y.kind === 'numbers') {
      sum += ((given[i] as number) - (y.values[i] as number)) ** 2
      continue
    }
    const row = given.subarray(i * y.classes, (i + 1) * y.classes)
    sum += row.indexOf(Math.max(...row)) === y.labels[i] ? 0 : 1
  }
  return sum
}

/** Shares [queries, classes] or means [queries] among the k nearest. */
function answers(found: Nearest, k: number, y: Targets): Float64Array {
  const count = found.indices.length / found.k
  const outputs = y.kind === 'classes' ? y.classes : 1
  const out = new Float64Array(count * outputs)
  for (let q = 0; q < count; q++) {
    for (let n = 0; n < k; n++) {
      const point = found.indices[q * found.k + n] as number
      const at = y.kind === 'classes' ? q * outputs + (y.labels[point] as number) : q
      out[at] = (out[at] as number) + (y.kind === 'classes' ? 1 : (y.values[point] as number)) / k
    }
  }
  return out
}

/** Probabilities [rows, classes], or values [rows]. */
export async function predictNeighbors(model: NeighborsModel, x: Rows, pace: Pace): Promise<Float64Array> {
  const { k, targets, classes, points } = model
  const table = asTable(x, model.chosen)
  const known: Points = { count: targets.length, columns: table.columns, values: points }
  const found = await nearest(known, pointsOf(table, model.scaling), k, pace)
  const y: Targets =
    targets instanceof Int32Array ? { kind: 'classes', classes, labels: targets } : { kind: 'numbers', values: targets }
  return answers(found, k, y)
}
