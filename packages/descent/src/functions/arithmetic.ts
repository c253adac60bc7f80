/** Promotion, powers, conditions, and values written in place. */

import { deviceOf } from '../apply.ts'
import type { Device } from '../devices/device.ts'
import { type DType, sizeOf } from '../dtype.ts'
import { ShapeError } from '../errors.ts'
import * as elementwise from '../ops/elementwise.ts'
import { broadcastShapes, shapeText } from '../ops/op.ts'
import { type Operand, Tensor } from '../tensor.ts'
import { activeTrace, outsideTrace } from '../trace.ts'

/** A tensor of no dimensions; inside compile() a constant of the program. */
export function scalar(device: Device, dtype: DType, value: number): Tensor {
  const trace = activeTrace()
  const whole = dtype === 'bool' ? Number(value !== 0) : value | 0
  if (trace) return Tensor.traced(trace, trace.graph.constant(dtype, dtype === 'f32' ? value : whole))
  const values = dtype === 'f32' ? Float32Array.of(value) : Int32Array.of(whole)
  if (dtype === 'f32' && device.name === 'reference') {
    const storage = device.allocate('f32', 1)
    device.write(storage, 0, [value])
    return Tensor.fromStorage(storage, [])
  }
  return Tensor.fromStorage(device.adopt(dtype, values), [])
}

const ranks: Record<DType, number> = { bool: 0, i32: 1, f32: 2 }

/** Both operands in the wider of their dtypes (bool < i32 < f32). */
export function promote(a: Tensor, b: Tensor, float: boolean): [Tensor, Tensor] {
  const wider: DType = float ? 'f32' : ranks[a.dtype] >= ranks[b.dtype] ? a.dtype : b.dtype
  return [a.to(wider), b.to(wider)]
}

/** x^n as products for whole n up to 8, and as roots for ±1/2; null for other exponents. */
export function power(x: Tensor, exponent: Operand): Tensor | null {
  if (typeof exponent !== 'number') return null
  if (exponent === 0.5) return x.sqrt()
  if (exponent === -0.5) return x.rsqrt()
  if (!Number.isInteger(exponent) || Math.abs(exponent) > 8) return null
  if (exponent === 0) return x.onesLike()
  if (exponent < 0) return (power(x, -exponent) as Tensor).reciprocal()
  if (exponent === 1) return x
  if (exponent % 2 === 0) return (power(x, exponent / 2) as Tensor).square()
  return (power(x, exponent - 1) as Tensor).mul(x)
}

export function clamp(x: Tensor, low: number | null, high: number | null): Tensor {
  let result = x
  if (low !== null) result = x.lt(low).where(low, result)
  if (high !== null) result = x.gt(high).where(high, result)
  return result
}

/**
 * Where the condition holds `a`, elsewhere `b`; shapes broadcast.
 *
 * @example
 * ```ts
 * import { tensor, where } from 'descent'
 * const x = tensor([-1, 2])
 * console.log(where(x.gt(0), x, 0).toArray()) // → [ 0, 2 ]
 * ```
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  const like = typeof a !== 'number' ? a : typeof b !== 'number' ? b : condition.float()
  const [x, y] = promote(like.operand(a), like.operand(b), false)
  const shape = broadcastShapes('where', condition.shape, x.shape, y.shape)
  return condition.bool().expand(shape).apply(elementwise.where, {}, x.expand(shape), y.expand(shape))
}

/** The larger of two values, elementwise; shapes broadcast. */
export function maximum(a: Tensor, b: Operand): Tensor {
  return a.maximum(b)
}

/** The smaller of two values, elementwise; shapes broadcast. */
export function minimum(a: Tensor, b: Operand): Tensor {
  return a.minimum(b)
}

export function copyInto(target: Tensor, source: Tensor | ArrayLike<number> | number): void {
  const trace = activeTrace()
  if (trace && !target.isTraced) {
    const value =
      source instanceof Tensor
        ? source
        : typeof source === 'number'
          ? target.operand(source)
          : fromValues(target, source)
    const fitted = value.detach().to(target.dtype).expand(target.shape)
    trace.update(target.stored, target.shape, fitted.nodeIn(trace))
    return
  }
  const values = valuesFor(target, source)
  writeView(target, values)
}

function fromValues(target: Tensor, values: ArrayLike<number>): Tensor {
  requireLength(target, values)
  const device = deviceOf(target)
  const storage = outsideTrace(() => device.allocate(target.dtype, target.size))
  device.write(storage, 0, held(target.dtype, values))
  return Tensor.fromStorage(storage, target.shape)
}

/** Values as storage holds them: bool as 0 or 1. */
export function held(dtype: DType, values: ArrayLike<number>): ArrayLike<number> {
  return dtype === 'bool' ? Array.from(values, (v) => Number(v !== 0)) : values
}

function valuesFor(target: Tensor, source: Tensor | ArrayLike<number> | number): ArrayLike<number> {
  if (typeof source === 'number') return held(target.dtype, new Float64Array(target.size).fill(source))
  if (source instanceof Tensor) return source.detach().to(target.dtype).expand(target.shape).values()
  requireLength(target, source)
  return held(target.dtype, source)
}

function requireLength(target: Tensor, values: ArrayLike<number>): void {
  if (values.length !== target.size) {
    throw new ShapeError(
      `copy_: ${values.length} values do not fill ${shapeText(target.shape)}, which takes ${target.size}.`,
    )
  }
}

function writeView(target: Tensor, values: ArrayLike<number>): void {
  const { storage, strides, offset } = target.stored
  const { device } = storage
  const { shape } = target
  let run = 1
  let inner = shape.length
  while (inner > 0 && strides[inner - 1] === run) {
    inner--
    run *= shape[inner] as number
  }
  const blocks = sizeOf(shape.slice(0, inner))
  const index = new Array<number>(inner).fill(0)
  let at = offset
  for (let block = 0; block < blocks; block++) {
    const part = blocks === 1 ? values : Array.prototype.slice.call(values, block * run, (block + 1) * run)
    device.write(storage, at, part)
    for (let d = inner - 1; d >= 0; d--) {
      index[d] = (index[d] as number) + 1
      at += strides[d] as number
      if ((index[d] as number) < (shape[d] as number)) break
      at -= (strides[d] as number) * (shape[d] as number)
      index[d] = 0
    }
  }
}
