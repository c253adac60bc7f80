/** What datasets have in common that read plain arrays: batches of tensors, where reading is done at once. */
import { type Batch, type Dataset, tensorsOf } from './dataset.ts'
import type { RawExamples, Source } from './raw.ts'

export abstract class SourceDataset implements Source, Dataset {
  abstract readonly length: number
  abstract read(numbers: Int32Array): RawExamples | Promise<RawExamples>

  /** Throws TypeError where examples must be waited for: a DataLoader with `for await` does that. */
  batch(numbers: Int32Array): Batch {
    const examples = this.read(numbers)
    if (examples instanceof Promise)
      throw new TypeError('These examples must be waited for: use for await … of, over a DataLoader.')
    return tensorsOf(examples)
  }
}

/**
 * Where those that were read stand among those that were asked for: some may have been left out.
 */
export function positionsOf(asked: Int32Array, read: Int32Array | undefined): Int32Array {
  if (!read) return Int32Array.from(asked, (_, i) => i)
  let at = -1
  return Int32Array.from(read, (number) => {
    at = asked.indexOf(number, at + 1)
    return at
  })
}
