/** New tensors. */

import { applyOp } from './apply.ts'
import { currentDevice, deviceNamed } from './backend.ts'
import type { Device, DeviceName } from './devices/device.ts'
import { type DType, type Shape, sizeOf } from './dtype.ts'
import { DTypeError, ShapeError } from './errors.ts'
import { held, scalar } from './functions/arithmetic.ts'
import { positions } from './ops/indexing.ts'
import { shapeText } from './ops/op.ts'
import { type Nested, Tensor } from './tensor.ts'
import { activeTrace, outsideTrace } from './trace.ts'

/** What every function takes that makes tensors. */
export interface TensorOptions {
  readonly dtype?: DType
  readonly device?: DeviceName
  readonly requiresGrad?: boolean
}

export type TypedValues = Float32Array | Float64Array | Int32Array | Uint8Array

function target({ device }: TensorOptions): Device {
  return device ? deviceNamed(device) : currentDevice()
}

function finished(x: Tensor, { requiresGrad = false }: TensorOptions): Tensor {
  return requiresGrad ? x.requiresGrad_() : x
}

function requireShape(op: string, shape: Shape): void {
  if (!shape.every((extent) => Number.isInteger(extent) && extent >= 0)) {
    throw new ShapeError(`${op}: ${shapeText(shape)} is not a shape: extents are whole numbers from 0.`)
  }
}

/**
 * A tensor of the given values: a number, nested arrays of numbers or booleans, or a typed array with a `shape`.
 * dtype: f32 for numbers and float arrays, i32 for Int32Array, bool for booleans and Uint8Array, unless given. A
 * Float32Array or Int32Array is used as it is, without a copy, where the device allows it: do not change it
 * afterwards. Throws ShapeError for ragged arrays or a shape that does not fit.
 *
 * @example
 * ```ts
 * import { tensor } from 'descent'
 * const x = tensor([[1, 2, 3], [4, 5, 6]])
 * console.log(x.shape) // → [ 2, 3 ]
 * console.log(tensor(new Float32Array(6), { shape: [2, 3] }).sum().item()) // → 0
 * ```
 */
export function tensor(values: Nested | TypedValues, options: TensorOptions & { readonly shape?: Shape } = {}): Tensor {
  if (isTyped(values)) return finished(fromTyped(values, options), options)
  const shape: number[] = []
  for (let level: Nested = values; Array.isArray(level); level = (level as readonly Nested[])[0] ?? 0)
    shape.push((level as readonly Nested[]).length)
  const flat: number[] = []
  let booleans = false
  const walk = (level: Nested, d: number): void => {
    if (Array.isArray(level)) {
      if (level.length !== shape[d])
        throw new ShapeError(
          `tensor: ragged array: ${level.length} entries at depth ${d} where others have ${shape[d] ?? 'none'}.`,
        )
      for (const item of level) walk(item as Nested, d + 1)
      return
    }
    if (d !== shape.length)
      throw new ShapeError(`tensor: ragged array: a value at depth ${d} where others have arrays.`)
    booleans ||= typeof level === 'boolean'
    if (typeof level !== 'number' && typeof level !== 'boolean')
      throw new DTypeError(`tensor: values must be numbers or booleans, got ${typeof level}.`)
    flat.push(Number(level))
  }
  walk(values, 0)
  const dtype = options.dtype ?? (booleans ? 'bool' : 'f32')
  const device = target(options)
  const storage = outsideTrace(() => device.allocate(dtype, flat.length))
  device.write(storage, 0, held(dtype, flat))
  const shaped = options.shape ?? shape
  requireSize(shaped, flat.length)
  return finished(Tensor.fromStorage(storage, shaped), options)
}

function isTyped(values: Nested | TypedValues): values is TypedValues {
  return ArrayBuffer.isView(values)
}

function requireSize(shape: Shape, length: number): void {
  requireShape('tensor', shape)
  if (sizeOf(shape) !== length)
    throw new ShapeError(
      `tensor: ${length} values do not fill the shape ${shapeText(shape)}, which takes ${sizeOf(shape)}.`,
    )
}

function fromTyped(values: TypedValues, options: TensorOptions & { readonly shape?: Shape }): Tensor {
  const own: DType = values instanceof Int32Array ? 'i32' : values instanceof Uint8Array ? 'bool' : 'f32'
  const dtype = options.dtype ?? own
  const shape = options.shape ?? [values.length]
  requireSize(shape, values.length)
  const device = target(options)
  if (dtype === own && (values instanceof Float32Array || values instanceof Int32Array)) {
    return Tensor.fromStorage(device.adopt(dtype, values), shape)
  }
  const storage = outsideTrace(() => device.allocate(dtype, values.length))
  device.write(storage, 0, held(dtype, values))
  return Tensor.fromStorage(storage, shape)
}

/** Every element the same. */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  requireShape('full', shape)
  const { dtype = 'f32' } = options
  const device = target(options)
  if (activeTrace()) return scalar(device, dtype, value).expand(shape)
  const storage = device.allocate(dtype, sizeOf(shape))
  if (value !== 0) device.write(storage, 0, held(dtype, new Float64Array(storage.length).fill(value)))
  return finished(Tensor.fromStorage(storage, shape), options)
}

/** Every element 0. */
export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 0, options)
}

/** Every element 1. */
export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 1, options)
}

/**
 * `arange(stop)`, `arange(start, stop, step)`: start, start + step, … below stop (above it for a negative step).
 *
 * @example
 * ```ts
 * import { arange } from 'descent'
 * console.log(arange(1, 7, 2).toArray()) // → [ 1, 3, 5 ]
 * ```
 */
export function arange(startOrStop: number, stop?: number, step = 1, options: TensorOptions = {}): Tensor {
  const start = stop === undefined ? 0 : startOrStop
  const end = stop ?? startOrStop
  if (step === 0) throw new RangeError('arange: step must not be 0.')
  const count = Math.max(0, Math.ceil((end - start) / step))
  return sequence(count, start, step, options)
}

/** `count` values from start to stop, both included, equally far apart. */
export function linspace(start: number, stop: number, count: number, options: TensorOptions = {}): Tensor {
  return sequence(count, start, count > 1 ? (stop - start) / (count - 1) : 0, options)
}

function sequence(count: number, start: number, step: number, options: TensorOptions): Tensor {
  const { dtype = 'f32' } = options
  const device = target(options)
  if (activeTrace())
    return applyOp(device, positions, { shape: [count], axes: [0] }, [])
      .to(dtype)
      .mul(step)
      .add(start)
  const storage = device.allocate(dtype, count)
  const values = Float64Array.from({ length: count }, (_, i) => start + i * step)
  device.write(storage, 0, held(dtype, values))
  return finished(Tensor.fromStorage(storage, [count]), options)
}

/** [n, m] (m = n without it): one on the diagonal, zero elsewhere. */
export function eye(n: number, m = n, options: TensorOptions = {}): Tensor {
  const { dtype = 'f32' } = options
  const device = target(options)
  const row = applyOp(device, positions, { shape: [n, m], axes: [0] }, [])
  const column = applyOp(device, positions, { shape: [n, m], axes: [1] }, [])
  return finished(row.eq(column).to(dtype), options)
}
