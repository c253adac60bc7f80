/**
 * What reading gives to writing: examples by the thousand, as arrays that pass between threads without a copy of their
 * contents. The reader has made canonical bytes and ids; the writer only puts them into the store.
 */
import { hash } from 'node:crypto'

/** A row, or a file, that cannot be used. */
export interface Reject {
  /** The line, the row, or the file's position in its import, from 1. */
  readonly place: number
  /** The file's path within the import, where there are several. */
  readonly name: string | null
  readonly reason: string
  /** As it was written; cut where it is very long. */
  readonly original: string
}

export interface Batch {
  readonly ids: readonly string[]
  /** In which order they are put into the store, of equal ids the first first; null: as they stand. */
  readonly order: Uint32Array | null
  readonly medias: readonly string[] | string
  /** The contents one after the other: example i is bodies[starts[i], ends[i]). */
  readonly bodies: Uint8Array
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  readonly places: readonly number[]
  readonly labels: readonly (string | number | null)[] | null
  readonly names: readonly (string | null)[] | null
  readonly groups: readonly (string | null)[] | null
  readonly times: readonly (string | null)[] | null
  readonly rejects: readonly Reject[]
  /** Rows or files that were read for this batch, with the bad ones. */
  readonly rows: number
  /** Missing values of each column, in the order of the layout. */
  readonly missing: readonly number[]
  /** What should be said once: texts in another encoding, for example. */
  readonly notes: Readonly<Record<string, number>>
}

/** The most rows in a batch, and about the most bytes. */
const mostRows = 40_000
const mostBytes = 1 << 24

/** What an example has beside its content. */
export interface Beside {
  readonly place: number
  readonly label: string | number | null
  readonly name?: string | null
  readonly group?: string | null
  readonly time?: string | null
}

/** Gathers examples until there are enough for a batch. */
export class BatchBuilder {
  /** Contents with their media type before them, as they are hashed; writers put bytes here directly. */
  bytes: Uint8Array = new Uint8Array(1 << 16)
  at = 0
  rows = 0
  readonly missing: number[]
  #ids: string[] = []
  #medias: string[] = []
  #starts: number[] = []
  #ends: number[] = []
  #places: number[] = []
  #labels: (string | number | null)[] = []
  #names: (string | null)[] = []
  #groups: (string | null)[] = []
  #times: (string | null)[] = []
  #rejects: Reject[] = []
  #notes: Record<string, number> = {}
  #rejectBytes = 0

  constructor(columns: number) {
    this.missing = new Array<number>(columns).fill(0)
  }

  get full(): boolean {
    return this.rows >= mostRows || this.at >= mostBytes || this.#rejectBytes >= mostBytes
  }

  /** Makes room for so many more bytes. */
  reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.at + more))
    grown.set(this.bytes.subarray(0, this.at))
    this.bytes = grown
  }

  /** An example whose media type, line break and content are bytes[from, at). */
  addWritten(from: number, media: string, beside: Beside): void {
    this.rows++
    this.#ids.push(hash('sha256', this.bytes.subarray(from, this.at), 'hex').slice(0, 32))
    this.#medias.push(media)
    this.#starts.push(from + media.length + 1)
    this.#ends.push(this.at)
    this.#places.push(beside.place)
    this.#labels.push(beside.label)
    this.#names.push(beside.name ?? null)
    this.#groups.push(beside.group ?? null)
    this.#times.push(beside.time ?? null)
  }

  /** An example of this content. */
  add(media: string, body: Uint8Array, beside: Beside): void {
    this.reserve(media.length + 1 + body.length)
    const from = this.at
    for (let i = 0; i < media.length; i++) this.bytes[this.at++] = media.charCodeAt(i)
    this.bytes[this.at++] = 10
    this.bytes.set(body, this.at)
    this.at += body.length
    this.addWritten(from, media, beside)
  }

  reject(reject: Reject): void {
    this.rows++
    this.#rejectBytes += reject.original.length
    this.#rejects.push(reject)
  }

  note(text: string): void {
    this.#notes[text] = (this.#notes[text] ?? 0) + 1
  }

  /** What was gathered, which it then forgets. */
  take(): Batch {
    const uniform = this.#medias.every((media) => media === this.#medias[0])
    const some = <T>(values: (T | null)[]) => (values.some((value) => value !== null) ? values : null)
    const batch: Batch = {
      ids: this.#ids,
      order: inOrder(this.#ids),
      medias: uniform ? (this.#medias[0] ?? '') : this.#medias,
      bodies: this.bytes.slice(0, this.at),
      starts: Uint32Array.from(this.#starts),
      ends: Uint32Array.from(this.#ends),
      places: this.#places,
      labels: some(this.#labels),
      names: some(this.#names),
      groups: some(this.#groups),
      times: some(this.#times),
      rejects: this.#rejects,
      rows: this.rows,
      missing: [...this.missing],
      notes: this.#notes,
    }
    this.at = 0
    this.rows = 0
    this.missing.fill(0)
    this.#ids = []
    this.#medias = []
    this.#starts = []
    this.#ends = []
    this.#places = []
    this.#labels = []
    this.#names = []
    this.#groups = []
    this.#times = []
    this.#rejects = []
    this.#notes = {}
    this.#rejectBytes = 0
    return batch
  }
}

/** With this many examples the index of ids is large: examples in the order of their ids change fewer of its pages. */
const manyExamples = 5000

function inOrder(ids: readonly string[]): Uint32Array | null {
  if (ids.length < manyExamples) return null
  const order = Uint32Array.from(ids.keys())
  return order.sort((a, b) => ((ids[a] as string) < (ids[b] as string) ? -1 : ids[a] === ids[b] ? a - b : 1))
}
