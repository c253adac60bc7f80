/** A learned vector for each of so many things. */
import { zeros } from '../create.ts'
import { DTypeError } from '../errors.ts'
import type { Generator } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import * as init from './init.ts'
import { Module, parameter } from './module.ts'

export interface EmbeddingOptions {
  /** The vector of this number is 0 at first, and learns nothing. */
  readonly paddingIdx?: number
  /** Draws the first values; without it the default generator. */
  readonly generator?: Generator
}

/**
 * The rows of a table at these places: x i32 [...], table [count, dim] → [..., dim]. The row `paddingIdx` gets no
 * gradient. Throws DTypeError for numbers that are not whole, and IndexError for one outside of the table.
 * Source: torch.nn.functional.embedding.
 *
 * @example
 * ```ts
 * import { embedding, tensor } from 'descent'
 * const table = tensor([[0, 0], [1, 2], [3, 4]])
 * console.log(embedding(tensor([2, 1], { dtype: 'i32' }), table).toArray()) // → [ [ 3, 4 ], [ 1, 2 ] ]
 * ```
 */
export function embedding(x: Tensor, table: Tensor, options: { readonly paddingIdx?: number } = {}): Tensor {
  if (x.dtype !== 'i32') {
    throw new DTypeError(`embedding: takes whole numbers (i32), got ${x.dtype} [${x.shape}]. Convert them with .int().`)
  }
  const flat = x.reshape(-1)
  const rows = table.indexSelect(0, flat)
  const { paddingIdx } = options
  const learned = paddingIdx === undefined ? rows : flat.eq(paddingIdx).unsqueeze(1).where(rows.detach(), rows)
  return learned.reshape([...x.shape, table.shape[1] as number])
}

/**
 * `embedding` with a learned table [count, dim], at first normal with mean 0 and standard deviation 1. Throws
 * RangeError for a paddingIdx outside of the table. Source: torch.nn.Embedding.
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'descent'
 * const words = new nn.Embedding(1000, 16, { paddingIdx: 0 })
 * console.log(words.forward(tensor([[5, 7, 0]], { dtype: 'i32' })).shape) // → [ 1, 3, 16 ]
 * ```
 */
export class Embedding extends Module {
  readonly weight: Tensor
  readonly #paddingIdx: number | undefined

  constructor(count: number, dim: number, options: EmbeddingOptions = {}) {
    super()
    this.record(Embedding, [count, dim, options])
    const { paddingIdx } = options
    if (paddingIdx !== undefined && !(Number.isInteger(paddingIdx) && paddingIdx >= -count && paddingIdx < count)) {
      throw new RangeError(`Embedding: paddingIdx ${paddingIdx} is not one of the ${count} rows.`)
    }
    this.#paddingIdx = paddingIdx === undefined ? undefined : (paddingIdx + count) % count
    const table = init.normal(zeros([count, dim]), 0, 1, options)
    if (this.#paddingIdx !== undefined) {
      const values = table.data()
      values.fill(0, this.#paddingIdx * dim, (this.#paddingIdx + 1) * dim)
      table.copy_(values)
    }
    this.weight = parameter(table)
  }

  override forward(x: Tensor): Tensor {
    return embedding(x, this.weight, this.#paddingIdx === undefined ? {} : { paddingIdx: this.#paddingIdx })
  }
}
