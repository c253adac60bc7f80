/**
 * For tests: the device x64 with every tensor and the workspace at the very end (or start) of their pages, before (behind) ones
 * that nobody may touch: code that reads or writes one element too many stops the process. Only the newest tensors are kept:
 * a process may have 65,530 mappings, and each tensor takes three.
 */
import type { DType } from '../../dtype.ts'
import type { Storage } from '../device.ts'
import { X64Device, type X64Options } from './device.ts'
import { type Region, reserve } from './native/region.ts'
import { X64Storage } from './storage.ts'

const mostRegions = 256

export class GuardedDevice extends X64Device {
  readonly #flush: 'start' | 'end'
  readonly #regions: Region[] = []

  constructor(wide: boolean, threads: number, options: X64Options) {
    super(wide, threads, options)
    this.#flush = options.flush ?? 'start'
  }

  override allocate(dtype: DType, length: number): Storage {
    const bytes = length * 4
    const region = reserve(bytes, { flush: this.#flush })
    const memory = region.view()
    const values = dtype === 'f32' ? new Float32Array(memory, 0, length) : new Int32Array(memory, 0, length)
    const storage = new X64Storage(this, dtype, values, region.address)
    this.#regions.push(region)
    if (this.#regions.length > mostRegions) this.#regions.shift()?.release()
    return storage
  }
  override adopt(dtype: DType, values: Float32Array | Int32Array): Storage {
    const storage = this.allocate(dtype, values.length)
    this.write(storage, 0, values)
    return storage
  }
}
