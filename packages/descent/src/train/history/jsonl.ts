/**
 * A training's history as JSON Lines: one report of an epoch a line, appended when the epoch ends. What a kill left of
 * a line is cut off when the file is opened again. JSON has no NaN and infinity: they stand as "NaN" and "Infinity".
 */
import { FormatError } from '../../errors.ts'
import type { EpochReport } from '../progress.ts'
import type { HistoryCallback } from './callback.ts'

const files = () => import('node:fs/promises')

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
    opened ??= openHistory(path)
    return opened
  }
  return {
    onStart: open,
    onEpoch: async (report) => {
      await open()
      const { appendFile } = await files()
      await appendFile(path, `${JSON.stringify(report, written)}\n`)
    },
  }
}

/**
 * The reports that a file of `jsonlHistory` holds, in order; an unfinished last line is left out. A resumed training
 * repeats epochs: the later report counts, and what followed the earlier one is left out. Throws FormatError, naming
 * the line, where a line is no report.
 */
export async function readHistory(path: string): Promise<EpochReport[]> {
  const { readFile } = await files()
  const { lines } = parted(path, await readFile(path, 'utf8'))
  const reports: EpochReport[] = []
  for (const report of lines) {
    while ((reports.at(-1)?.epoch ?? 0) >= report.epoch) reports.pop()
    reports.push(report)
  }
  return reports
}

async function openHistory(path: string): Promise<void> {
  const { appendFile, mkdir, readFile, truncate } = await files()
  const { dirname } = await import('node:path')
  await mkdir(dirname(path), { recursive: true })
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const { whole, torn, finished } = parted(path, text)
  if (torn === '') return
  // A report that only lacks its end of line is whole.
  if (finished) await appendFile(path, '\n')
  else await truncate(path, new TextEncoder().encode(whole).length)
}

interface Parted {
  readonly lines: readonly EpochReport[]
  /** The text of the finished lines. */
  readonly whole: string
  /** What follows them. */
  readonly torn: string
  /** Whether that is a report. */
  readonly finished: boolean
}

function parted(path: string, text: string): Parted {
  const end = text.lastIndexOf('\n') + 1
  const [whole, torn] = [text.slice(0, end), text.slice(end)]
  const lines = whole
    .split('\n')
    .slice(0, -1)
    .map((line, i) => {
      const report = parsed(line)
      if (!report) throw new FormatError(`${path}: line ${i + 1} is not the report of an epoch.`)
      return report
    })
  const last = parsed(torn)
  const start = '{"epoch":'
  if (torn !== '' && !torn.startsWith(start) && !start.startsWith(torn))
    throw new FormatError(`${path}: line ${lines.length + 1} is not the report of an epoch.`)
  return { lines: last ? [...lines, last] : lines, whole, torn, finished: last !== null }
}

function parsed(line: string): EpochReport | null {
  try {
    const report = JSON.parse(line, read) as Partial<EpochReport> | null
    return typeof report?.epoch === 'number' && typeof report.loss === 'number' ? (report as EpochReport) : null
  } catch {
    return null
  }
}

function written(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

function read(_: string, value: unknown): unknown {
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : value
}
