/** From a dataset to batches, in an order that a seed decides. */
import { type Batch, type Dataset, tensorsOf } from './dataset.ts'
import { epochBatches, transformOf } from './epoch.ts'
import { permutation } from './permutation.ts'
import type { BadExample, RawBatch, Source, Transform } from './raw.ts'
import { rawExamples } from './raw-tensors.ts'
import type { Sampler } from './sampler.ts'
import type { EpochOrder, WorkerFactory, WorkerPool } from './worker-pool.ts'

/** Options of `DataLoader`. */
export interface LoaderOptions {
  /** Default 1. */
  readonly batchSize?: number
  /** A new order in every epoch. Default false. */
  readonly shuffle?: boolean
  /** Decides the orders and what `transform` draws: the same seed, the same batches. Default 0. */
  readonly seed?: number
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean
  /** Decides which examples an epoch has, in place of `shuffle`: see `WeightedRandomSampler`. */
  readonly sampler?: Sampler
  /** Changes each batch before it becomes tensors: augmentation (see `compose`), or a function of one's own. */
  readonly transform?: Transform
  /** How many workers prepare batches, while this thread computes. 0, the default: this thread does. Needs `for await`. */
  readonly numWorkers?: number
  /** How many batches each worker is ahead, or without workers how many are being read ahead. Default 2. */
  readonly prefetchFactor?: number
  /** Starts a worker that calls `data.serveBatches()`, where a bundler has moved the library's own out of reach. */
  readonly worker?: WorkerFactory
}

/** A batch and the numbers of its examples in the dataset. */
export interface NumberedBatch extends Batch {
  readonly numbers: Int32Array
}

/**
 * Iterates over a dataset's batches; each iteration is the next epoch. With `for … of` where the dataset is at hand, with
 * `for await … of` anyway, and where it must be waited for: for files, and with workers.
 *
 * Throws RangeError for an empty dataset, for one that `dropLast` leaves empty, and for a batch size that is not a
 * whole number above 0. What goes wrong in a worker is thrown here, with its text.
 *
 * @example
 * ```ts
 * import { data, tensor } from 'descent'
 * const pairs = new data.TensorDataset(tensor([[1], [2], [3]]), tensor([10, 20, 30]))
 * for (const { x, y } of new data.DataLoader(pairs, { batchSize: 2 })) console.log(x.shape, y.toArray())
 * // → [ 2, 1 ] [ 10, 20 ]
 * // → [ 1, 1 ] [ 30 ]
 * ```
 */
export class DataLoader implements Iterable<NumberedBatch>, AsyncIterable<NumberedBatch> {
  readonly dataset: Dataset | Source
  readonly batchSize: number
  /** How many batches an epoch has. */
  readonly length: number
  /** The number of the next epoch. Set it to take a training up again. */
  epoch = 0
  /** Examples that could not be read and were left out, in the epochs so far. */
  readonly skipped: BadExample[] = []
  readonly #options: LoaderOptions
  readonly #seed: number
  /** How many examples an epoch has. */
  readonly #count: number
  #pool: Promise<WorkerPool> | null = null

  constructor(dataset: Dataset | Source, options: LoaderOptions = {}) {
    const { batchSize = 1, seed = 0, dropLast = false, sampler, numWorkers = 0, prefetchFactor = 2 } = options
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new RangeError(`DataLoader: the batch size must be a whole number above 0, not ${batchSize}.`)
    }
    if (!Number.isInteger(numWorkers) || numWorkers < 0)
      throw new RangeError(`DataLoader: numWorkers must be a whole number from 0, not ${numWorkers}.`)
    const least = numWorkers > 0 ? 1 : 0
    if (!Number.isInteger(prefetchFactor) || prefetchFactor < least)
      throw new RangeError(`DataLoader: prefetchFactor must be a whole number from ${least}, not ${prefetchFactor}.`)
    if (sampler && options.shuffle)
      throw new RangeError('DataLoader: a sampler decides the order; it does not go with shuffle.')
    if (dataset.length === 0) throw new RangeError('DataLoader: the dataset is empty.')
    const count = sampler?.length ?? dataset.length
    this.length = dropLast ? Math.floor(count / batchSize) : Math.ceil(count / batchSize)
    if (this.length === 0) {
      throw new RangeError(
        `DataLoader: ${count} examples do not fill one batch of ${batchSize}, and dropLast leaves it out.`,
      )
    }
    this.dataset = dataset
    this.batchSize = batchSize
    this.#options = options
    this.#seed = seed
    this.#count = count
  }

  *[Symbol.iterator](): Generator<NumberedBatch> {
    const { dataset, batchSize } = this
    const { numWorkers = 0 } = this.#options
    const transform = transformOf(dataset, this.#options.transform)
    if (numWorkers > 0) throw new TypeError('DataLoader: batches of workers must be waited for: use for await … of.')
    const epoch = this.epoch++
    const order = this.#order(epoch)
    for (let i = 0; i < this.length; i++) {
      const numbers = order.subarray(i * batchSize, Math.min((i + 1) * batchSize, this.#count))
      if (!transform && 'batch' in dataset) {
        yield { ...dataset.batch(numbers), numbers }
        continue
      }
      const examples = rawExamples(dataset, numbers)
      if (examples instanceof Promise)
        throw new TypeError('DataLoader: this dataset must be waited for: use for await … of.')
      const raw: RawBatch = { ...examples, numbers }
      yield { ...tensorsOf(transform ? transform(raw, { seed: this.#seed, epoch }) : raw), numbers }
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<NumberedBatch> {
    const epoch = this.epoch++
    for await (const raw of this.#rawBatches(epoch)) {
      for (const bad of raw.skipped ?? []) this.#skip(bad)
      if (raw.numbers.length > 0) yield { ...tensorsOf(raw), numbers: raw.numbers }
    }
  }

  #skip(bad: BadExample): void {
    if (this.skipped.some(({ name }) => name === bad.name)) return
    this.skipped.push(bad)
    console.warn(`DataLoader: left out ${bad.name}, which cannot be decoded: ${bad.reason}.`)
  }

  /** Ends the workers, where there are any. The next iteration would start new ones. */
  async close(): Promise<void> {
    const pool = await this.#pool
    this.#pool = null
    pool?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async *#rawBatches(epoch: number): AsyncGenerator<RawBatch> {
    const { dataset, batchSize } = this
    const { transform, numWorkers = 0, prefetchFactor = 2, worker } = this.#options
    if (numWorkers === 0) {
      const place = { seed: this.#seed, epoch }
      const plan = { source: dataset, batchSize, transform }
      yield* epochBatches(plan, this.#order(epoch), this.length, place, { ahead: prefetchFactor })
      return
    }
    this.#pool ??= import('./on-demand.ts').then(({ WorkerPool }) =>
      WorkerPool.open({ dataset, batchSize, transform }, numWorkers, worker),
    )
    const pool = await this.#pool
    const orderOf = (number: number): EpochOrder => ({
      order: this.#order(number),
      batches: this.length,
      place: { seed: this.#seed, epoch: number },
      ahead: prefetchFactor,
    })
    yield* pool.epoch(orderOf(epoch), orderOf(epoch + 1))
  }

  #order(epoch: number): Int32Array {
    const { sampler, shuffle = false } = this.#options
    const order = sampler
      ? sampler.order(this.#seed, epoch)
      : shuffle
        ? permutation(this.#count, this.#seed, epoch)
        : Int32Array.from({ length: this.#count }, (_, i) => i)
    return order
  }
}
