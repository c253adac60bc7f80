/** The device `wasm`: WebAssembly SIMD, with threads where memory can be shared. Runs in Node and in browsers. */
import type { DType } from '../../dtype.ts'
import type { Plan } from '../../kernel/kernel.ts'
import type { Device, Runner, Storage, Values } from '../device.ts'
import { LinearMemory } from './memory.ts'
import { WasmRunner } from './runner.ts'
import { WasmStorage } from './storage.ts'
import { defaultThreads, type ScratchArea, ThreadPool } from './threads.ts'
import { controlBytes } from './worker.ts'

export class WasmDevice implements Device {
  readonly name = 'wasm'
  readonly memory = new LinearMemory()
  readonly #pool: ThreadPool
  #workspace = { address: 0, bytes: 0 }
  #scratch = { address: 0, stride: 0, threads: 0 }

  constructor(threads: number) {
    const control = this.memory.allocate(controlBytes)
    new Uint8Array(this.memory.memory.buffer, control, controlBytes).fill(0)
    this.#pool = new ThreadPool(this.memory.memory, control, threads)
  }

  get pool(): ThreadPool {
    return this.#pool
  }

  allocate(dtype: DType, length: number): Storage {
    return new WasmStorage(
      this,
      this.memory,
      dtype,
      dtype === 'f32' ? new Float32Array(length) : new Int32Array(length),
    )
  }

  adopt(dtype: DType, values: Float32Array | Int32Array): Storage {
    return new WasmStorage(this, this.memory, dtype, values)
  }

  read(storage: Storage, start: number, length: number): Values {
    const view = own(storage)
      .view()
      .subarray(start, start + length)
    return view instanceof Float32Array ? new Float32Array(view) : new Int32Array(view)
  }

  write(storage: Storage, start: number, values: ArrayLike<number>): void {
    own(storage).view().set(values, start)
  }

  prepare(plan: Plan): Runner {
    return new WasmRunner(this, plan)
  }

  /**
   * Memory for the intermediate values of whichever plan runs: plans run one at a time, so all share it. Its address
   * changes when a plan needs more.
   */
  workspace(bytes: number): number {
    if (bytes > this.#workspace.bytes) {
      this.#pool.settle()
      if (this.#workspace.address !== 0) this.memory.release(this.#workspace.address)
      this.#workspace = { address: this.memory.allocate(bytes), bytes }
    }
    return this.#workspace.address
  }

  /** Each thread's own scratch memory. */
  scratch(bytes: number): ScratchArea {
    const { threads } = this.#pool
    const stride = Math.max(Math.ceil(bytes / 64) * 64 + 64, this.#scratch.stride)
    if (stride > this.#scratch.stride || threads > this.#scratch.threads) {
      this.#pool.settle()
      if (this.#scratch.address !== 0) this.memory.release(this.#scratch.address)
      this.#scratch = { address: this.memory.allocate(stride * threads), stride, threads }
    }
    return { base: this.#scratch.address, stride: this.#scratch.stride }
  }
}

function own(storage: Storage): WasmStorage {
  if (storage instanceof WasmStorage) return storage
  throw new Error(`storage of the device ${storage.device.name} was given to the device wasm`)
}

let device: WasmDevice | null = null
let threads: number | null = null

/** The device, made at first use. */
export function wasmDevice(): WasmDevice {
  device ??= new WasmDevice(threads ?? defaultThreads())
  return device
}

/** How many threads may run a plan, this one included. Results do not depend on it. */
export function setThreads(count: number): void {
  threads = count
  device?.pool.setThreads(count)
}
