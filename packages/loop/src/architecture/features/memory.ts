/** Encoded examples kept in memory for a training: added in order, read in batches of any order. */
import type { data } from 'descent'
import type { Content } from '../../store/content.ts'
import { inputShape, type Layout } from '../input.ts'

export interface Memory {
  /** Adds these examples after those that are there. */
  add(contents: readonly Content[]): Promise<void>
  /** The examples at these places, from 0. */
  read(places: Int32Array): data.RawArray
}

interface Encoder {
  readonly layout: Layout
  encode(contents: readonly Content[]): Promise<data.RawArray>
}

/** Every number as it is. */
export class DenseMemory implements Memory {
  readonly #encoder: Encoder
  readonly #shape: readonly number[]
  readonly #size: number
  readonly #values: Float32Array | Int32Array
  #length = 0

  constructor(encoder: Encoder, count: number) {
    this.#encoder = encoder
    this.#shape = inputShape(encoder.layout)
    this.#size = this.#shape.reduce((a, b) => a * b, 1)
    const length = count * this.#size
    this.#values = encoder.layout.type === 'tokens' ? new Int32Array(length) : new Float32Array(length)
  }

  async add(contents: readonly Content[]): Promise<void> {
    const { values } = await this.#encoder.encode(contents)
    this.#values.set(values, this.#length * this.#size)
    this.#length += contents.length
  }

  read(places: Int32Array): data.RawArray {
    const size = this.#size
    const length = places.length * size
    const values = this.#values instanceof Int32Array ? new Int32Array(length) : new Float32Array(length)
    for (const [i, place] of places.entries())
      values.set(this.#values.subarray(place * size, (place + 1) * size), i * size)
    return { shape: [places.length, ...this.#shape], values }
  }
}

/** Bytes of pixels, and what each of the 256 stands for: a quarter of the memory. */
export class ByteMemory implements Memory {
  readonly #encoder: Encoder & { bytes(content: Content): Promise<Uint8Array>; readonly meaning: Float32Array }
  readonly #shape: readonly number[]
  readonly #size: number
  readonly #values: Uint8Array
  #length = 0

  constructor(
    encoder: Encoder & { bytes(content: Content): Promise<Uint8Array>; readonly meaning: Float32Array },
    count: number,
  ) {
    this.#encoder = encoder
    this.#shape = inputShape(encoder.layout)
    this.#size = this.#shape.reduce((a, b) => a * b, 1)
    this.#values = new Uint8Array(count * this.#size)
  }

  async add(contents: readonly Content[]): Promise<void> {
    const all = await Promise.all(contents.map((content) => this.#encoder.bytes(content)))
    for (const bytes of all) this.#values.set(bytes, this.#length++ * this.#size)
  }

  read(places: Int32Array): data.RawArray {
    const size = this.#size
    const meaning = this.#encoder.meaning
    const values = new Float32Array(places.length * size)
    for (let i = 0; i < places.length; i++) {
      const [to, from] = [i * size, (places[i] as number) * size]
      for (let j = 0; j < size; j++) values[to + j] = meaning[this.#values[from + j] as number] as number
    }
    return { shape: [places.length, ...this.#shape], values }
  }
}
