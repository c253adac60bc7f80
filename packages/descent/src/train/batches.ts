/**
 * Where batches come from, seen alike: a dataset, a loader, or anything that can be iterated once an epoch. The next
 * batch is being read while the step before it computes.
 */
import type { Batch, Dataset } from '../data/dataset.ts'
import { DataLoader, type LoaderOptions } from '../data/loader.ts'
import type { Source } from '../data/raw.ts'
import type { Tensor } from '../tensor.ts'

/** What a network gives and what it should give: one tensor, or one for each of its outputs. */
export type Outputs = Tensor | readonly Tensor[]

/** Batches that can be iterated once an epoch: a loader, a stream, an array of batches. */
export type Batches = Iterable<Batch> | AsyncIterable<Batch>

/** Data for training or validation. */
export type Data = Dataset | Source | Batches

export interface Epochs {
  /** Batches in an epoch; null where only their end tells. */
  readonly length: number | null
  /** The batches of epoch number `epoch` (from 0) from number `from` on. */
  batches(epoch: number, from: number): AsyncGenerator<Batch & { readonly numbers?: Int32Array }>
  /** Ends workers that were started here. */
  close(): Promise<void>
}

/** Throws RangeError for an empty dataset. */
export function epochsOf(what: string, data: Data, options: LoaderOptions): Epochs {
  const isDataset = 'length' in data && ('batch' in data || 'read' in data) && !(data instanceof DataLoader)
  if (isDataset && data.length === 0) throw new RangeError(`fit: the ${what} dataset is empty.`)
  const batches: Batches = isDataset ? new DataLoader(data as Dataset | Source, options) : (data as Batches)
  const length = 'length' in batches && typeof batches.length === 'number' ? batches.length : null
  return {
    length,
    async *batches(epoch, from) {
      if ('epoch' in batches) (batches as { epoch: number }).epoch = epoch
      let number = 0
      for await (const batch of ahead(batches)) if (number++ >= from) yield batch
      if (number === 0) throw new RangeError(`fit: the ${what} data gave no batches in epoch ${epoch + 1}.`)
    },
    async close() {
      if (isDataset) await (batches as DataLoader).close()
    },
  }
}

/** How many examples a batch has. */
export function countOf({ x }: Batch): number {
  return x.shape[0] ?? 1
}

/** The same batches, the next of which is asked for before the one at hand is given away. */
async function* ahead(batches: Batches): AsyncGenerator<Batch> {
  if (!(Symbol.asyncIterator in batches)) {
    yield* batches
    return
  }
  const iterator = batches[Symbol.asyncIterator]()
  let next = iterator.next()
  try {
    for (;;) {
      const { done, value } = await next
      if (done) return
      next = iterator.next()
      // Awaited later; until then its failure is nobody's.
      next.catch(() => {})
      yield value
    }
  } finally {
    await iterator.return?.()
  }
}
