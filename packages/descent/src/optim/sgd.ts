/** Gradient descent. */
import type { Tensor } from '../tensor.ts'
import type { Group, GroupSettings } from './group.ts'
import { type Begun, Optimizer, type ParametersOf, requireFrom0 } from './optimizer.ts'

export interface SGDSettings extends GroupSettings {
  readonly momentum: number
  readonly dampening: number
  readonly nesterov: boolean
}

export interface SGDOptions {
  /** Default 0.001. */
  readonly lr?: number
  /** Default 0. */
  readonly momentum?: number
  /** Takes away from what the gradient adds to the momentum. Default 0. */
  readonly dampening?: number
  /** Default 0. */
  readonly weightDecay?: number
  /** Default false. */
  readonly nesterov?: boolean
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean
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
export class SGD extends Optimizer<SGDSettings, 'momentum_buffer', 'first'> {
  constructor(parameters: ParametersOf<SGDSettings>, options: SGDOptions = {}) {
    super(parameters, {
      lr: 0.001,
      momentum: 0,
      dampening: 0,
      weightDecay: 0,
      nesterov: false,
      maximize: false,
      ...options,
    })
  }

  protected override check({ momentum, dampening, nesterov }: SGDSettings): void {
    requireFrom0('SGD: momentum', momentum)
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      throw new RangeError("SGD: Nesterov's momentum needs a momentum above 0 and no dampening.")
    }
  }

  protected override slots({ momentum }: SGDSettings): Record<string, number> {
    return momentum !== 0 ? { momentum_buffer: 0 } : {}
  }

  /** Without dampening, a buffer of zeros gives the same first step, and nothing need be counted. */
  protected override counters({ momentum, dampening }: SGDSettings): Record<string, number> {
    return momentum !== 0 && dampening !== 0 ? { step: 0 } : {}
  }

  protected override begin(group: Group<SGDSettings>): Begun<'first'> {
    const step = group.has('momentum') && group.has('dampening') ? group.counters.step : undefined
    if (!step) return super.begin(group)
    return { counters: { step: step.add(1) }, shared: { first: step.eq(0) } }
  }

  protected override move(
    g: Tensor,
    { momentum_buffer: buffer }: Record<'momentum_buffer', Tensor>,
    group: Group<SGDSettings>,
    { first }: Partial<Record<'first', Tensor>>,
  ): Tensor {
    const rate = group.scalar('lr', (s) => s.lr)
    if (!group.has('momentum')) return g.mul(rate)
    const momentum = group.scalar('momentum', (s) => s.momentum)
    const next = buffer.mul(momentum).add(first ? g.mul(group.scalar('1-dampening', (s) => 1 - s.dampening)) : g)
    const value = first ? first.where(g, next) : next
    buffer.copy_(value)
    return (group.fixed('nesterov') ? g.add(value.mul(momentum)) : value).mul(rate)
  }
}
