/** The learning-rate finder: a short training whose rate grows from very small to far too large. */
import type { Dataset } from '../data/dataset.ts'
import type { Module } from '../nn/module.ts'
import type { Optimizer } from '../optim/optimizer.ts'
import type { Loss } from './evaluate.ts'
import type { LearningRateCurve } from './learning-rate-curve.ts'

export interface FindLearningRateOptions {
  readonly train: Dataset
  readonly loss: Loss
  readonly optimizer: Optimizer
  /** The first rate. Default 1e-7. */
  readonly from?: number
  /** The last rate. Default 10. */
  readonly to?: number
  /** How many rates, one step each; the dataset repeats where it is shorter. Default 100. */
  readonly steps?: number
  /** Default 32. */
  readonly batchSize?: number
  /** Decides the batches and seeds dropout. Default 0. */
  readonly seed?: number
  /** Whether steps are compiled; results are the same. Default true. */
  readonly compile?: boolean
}

/**
 * Tries learning rates from small to large, one training step each, growing by the same factor, and measures the loss
 * before each step; it stops when the loss has run away. The curve says where the loss falls most steeply: a good rate
 * to begin with. Network, optimizer, gradients and generators are as before afterwards, to the last bit. Where the
 * optimizer has several groups, their rates keep their ratios to the first, whose rate the curve shows.
 *
 * Throws RangeError where the rates are not 0 < from < to, for fewer than 3 steps, or an empty dataset. Source: Smith,
 * "Cyclical learning rates for training neural networks", 2017.
 *
 * @example
 * ```ts
 * import { data, findLearningRate, manualSeed, mseLoss, nn, optim, tensor } from 'descent'
 * manualSeed(1)
 * const net = new nn.Linear(1, 1)
 * const train = new data.TensorDataset(tensor([[0], [1], [2], [3]]), tensor([[1], [3], [5], [7]]))
 * const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 })
 * const curve = await findLearningRate(net, { train, loss: mseLoss, optimizer, from: 1e-4, to: 10 })
 * console.log(curve.diverged, (curve.suggestion ?? 0) > 1e-3, (curve.suggestion ?? 1) < 0.5) // → true true true
 * ```
 */
export async function findLearningRate(net: Module, options: FindLearningRateOptions): Promise<LearningRateCurve> {
  const { sweep } = await import('./on-demand.ts')
  return sweep(net, options)
}
