/** Adamax: Adam with the largest recent gradient in place of the root of their mean square. */
import type { Tensor } from '../tensor.ts'
import type { Group } from './group.ts'
import { type Betas, beta, mixed, oneMinusPower } from './moments.ts'
import { type Begun, Optimizer, type ParametersOf, requireFrom0, requireShares } from './optimizer.ts'

export interface AdamaxSettings extends Betas {
  readonly eps: number
}

export interface AdamaxOptions {
  /** Default 0.002. */
  readonly lr?: number
  /** What stays of the running mean of the gradient and of its largest size. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number]
  /** Default 1e-8. */
  readonly eps?: number
  /** Default 0. */
  readonly weightDecay?: number
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean
}

type Slot = 'exp_avg' | 'exp_inf'

/**
 * m ← β₁m + (1 − β₁)g; u ← max(β₂u, |g| + eps); p ← p − lr / (1 − β₁ᵗ) · m / u, g = ∇ + weightDecay·p. Throws
 * RangeError for negative settings or betas outside of [0, 1). Source: Kingma and Ba, "Adam", 2014, section 7.1;
 * torch.optim.Adamax.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const p = tensor([1], { requiresGrad: true })
 * const adamax = new optim.Adamax([p], { lr: 0.5 })
 * p.mul(p).sum().backward()
 * adamax.step()
 * console.log(p.item().toFixed(4)) // → 0.5000
 * ```
 */
export class Adamax extends Optimizer<AdamaxSettings, Slot, 'size'> {
  constructor(parameters: ParametersOf<AdamaxSettings>, options: AdamaxOptions = {}) {
    super(parameters, { lr: 0.002, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false, ...options })
  }

  protected override check({ betas, eps }: AdamaxSettings): void {
    requireShares('Adamax: betas', betas)
    requireFrom0('Adamax: eps', eps)
  }

  protected override slots(): Record<string, number> {
    return { exp_avg: 0, exp_inf: 0 }
  }

  protected override counters(): Record<string, number> {
    return { step: 0 }
  }

  protected override begin(group: Group<AdamaxSettings>): Begun<'size'> {
    const step = (group.counters.step as Tensor).add(1)
    const size = group.scalar('lr', (s) => s.lr).div(oneMinusPower(group, 0, step))
    return { counters: { step }, shared: { size } }
  }

  protected override move(
    g: Tensor,
    slots: Record<Slot, Tensor>,
    group: Group<AdamaxSettings>,
    { size }: Record<'size', Tensor>,
  ): Tensor {
    const mean = mixed(slots.exp_avg, g, group, 0)
    const largest = slots.exp_inf.mul(beta(group, 1)).maximum(g.abs().add(group.scalar('eps', (s) => s.eps)))
    slots.exp_avg.copy_(mean)
    slots.exp_inf.copy_(largest)
    return mean.mul(size).div(largest)
  }
}
