/**
 * The server's side of the log: predictions are gathered and every `interval` handed to a thread that writes them in one
 * transaction. Handing over never waits. What waits, here and in the thread, is bounded: beyond that, predictions are dropped,
 * counted, and `onTrouble` hears of it.
 *
 * What must hold: `written` of a prediction becomes true only when its transaction is on the disk.
 */
import { Worker } from 'node:worker_threads'
import { LogBatch } from './batch.ts'
import type { Feedback, FromWriter, Keep, KeptFeedback, LogEntry, ToWriter, WriterTask } from './entry.ts'

export interface LogOptions {
  /** `.descent/` */
  readonly folder: string
  readonly keep: Keep
  /** Milliseconds between two transactions. */
  readonly interval?: number
  /** Predictions that may wait. */
  readonly queue?: number
  /** Bytes of inputs that may wait. */
  readonly queueBytes?: number
  /** Hears, at most once a second, in a sentence. */
  readonly onTrouble?: (sentence: string) => void
}

export interface LogCounts {
  readonly written: number
  readonly dropped: number
  /** Not yet on the disk. */
  readonly waiting: number
  /** Removed by age or size. */
  readonly removed: number
}

interface Sent {
  readonly length: number
  readonly bytes: number
  readonly listeners: readonly ((written: boolean) => void)[]
}

/** Transactions that the thread is given ahead. */
const ahead = 2

export class PredictionLog {
  readonly #options: Required<LogOptions>
  readonly #worker: Worker
  readonly #sent = new Map<number, Sent>()
  readonly #tickets = new Map<
    number,
    { resolve: (kept: KeptFeedback | null) => void; reject: (error: Error) => void }
  >()
  #open = new LogBatch(null)
  #listeners: ((written: boolean) => void)[] = []
  #timer: NodeJS.Timeout | null = null
  #batches = 0
  #ticketNumbers = 0
  #waiting = 0
  #waitingBytes = 0
  #counts = { written: 0, dropped: 0, removed: 0 }
  #reported = { dropped: 0, at: 0 }
  #failed: string | null = null
  readonly #closed: Promise<void>

  private constructor(worker: Worker, options: Required<LogOptions>) {
    this.#options = options
    this.#worker = worker
    worker.on('message', (message: FromWriter) => this.#hear(message))
    worker.on('error', (error) => this.#fail(error.message))
    this.#closed = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#fail('its thread has ended')
        resolve()
      })
    })
  }

  /** Starts the thread, and waits until it has opened the database. */
  static async open(options: LogOptions): Promise<PredictionLog> {
    const all = { interval: 50, queue: 50_000, queueBytes: 2 ** 26, onTrouble: () => {}, ...options }
    const task: WriterTask = { folder: all.folder, keep: all.keep }
    const worker = new Worker(new URL('./writer.ts', import.meta.url), { workerData: task })
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => {
        worker.off('error', reject)
        resolve()
      })
      worker.once('error', reject)
    })
    return new PredictionLog(worker, all)
  }

  get counts(): LogCounts {
    return { ...this.#counts, waiting: this.#waiting }
  }

  /** Hands a prediction over. `listener` hears once whether it is on the disk, or was dropped. */
  add(entry: LogEntry, listener?: (written: boolean) => void): void {
    const { queue, queueBytes, interval } = this.#options
    if (this.#failed !== null || this.#waiting >= queue || this.#waitingBytes + entry.body.length > queueBytes) {
      this.#drop(1)
      listener?.(false)
      return
    }
    this.#open.add(entry)
    this.#waiting++
    this.#waitingBytes += entry.body.length
    if (listener) this.#listeners.push(listener)
    this.#timer ??= setTimeout(this.#send, interval)
  }

  /**
   * Keeps what someone said about a prediction. Null where there is no such prediction.
   */
  feedback(feedback: Feedback): Promise<KeptFeedback | null> {
    if (this.#failed !== null) return Promise.reject(new Error(`The log cannot be written: ${this.#failed}.`))
    this.#flush()
    const ticket = this.#ticketNumbers++
    return new Promise((resolve, reject) => {
      this.#tickets.set(ticket, { resolve, reject })
      this.#post({ kind: 'feedback', ticket, feedback })
    })
  }

  /** Writes what waits, and ends the thread. */
  async close(): Promise<void> {
    this.#send()
    while (this.#waiting > 0 && this.#failed === null) await new Promise((resolve) => setTimeout(resolve, 5))
    this.#post({ kind: 'close' })
    await this.#closed
  }

  readonly #send = (): void => {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    // Where the thread is behind, what waits here becomes one larger transaction.
    if (this.#sent.size < ahead) this.#flush()
  }

  #flush(): void {
    if (this.#open.length === 0 || this.#failed !== null) return
    const batch = this.#batches++
    const { length, bytes } = this.#open
    const columns = this.#open.columns()
    this.#sent.set(batch, { length, bytes, listeners: this.#listeners })
    this.#open = new LogBatch(this.#open)
    this.#listeners = []
    this.#post(
      { kind: 'predictions', batch, columns },
      [columns.numbers, columns.texts, columns.bodies].map(({ buffer }) => buffer),
    )
  }

  #post(message: ToWriter, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer)
  }

  #hear(message: FromWriter): void {
    switch (message.kind) {
      case 'ready':
        break
      case 'written':
        this.#settle(message.batch, message.error)
        break
      case 'feedback': {
        const waiting = this.#tickets.get(message.ticket)
        this.#tickets.delete(message.ticket)
        if (message.error === null) waiting?.resolve(message.kept)
        else waiting?.reject(new Error(message.error))
        break
      }
      case 'retained':
        this.#counts.removed += message.removed
        break
      default:
        message satisfies never
    }
  }

  #settle(batch: number, error: string | null): void {
    const sent = this.#sent.get(batch)
    if (!sent) return
    this.#sent.delete(batch)
    this.#waiting -= sent.length
    this.#waitingBytes -= sent.bytes
    if (error === null) this.#counts.written += sent.length
    else this.#drop(sent.length, error)
    for (const listener of sent.listeners) listener(error === null)
    if (this.#timer === null) this.#send()
  }

  #fail(why: string): void {
    if (this.#failed !== null) return
    this.#failed = why
    for (const batch of [...this.#sent.keys()]) this.#settle(batch, why)
    for (const { reject } of this.#tickets.values()) reject(new Error(`The log cannot be written: ${why}.`))
    this.#tickets.clear()
    this.#drop(this.#open.length)
    for (const listener of this.#listeners) listener(false)
    this.#waiting = 0
    this.#open = new LogBatch(null)
    this.#listeners = []
  }

  #drop(count: number, why = this.#failed ?? 'they come faster than they are written'): void {
    this.#counts.dropped += count
    const now = Date.now()
    const fresh = this.#counts.dropped - this.#reported.dropped
    if (fresh === 0 || now - this.#reported.at < 1000) return
    this.#reported = { dropped: this.#counts.dropped, at: now }
    this.#options.onTrouble(`${fresh} predictions were answered but not logged: ${why}.`)
  }
}
