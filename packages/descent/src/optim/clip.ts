/** Gradients kept within bounds, between `backward()` and `step()`. All is tensor operations: it compiles with them. */
import { noGrad } from '../autograd.ts'
import { full } from '../create.ts'
import { NonFiniteGradientError } from '../errors.ts'
import { checkIndex } from '../functions/indexing.ts'
import type { Tensor } from '../tensor.ts'
import { type AnyParameters, named } from './named.ts'

export interface ClipOptions {
  /** Which norm: 1, 2, …, or Infinity for the largest element. Default 2. */
  readonly normType?: number
  /**
   * Throw NonFiniteGradientError, which names the first parameter whose gradient holds NaN or infinity; in a compiled
   * function after the run, whose updates are then not made. Default false.
   */
  readonly errorIfNonfinite?: boolean
}

/**
 * Scales all gradients by min(1, maxNorm / (‖all of them‖ + 1e-6)) and returns the norm that they had, f32 [].
 * Parameters without a gradient do not count. Throws RangeError for a negative maxNorm. Give `net.namedParameters()`
 * for errors with names. Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural
 * networks", 2012; torch.nn.utils.clip_grad_norm_.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const p = tensor([3, 4], { requiresGrad: true })
 * p.mul(p).sum().backward()
 * console.log(optim.clipGradNorm_([p], 5).item()) // → 10
 * console.log(p.grad?.norm().item().toFixed(4)) // → 5.0000
 * ```
 */
export function clipGradNorm_(parameters: AnyParameters, maxNorm: number, options: ClipOptions = {}): Tensor {
  const { normType = 2, errorIfNonfinite = false } = options
  if (!(maxNorm >= 0)) throw new RangeError(`clipGradNorm_: maxNorm must be 0 or more, not ${maxNorm}.`)
  if (!(normType > 0)) throw new RangeError(`clipGradNorm_: normType must be above 0, not ${normType}.`)
  return noGrad(() => {
    const entries = withGradients(parameters)
    const [first] = entries
    if (!first) return full([], 0)
    // A sum of powers overflows only where the norm does nearly, and so is finite where all elements are.
    const parts = entries.map(([name, , g]): Tensor => {
      const size = normType === Infinity ? g.abs().amax() : g.abs().pow(normType).sum()
      return errorIfNonfinite ? size.add(requireFinite(size, name)) : size
    })
    const total = parts.reduce((a, b) => (normType === Infinity ? a.maximum(b) : a.add(b)))
    const norm = normType === Infinity ? total : normType === 2 ? total.sqrt() : total.pow(1 / normType)
    const scale = norm.add(1e-6).reciprocal().mul(maxNorm).minimum(1)
    for (const [, p, g] of entries) replace(p, g, g.mul(scale))
    return norm
  })
}

/**
 * Limits every element of the gradients to [−clipValue, clipValue]. Throws RangeError for a negative clipValue.
 * Source: torch.nn.utils.clip_grad_value_.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const p = tensor([3, -0.25], { requiresGrad: true })
 * p.mul(p).sum().backward()
 * optim.clipGradValue_([p], 1)
 * console.log(p.grad?.toArray()) // → [ 1, -0.5 ]
 * ```
 */
export function clipGradValue_(parameters: AnyParameters, clipValue: number): void {
  if (!(clipValue >= 0)) throw new RangeError(`clipGradValue_: clipValue must be 0 or more, not ${clipValue}.`)
  noGrad(() => {
    for (const [, p, g] of withGradients(parameters)) replace(p, g, g.clamp(-clipValue, clipValue))
  })
}

function withGradients(parameters: AnyParameters): [name: string, parameter: Tensor, gradient: Tensor][] {
  return named(parameters).flatMap(([name, p]): [string, Tensor, Tensor][] => (p.grad ? [[name, p, p.grad]] : []))
}

/** In place where the gradient has a place. */
function replace(p: Tensor, before: Tensor, after: Tensor): void {
  if (before.isTraced) p.grad = after
  else before.copy_(after)
}

/** 0, f32 [], or an error after the run. */
function requireFinite(size: Tensor, name: string): Tensor {
  const bad = size.sub(size).eq(0).where(0, 1).int()
  return checkIndex(bad, 1, NonFiniteGradientError.label(name)).float()
}
