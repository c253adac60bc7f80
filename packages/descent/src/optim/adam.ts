/** Adam, and AdamW, which takes the weight decay out of the gradient. */
import type { Tensor } from '../tensor.ts'
import { Optimizer } from './optimizer.ts'

export interface AdamOptions {
  /** Default 0.001. */
  readonly lr?: number
  /** What stays of the running means of the gradient and of its square. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number]
  /** Default 1e-8. */
  readonly eps?: number
  /** Default 0 for Adam, 0.01 for AdamW. */
  readonly weightDecay?: number
  /** Use the largest running mean of squares so far. Default false. */
  readonly amsgrad?: boolean
}

/**
 * m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; p ← p − lr · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + eps), g = ∇ +
 * weightDecay·p, t the number of steps. Throws RangeError for a negative rate or betas outside of [0, 1).
 * Source: Kingma and Ba, "Adam", 2014; torch.optim.Adam.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const p = tensor([1], { requiresGrad: true })
 * const adam = new optim.Adam([p], { lr: 0.5 })
 * p.mul(p).sum().backward()
 * adam.step()
 * console.log(p.item().toFixed(4)) // → 0.5000
 * ```
 */
export class Adam extends Optimizer {
  readonly #logBetas: readonly [number, number]
  readonly #betas: readonly [number, number]
  readonly #eps: number
  /** Taken from the parameter itself rather than added to the gradient. */
  protected readonly decoupled: boolean = false
  readonly #decay: number
  readonly #steps = this.counter('step')
  readonly #means = this.slots('exp_avg')
  readonly #squares = this.slots('exp_avg_sq')
  readonly #largest: readonly Tensor[] | null
  /** What all parameters of a step have in common: lr / (1 − β₁ᵗ) and 1 / √(1 − β₂ᵗ). */
  #shared: { size: Tensor; scale: Tensor } | null = null

  constructor(parameters: Iterable<Tensor>, options: AdamOptions = {}) {
    super(parameters, options.lr ?? 0.001)
    const betas = options.betas ?? [0.9, 0.999]
    if (!betas.every((beta) => beta >= 0 && beta < 1)) throw new RangeError(`Adam: betas [${betas}] must be in [0, 1).`)
    this.#betas = betas
    this.#logBetas = [Math.log(betas[0]), Math.log(betas[1])]
    this.#eps = options.eps ?? 1e-8
    this.#decay = options.weightDecay ?? 0
    this.#largest = options.amsgrad ? this.slots('max_exp_avg_sq') : null
  }

  protected override begin(): void {
    const steps = this.#steps.add(1)
    this.#steps.copy_(steps)
    // 1 − βᵗ, without the digits that a power of a number near 1 would lose.
    const [first, second] = this.#logBetas.map((log) => (log === -Infinity ? null : steps.mul(log).expm1().neg()))
    this.#shared = {
      size: first ? this.rate.div(first) : this.rate,
      scale: second ? second.rsqrt() : this.rate.mul(0).add(1),
    }
  }

  protected override update(p: Tensor, gradient: Tensor, i: number): void {
    const { size, scale } = this.#shared as { size: Tensor; scale: Tensor }
    const [beta1, beta2] = this.#betas
    const [mean, square] = [this.#means[i] as Tensor, this.#squares[i] as Tensor]
    const g = this.#decay === 0 || this.decoupled ? gradient : gradient.add(p.mul(this.#decay))
    const m = mean.mul(beta1).add(g.mul(1 - beta1))
    const v = square.mul(beta2).add(g.mul(g).mul(1 - beta2))
    const largest = this.#largest?.[i]
    const spread = largest ? largest.maximum(v) : v
    const move = m.mul(size).div(spread.sqrt().mul(scale).add(this.#eps))
    const kept = this.#decay !== 0 && this.decoupled ? p.sub(p.mul(this.rate.mul(this.#decay))) : p
    p.copy_(kept.sub(move))
    mean.copy_(m)
    square.copy_(v)
    largest?.copy_(spread)
  }
}

/**
 * Adam whose weight decay shrinks the parameters by lr·weightDecay instead of entering the gradient; decay 0.01 by
 * default. Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2017; torch.optim.AdamW.
 *
 * @example
 * ```ts
 * import { nn, optim } from 'descent'
 * const net = new nn.Linear(3, 1)
 * const adamw = new optim.AdamW(net.parameters(), { lr: 1e-3, weightDecay: 0.1 })
 * adamw.lr = 5e-4
 * console.log(adamw.lr) // → 0.0005
 * ```
 */
export class AdamW extends Adam {
  protected override readonly decoupled = true

  constructor(parameters: Iterable<Tensor>, options: AdamOptions = {}) {
    super(parameters, { weightDecay: 0.01, ...options })
  }
}
