/** Predictions that wait to be written, in the form in which they go to the thread. */
import type { LogColumns, LogContext, LogEntry } from './entry.ts'

export class LogBatch {
  readonly #contexts: LogContext[] = []
  readonly #context: number[] = []
  readonly #ids: string[] = []
  readonly #shadows: string[] = []
  readonly #outputs: string[] = []
  readonly #random: number[] = []
  readonly #times: number[] = []
  readonly #milliseconds: number[] = []
  readonly #uncertainties: number[] = []
  readonly #ends: number[] = []
  #bodies = new Uint8Array(2 ** 16)
  #at = 0

  get length(): number {
    return this.#ids.length
  }

  /** Bytes of the inputs. */
  get bytes(): number {
    return this.#at
  }

  add(entry: LogEntry): void {
    this.#append(entry.body)
    this.#context.push(this.#contextOf(entry))
    this.#ids.push(entry.id)
    this.#shadows.push(entry.shadows ?? '')
    this.#outputs.push(entry.output)
    this.#random.push(entry.random ? 1 : 0)
    this.#times.push(entry.at)
    this.#milliseconds.push(entry.milliseconds)
    this.#uncertainties.push(entry.uncertainty ?? Number.NaN)
    this.#ends.push(this.#at)
  }

  columns(): LogColumns {
    return {
      length: this.length,
      contexts: this.#contexts,
      context: Uint32Array.from(this.#context),
      ids: this.#ids.join('\n'),
      shadows: this.#shadows.join('\n'),
      outputs: this.#outputs.join('\n'),
      random: Uint8Array.from(this.#random),
      times: Float64Array.from(this.#times),
      milliseconds: Float64Array.from(this.#milliseconds),
      uncertainties: Float64Array.from(this.#uncertainties),
      ends: Uint32Array.from(this.#ends),
    }
  }

  /** All inputs, one after the other, in a buffer of their own. */
  bodies(): Uint8Array<ArrayBuffer> {
    return this.#bodies.subarray(0, this.#at)
  }

  #append(body: Uint8Array): void {
    const end = this.#at + body.length
    if (end > this.#bodies.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bodies.length))
      larger.set(this.#bodies.subarray(0, this.#at))
      this.#bodies = larger
    }
    this.#bodies.set(body, this.#at)
    this.#at = end
  }

  /** Neighbours mostly have the same one: looked for from the end, and not far. */
  #contextOf({ version, role, media, token }: LogEntry): number {
    const last = this.#contexts.length - 1
    for (let i = last; i >= 0 && i > last - 32; i--) {
      const known = this.#contexts[i] as LogContext
      if (known.version === version && known.role === role && known.media === media && known.token === token) return i
    }
    return this.#contexts.push({ version, role, media, token }) - 1
  }
}
