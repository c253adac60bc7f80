/**
 * Datasets: numbered examples that are handed out in batches. An example has an input x and a target y; each is a
 * column of values in plain memory, which becomes a tensor only batch by batch.
 */
import { tensor } from '../create.ts'
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { type Column, ColumnSource, countOf } from './columns.ts'
import type { IdxArray } from './idx.ts'
import { isOne, type RawArray, type RawExamples } from './raw.ts'

/** Examples as tensors. */
export interface Batch {
  /** [N, ...] */
  readonly x: Tensor
  /** [N, ...] */
  readonly y: Tensor
}

/** Numbered examples that are handed out in batches. */
export interface Dataset {
  /** How many examples there are. */
  readonly length: number
  /** The examples of these numbers, in this order. */
  batch(numbers: Int32Array): Batch
}

/**
 * Examples held in arrays.
 *
 * @example
 * ```ts
 * import { data } from 'descent'
 * const inputs = data.column(Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), [2])
 * const xor = new data.ArrayDataset(inputs, data.column(Float32Array.of(0, 1, 1, 0), [1]))
 * console.log(xor.length, xor.batch(Int32Array.of(3)).x.toArray()) // → 4 [ [ 1, 1 ] ]
 * ```
 */
export class ArrayDataset extends ColumnSource implements Dataset {
  /** Throws RangeError for an example that does not exist. */
  batch(numbers: Int32Array): Batch {
    return tensorsOf(this.read(numbers))
  }
}

/** A batch in plain memory as tensors, which use that memory. */
export function tensorsOf({ x, y }: RawExamples): Batch {
  const one = ({ values, shape }: RawArray): Tensor => tensor(values, { shape })
  return { x: one(x), y: (isOne(y) ? one(y) : y.map(one)) as Batch['y'] }
}

/** Examples held in tensors x [N, ...] and y [N, ...], whose values are copied. */
export class TensorDataset extends ArrayDataset {
  constructor(x: Tensor, y: Tensor) {
    super(columnOf(x), columnOf(y))
  }
}

/** A column of examples of this shape: f32 for floats, i32 for whole numbers and bytes. */
export function column(values: Float32Array | Int32Array | Uint8Array, shape: readonly number[] = []): Column {
  const dtype = values instanceof Float32Array ? 'f32' : 'i32'
  return requireWhole({ shape, dtype, values })
}

/**
 * A column of images [1, H, W] from an IDX array [N, H, W] of bytes: (byte / 255 − mean) / std. Throws ShapeError for
 * another array.
 */
export function images(
  { shape, values }: IdxArray,
  options: { readonly mean?: number; readonly std?: number } = {},
): Column {
  const [, height, width] = shape
  if (shape.length !== 3 || height === undefined || width === undefined || !(values instanceof Uint8Array)) {
    throw new ShapeError(`images: takes an array [N, H, W] of bytes, got [${shape.join(', ')}].`)
  }
  const { mean = 0, std = 1 } = options
  const meaning = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - mean) / std)
  return requireWhole({ shape: [1, height, width], dtype: 'f32', values, meaning })
}

function columnOf(x: Tensor): Column {
  if (x.ndim === 0) throw new ShapeError('TensorDataset: tensors need a dimension of examples.')
  if (x.size === 0) throw new RangeError(`TensorDataset: [${x.shape.join(', ')}] holds no examples.`)
  const values = x.data()
  if (values instanceof Uint8Array) return { shape: x.shape.slice(1), dtype: 'f32', values: Float32Array.from(values) }
  return { shape: x.shape.slice(1), dtype: values instanceof Float32Array ? 'f32' : 'i32', values }
}

function requireWhole(made: Column): Column {
  const count = countOf(made)
  if (!Number.isInteger(count)) {
    throw new ShapeError(`${made.values.length} values do not divide into examples [${made.shape.join(', ')}].`)
  }
  return made
}
