/**
 * Long work in slices: it gives the terminal a turn every 50 ms, says how far it is, and stops where it is told to.
 */

/** What every long work of this folder takes. */
export interface WorkOptions {
  /** Stops the work: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Called about every 50 ms with the share of the work that is done, from 0 to 1, never less than before. */
  readonly onProgress?: ((share: number) => void) | undefined
}

const SLICE = 50

/** The clock of one piece of work: `if (pace.due()) await pace.rest(share)` in its outer loop. */
export class Pace {
  readonly #options: WorkOptions
  #rested = performance.now()
  #share = 0

  constructor(options: WorkOptions = {}) {
    this.#options = options
    options.signal?.throwIfAborted()
  }

  due(): boolean {
    return performance.now() - this.#rested >= SLICE
  }

  /** Lets others run. `share` is what is done of the work. Throws the signal's reason once it is aborted. */
  async rest(share = this.#share): Promise<void> {
    this.#share = Math.max(this.#share, Math.min(share, 1))
    this.#options.onProgress?.(this.#share)
    await new Promise((resolve) => setImmediate(resolve))
    this.#options.signal?.throwIfAborted()
    this.#rested = performance.now()
  }

  /** A clock for a part of the work, whose share goes from `from` to `to` of the whole. */
  part(from: number, to: number): Pace {
    const { onProgress, signal } = this.#options
    const within = onProgress && ((share: number) => onProgress(from + share * (to - from)))
    const part = new Pace({ signal, onProgress: within })
    part.#rested = this.#rested
    return part
  }
}
