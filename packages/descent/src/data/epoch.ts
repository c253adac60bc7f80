/**
 * An epoch as batches in plain memory: the same function here and in a worker, so that its batches are the same. Batch b
 * holds the examples order[b · size, (b + 1) · size).
 */
import type { Dataset } from './dataset.ts'
import type { BatchPlace, RawBatch, RawExamples, Source, Transform } from './raw.ts'
import { rawExamples } from './raw-tensors.ts'

export interface EpochPlan {
  readonly source: Dataset | Source
  readonly batchSize: number
  readonly transform?: Transform | undefined
}

/** Every `step`-th batch of an epoch from `first` on, read up to `ahead` batches before they are asked for. */
export async function* epochBatches(
  plan: EpochPlan,
  order: Int32Array,
  batches: number,
  place: BatchPlace,
  { first = 0, step = 1, ahead = 0 }: { readonly first?: number; readonly step?: number; readonly ahead?: number } = {},
): AsyncGenerator<RawBatch> {
  const { source, batchSize } = plan
  const transform = transformOf(source, plan.transform)
  const reading: { numbers: Int32Array; examples: RawExamples | Promise<RawExamples> }[] = []
  let next = first
  const readOn = (): void => {
    while (next < batches && reading.length <= ahead) {
      const numbers = order.slice(next * batchSize, Math.min((next + 1) * batchSize, order.length))
      const examples = rawExamples(source, numbers)
      // What fails ahead of time is told when its turn comes.
      if (examples instanceof Promise) examples.catch(() => {})
      reading.push({ numbers, examples })
      next += step
    }
  }
  for (;;) {
    readOn()
    const read = reading.shift()
    if (!read) return
    const examples = await read.examples
    // Refilled before the transform, so that reading goes on meanwhile.
    readOn()
    const batch: RawBatch = { ...examples, numbers: examples.numbers ?? read.numbers }
    yield transform && batch.numbers.length > 0 ? { ...batch, ...transform(batch, place) } : batch
  }
}

/** A source's own transform, then the loader's. */
export function transformOf(source: Dataset | Source, transform: Transform | undefined): Transform | undefined {
  const own = 'transform' in source ? source.transform : undefined
  return own && transform ? (batch, place) => transform({ ...batch, ...own(batch, place) }, place) : (own ?? transform)
}
