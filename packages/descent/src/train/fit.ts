/** Training in one call. */
import type { Module } from '../nn/module.ts'
import type { Tensor } from '../tensor.ts'
import type { Outputs } from './batches.ts'
import type { FitOptions, FitResult } from './options.ts'
import { Trainer } from './trainer.ts'

/**
 * Trains a network: batches in an order that the seed decides, loss, gradients, a step of the optimizer, and after each
 * epoch the validation. Steps are compiled; progress is shown; Ctrl-C ends it after the current step. With
 * `validation` the network ends with the weights of its best epoch. The same seed and weights give the same losses to
 * the last bit. With `checkpoints` the same call, made again after any end, goes on where the training was, and ends
 * with the same bits as if it had not been ended.
 *
 * Throws RangeError for an empty dataset and settings that cannot be; NonFiniteLossError, naming epoch and batch, where
 * the loss is no number any more, after giving the network its last good weights; IndexError, naming them too, for a
 * class out of range; and StateDictError, with the names that differ, for a checkpoint of another network.
 *
 * @example
 * ```ts
 * import { data, fit, manualSeed, mseLoss, nn, optim, tensor } from 'descent'
 * manualSeed(1)
 * const net = new nn.Linear(1, 1)
 * const train = new data.TensorDataset(tensor([[0], [1], [2], [3]]), tensor([[1], [3], [5], [7]]))
 * const optimizer = new optim.Adam(net.parameters(), { lr: 0.1 })
 * const { history } = await fit(net, { train, loss: mseLoss, optimizer, epochs: 200, progress: false })
 * console.log(history.length, (history.at(-1)?.loss ?? 1) < 0.01) // → 200 true
 * ```
 */
export async function fit<T extends Outputs = Tensor>(
  net: Module<[Tensor], T>,
  options: FitOptions<T>,
): Promise<FitResult> {
  return new Trainer(net, options).fit()
}
