/** Gradient descent. */
import type { Tensor } from '../tensor.ts'
import { Optimizer } from './optimizer.ts'

export interface SGDOptions {
  readonly lr: number
  /** Default 0. */
  readonly momentum?: number
  /** Takes away from what the gradient adds to the momentum. Default 0. */
  readonly dampening?: number
  /** Default 0. */
  readonly weightDecay?: number
  /** Default false. */
  readonly nesterov?: boolean
}

/**
 * Stochastic gradient descent: g = ∇ + weightDecay·p; b ← momentum·b + (1 − dampening)·g, at the first step b = g;
 * p ← p − lr·b, with Nesterov's p ← p − lr·(g + momentum·b). Throws RangeError for a negative rate, and for Nesterov
 * without momentum or with dampening. Source: Sutskever et al., 2013; torch.optim.SGD.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const p = tensor([1], { requiresGrad: true })
 * const sgd = new optim.SGD([p], { lr: 0.25 })
 * p.mul(p).sum().backward()
 * sgd.step()
 * console.log(p.toArray()) // → [ 0.5 ]
 * ```
 */
export class SGD extends Optimizer {
  readonly #momentum: number
  readonly #dampening: number
  readonly #decay: number
  readonly #nesterov: boolean
  readonly #buffers: readonly Tensor[] | null
  /** 1 where a parameter's buffer has taken up a gradient. */
  readonly #begun: readonly Tensor[] | null

  constructor(parameters: Iterable<Tensor>, options: SGDOptions) {
    super(parameters, options.lr)
    this.#momentum = options.momentum ?? 0
    this.#dampening = options.dampening ?? 0
    this.#decay = options.weightDecay ?? 0
    this.#nesterov = options.nesterov ?? false
    if (this.#nesterov && (this.#momentum <= 0 || this.#dampening !== 0)) {
      throw new RangeError("SGD: Nesterov's momentum needs a momentum above 0 and no dampening.")
    }
    this.#buffers = this.#momentum !== 0 ? this.slots('momentum_buffer') : null
    // Without dampening, a buffer of zeros gives the same first step.
    this.#begun =
      this.#buffers && this.#dampening !== 0 ? this.parameters.map((_, i) => this.counter(`begun.${i}`)) : null
  }

  protected override update(p: Tensor, gradient: Tensor, i: number): void {
    const g = this.#decay === 0 ? gradient : gradient.add(p.mul(this.#decay))
    p.copy_(p.sub(this.#direction(g, i).mul(this.rate)))
  }

  #direction(g: Tensor, i: number): Tensor {
    const buffer = this.#buffers?.[i]
    if (!buffer) return g
    const begun = this.#begun?.[i]
    const next = buffer.mul(this.#momentum).add(this.#dampening === 0 ? g : g.mul(1 - this.#dampening))
    const value = begun ? begun.eq(0).where(g, next) : next
    buffer.copy_(value)
    begun?.fill_(1)
    return this.#nesterov ? g.add(value.mul(this.#momentum)) : value
  }
}
