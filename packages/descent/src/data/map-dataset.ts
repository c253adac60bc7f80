/** A dataset of a function: example by example, as in torch.utils.data.Dataset. */
import { joinRows, type RawArray, type RawExamples } from './raw.ts'
import { SourceDataset } from './source-dataset.ts'

/** A number is one value, an array a row of them; a RawArray says its shape. */
export type ExampleValue = number | Float32Array | Int32Array | readonly number[] | RawArray

/** An input and its target. */
export interface Example {
  readonly x: ExampleValue
  readonly y: ExampleValue
}

/** How examples become a batch. */
export interface MapOptions {
  /** Whether a plain number as y is a class (i32) or a number (f32, default). */
  readonly targetType?: 'class' | 'number'
  /** From examples to a batch. Default: each of their values one after the other. */
  readonly collate?: (examples: readonly Example[]) => RawExamples
}

/**
 * The examples that a function gives for the numbers from 0 to length − 1, at once or in time (then iterate over a
 * DataLoader with `for await`).
 *
 * @example
 * ```ts
 * import { data } from 'descent'
 * const squares = new data.MapDataset(10, (i) => ({ x: [i, i + 1], y: i * i }))
 * const { x, y } = squares.batch(Int32Array.of(2, 3))
 * console.log(x.toArray(), y.toArray()) // → [ [ 2, 3 ], [ 3, 4 ] ] [ 4, 9 ]
 * ```
 */
export class MapDataset extends SourceDataset {
  readonly length: number
  readonly #get: (number: number) => Example | Promise<Example>
  readonly #collate: (examples: readonly Example[]) => RawExamples

  constructor(length: number, get: (number: number) => Example | Promise<Example>, options: MapOptions = {}) {
    super()
    this.length = length
    this.#get = get
    this.#collate = options.collate ?? ((examples) => stacked(examples, options.targetType === 'class'))
  }

  read(numbers: Int32Array): RawExamples | Promise<RawExamples> {
    const examples = Array.from(numbers, (number) => this.#get(number))
    return examples.some((example) => example instanceof Promise)
      ? Promise.all(examples).then(this.#collate)
      : this.#collate(examples as Example[])
  }
}

function stacked(examples: readonly Example[], classes: boolean): RawExamples {
  return {
    x: joinRows(examples.map(({ x }) => asRow(x, false))),
    y: joinRows(examples.map(({ y }) => asRow(y, classes))),
  }
}

/** One example's value as an array of one row. */
function asRow(value: ExampleValue, whole: boolean): RawArray {
  if (typeof value === 'number') return { shape: [1], values: whole ? Int32Array.of(value) : Float32Array.of(value) }
  if ('values' in value && 'shape' in value) return { shape: [1, ...value.shape], values: value.values }
  const values = ArrayBuffer.isView(value) ? value : Float32Array.from(value)
  return { shape: [1, values.length], values }
}
