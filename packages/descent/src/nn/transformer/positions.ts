/** Where in a sequence something stands, for networks that would not know: sinusoids to add, and rotations. */
import { tensor } from '../../create.ts'
import { ShapeError } from '../../errors.ts'
import { cat } from '../../functions/movement.ts'
import type { Tensor } from '../../tensor.ts'
import { Dropout } from '../dropout.ts'
import { buffer, Module } from '../module.ts'

/** The angles of every place: place · base^(−2i / width) for i = 0 … width/2 − 1, row-major [length, width / 2]. */
function angles(length: number, width: number, base: number): Float64Array {
  const half = width / 2
  return Float64Array.from(
    { length: length * half },
    (_, i) => Math.floor(i / half) * base ** ((-2 * (i % half)) / width),
  )
}

/**
 * Adds to x [N, L, E] (with `batchFirst: false` [L, N, E]) what tells places apart: sin(t · 10000^(−2i/E)) in column 2i
 * and the cosine in column 2i + 1, then drops. Throws ShapeError for sequences longer than `maxLength` or another
 * width, RangeError for an odd width. Source: Vaswani et al., "Attention is all you need", 2017.
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'descent'
 * const positions = new nn.PositionalEncoding(4, { dropout: 0 })
 * console.log(positions.forward(zeros([1, 1, 4])).toArray()) // → [ [ [ 0, 1, 0, 1 ] ] ]
 * ```
 */
export class PositionalEncoding extends Module {
  readonly pe: Tensor
  readonly dropout: Dropout
  readonly #batchFirst: boolean

  constructor(
    width: number,
    options: {
      /** Default 5000. */
      readonly maxLength?: number
      /** Default 0.1. */
      readonly dropout?: number
      /** Default true. */
      readonly batchFirst?: boolean
    } = {},
  ) {
    super()
    this.record(PositionalEncoding, [width, options])
    if (width % 2 !== 0) throw new RangeError(`PositionalEncoding: a width of ${width} is odd.`)
    const { maxLength = 5000 } = options
    const values = angles(maxLength, width, 10_000)
    const table = Float32Array.from({ length: maxLength * width }, (_, i) => {
      const angle = values[i >> 1] as number
      return i % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
    })
    this.pe = buffer(tensor(table, { shape: [maxLength, width] }))
    this.#batchFirst = options.batchFirst ?? true
    this.dropout = new Dropout(options.dropout ?? 0.1)
  }

  override forward(x: Tensor): Tensor {
    const [longest, width] = this.pe.shape as readonly [number, number]
    const axis = this.#batchFirst ? 1 : 0
    const length = x.shape[axis] as number
    if (x.ndim !== 3 || x.shape[2] !== width || length > longest) {
      throw new ShapeError(
        `PositionalEncoding: takes ${this.#batchFirst ? '[N, L' : '[L, N'}, ${width}] with L up to ${longest}, got [${x.shape.join(', ')}].`,
      )
    }
    const rows = this.pe.slice([0, length])
    const y = x.add(this.#batchFirst ? rows : rows.unsqueeze(1))
    return this.dropout.forward(y)
  }
}

/**
 * Rotates pairs of columns of x [..., L, E] by angles that grow with the place, so that products of queries and keys
 * depend on how far they are apart: with x = [a, b] in halves, [a·cos − b·sin, b·cos + a·sin], angles
 * t · base^(−2i/E). `offset` is the first place. Throws ShapeError for an odd E. Source: Su et al., "RoFormer", 2021
 * (in halves, as GPT-NeoX and Llama lay it out).
 *
 * @example
 * ```ts
 * import { ones, rotary } from 'descent'
 * console.log(rotary(ones([1, 1, 2])).toArray()) // → [ [ [ 1, 1 ] ] ]
 * ```
 */
export function rotary(
  x: Tensor,
  options: {
    /** Default 10000. */
    readonly base?: number
    /** Default 0. */
    readonly offset?: number
  } = {},
): Tensor {
  const [length, width] = x.shape.slice(-2)
  if (length === undefined || width === undefined || width % 2 !== 0) {
    throw new ShapeError(`rotary: takes [..., L, E] with an even E, got [${x.shape.join(', ')}].`)
  }
  const { base = 10_000, offset = 0 } = options
  const turned = angles(length + offset, width, base).subarray((offset * width) / 2)
  const shape = [length, width / 2]
  const cos = tensor(Float32Array.from(turned, Math.cos), { shape })
  const sin = tensor(Float32Array.from(turned, Math.sin), { shape })
  const [a, b] = x.split(width / 2, -1) as [Tensor, Tensor]
  return cat([a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))], -1)
}

/**
 * `rotary` as a layer. Source: Su et al., "RoFormer", 2021.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * const turn = new nn.RotaryEmbedding()
 * console.log(turn.forward(randn([2, 4, 6, 8])).shape) // → [ 2, 4, 6, 8 ]
 * ```
 */
export class RotaryEmbedding extends Module {
  readonly #base: number

  constructor(base = 10_000) {
    super()
    this.record(RotaryEmbedding, [base])
    this.#base = base
  }

  override forward(x: Tensor): Tensor {
    return rotary(x, { base: this.#base })
  }
}
