/** Long work in slices: it gives the terminal a turn every 50 ms, says how far it is, and stops where it is told to. */
import { StoppedError, type Work } from '../progress.ts'

const SLICE = 50

/** The clock of one piece of work: `if (pace.due()) await pace.rest(share)` in its outer loop. */
export class Pace {
  readonly #work: Work
  readonly #what: string
  readonly #from: number
  readonly #to: number
  /** Shared with all parts of the same work. */
  readonly #clock: { rested: number; share: number }

  /** `what` is being done, in a few words: `fitting the forest`. Throws StoppedError where it is not to begin. */
  constructor(
    work: Work,
    what: string,
    whole?: { from: number; to: number; clock: { rested: number; share: number } },
  ) {
    this.#work = work
    this.#what = what
    this.#from = whole?.from ?? 0
    this.#to = whole?.to ?? 1
    this.#clock = whole?.clock ?? { rested: performance.now(), share: 0 }
    this.#stopIfAsked()
  }

  due(): boolean {
    return performance.now() - this.#clock.rested >= SLICE
  }

  /** Lets others run. `share` is what is done of this part, and never goes back. Throws StoppedError where asked to. */
  async rest(share = 0): Promise<void> {
    const whole = this.#from + Math.max(0, Math.min(share, 1)) * (this.#to - this.#from)
    if (whole > this.#clock.share) this.#clock.share = whole
    const done = Math.floor(100 * this.#clock.share)
    this.#work.onProgress?.({ what: this.#what, done, total: 100, unit: '%' })
    await new Promise((resolve) => setImmediate(resolve))
    this.#stopIfAsked()
    this.#clock.rested = performance.now()
  }

  /** The clock of a part of the work, which goes from the share `from` to the share `to` of this one. */
  part(from: number, to: number): Pace {
    const length = this.#to - this.#from
    const whole = { from: this.#from + from * length, to: this.#from + to * length, clock: this.#clock }
    return new Pace(this.#work, this.#what, whole)
  }

  #stopIfAsked(): void {
    if (this.#work.signal?.aborted) throw new StoppedError(`Stopped while ${this.#what}: nothing of it is kept.`)
  }
}
