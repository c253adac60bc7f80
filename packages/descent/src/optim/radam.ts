/** RAdam: Adam that waits with its adaptive rates until their variance is known. */
import { where } from '../functions/arithmetic.ts'
import type { Tensor } from '../tensor.ts'
import type { Group } from './group.ts'
import { type Betas, logPower, mixed, oneMinusPower } from './moments.ts'
import { type Begun, Optimizer, type ParametersOf, requireFrom0, requireShares } from './optimizer.ts'

export interface RAdamSettings extends Betas {
  readonly eps: number
  readonly decoupledWeightDecay: boolean
}

export interface RAdamOptions {
  /** Default 0.001. */
  readonly lr?: number
  /** What stays of the running means of the gradient and of its square. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number]
  /** Default 1e-8. */
  readonly eps?: number
  /** Default 0. */
  readonly weightDecay?: number
  /** Weight decay shrinks the parameters instead of entering the gradient. Default false. */
  readonly decoupledWeightDecay?: boolean
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean
}

type Slot = 'exp_avg' | 'exp_avg_sq'
type Shared = 'size' | 'adaptive' | 'steady'

/**
 * m and v as Adam; ρ∞ = 2 / (1 − β₂) − 1, ρₜ = ρ∞ − 2tβ₂ᵗ / (1 − β₂ᵗ). Where ρₜ > 5:
 * p ← p − lr · m / (1 − β₁ᵗ) · r · √(1 − β₂ᵗ) / (√v + eps), r = √((ρₜ − 4)(ρₜ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρₜ)); before that
 * p ← p − lr · m / (1 − β₁ᵗ). g = ∇ + weightDecay·p. Throws RangeError for negative settings or betas outside of [0, 1).
 * Source: Liu et al., "On the variance of the adaptive learning rate and beyond", 2019; torch.optim.RAdam.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const p = tensor([1], { requiresGrad: true })
 * const radam = new optim.RAdam([p], { lr: 0.1 })
 * p.mul(p).sum().backward()
 * radam.step()
 * console.log(p.item().toFixed(4)) // → 0.8000
 * ```
 */
export class RAdam extends Optimizer<RAdamSettings, Slot, Shared> {
  constructor(parameters: ParametersOf<RAdamSettings>, options: RAdamOptions = {}) {
    super(parameters, {
      lr: 0.001,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      decoupledWeightDecay: false,
      maximize: false,
      ...options,
    })
  }

  protected override check({ betas, eps }: RAdamSettings): void {
    requireShares('RAdam: betas', betas)
    requireFrom0('RAdam: eps', eps)
  }

  protected override slots(): Record<string, number> {
    return { exp_avg: 0, exp_avg_sq: 0 }
  }

  protected override counters(): Record<string, number> {
    return { step: 0 }
  }

  protected override decoupled(group: Group<RAdamSettings>): boolean {
    return group.fixed('decoupledWeightDecay')
  }

  protected override begin(group: Group<RAdamSettings>): Begun<Shared> {
    const step = (group.counters.step as Tensor).add(1)
    const length = lengthAt(group, step)
    const most = group.scalar('rho', (s) => limit(s))
    // With a β₂ of 0 the length is no number.
    const steady = length.gt(5).logicalNot()
    const factor = length
      .sub(4)
      .mul(length.sub(2))
      .div(length)
      .mul(most.div(most.sub(4).mul(most.sub(2))))
    return {
      counters: { step },
      shared: {
        size: group.scalar('lr', (s) => s.lr).div(oneMinusPower(group, 0, step)),
        adaptive: steady.where(1, factor.mul(oneMinusPower(group, 1, step))).sqrt(),
        steady,
      },
    }
  }

  protected override move(
    g: Tensor,
    slots: Record<Slot, Tensor>,
    group: Group<RAdamSettings>,
    { size, adaptive, steady }: Record<Shared, Tensor>,
  ): Tensor {
    const m = mixed(slots.exp_avg, g, group, 0)
    const v = mixed(slots.exp_avg_sq, g.mul(g), group, 1)
    slots.exp_avg.copy_(m)
    slots.exp_avg_sq.copy_(v)
    const spread = v.sqrt().add(group.scalar('eps', (s) => s.eps))
    return m.mul(size).mul(where(steady, 1, adaptive.div(spread)))
  }
}

/** ρ∞. */
function limit({ betas }: Betas): number {
  return 2 / (1 - betas[1]) - 1
}

/**
 * ρₜ, whose formula subtracts two large numbers. With x = −log β₂ and y = tx it is ρ∞ − 2/x + t − (2/x)·h(y), where
 * h(y) = y / (eʸ − 1) − 1 + y/2 is small: for small y by its series y²/12 − y⁴/720 + …, Bernoulli's numbers.
 */
function lengthAt(group: Group<RAdamSettings>, step: Tensor): Tensor {
  const y = logPower(group, 1, step).neg()
  const square = y.mul(y)
  let series = square.mul(1 / 47900160).sub(1 / 1209600)
  for (const term of [1 / 30240, -1 / 720, 1 / 12]) series = series.mul(square).add(term)
  const direct = y.div(y.expm1()).sub(1).add(y.mul(0.5))
  const h = y.lt(1).where(series.mul(square), direct)
  const twice = group.scalar('2/x', (s) => -2 / Math.log(s.betas[1]))
  const rest = group.scalar('rho-2/x', (s) => limit(s) + 2 / Math.log(s.betas[1]))
  return step.add(rest).sub(h.mul(twice))
}
