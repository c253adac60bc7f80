/**
 * Workers that prepare batches, seen from the thread that computes. Worker w of W makes batches w, w + W, …, and keeps as
 * many ready as was asked for; they are taken in turn, so that the order is that without workers. Workers do not keep a
 * program alive.
 */
import type { Augmentation } from './augment.ts'
import type { AugmentStep } from './augment-step.ts'
import type { Dataset } from './dataset.ts'
import { specOf } from './dataset-spec.ts'
import type { RawBatch, Source, Transform } from './raw.ts'
import type { RowStream, StreamOptions } from './stream-batches.ts'
import type { Answer, Job, Order } from './worker-protocol.ts'

/** A worker of `node:worker_threads` or of a browser. */
export interface WorkerLike {
  /** Sends it a message. */
  postMessage(message: unknown): void
  /** Ends it. */
  terminate(): unknown
}

/** What only one of the two kinds has. */
interface EitherWorker extends WorkerLike {
  unref?(): void
  ref?(): void
  on?(event: 'message' | 'error' | 'exit', listener: (value: never) => void): void
  addEventListener?(event: string, listener: (event: never) => void): void
}

/** Starts a worker. */
export type WorkerFactory = () => WorkerLike | Promise<WorkerLike>

export interface PoolPlan {
  readonly dataset: Dataset | Source
  readonly batchSize: number
  readonly transform?: Transform | undefined
}

/** An epoch, but for which worker does what. */
export type EpochOrder = Omit<Order, 'kind' | 'id' | 'first' | 'step'>

export class WorkerPool {
  readonly #hands: readonly Hand[]
  #epochs = 0
  /** The epoch that workers have begun before it was asked for. */
  #begun: { readonly epoch: number; readonly id: number } | null = null

  private constructor(hands: readonly Hand[]) {
    this.#hands = hands
  }

  /** Throws TypeError for a dataset or a transform that cannot be sent. */
  static async open(plan: PoolPlan, count: number, factory: WorkerFactory = libraryWorker): Promise<WorkerPool> {
    const { dataset, batchSize, transform } = plan
    const steps = stepsOf(transform)
    return WorkerPool.#start({ kind: 'open', source: specOf(dataset), batchSize, steps }, count, factory)
  }

  /** Workers for a job that is a description already. */
  static async #start(job: Job, count: number, factory: WorkerFactory): Promise<WorkerPool> {
    const hands = await Promise.all(Array.from({ length: count }, async () => new Hand(await factory())))
    try {
      for (const hand of hands) hand.send(job)
    } catch (error) {
      for (const hand of hands) hand.close()
      throw new TypeError(`A worker cannot be sent this dataset: ${(error as Error).message}.`, { cause: error })
    }
    return new WorkerPool(hands)
  }

  /** One worker for a stream. Throws TypeError for one that cannot be sent. */
  static async openStream(
    rows: RowStream,
    shape: Omit<StreamOptions, 'transform' | 'steps'>,
    transform: Transform | undefined,
    factory: WorkerFactory = libraryWorker,
  ): Promise<WorkerPool> {
    if (!rows.spec) throw new TypeError('A worker cannot be sent this stream, which is made of functions.')
    const options = { ...shape, steps: stepsOf(transform) }
    return WorkerPool.#start({ kind: 'openStream', stream: rows.spec(), options }, 1, factory)
  }

  /**
   * The batches of one epoch, in order. With the last of them the workers begin the epoch after it, `next`, so that its
   * first batches are ready when it is asked for: by the same order, if it comes to that.
   */
  async *epoch(order: EpochOrder, next?: EpochOrder): AsyncGenerator<RawBatch> {
    const hands = this.#hands
    const id = this.#begun?.epoch === order.place.epoch ? this.#begun.id : this.#begin(order)
    this.#begun = null
    try {
      for (let i = 0; ; i++) {
        const batch = await (hands[i % hands.length] as Hand).next(id)
        const last = batch === null || i === order.batches - 1
        if (last && next) this.#begun = { epoch: next.place.epoch, id: this.#begin(next) }
        if (batch) yield batch
        if (last) return
      }
    } finally {
      for (const hand of hands) hand.end(id)
    }
  }

  #begin(order: EpochOrder): number {
    const id = ++this.#epochs
    for (const [w, hand] of this.#hands.entries())
      hand.begin({ kind: 'epoch', id, first: w, step: this.#hands.length, ...order })
    return id
  }

  close(): void {
    for (const hand of this.#hands) hand.close()
  }
}

function stepsOf(transform: Transform | undefined): readonly AugmentStep[] {
  if (!transform) return []
  if ('steps' in transform) return (transform as Augmentation).steps
  throw new TypeError(
    'A worker cannot be sent a function as transform. Use data.compose(…) of the library’s own, or export it as `transform` from a module, with data.fromModule(url).',
  )
}

/** One worker, and what has come from it. */
class Hand {
  readonly #worker: EitherWorker
  readonly #ready: (RawBatch | null)[] = []
  #wanted: { resolve: (batch: RawBatch | null) => void; reject: (error: Error) => void } | null = null
  /** Why there are no more batches: of this epoch, or, where the worker is lost, at all. */
  #failed: Error | null = null
  #lost = false
  #id = 0
  #closed = false

  constructor(given: WorkerLike) {
    const worker: EitherWorker = given
    this.#worker = worker
    const lose = (error: Error): void => {
      this.#lost = true
      this.#fail(error)
    }
    const lost = (why: string) => (): void => lose(new Error(`A worker that prepares batches ${why}.`))
    if (worker.on) {
      worker.on('message', (answer: Answer) => this.#take(answer))
      worker.on('error', lose)
      worker.on('exit', lost('has ended'))
      worker.unref?.()
    } else {
      worker.addEventListener?.('message', (event: { readonly data: Answer }) => this.#take(event.data))
      worker.addEventListener?.('error', (event: { readonly message?: string }) =>
        lose(new Error(event.message ?? 'A worker that prepares batches did not start.')),
      )
      worker.addEventListener?.('messageerror', lost('sent what cannot be read'))
    }
  }

  send(message: Job | Order | { readonly kind: 'more' } | { readonly kind: 'stop' }): void {
    this.#worker.postMessage(message)
  }

  begin(order: Order): void {
    this.#id = order.id
    this.#ready.length = 0
    if (!this.#lost) this.#failed = null
    this.send(order)
  }

  /** The worker's next batch; null after its last. */
  async next(id: number): Promise<RawBatch | null> {
    if (id !== this.#id) throw new Error('A loader with workers runs one epoch at a time: another has begun.')
    const ready = this.#ready.shift()
    // What was ready before a worker failed is still good.
    if (ready !== undefined) {
      if (ready) this.send({ kind: 'more' })
      return ready
    }
    if (this.#failed) throw this.#failed
    // Only while it is waited for does a worker keep the program alive.
    this.#worker.ref?.()
    try {
      const batch = await new Promise<RawBatch | null>((resolve, reject) => {
        this.#wanted = { resolve, reject }
      })
      if (batch) this.send({ kind: 'more' })
      return batch
    } finally {
      this.#wanted = null
      this.#worker.unref?.()
    }
  }

  /** No more batches of this epoch are wanted. */
  end(id: number): void {
    if (this.#id !== id || this.#closed) return
    this.#id = 0
    this.#ready.length = 0
    this.send({ kind: 'stop' })
  }

  close(): void {
    this.#closed = true
    this.#worker.terminate()
  }

  #take(answer: Answer): void {
    if (answer.id !== this.#id) return
    if (answer.kind === 'error') {
      const error = new Error(answer.message)
      error.name = answer.name
      if (answer.stack) error.stack = answer.stack
      this.#fail(error)
      return
    }
    const batch = answer.kind === 'end' ? null : answer.batch
    if (this.#wanted) this.#wanted.resolve(batch)
    else this.#ready.push(batch)
  }

  #fail(error: Error): void {
    if (this.#closed) return
    this.#failed ??= error
    this.#wanted?.reject(this.#failed)
  }
}

/** The library's own worker: a file beside this one. */
async function libraryWorker(): Promise<WorkerLike> {
  const here = /worker-pool\.([jt]s)/.exec(import.meta.url)
  if (!here) {
    throw new Error(
      'The library is in a bundle, in which its worker cannot be found: give `worker: () => new Worker(…)` of a module that calls data.serveBatches().',
    )
  }
  const url = new URL(`./prefetch-worker.${here[1]}`, import.meta.url)
  if (typeof process !== 'undefined' && process.versions?.node !== undefined) {
    const { Worker: NodeWorker } = await import('node:worker_threads')
    // Options about a program that is given as text are not for a file.
    const text = process.execArgv.some((argument) => argument.startsWith('--input-type'))
    return new NodeWorker(url, text ? { execArgv: [] } : {})
  }
  return new Worker(url, { type: 'module' })
}
