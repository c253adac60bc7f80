/** How good a network is on a dataset. */
import type { Module } from '../nn/module.ts'
import type { Tensor } from '../tensor.ts'
import type { Data, Outputs } from './batches.ts'
import type { Metrics, Scores } from './metrics.ts'

/** From a batch's outputs and targets to one element; lists of them for several outputs. */
export type Loss<T extends Outputs = Tensor> = (output: T, target: T) => Tensor

/** A loss as a function, or a module such as `nn.CrossEntropyLoss` that computes one. */
export type AnyLoss<T extends Outputs = Tensor> = Loss<T> | Module<[T, T]>

/** Options of `evaluate`. */
export interface EvaluateOptions<T extends Outputs = Tensor> {
  readonly loss: AnyLoss<T>
  /** Default: accuracy where targets are classes (i32). */
  readonly metrics?: Metrics
  /** Default 256. */
  readonly batchSize?: number
}

/**
 * The mean loss and metrics of a network over data, in eval mode, without gradients. Throws RangeError for an empty
 * dataset.
 *
 * @example
 * ```ts
 * import { data, evaluate, mseLoss, nn, tensor } from 'descent'
 * const pairs = new data.TensorDataset(tensor([[1], [2]]), tensor([[1], [2]]))
 * const { loss } = await evaluate(new nn.Flatten(), pairs, { loss: mseLoss })
 * console.log(loss) // → 0
 * ```
 */
export async function evaluate<T extends Outputs = Tensor>(
  net: Module<[Tensor], T>,
  data: Data,
  options: EvaluateOptions<T>,
): Promise<Scores> {
  const { evaluator } = await import('./on-demand.ts')
  return evaluator(net, options)(data)
}
