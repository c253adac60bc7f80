/** The processes of a sweep: a list of orders in, the end of each out, several at once. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Work } from '../progress.ts'
import type { FromWorker, Order, ToWorker } from './sweep-worker.ts'

/** How an order ended. */
export type Outcome = Exclude<FromWorker, { type: 'progress' }>

const program = fileURLToPath(new URL('./sweep-worker.ts', import.meta.url))

/** A process that dies is replaced, and what it was at goes on in another, so often. */
const RETRIES = 1

export class SweepWorkers {
  readonly #folder: string
  readonly #idle: ChildProcess[] = []
  readonly #all = new Set<ChildProcess>()
  readonly #count: number

  constructor(folder: string, count: number) {
    this.#folder = folder
    this.#count = count
  }

  /** Carries out all orders; each end is told in the order in which they come. */
  async run(
    orders: readonly Order[],
    onEnd: (order: Order, outcome: Outcome) => Promise<void>,
    { onProgress, signal }: Work,
  ): Promise<void> {
    const waiting = [...orders]
    const stop = () => {
      waiting.length = 0
      for (const child of this.#all) send(child, { type: 'stop' })
    }
    signal?.addEventListener('abort', stop)
    if (signal?.aborted) stop()
    const one = async () => {
      for (let order = waiting.shift(); order; order = waiting.shift())
        await onEnd(order, await this.#carryOut(order, { onProgress, signal }))
    }
    try {
      await Promise.all(Array.from({ length: Math.min(this.#count, waiting.length) }, one))
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  async #carryOut(order: Order, work: Work): Promise<Outcome> {
    for (let attempt = 0; ; attempt++) {
      const child = this.#idle.pop() ?? this.#start()
      const outcome = await ask(child, order, work)
      if (typeof outcome !== 'string') {
        this.#idle.push(child)
        return outcome
      }
      if (work.signal?.aborted) return { type: 'stopped' }
      if (attempt >= RETRIES) return { type: 'failed', message: outcome }
    }
  }

  #start(): ChildProcess {
    const child = fork(program, [this.#folder], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.#all.add(child)
    child.on('exit', () => this.#all.delete(child))
    return child
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.#all].map(
        (child) =>
          new Promise<void>((resolve) => {
            child.once('exit', () => resolve())
            if (child.connected) child.disconnect()
          }),
      ),
    )
  }
}

function send(child: ChildProcess, message: ToWorker): void {
  if (child.connected) child.send(message)
}

/** How the child ends with an order; a sentence where it died over it. */
function ask(child: ChildProcess, order: Order, { onProgress }: Work): Promise<Outcome | string> {
  return new Promise((resolve) => {
    let errors = ''
    const onErrors = (text: Buffer) => {
      errors = (errors + text).slice(-4000)
    }
    const onMessage = (message: FromWorker) => {
      if (message.type === 'progress') onProgress?.(message.progress)
      else end(message)
    }
    const onExit = (code: number | null, signal: NodeJS.Signals | null) =>
      end(`A process of the sweep ended by ${signal ?? `code ${code}`}: ${errors.trim() || 'it said nothing'}`)
    const end = (outcome: Outcome | string) => {
      child.off('message', onMessage).off('exit', onExit)
      child.stderr?.off('data', onErrors)
      resolve(outcome)
    }
    child.on('message', onMessage).on('exit', onExit)
    child.stderr?.on('data', onErrors)
    send(child, { type: 'train', order })
  })
}
