/** Datasets made of datasets: parts, sums, and splits. */

import type { Dataset } from './dataset.ts'
import { labelsOf, specOf } from './dataset-spec.ts'
import { permutation } from './permutation.ts'
import { joinExamples, type RawBatch, type RawExamples, type Source, type Transform, takeExamples } from './raw.ts'
import { rawExamples } from './raw-tensors.ts'
import { positionsOf, SourceDataset } from './source-dataset.ts'
import { type SplitOptions, splitNumbers } from './split.ts'

/**
 * The examples of these numbers of another dataset. Throws RangeError for numbers that it does not have.
 *
 * @example
 * ```ts
 * import { data, tensor } from 'descent'
 * const all = new data.TensorDataset(tensor([1, 2, 3]), tensor([10, 20, 30]))
 * const part = new data.Subset(all, [2, 0])
 * console.log(part.length, part.batch(Int32Array.of(0)).y.toArray()) // → 2 [ 30 ]
 * ```
 */
export class Subset extends SourceDataset {
  readonly dataset: Dataset | Source
  /** Of the other dataset. */
  readonly numbers: Int32Array
  readonly length: number

  constructor(dataset: Dataset | Source, numbers: ArrayLike<number>) {
    super()
    this.dataset = dataset
    this.numbers = Int32Array.from(numbers)
    this.length = this.numbers.length
    const wrong = this.numbers.find((number) => number < 0 || number >= dataset.length)
    if (wrong !== undefined)
      throw new RangeError(`Subset: example ${wrong} does not exist: the dataset has ${dataset.length}.`)
  }

  /** The other dataset's. */
  get transform(): Transform | undefined {
    return 'transform' in this.dataset ? this.dataset.transform : undefined
  }

  read(numbers: Int32Array): RawExamples | Promise<RawExamples> {
    const asked = Int32Array.from(numbers, (number) => {
      const found = this.numbers[number]
      if (found === undefined) throw new RangeError(`Example ${number} does not exist: there are ${this.length}.`)
      return found
    })
    const own = (examples: RawExamples): RawExamples => {
      if (!examples.numbers) return examples
      return { ...examples, numbers: positionsOf(asked, examples.numbers).map((at) => numbers[at] as number) }
    }
    const examples = rawExamples(this.dataset, asked)
    return examples instanceof Promise ? examples.then(own) : own(examples)
  }

  /** The class of every example. Throws TypeError where a dataset does not say it. */
  labels(): Int32Array {
    const labels = labelsOf(this.dataset)
    return this.numbers.map((number) => labels[number] as number)
  }

  /** What a worker must know to read the same. Throws TypeError where that cannot be sent. */
  spec(): unknown {
    return { kind: 'subset', of: specOf(this.dataset), numbers: this.numbers }
  }
}

/** One dataset after the other. Their examples must have the same shapes. torch.utils.data.ConcatDataset. */
export class ConcatDataset extends SourceDataset {
  readonly datasets: readonly (Dataset | Source)[]
  readonly length: number
  readonly #starts: readonly number[]

  constructor(datasets: readonly (Dataset | Source)[]) {
    super()
    this.datasets = datasets
    let length = 0
    this.#starts = datasets.map((dataset) => {
      length += dataset.length
      return length - dataset.length
    })
    this.length = length
  }

  read(numbers: Int32Array): RawExamples | Promise<RawExamples> {
    const parts = this.datasets.map((dataset, d) => {
      const start = this.#starts[d] as number
      const asked = numbers.filter((number) => number >= start && number < start + dataset.length)
      return { start, asked: asked.map((number) => number - start), dataset }
    })
    const outside = numbers.find((number) => number < 0 || number >= this.length)
    if (outside !== undefined) throw new RangeError(`Example ${outside} does not exist: there are ${this.length}.`)
    const used = parts.filter(({ asked }) => asked.length > 0)
    const read = used.map(({ dataset, asked }) => rawExamples(dataset, asked))
    const join = (examples: readonly RawExamples[]): RawExamples => {
      const whole = examples.map((part, p): RawBatch => {
        const { start, asked } = used[p] as (typeof used)[number]
        return { ...part, numbers: (part.numbers ?? asked).map((number) => number + start) }
      })
      const joined = joinExamples(whole)
      const skipped = examples.flatMap((part) => part.skipped ?? [])
      // Back into the order in which they were asked for; numbers may be asked for twice.
      const left = new Map<number, number[]>()
      for (const [row, number] of joined.numbers.entries()) left.set(number, [...(left.get(number) ?? []), row])
      const rows = Array.from(numbers, (number) => left.get(number)?.shift()).filter((row) => row !== undefined)
      const { x, y, numbers: kept } = takeExamples(joined, rows)
      return skipped.length > 0 ? { x, y, numbers: kept, skipped } : { x, y, numbers: kept }
    }
    return read.some((part) => part instanceof Promise) ? Promise.all(read).then(join) : join(read as RawExamples[])
  }

  /** The class of every example. Throws TypeError where a dataset does not say it. */
  labels(): Int32Array {
    return Int32Array.from(this.datasets.flatMap((dataset) => [...labelsOf(dataset)]))
  }

  /** What a worker must know to read the same. Throws TypeError where that cannot be sent. */
  spec(): unknown {
    return { kind: 'concat', of: this.datasets.map(specOf) }
  }
}

/**
 * A dataset in parts, at random: shares that add up to 1, or counts that add up to its length.
 * torch.utils.data.random_split.
 *
 * @example
 * ```ts
 * import { data, tensor } from 'descent'
 * const all = new data.TensorDataset(tensor([1, 2, 3, 4, 5]), tensor([1, 2, 3, 4, 5]))
 * const [train, test] = data.randomSplit(all, [0.8, 0.2], { seed: 1 })
 * console.log(train?.length, test?.length) // → 4 1
 * ```
 */
export function randomSplit(dataset: Dataset | Source, parts: readonly number[], options: SplitOptions = {}): Subset[] {
  const order = permutation(dataset.length, options.seed ?? 0, 0)
  return splitNumbers(order, parts).map((numbers) => new Subset(dataset, numbers))
}

/** Like `randomSplit`, with every class in the same shares in each part. Classes are the dataset's, or `labels`. */
export function stratifiedSplit(
  dataset: Dataset | Source,
  parts: readonly number[],
  options: SplitOptions & { readonly labels?: ArrayLike<number> } = {},
): Subset[] {
  const order = permutation(dataset.length, options.seed ?? 0, 0)
  return splitNumbers(order, parts, options.labels ?? labelsOf(dataset)).map((numbers) => new Subset(dataset, numbers))
}
