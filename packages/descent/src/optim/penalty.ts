/** Penalties on weights, to be added to a loss, and the step that makes weights exactly zero. */
import { noGrad } from '../autograd.ts'
import { zeros } from '../create.ts'
import type { Tensor } from '../tensor.ts'
import { type AnyParameters, named } from './named.ts'

function total(parameters: AnyParameters, of: (p: Tensor) => Tensor): Tensor {
  const parts = named(parameters).map(([, p]) => of(p).sum())
  return parts.length > 0 ? parts.reduce((a, b) => a.add(b)) : zeros([])
}

/**
 * Σ |w| over all elements of all parameters, f32 []: `loss.add(l1Penalty(net.parameters()).mul(1e-4))` draws weights to
 * zero. Its gradient is sign(w), 0 at 0. Source: Tibshirani, "Regression shrinkage and selection via the lasso", 1996.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const w = tensor([2, -3], { requiresGrad: true })
 * const penalty = optim.l1Penalty([w])
 * penalty.backward()
 * console.log(penalty.item(), w.grad?.toArray()) // → 5 [ 1, -1 ]
 * ```
 */
export function l1Penalty(parameters: AnyParameters): Tensor {
  return total(parameters, (p) => p.abs())
}

/**
 * Σ w² over all elements of all parameters, f32 []. Its gradient is 2w: λ/2 times it is what `weightDecay: λ` adds to
 * the gradient of SGD.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * console.log(optim.l2Penalty([tensor([2, -3])]).item()) // → 13
 * ```
 */
export function l2Penalty(parameters: AnyParameters): Tensor {
  return total(parameters, (p) => p.mul(p))
}

/**
 * w ← sign(w)·max(|w| − threshold, 0), in place, after a step of the optimizer: the proximal step of an L1 penalty
 * λ·Σ|w| with threshold = lr·λ, which unlike its gradient makes weights exactly 0. `threshold` may be a tensor [], for
 * compiled steps whose rate changes. Throws RangeError for a negative one. Source: Daubechies, Defrise and De Mol, "An
 * iterative thresholding algorithm for linear inverse problems", 2004.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const w = tensor([2, -0.25, -1], { requiresGrad: true })
 * optim.softThreshold_([w], 0.5)
 * console.log(w.toArray()) // → [ 1.5, 0, -0.5 ]
 * ```
 */
export function softThreshold_(parameters: AnyParameters, threshold: number | Tensor): void {
  if (typeof threshold === 'number' && !(threshold >= 0))
    throw new RangeError(`softThreshold_: the threshold must be 0 or more, not ${threshold}.`)
  noGrad(() => {
    const lowest = typeof threshold === 'number' ? -threshold : threshold.neg()
    for (const [, p] of named(parameters)) p.copy_(p.sub(p.minimum(threshold).maximum(lowest)))
  })
}
