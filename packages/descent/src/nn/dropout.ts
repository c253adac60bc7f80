/** Dropout. */
import { zeros } from '../create.ts'
import { type Generator, rand } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import { Module } from './module.ts'

/**
 * While training each element is 0 with probability p and x / (1 − p) otherwise, so that its expected value is x;
 * after `eval()` elements pass as they are. Any shape. `p` can be changed at any time without a new plan. Throws
 * RangeError for a p outside of [0, 1]. Source: Srivastava et al., "Dropout", 2014; torch.nn.Dropout.
 *
 * @example
 * ```ts
 * import { nn, ones } from 'descent'
 * const dropout = new nn.Dropout(0.5)
 * console.log(new Set(dropout.forward(ones([100])).data())) // → Set(2) { 0, 2 }
 * console.log(new Set(dropout.eval().forward(ones([100])).data())) // → Set(1) { 1 }
 * ```
 */
export class Dropout extends Module {
  /** The probability and the factor of what stays, as tensors: a compiled function reads them anew at each call. */
  readonly #state = { probability: zeros([]), scale: zeros([]) }
  #p = 0
  readonly #generator: { generator?: Generator }

  constructor(p = 0.5, options: { readonly generator?: Generator } = {}) {
    super()
    this.record(Dropout, [p, options])
    this.p = p
    this.#generator = options
  }

  get p(): number {
    return this.#p
  }

  set p(p: number) {
    if (!(p >= 0 && p <= 1)) throw new RangeError(`Dropout: p = ${p} is not a probability from 0 to 1.`)
    this.#p = p
    this.#state.probability.fill_(p)
    this.#state.scale.fill_(p === 1 ? 0 : 1 / (1 - p))
  }

  override forward(x: Tensor): Tensor {
    if (!this.training) return x
    const stays = rand(x.shape, this.#generator).ge(this.#state.probability)
    return stays.where(x.mul(this.#state.scale), 0)
  }
}
