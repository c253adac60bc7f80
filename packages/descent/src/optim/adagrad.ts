/** Adagrad. */
import type { Tensor } from '../tensor.ts'
import type { Group, GroupSettings } from './group.ts'
import { type Begun, Optimizer, type ParametersOf, requireFrom0 } from './optimizer.ts'

export interface AdagradSettings extends GroupSettings {
  readonly lrDecay: number
  readonly initialAccumulatorValue: number
  readonly eps: number
}

export interface AdagradOptions {
  /** Default 0.01. */
  readonly lr?: number
  /** Default 0. */
  readonly lrDecay?: number
  /** Default 0. */
  readonly weightDecay?: number
  /** What the sums of squares begin with. Default 0. */
  readonly initialAccumulatorValue?: number
  /** Default 1e-10. */
  readonly eps?: number
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean
}

/**
 * s ← s + g²; p ← p − lr / (1 + (t − 1)·lrDecay) · g / (√s + eps), g = ∇ + weightDecay·p, t the number of the
 * parameter's steps. Throws RangeError for negative settings. Source: Duchi, Hazan and Singer, "Adaptive subgradient
 * methods", 2011; torch.optim.Adagrad.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const p = tensor([1], { requiresGrad: true })
 * const adagrad = new optim.Adagrad([p], { lr: 0.5 })
 * p.mul(p).sum().backward()
 * adagrad.step()
 * console.log(p.toArray()) // → [ 0.5 ]
 * ```
 */
export class Adagrad extends Optimizer<AdagradSettings, 'sum', 'rate'> {
  constructor(parameters: ParametersOf<AdagradSettings>, options: AdagradOptions = {}) {
    super(parameters, {
      lr: 0.01,
      lrDecay: 0,
      weightDecay: 0,
      initialAccumulatorValue: 0,
      eps: 1e-10,
      maximize: false,
      ...options,
    })
  }

  protected override check({ lrDecay, initialAccumulatorValue, eps }: AdagradSettings): void {
    requireFrom0('Adagrad: lrDecay', lrDecay)
    requireFrom0('Adagrad: initialAccumulatorValue', initialAccumulatorValue)
    requireFrom0('Adagrad: eps', eps)
  }

  protected override slots({ initialAccumulatorValue }: AdagradSettings): Record<string, number> {
    return { sum: initialAccumulatorValue }
  }

  protected override counters(): Record<string, number> {
    return { step: 0 }
  }

  protected override begin(group: Group<AdagradSettings>): Begun<'rate'> {
    const before = group.counters.step as Tensor
    const slowed = before.mul(group.scalar('lrDecay', (s) => s.lrDecay)).add(1)
    return { counters: { step: before.add(1) }, shared: { rate: group.scalar('lr', (s) => s.lr).div(slowed) } }
  }

  protected override move(
    g: Tensor,
    slots: Record<'sum', Tensor>,
    group: Group<AdagradSettings>,
    { rate }: Record<'rate', Tensor>,
  ): Tensor {
    const sum = slots.sum.add(g.mul(g))
    slots.sum.copy_(sum)
    return g.mul(rate).div(sum.sqrt().add(group.scalar('eps', (s) => s.eps)))
  }
}
