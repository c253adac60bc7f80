/**
 * All that a device owes: memory that can be read and written from outside, and plans made ready to run.
 */
import type { DType } from '../dtype.ts'
import type { Plan } from '../kernel/kernel.ts'

/** The devices by name. */
export type DeviceName = 'reference' | 'wasm' | 'x64'

export type Values = Float32Array | Float64Array | Int32Array

/**
 * A run of elements on a device, freed by the garbage collector. `dtype` 'bool' is held as 0 or 1 in i32.
 * Storage is where tensors' values live; tensors that are views share it.
 */
export interface Storage {
  readonly device: Device
  readonly dtype: DType
  readonly length: number
}

export interface Device {
  readonly name: DeviceName
  /** New storage, filled with zeros. */
  allocate(dtype: DType, length: number): Storage
  /** Storage over the caller's own memory where the device can use it as it is, else over a copy. */
  adopt(dtype: DType, values: Float32Array | Int32Array): Storage
  /** A copy of `length` elements from `start`: Float32Array (reference: Float64Array) for f32, else Int32Array. */
  read(storage: Storage, start: number, length: number): Values
  write(storage: Storage, start: number, values: ArrayLike<number>): void
  prepare(plan: Plan): Runner
}

export interface Runner {
  /**
   * Runs the plan. `args[p]` is the storage for the buffers placed at argument position p; one storage may stand at
   * several positions. Throws IndexError (see errors.ts) where a check failed.
   */
  run(args: readonly Storage[]): void
  /** The device's own code, to be read by a person. */
  listing(): string
}
