/**
 * Batches in plain memory: what is read, augmented and sent between threads before it becomes tensors. Nothing here
 * needs a device.
 */
import { sizeOf } from '../dtype.ts'
import { ShapeError } from '../errors.ts'

/** Values in row-major order. f32 or i32 by their type. */
export interface RawArray {
  readonly shape: readonly number[]
  readonly values: Float32Array | Int32Array
}

/** Examples as plain arrays. */
export interface RawExamples {
  /** [N, ...] */
  readonly x: RawArray
  /** [N, ...], or several of them. */
  readonly y: RawArray | readonly RawArray[]
  /** Which examples these are, where some of those that were asked for had to be left out. */
  readonly numbers?: Int32Array
  /** Why some had to be left out. */
  readonly skipped?: readonly BadExample[]
}

/** An example that cannot be used. */
export interface BadExample {
  readonly name: string
  readonly reason: string
}

/** A batch as plain arrays. */
export interface RawBatch extends RawExamples {
  readonly numbers: Int32Array
  /** Of a stream: the rows that it has left out so far. */
  readonly skippedRows?: SkippedRows
}

/** Rows of a file that were left out: how many, for which reasons, and what was said of the first ten. */
export interface SkippedRows {
  readonly count: number
  readonly reasons: Readonly<Record<string, number>>
  readonly messages: readonly string[]
}

/** Where a batch belongs: what random augmentation depends on, and nothing else. */
export interface BatchPlace {
  readonly seed: number
  readonly epoch: number
}

/** Changes a batch. What it gives back has the same examples; the batch that it is given is its own to change. */
export type Transform = (batch: RawBatch, place: BatchPlace) => RawBatch

/** Numbered examples that are read as plain arrays, at once or in time. */
export interface Source {
  readonly length: number
  /** The examples of these numbers, in this order. */
  read(numbers: Int32Array): RawExamples | Promise<RawExamples>
  /** The class of every example, where there are classes. */
  labels?(): Int32Array
  /** Changes each batch of these examples, before a loader's own transform does. */
  readonly transform?: Transform
  /** What another thread needs to know to read the same examples: data that can be sent. */
  spec?(): unknown
}

export function isOne(y: RawExamples['y']): y is RawArray {
  return !Array.isArray(y)
}

/** All arrays of a batch. */
export function arraysOf({ x, y }: RawExamples): RawArray[] {
  return isOne(y) ? [x, y] : [x, ...y]
}

/** The rows of an array, in this order. */
export function takeRows({ shape, values }: RawArray, rows: ArrayLike<number>): RawArray {
  const size = sizeOf(shape.slice(1))
  const taken =
    values instanceof Float32Array ? new Float32Array(rows.length * size) : new Int32Array(rows.length * size)
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] as number) * size
    taken.set(values.subarray(from, from + size), i * size)
  }
  return { shape: [rows.length, ...shape.slice(1)], values: taken }
}

export function takeExamples({ x, y, numbers }: RawBatch, rows: ArrayLike<number>): RawBatch {
  const taken = isOne(y) ? takeRows(y, rows) : y.map((array) => takeRows(array, rows))
  return { x: takeRows(x, rows), y: taken, numbers: Int32Array.from(rows, (row) => numbers[row] as number) }
}

/** One array after the other, along the first dimension. Throws ShapeError where examples differ in shape or dtype. */
export function joinRows(arrays: readonly RawArray[]): RawArray {
  const [first] = arrays
  if (!first) throw new ShapeError('There are no arrays to join.')
  const inner = first.shape.slice(1)
  const float = first.values instanceof Float32Array
  for (const { shape, values } of arrays) {
    if (shape.slice(1).join() !== inner.join() || values instanceof Float32Array !== float)
      throw new ShapeError(
        `Examples differ: one is ${float ? 'f32' : 'i32'} [${inner}], another ${values instanceof Float32Array ? 'f32' : 'i32'} [${shape.slice(1)}].`,
      )
  }
  const rows = arrays.reduce((sum, { shape }) => sum + (shape[0] as number), 0)
  const size = sizeOf(inner)
  const joined = float ? new Float32Array(rows * size) : new Int32Array(rows * size)
  let at = 0
  for (const { values } of arrays) {
    joined.set(values, at)
    at += values.length
  }
  return { shape: [rows, ...inner], values: joined }
}

export function joinExamples(parts: readonly RawBatch[]): RawBatch {
  const [first] = parts
  if (!first) throw new ShapeError('There are no examples to join.')
  const numbers = new Int32Array(parts.reduce((sum, part) => sum + part.numbers.length, 0))
  let at = 0
  for (const part of parts) {
    numbers.set(part.numbers, at)
    at += part.numbers.length
  }
  const ys = isOne(first.y)
    ? joinRows(parts.map(({ y }) => y as RawArray))
    : first.y.map((_, i) => joinRows(parts.map(({ y }) => (y as readonly RawArray[])[i] as RawArray)))
  return { x: joinRows(parts.map(({ x }) => x)), y: ys, numbers }
}
