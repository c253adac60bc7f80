/** Datasets of tensors, as plain arrays. */
import type { Tensor } from '../tensor.ts'
import type { Batch, Dataset } from './dataset.ts'
import type { RawArray, RawExamples, Source } from './raw.ts'

/** The examples of these numbers, from a dataset of either kind. */
export function rawExamples(dataset: Dataset | Source, numbers: Int32Array): RawExamples | Promise<RawExamples> {
  if ('read' in dataset) return dataset.read(numbers)
  const { x, y }: { x: Tensor; y: Batch['y'] | readonly Tensor[] } = dataset.batch(numbers)
  return { x: rawArray(x), y: Array.isArray(y) ? y.map(rawArray) : rawArray(y as Tensor) }
}

function rawArray(x: Tensor): RawArray {
  const values = x.data()
  return { shape: x.shape, values: values instanceof Uint8Array ? Float32Array.from(values) : values }
}
