/**
 * The one linear memory that all kernels of the device see, and who has which part of it: first fit over a sorted list
 * of free spans, neighbours joined again. Addresses are multiples of 64, with slack before and after each block, for
 * kernels may read 16 bytes on either side.
 */
import { features } from './features.ts'

const PAGE = 65536
const ALIGNMENT = 64
const INITIAL_PAGES = 64
/** Engines that cannot reserve so much address space are asked for less. */
const MAXIMUM_PAGES = [65536, 32768, 16384, 8192, 4096]

interface Span {
  start: number
  end: number
}

export class LinearMemory {
  readonly memory: WebAssembly.Memory
  readonly maximumPages: number
  readonly #free: Span[]
  readonly #taken = new Map<number, number>()

  constructor() {
    const { memory, maximum } = reserve()
    this.memory = memory
    this.maximumPages = maximum
    this.#free = [{ start: ALIGNMENT, end: INITIAL_PAGES * PAGE }]
  }

  get shared(): boolean {
    return typeof SharedArrayBuffer !== 'undefined' && this.memory.buffer instanceof SharedArrayBuffer
  }

  /** The address of `bytes` bytes; what they hold is not defined. */
  allocate(bytes: number): number {
    const needed = Math.ceil((bytes + ALIGNMENT) / ALIGNMENT) * ALIGNMENT + ALIGNMENT
    let at = this.#free.findIndex((span) => span.end - span.start >= needed)
    if (at < 0) {
      this.#grow(needed)
      at = this.#free.findIndex((span) => span.end - span.start >= needed)
    }
    const span = this.#free[at] as Span
    const { start } = span
    span.start += needed
    if (span.start === span.end) this.#free.splice(at, 1)
    const address = start + ALIGNMENT
    this.#taken.set(address, needed)
    return address
  }

  /** A block that holds these values. */
  place(values: Int32Array | Float32Array): number {
    const address = this.allocate(values.byteLength)
    const { buffer } = this.memory
    if (values instanceof Float32Array) new Float32Array(buffer, address, values.length).set(values)
    else new Int32Array(buffer, address, values.length).set(values)
    return address
  }

  release(address: number): void {
    const bytes = this.#taken.get(address)
    if (bytes === undefined) throw new Error(`no block of memory begins at ${address}`)
    this.#taken.delete(address)
    this.#giveBack({ start: address - ALIGNMENT, end: address - ALIGNMENT + bytes })
  }

  #giveBack(span: Span): void {
    const free = this.#free
    let at = 0
    while (at < free.length && (free[at] as Span).start < span.start) at++
    free.splice(at, 0, span)
    this.#joinAt(at)
    if (at > 0) this.#joinAt(at - 1)
  }

  #joinAt(at: number): void {
    const [span, next] = [this.#free[at], this.#free[at + 1]]
    if (!span || !next || span.end !== next.start) return
    span.end = next.end
    this.#free.splice(at + 1, 1)
  }

  #grow(needed: number): void {
    const before = this.memory.buffer.byteLength
    const last = this.#free.at(-1)
    const atEnd = last?.end === before ? last.end - last.start : 0
    const pages = Math.ceil((needed - atEnd) / PAGE)
    // By half at least, so that growing stays rare.
    const room = this.maximumPages - before / PAGE
    const wanted = Math.min(Math.max(pages, Math.ceil(before / PAGE / 2)), room)
    if (pages > room) {
      throw new RangeError(
        `The wasm device is out of memory: ${needed} bytes more do not fit into ${this.maximumPages / 16} MiB. Use smaller batches.`,
      )
    }
    try {
      this.memory.grow(wanted)
    } catch {
      this.memory.grow(pages)
    }
    this.#giveBack({ start: before, end: this.memory.buffer.byteLength })
  }
}

function reserve(): { memory: WebAssembly.Memory; maximum: number } {
  const shared = features().sharedMemory
  for (const maximum of MAXIMUM_PAGES) {
    try {
      return { memory: new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared }), maximum }
    } catch {
      // The next, smaller reservation is tried.
    }
  }
  throw new RangeError('The wasm device cannot reserve memory: the engine refused even 256 MiB of address space.')
}
