/**
 * Storage of the wasm device. Values begin on the JavaScript heap, where the garbage collector knows their size, and
 * are copied in and out around a run; those that live long (parameters), or come again and again, move into linear
 * memory and stay there.
 */
import type { DType } from '../../dtype.ts'
import type { Device, Storage } from '../device.ts'
import type { LinearMemory } from './memory.ts'

/** Smaller storages are copied faster than they are kept. */
const WORTH_KEEPING = 1 << 16
/** Storages that came as arguments again and again may keep this much of linear memory. */
const MOST_KEPT = 1 << 30

type HeapValues = Float32Array | Int32Array

export class WasmStorage implements Storage {
  readonly device: Device
  readonly dtype: DType
  readonly length: number
  /** Byte address in linear memory; 0 while the values are on the heap. */
  address = 0
  #heap: HeapValues | null
  readonly #memory: LinearMemory
  #runs = 0

  constructor(device: Device, memory: LinearMemory, dtype: DType, values: HeapValues) {
    this.device = device
    this.#memory = memory
    this.dtype = dtype
    this.length = values.length
    this.#heap = values
  }

  /** The values where they are now; not to be kept, for linear memory may move. */
  view(): HeapValues {
    return this.#heap ?? this.#at(this.address)
  }

  /** Moves the values into linear memory. */
  settle(): void {
    const values = this.#heap
    if (!values) return
    this.address = this.#memory.allocate(values.byteLength)
    this.#heap = null
    this.view().set(values)
    blocks.register(this, { memory: this.#memory, address: this.address })
  }

  /** Copies the values to an address, unless they live in linear memory. */
  copyIn(address: number): void {
    if (this.#heap) this.#at(address).set(this.#heap)
  }

  copyOut(address: number): void {
    this.#heap?.set(this.#at(address))
  }

  #at(address: number): HeapValues {
    const { buffer } = this.#memory.memory
    return this.dtype === 'f32'
      ? new Float32Array(buffer, address, this.length)
      : new Int32Array(buffer, address, this.length)
  }

  /** Called once a run that only reads it: large ones move after the first. */
  noteRun(): void {
    const bytes = this.length * 4
    if (++this.#runs < 2 || bytes < WORTH_KEEPING || kept + bytes > MOST_KEPT) return
    this.settle()
    kept += bytes
    counted.register(this, bytes)
  }
}

let kept = 0
const counted = new FinalizationRegistry<number>((bytes) => {
  kept -= bytes
})
const blocks = new FinalizationRegistry<{ memory: LinearMemory; address: number }>(({ memory, address }) =>
  memory.release(address),
)
