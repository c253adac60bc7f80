/** Adadelta. */
import type { Tensor } from '../tensor.ts'
import type { Group, GroupSettings } from './group.ts'
import { Optimizer, type ParametersOf, requireFrom0, requireShares } from './optimizer.ts'

export interface AdadeltaSettings extends GroupSettings {
  readonly rho: number
  readonly eps: number
}

export interface AdadeltaOptions {
  /** Default 1. */
  readonly lr?: number
  /** What stays of the running means of squares. Default 0.9. */
  readonly rho?: number
  /** Default 1e-6. */
  readonly eps?: number
  /** Default 0. */
  readonly weightDecay?: number
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean
}

type Slot = 'square_avg' | 'acc_delta'

/**
 * v ← ρv + (1 − ρ)g²; Δ = √(u + eps) / √(v + eps) · g; u ← ρu + (1 − ρ)Δ²; p ← p − lr·Δ, g = ∇ + weightDecay·p.
 * Throws RangeError for negative settings or a rho outside of [0, 1). Source: Zeiler, "ADADELTA", 2012;
 * torch.optim.Adadelta.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const p = tensor([1], { requiresGrad: true })
 * const adadelta = new optim.Adadelta([p])
 * p.mul(p).sum().backward()
 * adadelta.step()
 * console.log(p.item() < 1) // → true
 * ```
 */
export class Adadelta extends Optimizer<AdadeltaSettings, Slot, never> {
  constructor(parameters: ParametersOf<AdadeltaSettings>, options: AdadeltaOptions = {}) {
    super(parameters, { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false, ...options })
  }

  protected override check({ rho, eps }: AdadeltaSettings): void {
    requireShares('Adadelta: rho', [rho])
    requireFrom0('Adadelta: eps', eps)
  }

  protected override slots(): Record<string, number> {
    return { square_avg: 0, acc_delta: 0 }
  }

  protected override move(g: Tensor, slots: Record<Slot, Tensor>, group: Group<AdadeltaSettings>): Tensor {
    const rho = group.scalar('rho', (s) => s.rho)
    const rest = group.scalar('1-rho', (s) => 1 - s.rho)
    const eps = group.scalar('eps', (s) => s.eps)
    const square = slots.square_avg.mul(rho).add(g.mul(g).mul(rest))
    const delta = slots.acc_delta.add(eps).sqrt().div(square.add(eps).sqrt()).mul(g)
    slots.square_avg.copy_(square)
    slots.acc_delta.copy_(slots.acc_delta.mul(rho).add(delta.mul(delta).mul(rest)))
    return delta.mul(group.scalar('lr', (s) => s.lr))
  }
}
