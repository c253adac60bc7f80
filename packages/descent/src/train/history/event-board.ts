/** The event files of `tensorBoard`, which loads this when there is something to write. */
import type { EpochReport } from '../progress.ts'
import type { StepReport } from './callback.ts'
import { scalarEvent, startEvent, versionEvent } from './event-format.ts'

/** How long scalars of steps may wait for being written together. */
const WAIT_MS = 1000

/** The three runs of a training. */
export class Board {
  readonly #train: EventWriter
  readonly #validation: EventWriter
  readonly #steps: EventWriter
  readonly #optimizer: { readonly groups: readonly { readonly lr: number }[] } | undefined
  #waitingSince: number | null = null

  /** `optimizer`: whose learning rate is written. */
  constructor(folder: string, optimizer?: { readonly groups: readonly { readonly lr: number }[] }) {
    this.#train = new EventWriter(folder, 'train')
    this.#validation = new EventWriter(folder, 'validation')
    this.#steps = new EventWriter(folder, 'steps')
    this.#optimizer = optimizer
  }

  async step({ step, loss, metrics }: StepReport): Promise<void> {
    this.#steps.add(step, { loss, ...metrics, ...this.#rate() })
    this.#waitingSince ??= performance.now()
    if (performance.now() - this.#waitingSince > WAIT_MS) await this.write()
  }

  async epoch({ epoch, loss, metrics, seconds, examplesPerSecond, validation }: EpochReport): Promise<void> {
    this.#train.add(epoch, { loss, ...metrics, seconds, 'examples per second': examplesPerSecond, ...this.#rate() })
    if (validation) this.#validation.add(epoch, { loss: validation.loss, ...validation.metrics })
    await this.write()
  }

  /** What waits. */
  async write(): Promise<void> {
    this.#waitingSince = null
    for (const writer of [this.#train, this.#validation, this.#steps]) await writer.flush()
  }

  #rate(): Readonly<Record<string, number>> {
    const lr = this.#optimizer?.groups[0]?.lr
    return lr === undefined ? {} : { 'learning rate': lr }
  }
}

let written = 0

/** One event file, made with its first scalars. */
class EventWriter {
  readonly #folder: string
  readonly #run: string
  #path: string | null = null
  #waiting: Uint8Array[] = []
  #started = false

  constructor(folder: string, run: string) {
    this.#folder = folder
    this.#run = run
  }

  add(step: number, scalars: Readonly<Record<string, number>>): void {
    const time = Date.now() / 1000
    if (!this.#started) this.#waiting.push(versionEvent(time), startEvent(time, step))
    this.#started = true
    this.#waiting.push(scalarEvent(time, step, scalars))
  }

  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return
    const { appendFile, mkdir } = await import('node:fs/promises')
    this.#path ??= await (async () => {
      const { join } = await import('node:path')
      const { hostname } = await import('node:os')
      const folder = join(this.#folder, this.#run)
      await mkdir(folder, { recursive: true })
      // TensorBoard reads the files of a run in the order of their names.
      const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0')
      const number = String(written++).padStart(4, '0')
      return join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${number}`)
    })()
    const bytes = new Uint8Array(this.#waiting.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const event of this.#waiting) {
      bytes.set(event, at)
      at += event.length
    }
    await appendFile(this.#path, bytes)
    this.#waiting = []
  }
}
