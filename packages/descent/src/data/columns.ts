/** Examples held in arrays: the same field of every example, one after the other. */
import { sizeOf } from '../dtype.ts'
import { ShapeError } from '../errors.ts'
import type { RawArray, RawExamples, Source } from './raw.ts'

/** The same field of every example: `values` holds one after the other. */
export interface Column {
  /** The shape of one example's value. */
  readonly shape: readonly number[]
  readonly dtype: 'f32' | 'i32'
  readonly values: Float32Array | Int32Array | Uint8Array
  /** For bytes: what each of the 256 stands for. */
  readonly meaning?: Float32Array
}

export function countOf({ values, shape }: Column): number {
  return values.length === 0 ? 0 : values.length / sizeOf(shape)
}

/** Two columns as a source. Throws ShapeError where they have different numbers of examples. */
export class ColumnSource implements Source {
  readonly length: number
  readonly #x: Column
  readonly #y: Column

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

  read(numbers: Int32Array): RawExamples {
    for (const number of numbers) {
      if (number < 0 || number >= this.length)
        throw new RangeError(`Example ${number} does not exist: there are ${this.length}.`)
    }
    return { x: gather(this.#x, numbers), y: gather(this.#y, numbers) }
  }

  /** Throws ShapeError where targets are no classes: i32, one an example. */
  labels(): Int32Array {
    const { shape, dtype, values } = this.#y
    if (dtype !== 'i32' || shape.length > 0)
      throw new ShapeError(
        `Targets ${dtype} [N${shape.map((d) => `, ${d}`).join('')}] are no classes, which are i32 [N].`,
      )
    return Int32Array.from(values)
  }

  spec(): unknown {
    return { kind: 'columns', x: this.#x, y: this.#y }
  }
}

function gather({ values, shape, dtype, meaning }: Column, numbers: Int32Array): RawArray {
  const size = sizeOf(shape)
  const rows = dtype === 'f32' ? new Float32Array(numbers.length * size) : new Int32Array(numbers.length * size)
  for (let row = 0; row < numbers.length; row++) {
    const [to, from] = [row * size, (numbers[row] as number) * size]
    if (!meaning) rows.set(values.subarray(from, from + size), to)
    else for (let i = 0; i < size; i++) rows[to + i] = meaning[values[from + i] as number] as number
  }
  return { shape: [numbers.length, ...shape], values: rows }
}
