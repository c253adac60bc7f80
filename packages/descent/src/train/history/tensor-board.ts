/** A training's history as event files, which TensorBoard draws. */
import type { EpochReport } from '../progress.ts'
import type { HistoryCallback, StepReport } from './callback.ts'
import { scalarEvent, startEvent, versionEvent } from './event-format.ts'

/** How long scalars of steps may wait for being written together. */
const WAIT_MS = 1000

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
  const [train, validation, steps] = ['train', 'validation', 'steps'].map((run) => new EventWriter(folder, run)) as [
    EventWriter,
    EventWriter,
    EventWriter,
  ]
  let waitingSince: number | null = null
  const rate = (): Readonly<Record<string, number>> => {
    const lr = options.optimizer?.groups[0]?.lr
    return lr === undefined ? {} : { 'learning rate': lr }
  }
  const write = async () => {
    waitingSince = null
    for (const writer of [train, validation, steps]) await writer.flush()
  }
  return {
    onStep: async ({ step, loss, metrics }: StepReport) => {
      steps.add(step, { loss, ...metrics, ...rate() })
      waitingSince ??= performance.now()
      if (performance.now() - waitingSince > WAIT_MS) await write()
    },
    onEpoch: async (report: EpochReport) => {
      const { epoch, loss, metrics, seconds, examplesPerSecond } = report
      train.add(epoch, { loss, ...metrics, seconds, 'examples per second': examplesPerSecond, ...rate() })
      if (report.validation) validation.add(epoch, { loss: report.validation.loss, ...report.validation.metrics })
      await write()
    },
    onEnd: write,
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
