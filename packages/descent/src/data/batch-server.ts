/**
 * The worker's side of prefetching: it is told what batches are made of, then for each epoch which; it makes as many as
 * are wanted and hands their memory over.
 */
import { augmentation } from './augment.ts'
import { epochBatches } from './epoch.ts'
import { arraysOf, type RawBatch } from './raw.ts'
import { openSource, openStream, type SourceSpec, usesModule } from './source-spec.ts'
import type { Answer, Job, Order, Request } from './worker-protocol.ts'

export interface Port {
  on?(event: 'message', listener: (message: Request) => void): void
  addEventListener?(event: 'message', listener: (event: { readonly data: Request }) => void): void
  postMessage(answer: Answer, transfer: ArrayBuffer[]): void
}

interface Batches {
  of(order: Order): AsyncIterable<RawBatch>
  /** Whether a batch's memory may be handed over: not what a module of the user's own may still need. */
  readonly own: boolean
}

/** What answers the requests of loaders. */
export function batchServer(port: Port): (request: Request) => void {
  let batches: Promise<Batches> | null = null
  let running: Run | null = null
  return (message) => {
    switch (message.kind) {
      case 'open':
      case 'openStream':
        batches = opened(message)
        // Told with the first epoch.
        batches.catch(() => {})
        return
      case 'epoch':
        running?.stop()
        running = new Run(port, message)
        if (batches) void running.go(batches)
        return
      case 'more':
        running?.more()
        return
      case 'stop':
        running?.stop()
        running = null
    }
  }
}

async function opened(job: Job): Promise<Batches> {
  if (job.kind === 'openStream') {
    const stream = await openStream(job.stream, job.options)
    return { of: ({ place }) => stream(place), own: true }
  }
  const source = await openSource(job.source)
  const transform = job.steps.length > 0 ? augmentation(job.steps) : undefined
  const plan = { source, batchSize: job.batchSize, transform }
  return {
    of: ({ order, batches, place, first, step, ahead }) =>
      epochBatches(plan, order, batches, place, { first, step, ahead }),
    own: !usesModule(job.source as SourceSpec),
  }
}

/** One epoch at work. */
class Run {
  readonly #port: Port
  readonly #order: Order
  #wanted: number
  #stopped = false
  #wake: (() => void) | null = null

  constructor(port: Port, order: Order) {
    this.#port = port
    this.#order = order
    this.#wanted = order.ahead
  }

  more(): void {
    this.#wanted++
    this.#wake?.()
  }

  stop(): void {
    this.#stopped = true
    this.#wake?.()
  }

  async go(batches: Promise<Batches>): Promise<void> {
    const { id } = this.#order
    try {
      const { of, own } = await batches
      for await (const batch of of(this.#order)) {
        while (this.#wanted === 0 && !this.#stopped)
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        if (this.#stopped) return
        this.#wanted--
        const buffers = (own ? arraysOf(batch) : []).map(({ values }) => values.buffer as ArrayBuffer)
        this.#port.postMessage({ kind: 'batch', id, batch }, [...new Set(buffers)])
      }
      this.#port.postMessage({ kind: 'end', id }, [])
    } catch (error) {
      if (this.#stopped) return
      const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
      this.#port.postMessage({ kind: 'error', id, name, message, ...(stack ? { stack } : {}) }, [])
    }
  }
}
