/** A training's history as event files, which TensorBoard draws. */
import type { HistoryCallback } from './callback.ts'
import type { Board } from './event-board.ts'

/**
 * Writes losses and metrics for TensorBoard: after each epoch `loss` and each metric under `train` and `validation`,
 * two runs whose curves TensorBoard draws into one picture, and `seconds` and `examples per second` under `train`; for
 * each step, where the training reports steps, `loss` and metrics under `steps`. With `optimizer` also `learning rate`.
 * A training that starts again continues in new files; epochs and steps that it repeats replace the earlier ones. For
 * Node. See it with `tensorboard --logdir folder`.
 *
 * @example
 * ```ts
 * import { mkdtemp, readdir } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { data, fit, mseLoss, nn, optim, tensor, tensorBoard } from 'descent'
 * const folder = await mkdtemp(join(tmpdir(), 'board-'))
 * const net = new nn.Linear(1, 1)
 * const train = new data.TensorDataset(tensor([[0], [1]]), tensor([[1], [3]]))
 * const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 })
 * const { onEpoch } = tensorBoard(folder, { optimizer })
 * await fit(net, { train, validation: train, loss: mseLoss, optimizer, epochs: 2, progress: false, onEpoch })
 * console.log((await readdir(folder)).sort()) // → [ 'train', 'validation' ]
 * ```
 */
export function tensorBoard(
  folder: string,
  options: {
    /** Whose learning rate is written: of its first group. */
    readonly optimizer?: { readonly groups: readonly { readonly lr: number }[] }
  } = {},
): HistoryCallback {
  let opened: Promise<Board> | null = null
  const board = () => {
    opened ??= import('../on-demand.ts').then(({ Board }) => new Board(folder, options.optimizer))
    return opened
  }
  return {
    onStep: async (report) => (await board()).step(report),
    onEpoch: async (report) => (await board()).epoch(report),
    onEnd: async () => (await board()).write(),
  }
}
