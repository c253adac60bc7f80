/** How often each class occurs, and what weights follow from it. Loaded by `balancedClassWeights`. */
import { tensor } from '../create.ts'
import type { Dataset } from '../data/dataset.ts'
import type { Tensor } from '../tensor.ts'
import { type Data, epochsOf } from './batches.ts'

/** See `balancedClassWeights`. */
export async function balancedWeights(data: Data | Dataset): Promise<Tensor> {
  const counts: number[] = []
  let all = 0
  for await (const { y } of epochsOf('training', data, { batchSize: 1024 }).batches(0, 0)) {
    if (Array.isArray(y) || (y as Tensor).dtype !== 'i32') {
      throw new TypeError("classWeights: 'balanced' needs classes as targets (i32).")
    }
    for (const label of (y as Tensor).data()) {
      counts[label] = (counts[label] ?? 0) + 1
      all++
    }
  }
  const list = Array.from(counts, (count) => count ?? 0)
  const missing = list.indexOf(0)
  if (missing >= 0) throw new RangeError(`classWeights: class ${missing} of ${list.length} never occurs.`)
  return tensor(list.map((count) => all / (list.length * count)))
}
