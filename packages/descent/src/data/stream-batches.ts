/**
 * From rows that come one after the other to batches, in constant memory. Shuffling keeps a buffer of rows: each that
 * comes takes the place of one drawn at random, which goes into the batch. A buffer of all rows is a full shuffle; a
 * smaller one mixes only what is less far apart.
 */
import { sizeOf } from '../dtype.ts'
import { augmentation } from './augment.ts'
import type { AugmentStep } from './augment-step.ts'
import { Draws } from './draws.ts'
import { arraysOf, type BatchPlace, isOne, type RawArray, type RawBatch, type Transform } from './raw.ts'

/** Rows of a file, in pieces of any size; each call reads from the beginning. */
export interface RowStream {
  /** The rows from the beginning, in pieces of any size. */
  examples(): AsyncIterable<RawBatch> | Iterable<RawBatch>
  /** What another thread needs to know to read the same. */
  spec?(): unknown
}

export interface StreamOptions {
  readonly batchSize: number
  readonly dropLast: boolean
  /** How many rows are kept for shuffling. 0: the order of the file. */
  readonly shuffleBuffer: number
  readonly transform?: Transform | undefined
  /** The same, as data. */
  readonly steps?: readonly AugmentStep[]
}

/** `shape` and `size` are one row's. */
interface StoredArray extends RawArray {
  readonly size: number
}

/** So many rows with the shapes of a batch, written and read one by one. */
class RowStore {
  readonly #arrays: readonly StoredArray[]
  readonly #numbers: Int32Array
  readonly #single: boolean
  readonly capacity: number
  count = 0

  constructor(like: RawBatch, capacity: number) {
    this.#single = isOne(like.y)
    this.#numbers = new Int32Array(capacity)
    this.capacity = capacity
    this.#arrays = arraysOf(like).map(({ shape, values }) => {
      const size = sizeOf(shape.slice(1))
      const length = capacity * size
      return {
        size,
        shape: shape.slice(1),
        values: values instanceof Float32Array ? new Float32Array(length) : new Int32Array(length),
      }
    })
  }

  /** Copies row `from` of a batch into row `to`. */
  write(batch: RawBatch, arrays: readonly RawArray[], from: number, to: number): void {
    for (const [a, { size, values }] of this.#arrays.entries()) {
      const given = (arrays[a] as RawArray).values
      for (let i = 0; i < size; i++) values[to * size + i] = given[from * size + i] as number
    }
    this.#numbers[to] = batch.numbers[from] as number
  }

  /** Copies row `from` of another store of the same shapes into row `to`. */
  copy(other: RowStore, from: number, to: number): void {
    for (const [a, { size, values }] of this.#arrays.entries()) {
      const given = (other.#arrays[a] as StoredArray).values
      for (let i = 0; i < size; i++) values[to * size + i] = given[from * size + i] as number
    }
    this.#numbers[to] = other.#numbers[from] as number
  }

  /** The rows so far. Their memory is the batch's from then on. */
  batch(): RawBatch {
    const { count } = this
    const [x, ...ys] = this.#arrays.map(({ size, shape, values }): RawArray => {
      return { shape: [count, ...shape], values: values.slice(0, count * size) }
    })
    return { x: x as RawArray, y: this.#single ? (ys[0] as RawArray) : ys, numbers: this.#numbers.slice(0, count) }
  }
}

export async function* streamBatches(
  rows: RowStream,
  options: StreamOptions,
  place: BatchPlace,
): AsyncGenerator<RawBatch> {
  const { batchSize, dropLast, shuffleBuffer, steps } = options
  const transform = options.transform ?? (steps && steps.length > 0 ? augmentation(steps) : undefined)
  const draws = new Draws(place.seed)
  draws.begin(place.epoch, 0, 254)
  let pool: RowStore | null = null
  let out: RowStore | null = null
  let skippedRows: RawBatch['skippedRows']
  const finished = (store: RowStore): RawBatch => {
    const batch = store.batch()
    store.count = 0
    const changed = transform ? { ...batch, ...transform(batch, place) } : batch
    return skippedRows ? { ...changed, skippedRows } : changed
  }
  for await (const piece of rows.examples()) {
    skippedRows = piece.skippedRows
    const arrays = arraysOf(piece)
    for (let i = 0; i < piece.numbers.length; i++) {
      out ??= new RowStore(piece, batchSize)
      if (shuffleBuffer > 1) {
        pool ??= new RowStore(piece, shuffleBuffer)
        if (pool.count < pool.capacity) {
          pool.write(piece, arrays, i, pool.count++)
          continue
        }
        const drawn = draws.below(pool.count)
        out.copy(pool, drawn, out.count++)
        pool.write(piece, arrays, i, drawn)
      } else out.write(piece, arrays, i, out.count++)
      if (out.count === batchSize) yield finished(out)
    }
  }
  while (pool && out && pool.count > 0) {
    const drawn = draws.below(pool.count)
    out.copy(pool, drawn, out.count++)
    pool.copy(pool, --pool.count, drawn)
    if (out.count === batchSize) yield finished(out)
  }
  if (out && out.count > 0 && !dropLast) yield finished(out)
}
