/** Adam, and AdamW, which takes the weight decay out of the gradient. */
import type { Tensor } from '../tensor.ts'
import type { Group } from './group.ts'
import { type Betas, mixed, oneMinusPower } from './moments.ts'
import { type Begun, Optimizer, type ParametersOf, requireFrom0, requireShares } from './optimizer.ts'

export interface AdamSettings extends Betas {
  readonly eps: number
  readonly amsgrad: boolean
  readonly decoupledWeightDecay: boolean
}

type AdamSlot = 'exp_avg' | 'exp_avg_sq' | 'max_exp_avg_sq'

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
  /** Weight decay shrinks the parameters instead of entering the gradient. Default false for Adam; AdamW is true. */
  readonly decoupledWeightDecay?: boolean
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean
}

/**
 * m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; p ← p − lr · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + eps), g = ∇ +
 * weightDecay·p, t the number of the parameter's steps. Throws RangeError for a negative rate or betas outside of
 * [0, 1). Source: Kingma and Ba, "Adam", 2014; torch.optim.Adam.
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
export class Adam extends Optimizer<AdamSettings, AdamSlot, 'size' | 'scale'> {
  constructor(parameters: ParametersOf<AdamSettings>, options: AdamOptions = {}) {
    super(parameters, {
      lr: 0.001,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      amsgrad: false,
      decoupledWeightDecay: false,
      maximize: false,
      ...options,
    })
  }

  protected override check({ betas, eps }: AdamSettings): void {
    requireShares('Adam: betas', betas)
    requireFrom0('Adam: eps', eps)
  }

  protected override slots({ amsgrad }: AdamSettings): Record<string, number> {
    return { exp_avg: 0, exp_avg_sq: 0, ...(amsgrad ? { max_exp_avg_sq: 0 } : {}) }
  }

  protected override counters(): Record<string, number> {
    return { step: 0 }
  }

  protected override decoupled(group: Group<AdamSettings>): boolean {
    return group.fixed('decoupledWeightDecay')
  }

  protected override begin(group: Group<AdamSettings>): Begun<'size' | 'scale'> {
    const step = (group.counters.step as Tensor).add(1)
    return {
      counters: { step },
      shared: {
        size: group.scalar('lr', (s) => s.lr).div(oneMinusPower(group, 0, step)),
        scale: oneMinusPower(group, 1, step).rsqrt(),
      },
    }
  }

  protected override move(
    g: Tensor,
    slots: Record<AdamSlot, Tensor>,
    group: Group<AdamSettings>,
    { size, scale }: Record<'size' | 'scale', Tensor>,
  ): Tensor {
    const m = mixed(slots.exp_avg, g, group, 0)
    const v = mixed(slots.exp_avg_sq, g.mul(g), group, 1)
    slots.exp_avg.copy_(m)
    slots.exp_avg_sq.copy_(v)
    let spread = v
    if (group.fixed('amsgrad')) {
      spread = slots.max_exp_avg_sq.maximum(v)
      slots.max_exp_avg_sq.copy_(spread)
    }
    const eps = group.scalar('eps', (s) => s.eps)
    return m.mul(size).div(spread.sqrt().mul(scale).add(eps))
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
  constructor(parameters: ParametersOf<AdamSettings>, options: Omit<AdamOptions, 'decoupledWeightDecay'> = {}) {
    super(parameters, { weightDecay: 0.01, ...options, decoupledWeightDecay: true })
  }
}
