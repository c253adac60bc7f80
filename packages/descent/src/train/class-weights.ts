/** Weights that make rare classes count as much as frequent ones. */
import { tensor } from '../create.ts'
import type { Dataset } from '../data/dataset.ts'
import type { Tensor } from '../tensor.ts'
import { type Data, epochsOf } from './batches.ts'

/**
 * N / (C · how often each class occurs), f32 [C]: the weight of each class for `crossEntropy`, so that all together
 * count alike. Classes are the targets (i32) of the data, which is read once. Throws TypeError for other targets, and
 * RangeError where a class below the largest never occurs. Source: sklearn.utils.class_weight, 'balanced'.
 *
 * @example
 * ```ts
 * import { balancedClassWeights, data, tensor } from 'descent'
 * const labels = tensor([0, 0, 0, 1], { dtype: 'i32' })
 * const weights = await balancedClassWeights(new data.TensorDataset(tensor([1, 2, 3, 4]), labels))
 * console.log(weights.toArray()) // → [ 0.6666666865348816, 2 ]
 * ```
 */
export async function balancedClassWeights(data: Data | Dataset): Promise<Tensor> {
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
