/**
 * Storage of the device x64: arrays of JavaScript, whose memory stays where it is for as long as they live, and so can be
 * read and written by machine code in place.
 */
import type { DType } from '../../dtype.ts'
import type { Device, Storage } from '../device.ts'
import { nativeOrThrow } from './native/koffi.ts'
import { MADV_HUGEPAGE, PAGE } from './native/pages.ts'
import { worthHugePages } from './native/region.ts'

type Values = Float32Array | Int32Array

const cacheLine = 64
/** Smaller arrays are not worth the space that aligning them takes. */
const worthAligning = 1024

export class X64Storage implements Storage {
  readonly device: Device
  readonly dtype: DType
  readonly length: number
  /** Byte address of the first element. */
  readonly address: number
  readonly #values: Values

  constructor(device: Device, dtype: DType, values: Values, address: number) {
    this.device = device
    this.dtype = dtype
    this.length = values.length
    this.address = address
    this.#values = values
  }

  /** The values; throws where their buffer has been transferred away, and so the address is void. */
  get values(): Values {
    this.check()
    return this.#values
  }
  check(): void {
    if (this.#values.length === this.length) return
    throw new TypeError(
      `A tensor's array of ${this.length} elements was transferred to another thread or detached: give tensor() a copy of it.`,
    )
  }
}

/** New zeros, those of larger arrays at the start of a cache line, of very large ones at the start of a page. */
export function allocateStorage(device: Device, dtype: DType, length: number): X64Storage {
  const bytes = length * 4
  if (bytes <= mostShared) return allocateSmall(device, dtype, length)
  const large = bytes >= worthHugePages
  const alignment = large ? PAGE : bytes >= worthAligning ? cacheLine : 1
  const buffer = new ArrayBuffer(bytes + alignment - 1)
  const native = nativeOrThrow()
  const start = native.addressOf(new Uint8Array(buffer))
  const skip = (alignment - (start % alignment)) % alignment
  // A kernel without huge pages says no, and small ones do as well.
  if (large) native.madvise(start + skip, Math.floor(bytes / PAGE) * PAGE, MADV_HUGEPAGE)
  return new X64Storage(device, dtype, viewOf(dtype, buffer, skip, length), start + skip)
}

/** Small arrays share a buffer: an address is asked for once, not once for each. */
const mostShared = 256
const sharedBytes = 8192
const grain = 16
const shared = { buffer: new ArrayBuffer(0), address: 0, used: 0 }

function allocateSmall(device: Device, dtype: DType, length: number): X64Storage {
  const bytes = Math.max(Math.ceil((length * 4) / grain) * grain, grain)
  if (shared.used + bytes > shared.buffer.byteLength) {
    shared.buffer = new ArrayBuffer(sharedBytes)
    shared.address = nativeOrThrow().addressOf(new Uint8Array(shared.buffer))
    shared.used = 0
  }
  const at = shared.used
  shared.used += bytes
  return new X64Storage(device, dtype, viewOf(dtype, shared.buffer, at, length), shared.address + at)
}

function viewOf(dtype: DType, buffer: ArrayBuffer, at: number, length: number): Values {
  return dtype === 'f32' ? new Float32Array(buffer, at, length) : new Int32Array(buffer, at, length)
}

/** Storage over the caller's own array. */
export function adoptStorage(device: Device, dtype: DType, values: Values): X64Storage {
  // Asking for the buffer moves the elements of small arrays out of the garbage collector's reach, once and for all.
  return values.buffer instanceof SharedArrayBuffer || !values.buffer.resizable
    ? new X64Storage(device, dtype, values, nativeOrThrow().addressOf(values))
    : adoptStorage(device, dtype, values.slice())
}
