/**
 * Datasets: numbered examples that are handed out in batches. An example has an input x and a target y; each is a
 * column of values in plain memory, which becomes a tensor only batch by batch.
 */
import { tensor } from '../create.ts'
import { sizeOf } from '../dtype.ts'
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import type { IdxArray } from './idx.ts'

export interface Batch {
  /** [N, ...] */
  readonly x: Tensor
  /** [N, ...] */
  readonly y: Tensor
}

export interface Dataset {
  /** How many examples there are. */
  readonly length: number
  /** The examples of these numbers, in this order. */
  batch(numbers: Int32Array): Batch
}

/** The same field of every example: `values` holds one after the other. */
export interface Column {
  /** The shape of one example's value. */
  readonly shape: readonly number[]
  readonly dtype: 'f32' | 'i32'
  readonly values: Float32Array | Int32Array | Uint8Array
  /** For bytes: what each of the 256 stands for. */
  readonly meaning?: Float32Array
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
export class ArrayDataset implements Dataset {
  readonly length: number
  readonly #x: Column
  readonly #y: Column

  /** Throws ShapeError where the columns have different numbers of examples. */
  constructor(x: Column, y: Column) {
    this.#x = x
    this.#y = y
    this.length = countOf(x)
    if (countOf(y) !== this.length) {
      throw new ShapeError(
        `A dataset needs a target for every input: there are ${this.length} inputs and ${countOf(y)} targets.`,
      )
    }
  }

  batch(numbers: Int32Array): Batch {
    for (const number of numbers) {
      if (number < 0 || number >= this.length)
        throw new RangeError(`Example ${number} does not exist: there are ${this.length}.`)
    }
    return { x: gather(this.#x, numbers), y: gather(this.#y, numbers) }
  }
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

function countOf({ values, shape }: Column): number {
  return values.length === 0 ? 0 : values.length / sizeOf(shape)
}

function gather({ values, shape, dtype, meaning }: Column, numbers: Int32Array): Tensor {
  const size = sizeOf(shape)
  const rows = dtype === 'f32' ? new Float32Array(numbers.length * size) : new Int32Array(numbers.length * size)
  for (let row = 0; row < numbers.length; row++) {
    const [to, from] = [row * size, (numbers[row] as number) * size]
    if (!meaning) rows.set(values.subarray(from, from + size), to)
    else for (let i = 0; i < size; i++) rows[to + i] = meaning[values[from + i] as number] as number
  }
  return tensor(rows, { shape: [numbers.length, ...shape] })
}
