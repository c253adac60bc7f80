/** Predictions that wait to be written, in the form in which they go to the thread. */
import { type LogColumns, type LogContext, type LogEntry, numberOf, numbersEach } from './entry.ts'

/** How many contexts back a prediction's is looked for: neighbours mostly have the same. */
const near = 32

export class LogBatch {
  readonly #contexts: LogContext[] = []
  readonly #shadows: [number, string][] = []
  #numbers: Float64Array<ArrayBuffer>
  #texts: Buffer<ArrayBuffer>
  #bodies: Uint8Array<ArrayBuffer>
  #length = 0
  #textsEnd = 0
  #bodiesEnd = 0

  /** @param before has as much room as this one will probably need */
  constructor(before: LogBatch | null) {
    this.#numbers = new Float64Array(numbersEach * roomFor(before?.length ?? 0, 64))
    this.#texts = Buffer.from(new ArrayBuffer(roomFor(before ? before.#textsEnd : 0, 2 ** 13)))
    this.#bodies = new Uint8Array(roomFor(before?.bytes ?? 0, 2 ** 14))
  }

  get length(): number {
    return this.#length
  }

  /** Bytes of the inputs. */
  get bytes(): number {
    return this.#bodiesEnd
  }

  add(entry: LogEntry): void {
    const { id, output, body } = entry
    // A code unit of JavaScript is at most three bytes of UTF-8.
    const texts = this.#textsEnd + 3 * (id.length + output.length)
    if (texts > this.#texts.length) this.#texts = Buffer.from(grown(this.#texts, texts).buffer)
    const bodiesEnd = this.#bodiesEnd + body.length
    if (bodiesEnd > this.#bodies.length) this.#bodies = grown(this.#bodies, bodiesEnd)
    const at = this.#length * numbersEach
    if (at === this.#numbers.length) {
      const larger = new Float64Array(2 * at)
      larger.set(this.#numbers)
      this.#numbers = larger
    }
    const idEnd = this.#textsEnd + this.#texts.write(id, this.#textsEnd)
    const outputEnd = idEnd + this.#texts.write(output, idEnd)
    this.#bodies.set(body, this.#bodiesEnd)
    const numbers = this.#numbers
    numbers[at + numberOf.context] = this.#contextOf(entry)
    numbers[at + numberOf.random] = entry.random ? 1 : 0
    numbers[at + numberOf.time] = entry.at
    numbers[at + numberOf.milliseconds] = entry.milliseconds
    numbers[at + numberOf.uncertainty] = entry.uncertainty ?? Number.NaN
    numbers[at + numberOf.idEnd] = idEnd
    numbers[at + numberOf.outputEnd] = outputEnd
    numbers[at + numberOf.bodyEnd] = bodiesEnd
    if (entry.shadows !== null) this.#shadows.push([this.#length, entry.shadows])
    this.#textsEnd = outputEnd
    this.#bodiesEnd = bodiesEnd
    this.#length++
  }

  columns(): LogColumns {
    return {
      length: this.#length,
      contexts: this.#contexts,
      numbers: this.#numbers.subarray(0, this.#length * numbersEach),
      texts: new Uint8Array(this.#texts.buffer, 0, this.#textsEnd),
      bodies: this.#bodies.subarray(0, this.#bodiesEnd),
      shadows: this.#shadows,
    }
  }

  #contextOf({ version, role, media, token }: LogEntry): number {
    const last = this.#contexts.length - 1
    for (let i = last; i >= 0 && i > last - near; i--) {
      const known = this.#contexts[i] as LogContext
      if (known.version === version && known.role === role && known.media === media && known.token === token) return i
    }
    return this.#contexts.push({ version, role, media, token }) - 1
  }
}

/** A quarter more than was needed last. */
function roomFor(needed: number, least: number): number {
  return Math.max(least, Math.ceil(needed * 1.25))
}

/** The same bytes, with room for at least so many. */
function grown(bytes: Uint8Array, needed: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(needed, 2 * bytes.length))
  larger.set(bytes)
  return larger
}
