/**
 * How a training shows itself: in a terminal one line that is redrawn, elsewhere (a file, a pipe, a browser's
 * console) one line an epoch.
 */
import type { Scores } from './metrics.ts'

/** What an epoch gave: the mean loss and metrics of the training, those of the validation, and how fast it went. */
export interface EpochReport extends Scores {
  /** From 1. */
  readonly epoch: number
  /** Of the first validation set, where there are several. */
  readonly validation: Scores | null
  /** Of each validation set by name, where they were given so. */
  readonly validations?: Readonly<Record<string, Scores>>
  /** The rate of the epoch's last step. */
  readonly learningRate?: number
  readonly seconds: number
  readonly examplesPerSecond: number
}

export interface Moment extends Scores {
  readonly epoch: number
  readonly epochs: number
  readonly batch: number
  /** Null where only their end tells. */
  readonly batches: number | null
  readonly examplesPerSecond: number
  readonly secondsLeft: number
}

/** Where progress is written. */
export interface Screen {
  /** Columns of a terminal, or null where lines cannot be redrawn. */
  readonly columns: number | null
  write(text: string): void
}

const REDRAW_MS = 100
const BAR_WIDTH = 20

export class Progress {
  readonly #screen: Screen
  #drawn = -Infinity

  constructor(screen: Screen = defaultScreen()) {
    this.#screen = screen
  }

  moment(now: Moment): void {
    const { columns } = this.#screen
    if (columns === null || (performance.now() - this.#drawn < REDRAW_MS && now.batch !== now.batches)) return
    this.#screen.write(`\r\x1b[2K${momentLine(now, columns - 1).slice(0, columns - 1)}`)
    this.#drawn = performance.now()
  }

  epoch(report: EpochReport, epochs: number): void {
    this.note(epochLine(report, epochs))
  }

  /** A line that stays. */
  note(line: string): void {
    this.#screen.write(`${this.#screen.columns === null ? '' : '\r\x1b[2K'}${line}\n`)
  }
}

function defaultScreen(): Screen {
  if (typeof process !== 'undefined' && process.stdout) {
    const { stdout } = process
    return {
      get columns() {
        return stdout.isTTY ? (stdout.columns ?? 80) : null
      },
      write: (text) => {
        stdout.write(text)
      },
    }
  }
  return { columns: null, write: (text) => console.log(text.trimEnd()) }
}

/** The bar takes what the words leave, so that the time left stays in sight. */
function momentLine(now: Moment, columns: number): string {
  const first = `epoch ${now.epoch}/${now.epochs}`
  const rest = [
    `batch ${now.batch}${now.batches === null ? '' : `/${now.batches}`}`,
    ...scoreTexts(now, ''),
    `${rate(now.examplesPerSecond)} examples/s`,
    `${duration(now.secondsLeft)} left`,
  ].join('  ')
  const width = Math.min(BAR_WIDTH, columns - first.length - rest.length - 4)
  if (width < 3 || now.batches === null) return `${first}  ${rest}`
  const filled = Math.round((now.batch / now.batches) * width)
  return `${first}  ${'━'.repeat(filled)}${'┄'.repeat(width - filled)}  ${rest}`
}

function epochLine(report: EpochReport, epochs: number): string {
  const parts = [
    ...scoreTexts(report, ''),
    ...(report.validation ? scoreTexts(report.validation, 'validation ') : []),
    `${rate(report.examplesPerSecond)} examples/s`,
    duration(report.seconds),
  ]
  return `epoch ${report.epoch}/${epochs}: ${parts.join(', ')}`
}

function scoreTexts({ loss, metrics }: Scores, prefix: string): string[] {
  const texts = Object.entries(metrics).map(([name, value]) =>
    name === 'accuracy' ? `${prefix}${name} ${(value * 100).toFixed(2)} %` : `${prefix}${name} ${short(value)}`,
  )
  return [`${prefix}loss ${short(loss)}`, ...texts]
}

function short(value: number): string {
  return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5 ? value.toFixed(4) : value.toExponential(2)
}

function rate(perSecond: number): string {
  return perSecond >= 100 ? Math.round(perSecond).toLocaleString('en') : perSecond.toFixed(1)
}

/** 5.2 s, 48 s, 3 min 12 s, 2 h 5 min. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '…'
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}
