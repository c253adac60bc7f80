/** RMSprop. */
import type { Tensor } from '../tensor.ts'
import type { Group, GroupSettings } from './group.ts'
import { Optimizer, type ParametersOf, requireFrom0, requireShares } from './optimizer.ts'

export interface RMSpropSettings extends GroupSettings {
  readonly alpha: number
  readonly eps: number
  readonly momentum: number
  readonly centered: boolean
}

export interface RMSpropOptions {
  /** Default 0.01. */
  readonly lr?: number
  /** What stays of the running mean of squares. Default 0.99. */
  readonly alpha?: number
  /** Default 1e-8. */
  readonly eps?: number
  /** Default 0. */
  readonly weightDecay?: number
  /** Default 0. */
  readonly momentum?: number
  /** Divide by the deviation from a running mean of gradients instead of their size. Default false. */
  readonly centered?: boolean
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean
}

type Slot = 'square_avg' | 'grad_avg' | 'momentum_buffer'

/**
 * v ← αv + (1 − α)g²; s = √v + eps, centered √(v − a²) + eps with a ← αa + (1 − α)g; b ← momentum·b + g/s;
 * p ← p − lr·b, g = ∇ + weightDecay·p. Throws RangeError for negative settings or an alpha outside of [0, 1).
 * Source: Hinton, "Neural networks for machine learning", lecture 6e, 2012; centered: Graves, 2013; torch.optim.RMSprop.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const p = tensor([1], { requiresGrad: true })
 * const rmsprop = new optim.RMSprop([p], { lr: 0.05 })
 * p.mul(p).sum().backward()
 * rmsprop.step()
 * console.log(p.item().toFixed(4)) // → 0.5000
 * ```
 */
export class RMSprop extends Optimizer<RMSpropSettings, Slot, never> {
  constructor(parameters: ParametersOf<RMSpropSettings>, options: RMSpropOptions = {}) {
    super(parameters, {
      lr: 0.01,
      alpha: 0.99,
      eps: 1e-8,
      weightDecay: 0,
      momentum: 0,
      centered: false,
      maximize: false,
      ...options,
    })
  }

  protected override check({ alpha, eps, momentum }: RMSpropSettings): void {
    requireShares('RMSprop: alpha', [alpha])
    requireFrom0('RMSprop: eps', eps)
    requireFrom0('RMSprop: momentum', momentum)
  }

  protected override slots({ centered, momentum }: RMSpropSettings): Record<string, number> {
    return {
      square_avg: 0,
      ...(centered ? { grad_avg: 0 } : {}),
      ...(momentum !== 0 ? { momentum_buffer: 0 } : {}),
    }
  }

  protected override move(g: Tensor, slots: Record<Slot, Tensor>, group: Group<RMSpropSettings>): Tensor {
    const alpha = group.scalar('alpha', (s) => s.alpha)
    const rest = group.scalar('1-alpha', (s) => 1 - s.alpha)
    const rate = group.scalar('lr', (s) => s.lr)
    const eps = group.scalar('eps', (s) => s.eps)
    const square = slots.square_avg.mul(alpha).add(g.mul(g).mul(rest))
    slots.square_avg.copy_(square)
    let spread = square
    if (group.fixed('centered')) {
      const mean = slots.grad_avg.mul(alpha).add(g.mul(rest))
      slots.grad_avg.copy_(mean)
      // Rounding can make the variance of equal gradients negative.
      spread = square.sub(mean.mul(mean)).maximum(0)
    }
    const direction = g.div(spread.sqrt().add(eps))
    if (!group.has('momentum')) return direction.mul(rate)
    const buffer = slots.momentum_buffer.mul(group.scalar('momentum', (s) => s.momentum)).add(direction)
    slots.momentum_buffer.copy_(buffer)
    return buffer.mul(rate)
  }
}
