/** Attention. */
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'

/** What queries may look at. */
export interface AttentionOptions {
  /** bool, true where a query may look; or f32, added to the scores. Broadcasts to [..., L, S]. */
  readonly mask?: Tensor
  /** Query i looks at keys 0…i alone. Default false. */
  readonly causal?: boolean
}

/**
 * softmax(q kᵀ / √E + mask) v: q [..., L, E], k [..., S, E], v [..., S, V] → [..., L, V]. A query that may look at
 * nothing gives NaN, as in PyTorch. Throws ShapeError where shapes do not fit. Source: Vaswani et al., "Attention is
 * all you need", 2017; torch.nn.functional.scaled_dot_product_attention.
 *
 * @example
 * ```ts
 * import { randn, scaledDotProductAttention } from 'descent'
 * const x = randn([2, 5, 8])
 * console.log(scaledDotProductAttention(x, x, x, { causal: true }).shape) // → [ 2, 5, 8 ]
 * ```
 */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  const width = q.shape.at(-1)
  if (q.ndim < 2 || k.ndim < 2 || v.ndim < 2 || k.shape.at(-1) !== width || k.shape.at(-2) !== v.shape.at(-2)) {
    throw new ShapeError(
      `scaledDotProductAttention: q [..., L, E], k [..., S, E] and v [..., S, V] are needed, got [${q.shape}], [${k.shape}] and [${v.shape}].`,
    )
  }
  let scores = q.matmul(k.transpose(-2, -1)).mul(1 / Math.sqrt(width as number))
  if (options.causal) {
    const n = scores.ndim
    const seen = scores
      .detach()
      .positions([n - 1])
      .le(scores.detach().positions([n - 2]))
    scores = seen.where(scores, Number.NEGATIVE_INFINITY)
  }
  const { mask } = options
  if (mask) scores = mask.dtype === 'bool' ? mask.where(scores, Number.NEGATIVE_INFINITY) : scores.add(mask)
  return scores.softmax(-1).matmul(v)
}
