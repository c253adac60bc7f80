/** Lion: the sign of a momentum. */
import type { Tensor } from '../tensor.ts'
import type { Group } from './group.ts'
import { type Betas, mixed } from './moments.ts'
import { Optimizer, type ParametersOf, requireShares } from './optimizer.ts'

export interface LionOptions {
  /** A third to a tenth of what suits AdamW, for every element moves by all of it. Default 1e-4. */
  readonly lr?: number
  /** What the running mean weighs in the step, and what stays of it. Default [0.9, 0.99]. */
  readonly betas?: readonly [number, number]
  /** Shrinks the parameters; three to ten times what suits AdamW. Default 0. */
  readonly weightDecay?: number
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean
}

/**
 * p ← p − lr·(sign(β₁m + (1 − β₁)∇) + weightDecay·p); m ← β₂m + (1 − β₂)∇. Throws RangeError for negative settings or
 * betas outside of [0, 1). Source: Chen et al., "Symbolic discovery of optimization algorithms", 2023, program 1.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const p = tensor([1, -3], { requiresGrad: true })
 * const lion = new optim.Lion([p], { lr: 0.5 })
 * p.mul(p).sum().backward()
 * lion.step()
 * console.log(p.toArray()) // → [ 0.5, -2.5 ]
 * ```
 */
export class Lion extends Optimizer<Betas, 'exp_avg', never> {
  constructor(parameters: ParametersOf<Betas>, options: LionOptions = {}) {
    super(parameters, { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, maximize: false, ...options })
  }

  protected override check({ betas }: Betas): void {
    requireShares('Lion: betas', betas)
  }

  protected override slots(): Record<string, number> {
    return { exp_avg: 0 }
  }

  protected override decoupled(): boolean {
    return true
  }

  protected override move(g: Tensor, slots: Record<'exp_avg', Tensor>, group: Group<Betas>): Tensor {
    const direction = mixed(slots.exp_avg, g, group, 0).sign()
    slots.exp_avg.copy_(mixed(slots.exp_avg, g, group, 1))
    return direction.mul(group.scalar('lr', (s) => s.lr))
  }
}
