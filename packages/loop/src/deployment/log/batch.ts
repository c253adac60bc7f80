/** Predictions that wait to be written, in the form in which they go to the thread. */
import { emptyColumns, type LogColumns, type LogEntry } from './entry.ts'

export class LogBatch {
  readonly columns: LogColumns = emptyColumns()
  #bytes = new Uint8Array(2 ** 16)
  #at = 0

  get length(): number {
    return this.columns.ids.length
  }

  /** Bytes of the inputs. */
  get bytes(): number {
    return this.#at
  }

  add(entry: LogEntry): void {
    const end = this.#at + entry.body.length
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length))
      larger.set(this.#bytes.subarray(0, this.#at))
      this.#bytes = larger
    }
    this.#bytes.set(entry.body, this.#at)
    this.#at = end
    const { columns } = this
    columns.ids.push(entry.id)
    columns.times.push(entry.at)
    columns.versions.push(entry.version)
    columns.roles.push(entry.role)
    columns.random.push(entry.random)
    columns.shadows.push(entry.shadows)
    columns.media.push(entry.media)
    columns.outputs.push(entry.output)
    columns.uncertainties.push(entry.uncertainty)
    columns.milliseconds.push(entry.milliseconds)
    columns.tokens.push(entry.token)
    columns.ends.push(end)
  }

  /** All inputs, one after the other, in a buffer of their own. */
  bodies(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at) as Uint8Array<ArrayBuffer>
  }
}
