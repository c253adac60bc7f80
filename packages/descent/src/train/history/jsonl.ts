/**
 * A training's history as JSON Lines: one report of an epoch a line, appended when the epoch ends. What a kill left of
 * a line is cut off when the file is opened again. JSON has no NaN and infinity: they stand as "NaN" and "Infinity".
 */
import type { EpochReport } from '../progress.ts'
import type { HistoryCallback } from './callback.ts'

const file = () => import('../on-demand.ts')

/**
 * Appends the report of each epoch to a file, one JSON object a line; folders are made. A file that is there already
 * goes on; a last line that was not finished is cut off. Throws FormatError, changing nothing, where the file is not
 * such a history. For Node. Source of the format: jsonlines.org.
 *
 * @example
 * ```ts
 * import { mkdtemp, readFile } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { data, fit, jsonlHistory, mseLoss, nn, optim, readHistory, tensor } from 'descent'
 * const path = join(await mkdtemp(join(tmpdir(), 'history-')), 'history.jsonl')
 * const net = new nn.Linear(1, 1)
 * const train = new data.TensorDataset(tensor([[0], [1]]), tensor([[1], [3]]))
 * const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 })
 * const { onEpoch } = jsonlHistory(path)
 * const { history } = await fit(net, { train, loss: mseLoss, optimizer, epochs: 2, progress: false, onEpoch })
 * console.log((await readFile(path, 'utf8')).split('\n').length) // → 3
 * console.log((await readHistory(path))[1]?.loss === history[1]?.loss) // → true
 * ```
 */
export function jsonlHistory(path: string): HistoryCallback {
  let opened: Promise<void> | null = null
  const open = () => {
    opened ??= file().then(({ openHistory }) => openHistory(path))
    return opened
  }
  return {
    onStart: open,
    onEpoch: async (report) => {
      await open()
      await (await file()).appendReport(path, report)
    },
  }
}

/**
 * The reports that a file of `jsonlHistory` holds, in order; an unfinished last line is left out. A resumed training
 * repeats epochs: the later report counts, and what followed the earlier one is left out. Throws FormatError, naming
 * the line, where a line is no report.
 */
export async function readHistory(path: string): Promise<EpochReport[]> {
  return (await file()).readReports(path)
}
