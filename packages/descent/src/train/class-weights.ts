/** Weights that make rare classes count as much as frequent ones. */
import type { Dataset } from '../data/dataset.ts'
import type { Tensor } from '../tensor.ts'
import type { Data } from './batches.ts'

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
  const { balancedWeights } = await import('./on-demand.ts')
  return balancedWeights(data)
}
