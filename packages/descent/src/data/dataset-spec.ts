/** What a dataset says of itself, if it does. */
import type { Dataset } from './dataset.ts'
import type { Source } from './raw.ts'

/** A dataset's classes. Throws TypeError where it does not say them. */
export function labelsOf(dataset: Dataset | Source): Int32Array {
  if ('labels' in dataset && dataset.labels) return dataset.labels()
  throw new TypeError('This dataset does not say which class each example has: give them as `labels`.')
}

/** What a worker must know to read the same. Throws TypeError where that cannot be sent. */
export function specOf(dataset: Dataset | Source): unknown {
  if ('spec' in dataset && dataset.spec) return dataset.spec()
  throw new TypeError(
    'A worker cannot be sent this dataset, which is made of functions. Describe it in a module, and use data.fromModule(url).',
  )
}
