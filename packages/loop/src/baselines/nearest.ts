/**
 * The k nearest of many points, by brute force: ‖q − x‖² = ‖q‖² − 2 q·x + ‖x‖², of which the products of a block of
 * queries with a block of points are one matrix product, compiled by the library; small searches add up squares instead.
 */
import { compile, type Tensor, tensor } from 'descent'
import type { Pace } from './pace.ts'

/** Points or queries, row after row. */
export interface Points {
  readonly count: number
  readonly columns: number
  readonly values: Float32Array
}

export interface Nearest {
  readonly k: number
  /** [queries, k]: the numbers of the points, the nearest first, of two as near the one with the lower number. */
  readonly indices: Int32Array
  /** [queries, k]: squared distances, up to a constant for each query where the search was compiled. */
  readonly distances: Float64Array
}

/** The blocks of one product: about 10 ms of work. */
const QUERIES = 256
const POINTS = 8192

/** Above so many multiplications the compiled product is faster than what it costs to compile. */
const LARGE = 1e8

/**
 * The nearest points of each query. `except` names for each query a point that does not count, such as itself.
 * k must be at most the number of points that count.
 */
export async function nearest(
  points: Points,
  queries: Points,
  k: number,
  pace: Pace,
  except: Int32Array | null = null,
): Promise<Nearest> {
  const work = points.count * queries.count * points.columns
  return (work > LARGE ? compiledNearest : exactNearest)(points, queries, k, pace, except)
}

export async function exactNearest(points: Points, queries: Points, k: number, pace: Pace, except: Int32Array | null) {
  const best = new Best(queries.count, k)
  const { columns } = points
  const row = new Float64Array(points.count)
  for (let q = 0; q < queries.count; q++) {
    for (let p = 0; p < points.count; p++) {
      let sum = 0
      for (let j = 0; j < columns; j++) {
        sum += ((queries.values[q * columns + j] as number) - (points.values[p * columns + j] as number)) ** 2
      }
      row[p] = sum
    }
    best.add(q, row, 0, points.count, 0, except?.[q] ?? -1)
    if (pace.due()) await pace.rest(q / queries.count)
  }
  return best
}

export async function compiledNearest(
  points: Points,
  queries: Points,
  k: number,
  pace: Pace,
  except: Int32Array | null,
) {
  const best = new Best(queries.count, k)
  const { columns } = points
  const product = compile((q: Tensor, x: Tensor, squares: Tensor) => squares.sub(q.matmul(x.t()).mul(2)))
  const blocks: { readonly from: number; readonly count: number; readonly x: Tensor; readonly squares: Tensor }[] = []
  for (let from = 0; from < points.count; from += POINTS) {
    const count = Math.min(POINTS, points.count - from)
    const values = points.values.subarray(from * columns, (from + count) * columns)
    const squares = new Float32Array(count)
    for (let p = 0; p < count; p++) {
      let sum = 0
      for (let j = 0; j < columns; j++) sum += (values[p * columns + j] as number) ** 2
      squares[p] = sum
    }
    blocks.push({ from, count, x: tensor(values, { shape: [count, columns] }), squares: tensor(squares) })
    if (pace.due()) await pace.rest()
  }
  for (let first = 0; first < queries.count; first += QUERIES) {
    const count = Math.min(QUERIES, queries.count - first)
    const values = queries.values.subarray(first * columns, (first + count) * columns)
    const q = tensor(values, { shape: [count, columns] })
    for (const block of blocks) {
      const distances = product(q, block.x, block.squares).data() as Float32Array
      for (let i = 0; i < count; i++) {
        best.add(first + i, distances, i * block.count, block.count, block.from, except?.[first + i] ?? -1)
      }
      if (pace.due()) await pace.rest(first / queries.count)
    }
  }
  return best
}

/** The k least distances of each query so far, in order. */
class Best implements Nearest {
  readonly k: number
  readonly indices: Int32Array
  readonly distances: Float64Array

  constructor(queries: number, k: number) {
    this.k = k
    this.indices = new Int32Array(queries * k).fill(-1)
    this.distances = new Float64Array(queries * k).fill(Infinity)
  }

  /** Looks at `row[from]` … `row[from + count − 1]`, the distances of the points from number `first` on. */
  add(query: number, row: Float32Array | Float64Array, from: number, count: number, first: number, except: number) {
    const { k, distances, indices } = this
    const start = query * k
    let worst = distances[start + k - 1] as number
    for (let p = 0; p < count; p++) {
      const distance = row[from + p] as number
      if (!(distance < worst) || first + p === except) continue
      let at = start + k - 1
      while (at > start && distance < (distances[at - 1] as number)) {
        distances[at] = distances[at - 1] as number
        indices[at] = indices[at - 1] as number
        at--
      }
      distances[at] = distance
      indices[at] = first + p
      worst = distances[start + k - 1] as number
    }
  }
}
