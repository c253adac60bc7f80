/** The file of `jsonlHistory`: opened, appended to and read. Loaded when it is used. */
import { FormatError } from '../../errors.ts'
import type { EpochReport } from '../progress.ts'

const files = () => import('node:fs/promises')

export async function appendReport(path: string, report: EpochReport): Promise<void> {
  const { appendFile } = await files()
  await appendFile(path, `${JSON.stringify(report, written)}\n`)
}

/** See `readHistory`. */
export async function readReports(path: string): Promise<EpochReport[]> {
  const { readFile } = await files()
  const { lines } = parted(path, await readFile(path, 'utf8'))
  const reports: EpochReport[] = []
  for (const report of lines) {
    while ((reports.at(-1)?.epoch ?? 0) >= report.epoch) reports.pop()
    reports.push(report)
  }
  return reports
}

/** Makes what is missing, and cuts off a line that was not finished. See `jsonlHistory`. */
export async function openHistory(path: string): Promise<void> {
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
