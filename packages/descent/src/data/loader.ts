/** From a dataset to batches, in an order that a seed decides. */
import type { Batch, Dataset } from './dataset.ts'
import { permutation } from './permutation.ts'

/** Options of `DataLoader`. */
export interface LoaderOptions {
  /** Default 1. */
  readonly batchSize?: number
  /** A new order in every epoch. Default false. */
  readonly shuffle?: boolean
  /** Decides the orders: the same seed, the same batches. Default 0. */
  readonly seed?: number
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean
}

/** A batch and the numbers of its examples in the dataset. */
export interface NumberedBatch extends Batch {
  readonly numbers: Int32Array
}

/**
 * Iterates over a dataset's batches; each iteration is the next epoch. Throws RangeError for an empty dataset, for one
 * that `dropLast` leaves empty, and for a batch size that is not a whole number above 0.
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
export class DataLoader implements Iterable<NumberedBatch> {
  readonly dataset: Dataset
  readonly batchSize: number
  /** How many batches an epoch has. */
  readonly length: number
  /** The number of the next epoch. Set it to take a training up again. */
  epoch = 0
  readonly #shuffle: boolean
  readonly #seed: number

  constructor(dataset: Dataset, options: LoaderOptions = {}) {
    const { batchSize = 1, shuffle = false, seed = 0, dropLast = false } = options
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new RangeError(`DataLoader: the batch size must be a whole number above 0, not ${batchSize}.`)
    }
    if (dataset.length === 0) throw new RangeError('DataLoader: the dataset is empty.')
    this.length = dropLast ? Math.floor(dataset.length / batchSize) : Math.ceil(dataset.length / batchSize)
    if (this.length === 0) {
      throw new RangeError(
        `DataLoader: ${dataset.length} examples do not fill one batch of ${batchSize}, and dropLast leaves it out.`,
      )
    }
    this.dataset = dataset
    this.batchSize = batchSize
    this.#shuffle = shuffle
    this.#seed = seed
  }

  *[Symbol.iterator](): Generator<NumberedBatch> {
    const count = this.dataset.length
    const epoch = this.epoch++
    const order = this.#shuffle
      ? permutation(count, this.#seed, epoch)
      : Int32Array.from({ length: count }, (_, i) => i)
    for (let i = 0; i < this.length; i++) {
      const numbers = order.subarray(i * this.batchSize, Math.min((i + 1) * this.batchSize, count))
      yield { ...this.dataset.batch(numbers), numbers }
    }
  }
}
