/** How alike vectors are. */
import type { Tensor } from '../tensor.ts'
import { Module } from './module.ts'

/**
 * a·b / (max(‖a‖, eps)·max(‖b‖, eps)) along `dim`: 1 for the same direction, 0 for right angles, −1 for opposite ones. Shapes
 * broadcast. Source: torch.nn.functional.cosine_similarity.
 *
 * @example
 * ```ts
 * import { cosineSimilarity, tensor } from 'descent'
 * console.log(cosineSimilarity(tensor([[3, 0]]), tensor([[0, 2]])).toArray()) // → [ 0 ]
 * ```
 */
export function cosineSimilarity(
  a: Tensor,
  b: Tensor,
  options: {
    /** Default 1. */
    readonly dim?: number
    /** Default 1e-8. */
    readonly eps?: number
  } = {},
): Tensor {
  const { dim = 1, eps = 1e-8 } = options
  return normalize(a, { dim, eps }).mul(normalize(b, { dim, eps })).sum(dim)
}

/**
 * ‖a − b + eps‖_p over the last dimension. Shapes broadcast. Source: torch.nn.functional.pairwise_distance.
 *
 * @example
 * ```ts
 * import { pairwiseDistance, tensor } from 'descent'
 * console.log(pairwiseDistance(tensor([[3, 0]]), tensor([[0, 4]]), { eps: 0 }).toArray()) // → [ 5 ]
 * ```
 */
export function pairwiseDistance(
  a: Tensor,
  b: Tensor,
  options: {
    /** Default 2. */
    readonly p?: number
    /** Default 1e-6. */
    readonly eps?: number
    /** Default false. */
    readonly keepdim?: boolean
  } = {},
): Tensor {
  const { p = 2, eps = 1e-6, keepdim = false } = options
  return a.sub(b).add(eps).norm(p, -1, keepdim)
}

/**
 * x / max(‖x‖_p, eps) along `dim`. Source: torch.nn.functional.normalize.
 *
 * @example
 * ```ts
 * import { normalize, tensor } from 'descent'
 * console.log(normalize(tensor([[0, 5]])).toArray()) // → [ [ 0, 1 ] ]
 * ```
 */
export function normalize(
  x: Tensor,
  options: {
    /** Default 2. */
    readonly p?: number
    /** Default 1. */
    readonly dim?: number
    /** Default 1e-12. */
    readonly eps?: number
  } = {},
): Tensor {
  const { p = 2, dim = 1, eps = 1e-12 } = options
  return x.div(x.norm(p, dim, true).maximum(eps))
}

/**
 * `cosineSimilarity` as a layer. Source: torch.nn.CosineSimilarity.
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'descent'
 * console.log(new nn.CosineSimilarity().forward(tensor([[2, 0]]), tensor([[5, 0]])).toArray()) // → [ 1 ]
 * ```
 */
export class CosineSimilarity extends Module<[Tensor, Tensor]> {
  readonly #options: Parameters<typeof cosineSimilarity>[2]

  constructor(options: Parameters<typeof cosineSimilarity>[2] = {}) {
    super()
    this.record(CosineSimilarity, [options])
    this.#options = options
  }

  override forward(a: Tensor, b: Tensor): Tensor {
    return cosineSimilarity(a, b, this.#options)
  }
}

/**
 * `pairwiseDistance` as a layer. Source: torch.nn.PairwiseDistance.
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'descent'
 * console.log(new nn.PairwiseDistance({ p: 1, eps: 0 }).forward(tensor([[2, 0]]), tensor([[5, 1]])).toArray()) // → [ 4 ]
 * ```
 */
export class PairwiseDistance extends Module<[Tensor, Tensor]> {
  readonly #options: Parameters<typeof pairwiseDistance>[2]

  constructor(options: Parameters<typeof pairwiseDistance>[2] = {}) {
    super()
    this.record(PairwiseDistance, [options])
    this.#options = options
  }

  override forward(a: Tensor, b: Tensor): Tensor {
    return pairwiseDistance(a, b, this.#options)
  }
}
