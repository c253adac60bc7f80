/** NAdam: Adam with Nesterov's momentum. */
import type { Tensor } from '../tensor.ts'
import type { Group } from './group.ts'
import { type Betas, beta, mixed, oneMinusPower } from './moments.ts'
import { type Begun, Optimizer, type ParametersOf, requireFrom0, requireShares } from './optimizer.ts'

export interface NAdamSettings extends Betas {
  readonly eps: number
  readonly momentumDecay: number
  readonly decoupledWeightDecay: boolean
}

export interface NAdamOptions {
  /** Default 0.002. */
  readonly lr?: number
  /** What stays of the running means of the gradient and of its square. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number]
  /** Default 1e-8. */
  readonly eps?: number
  /** Default 0. */
  readonly weightDecay?: number
  /** How fast the momentum grows to β₁. Default 0.004. */
  readonly momentumDecay?: number
  /** Weight decay shrinks the parameters instead of entering the gradient. Default false. */
  readonly decoupledWeightDecay?: boolean
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean
}

type Slot = 'exp_avg' | 'exp_avg_sq'
type Shared = 'ofGradient' | 'ofMean' | 'scale'

/**
 * μₜ = β₁(1 − 0.96^(t·momentumDecay) / 2), Πₜ = μ₁ … μₜ; m and v as Adam;
 * p ← p − lr · (μₜ₊₁ m / (1 − Πₜμₜμₜ₊₁) + (1 − μₜ) g / (1 − Πₜ)) / (√(v / (1 − β₂ᵗ)) + eps), g = ∇ + weightDecay·p.
 * Defaults, both kinds of weight decay, the place of eps and the names in the state are PyTorch's. Πₜμₜμₜ₊₁ is that of PyTorch
 * 1.10 to 1.13; since 2.0 PyTorch divides by 1 − Πₜμₜ₊₁, as Dozat's paper does. With the default settings that makes the first
 * step 0.66 % longer; what m adds to a step differs by 12 % in the first, by 0.009 % in the tenth, and from the twentieth on by
 * less than f32 can hold. Throws RangeError for negative settings or betas outside of [0, 1). Source: Dozat,
 * "Incorporating Nesterov momentum into Adam", 2016; torch.optim.NAdam.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const p = tensor([1], { requiresGrad: true })
 * const nadam = new optim.NAdam([p], { lr: 0.1 })
 * p.mul(p).sum().backward()
 * nadam.step()
 * console.log(p.item() < 1) // → true
 * ```
 */
export class NAdam extends Optimizer<NAdamSettings, Slot, Shared> {
  constructor(parameters: ParametersOf<NAdamSettings>, options: NAdamOptions = {}) {
    super(parameters, {
      lr: 0.002,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      momentumDecay: 4e-3,
      decoupledWeightDecay: false,
      maximize: false,
      ...options,
    })
  }

  protected override check({ betas, eps, momentumDecay }: NAdamSettings): void {
    requireShares('NAdam: betas', betas)
    requireFrom0('NAdam: eps', eps)
    requireFrom0('NAdam: momentumDecay', momentumDecay)
  }

  protected override slots(): Record<string, number> {
    return { exp_avg: 0, exp_avg_sq: 0 }
  }

  protected override counters(): Record<string, number> {
    return { step: 0, mu_product: 1 }
  }

  protected override decoupled(group: Group<NAdamSettings>): boolean {
    return group.fixed('decoupledWeightDecay')
  }

  protected override begin(group: Group<NAdamSettings>): Begun<Shared> {
    const step = (group.counters.step as Tensor).add(1)
    const slope = group.scalar('momentumDecay', (s) => s.momentumDecay * Math.log(0.96))
    const momentumAt = (t: Tensor): Tensor => t.mul(slope).exp().mul(-0.5).add(1).mul(beta(group, 0))
    const [mu, next] = [momentumAt(step), momentumAt(step.add(1))]
    const product = (group.counters.mu_product as Tensor).mul(mu)
    const rate = group.scalar('lr', (s) => s.lr)
    return {
      counters: { step, mu_product: product },
      shared: {
        ofGradient: mu.neg().add(1).mul(rate).div(product.neg().add(1)),
        ofMean: next.mul(rate).div(product.mul(mu).mul(next).neg().add(1)),
        scale: oneMinusPower(group, 1, step).rsqrt(),
      },
    }
  }

  protected override move(
    g: Tensor,
    slots: Record<Slot, Tensor>,
    group: Group<NAdamSettings>,
    { ofGradient, ofMean, scale }: Record<Shared, Tensor>,
  ): Tensor {
    const m = mixed(slots.exp_avg, g, group, 0)
    const v = mixed(slots.exp_avg_sq, g.mul(g), group, 1)
    slots.exp_avg.copy_(m)
    slots.exp_avg_sq.copy_(v)
    const spread = v
      .sqrt()
      .mul(scale)
      .add(group.scalar('eps', (s) => s.eps))
    return g.mul(ofGradient).add(m.mul(ofMean)).div(spread)
  }
}
