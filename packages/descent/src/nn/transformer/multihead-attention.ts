/** Attention with several heads, with PyTorch's names and layouts. */
import { zeros } from '../../create.ts'
import { ShapeError } from '../../errors.ts'
import type { Generator } from '../../random.ts'
import type { Tensor } from '../../tensor.ts'
import { Dropout } from '../dropout.ts'
import * as init from '../init.ts'
import { Linear } from '../linear.ts'
import { Module, parameter } from '../module.ts'
import { addMask } from './masks.ts'

export interface MultiheadAttentionOptions {
  /** The probability with which a weight of the attention is dropped. Default 0. */
  readonly dropout?: number
  /** Default true. */
  readonly bias?: boolean
  /** Whether inputs are [N, L, E] rather than [L, N, E]. Default false. */
  readonly batchFirst?: boolean
  /** The width of keys, where it is not that of queries. */
  readonly kdim?: number
  /** The width of values, where it is not that of queries. */
  readonly vdim?: number
  /** Draws the first values; without it the default generator. */
  readonly generator?: Generator
}

/** Who may look at whom. */
export interface AttendOptions {
  /** bool [N, S], true for keys that nobody looks at; or f32, added to the scores. */
  readonly keyPaddingMask?: Tensor
  /** [L, S] or [N·heads, L, S]: bool, true where a query must not look; or f32, added to the scores. */
  readonly attnMask?: Tensor
  /** Query i looks at keys 0…i alone. Default false. */
  readonly isCausal?: boolean
  /** Also give the weights of the attention, [N, L, S]. Default true. */
  readonly needWeights?: boolean
  /** The weights as the mean over the heads, else [N, heads, L, S]. Default true. */
  readonly averageAttnWeights?: boolean
}

/** What attention gives: the output, and the weights where they are wanted. */
export type Attended = readonly [output: Tensor, weights: Tensor | null]

/**
 * Each head looks with its own projections: softmax(q_h k_hᵀ / √(E/heads)) v_h, all heads side by side, projected
 * once more. query [L, N, E], key [S, N, kdim], value [S, N, vdim] (with `batchFirst` [N, L, E] …; all also without N) → [output,
 * weights], output as the query; the weights are those after dropout. Throws ShapeError where shapes do not fit or the heads do not divide E. A query that may look
 * at nothing gives NaN, as in PyTorch. Source: Vaswani et al., "Attention is all you need", 2017;
 * torch.nn.MultiheadAttention.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * const attention = new nn.MultiheadAttention(8, 2, { batchFirst: true })
 * const x = randn([3, 5, 8])
 * const [y, weights] = attention.forward(x, x, x, { isCausal: true })
 * console.log(y.shape, weights.shape) // → [ 3, 5, 8 ] [ 3, 5, 5 ]
 * ```
 */
export class MultiheadAttention extends Module<[Tensor, Tensor, Tensor, AttendOptions?], Attended> {
  readonly inProjWeight: Tensor | null
  readonly qProjWeight: Tensor | null
  readonly kProjWeight: Tensor | null
  readonly vProjWeight: Tensor | null
  readonly inProjBias: Tensor | null
  readonly outProj: Linear
  readonly dropout: Dropout | null
  /** Whether inputs are [N, L, E] rather than [L, N, E]. */
  readonly batchFirst: boolean
  readonly #width: number
  readonly #heads: number
  readonly #keyWidth: number
  readonly #valueWidth: number

  constructor(width: number, heads: number, options: MultiheadAttentionOptions = {}) {
    super()
    this.record(MultiheadAttention, [width, heads, options])
    if (width % heads !== 0) {
      throw new ShapeError(`MultiheadAttention: a width of ${width} does not divide into ${heads} heads.`)
    }
    const { kdim = width, vdim = width, dropout = 0 } = options
    const weight = (rows: number, columns: number) => parameter(init.xavierUniform(zeros([rows, columns]), 1, options))
    const joint = kdim === width && vdim === width
    this.inProjWeight = joint ? weight(3 * width, width) : null
    this.qProjWeight = joint ? null : weight(width, width)
    this.kProjWeight = joint ? null : weight(width, kdim)
    this.vProjWeight = joint ? null : weight(width, vdim)
    this.inProjBias = options.bias === false ? null : parameter(zeros([3 * width]))
    this.outProj = new Linear(width, width, options)
    this.outProj.bias?.fill_(0)
    this.#width = width
    this.#heads = heads
    this.batchFirst = options.batchFirst ?? false
    this.dropout = dropout > 0 ? new Dropout(dropout, options) : null
    this.#keyWidth = kdim
    this.#valueWidth = vdim
  }

  override forward(query: Tensor, key: Tensor, value: Tensor, options: AttendOptions = {}): Attended {
    if (query.ndim === 2 && key.ndim === 2 && value.ndim === 2) return this.#single(query, key, value, options)
    const batchFirst = (x: Tensor): Tensor => (this.batchFirst || x.ndim !== 3 ? x : x.transpose(0, 1))
    const [q, k, v] = this.#projected(
      batchFirst(query),
      batchFirst(key),
      batchFirst(value),
      query === key && key === value,
    )
    const [count, length, per] = [q.shape[0] as number, q.shape[2] as number, this.#width / this.#heads]
    const scores = q.mul(1 / Math.sqrt(per)).matmul(k.transpose(-2, -1))
    const looks = addMask(scores, options).softmax(-1)
    const weights = this.dropout ? this.dropout.forward(looks) : looks
    const joined = weights.matmul(v).transpose(1, 2).reshape([count, length, this.#width])
    const output = this.outProj.forward(joined)
    const seen = options.needWeights === false ? null : options.averageAttnWeights === false ? weights : weights.mean(1)
    return [this.batchFirst ? output : output.transpose(0, 1), seen]
  }

  /** Sequences without a batch: [L, E], keyPaddingMask [S], weights [L, S]. */
  #single(query: Tensor, key: Tensor, value: Tensor, options: AttendOptions): Attended {
    const axis = this.batchFirst ? 0 : 1
    const first = query.unsqueeze(axis)
    const [second, third] =
      query === key && key === value ? [first, first] : [key.unsqueeze(axis), value.unsqueeze(axis)]
    const { keyPaddingMask: hidden } = options
    const masks = hidden ? { ...options, keyPaddingMask: hidden.unsqueeze(0) } : options
    const [output, weights] = this.forward(first, second, third, masks)
    return [output.squeeze(axis), weights?.squeeze(0) ?? null]
  }

  /** Queries, keys and values of every head: [N, heads, length, E / heads]. */
  #projected(query: Tensor, key: Tensor, value: Tensor, same: boolean): [Tensor, Tensor, Tensor] {
    this.#requireShapes(query, key, value)
    const width = this.#width
    const heads = (x: Tensor): Tensor =>
      x.reshape([x.shape[0] as number, x.shape[1] as number, this.#heads, -1]).transpose(1, 2)
    if (this.inProjWeight && same) {
      const all = query.matmul(this.inProjWeight.t())
      const [q, k, v] = (this.inProjBias ? all.add(this.inProjBias) : all).split(width, -1) as [Tensor, Tensor, Tensor]
      return [heads(q), heads(k), heads(v)]
    }
    const weights = this.inProjWeight?.split(width, 0) ?? [this.qProjWeight, this.kProjWeight, this.vProjWeight]
    const biases = this.inProjBias?.split(width, 0)
    const project = (x: Tensor, i: number): Tensor => {
      const y = x.matmul((weights[i] as Tensor).t())
      return heads(biases ? y.add(biases[i] as Tensor) : y)
    }
    return [project(query, 0), project(key, 1), project(value, 2)]
  }

  #requireShapes(query: Tensor, key: Tensor, value: Tensor): void {
    const fits =
      query.ndim === 3 &&
      key.ndim === 3 &&
      value.ndim === 3 &&
      query.shape[2] === this.#width &&
      key.shape[2] === this.#keyWidth &&
      value.shape[2] === this.#valueWidth &&
      query.shape[0] === key.shape[0] &&
      key.shape[0] === value.shape[0] &&
      key.shape[1] === value.shape[1]
    if (fits) return
    const [n, l, s] = this.batchFirst ? ['N, L', 'N, L', 'N, S'] : ['N, L', 'L, N', 'S, N']
    const turn = (x: Tensor) => (this.batchFirst || x.ndim !== 3 ? x.shape : [x.shape[1], x.shape[0], x.shape[2]])
    throw new ShapeError(
      `MultiheadAttention: takes query [${this.batchFirst ? n : l}, ${this.#width}], key [${s}, ${this.#keyWidth}] and value [${s}, ${this.#valueWidth}], got [${turn(query)}], [${turn(key)}] and [${turn(value)}].${this.batchFirst ? '' : ' Did you mean { batchFirst: true }?'}`,
    )
  }
}
