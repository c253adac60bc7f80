/** From a stream of rows to batches of tensors. */
import { tensorsOf } from './dataset.ts'
import type { NumberedBatch } from './loader.ts'
import type { BatchPlace, SkippedRows, Transform } from './raw.ts'
import type { RowStream } from './stream-batches.ts'
import type { EpochOrder, WorkerFactory, WorkerPool } from './worker-pool.ts'

export interface StreamLoaderOptions {
  /** Default 1. */
  readonly batchSize?: number
  /** How many rows are kept for shuffling, drawn from at random. Default 0: rows come in the order of the file. */
  readonly shuffleBuffer?: number
  /** Decides the order and what `transform` draws. Default 0. */
  readonly seed?: number
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean
  /** Changes each batch before it becomes tensors: see `compose`. */
  readonly transform?: Transform
  /** 1: a worker reads, parses and shuffles, while this thread computes. Default 0. */
  readonly numWorkers?: 0 | 1
  /** How many batches the worker is ahead. Default 2. */
  readonly prefetchFactor?: number
  /** See `LoaderOptions`. */
  readonly worker?: WorkerFactory
}

/**
 * Batches of a stream, in constant memory: each iteration reads the file again, and is the next epoch. `numbers` are the
 * rows' numbers in the file. Throws RangeError for options that are out of range.
 */
export class StreamLoader implements AsyncIterable<NumberedBatch> {
  /** The number of the next epoch. Set it to take a training up again. */
  epoch = 0
  readonly #rows: RowStream
  readonly #options: StreamLoaderOptions
  #skipped: SkippedRows = { count: 0, reasons: {}, messages: [] }
  #pool: Promise<WorkerPool> | null = null

  constructor(rows: RowStream, options: StreamLoaderOptions = {}) {
    const { batchSize = 1, shuffleBuffer = 0, prefetchFactor = 2 } = options
    for (const [name, value, least] of [
      ['batchSize', batchSize, 1],
      ['shuffleBuffer', shuffleBuffer, 0],
      ['prefetchFactor', prefetchFactor, 1],
    ] as const) {
      if (!Number.isInteger(value) || value < least)
        throw new RangeError(`StreamLoader: ${name} must be a whole number from ${least}, not ${value}.`)
    }
    this.#rows = rows
    this.#options = options
  }

  /** The rows that were left out in the last epoch so far. */
  get skipped(): SkippedRows {
    return this.#skipped
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<NumberedBatch> {
    const { batchSize = 1, shuffleBuffer = 0, dropLast = false, seed = 0, prefetchFactor = 2 } = this.#options
    const { transform, numWorkers = 0, worker } = this.#options
    const place = { seed, epoch: this.epoch++ }
    const shape = { batchSize, shuffleBuffer, dropLast }
    if (numWorkers > 0) {
      this.#pool ??= import('./on-demand.ts').then(({ WorkerPool }) =>
        WorkerPool.openStream(this.#rows, shape, transform, worker),
      )
    }
    const pool = await this.#pool
    // How many batches there are shows when there are no more.
    const orderOf = (at: BatchPlace): EpochOrder => ({
      ...{ order: new Int32Array(0), batches: Infinity, place: at, ahead: prefetchFactor },
    })
    const batches = pool
      ? pool.epoch(orderOf(place), orderOf({ seed, epoch: place.epoch + 1 }))
      : (await import('./on-demand.ts')).streamBatches(this.#rows, { ...shape, transform }, place)
    for await (const raw of batches) {
      if (raw.skippedRows) this.#skipped = raw.skippedRows
      yield { ...tensorsOf(raw), numbers: raw.numbers }
    }
  }

  /** Ends the worker, where there is one. */
  async close(): Promise<void> {
    const pool = await this.#pool
    this.#pool = null
    pool?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
