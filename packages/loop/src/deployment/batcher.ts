/**
 * Requests that arrive close together are computed together. A batch begins as soon as one turn of the event loop has brought
 * nothing new, when it is full, or when the window has passed: an idle server answers at once, and a busy one fills larger
 * batches because requests gather while it computes.
 *
 * What must hold: every request gets the answers to its own contents, in their order, from one model; a batch that has begun
 * ends on the model that it began with; contents that cannot be computed fail only the request that brought them.
 */
import type { Answer, ServedModel } from '../registry/served-model.ts'
import type { Content } from '../store/content.ts'
import { RequestError } from './request-error.ts'

export interface BatcherOptions {
  /** The longest that a request waits for others, in milliseconds. */
  readonly window: number
  /** Contents in a batch. A request with more of them is a batch of its own. */
  readonly limit: number
  /** Contents that may wait; beyond them, requests are refused. */
  readonly queue: number
  /** A request that has waited for so long, in milliseconds, is refused. */
  readonly patience: number
  /** Hears the number of contents of each batch. */
  readonly onBatch?: (size: number) => void
}

/** Answers, and the model that gave them. */
export interface Answered {
  readonly answers: readonly Answer[]
  readonly model: ServedModel
}

interface Waiting {
  readonly contents: readonly Content[]
  readonly since: number
  readonly resolve: (answered: Answered) => void
  readonly reject: (error: unknown) => void
}

const busy = { 'retry-after': '1' }

export class Batcher {
  readonly #options: BatcherOptions
  #model: ServedModel
  #waiting: Waiting[] = []
  /** Contents in `#waiting`. */
  #count = 0
  #seen = 0
  #since = 0
  #looking = false
  #running = false

  constructor(model: ServedModel, options: BatcherOptions) {
    this.#model = model
    this.#options = options
  }

  get model(): ServedModel {
    return this.#model
  }

  /** Nothing waits and nothing is computed. */
  get idle(): boolean {
    return this.#count === 0 && !this.#running
  }

  /** Contents that wait. */
  get waiting(): number {
    return this.#count
  }

  /** From the next batch on, this model answers. */
  swap(model: ServedModel): void {
    this.#model = model
  }

  /**
   * @throws {RequestError} 503 where too much is waiting
   */
  submit(contents: readonly Content[]): Promise<Answered> {
    if (this.#count + contents.length > this.#options.queue && this.#count > 0) {
      throw new RequestError(503, `The server is busy: ${this.#count} inputs are waiting. Try again in a second.`, busy)
    }
    return new Promise((resolve, reject) => {
      const since = performance.now()
      if (this.#count === 0) this.#since = since
      this.#waiting.push({ contents, since, resolve, reject })
      this.#count += contents.length
      this.#lookSoon()
    })
  }

  #lookSoon(): void {
    if (this.#looking || this.#running) return
    this.#looking = true
    this.#seen = this.#count
    setImmediate(this.#look)
  }

  readonly #look = (): void => {
    const { window, limit } = this.#options
    const more = this.#count > this.#seen
    if (more && this.#count < limit && performance.now() - this.#since < window) {
      this.#seen = this.#count
      setImmediate(this.#look)
      return
    }
    this.#looking = false
    this.#running = true
    void this.#run(this.#take()).then(() => {
      this.#running = false
      if (this.#count > 0) this.#lookSoon()
    })
  }

  /** The requests of the next batch, the oldest first. */
  #take(): Waiting[] {
    let [requests, contents] = [0, 0]
    while (requests < this.#waiting.length) {
      const next = (this.#waiting[requests] as Waiting).contents.length
      if (requests > 0 && contents + next > this.#options.limit) break
      contents += next
      requests++
    }
    this.#count -= contents
    const now = performance.now()
    this.#since = now
    const taken = this.#waiting.splice(0, requests)
    const { patience } = this.#options
    if (now - (taken[0]?.since ?? now) <= patience) return taken
    return taken.filter(({ since, reject }) => {
      if (now - since <= patience) return true
      reject(new RequestError(503, 'The server is busy: the request waited too long. Try again in a second.', busy))
      return false
    })
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return
    const model = this.#model
    const contents = batch.length === 1 ? (batch[0] as Waiting).contents : batch.flatMap((request) => request.contents)
    this.#options.onBatch?.(contents.length)
    try {
      const answers = await model.predict(contents)
      let at = 0
      for (const request of batch) {
        const end = at + request.contents.length
        request.resolve({ answers: batch.length === 1 ? answers : answers.slice(at, end), model })
        at = end
      }
    } catch (error) {
      if (batch.length === 1) return batch[0]?.reject(error)
      // One of them is at fault: the halves find out which, and the others get their answers.
      const middle = batch.length >> 1
      await this.#run(batch.slice(0, middle))
      await this.#run(batch.slice(middle))
    }
  }
}
