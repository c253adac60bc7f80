/** Activations that let large values pass and hold small ones back. All take any shape and give the same. */
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../tensor.ts'

/**
 * max(x, 0); the gradient at 0 is 0. Source: torch.nn.functional.relu.
 *
 * @example
 * ```ts
 * import { relu, tensor } from 'descent'
 * console.log(relu(tensor([-1, 2])).toArray()) // → [ 0, 2 ]
 * ```
 */
export function relu(x: Tensor): Tensor {
  return x.relu()
}

/**
 * x where x > 0, elsewhere slope · x. Source: Maas et al., 2013; torch.nn.functional.leaky_relu.
 *
 * @example
 * ```ts
 * import { leakyRelu, tensor } from 'descent'
 * console.log(leakyRelu(tensor([-4, 2]), 0.25).toArray()) // → [ -1, 2 ]
 * ```
 */
export function leakyRelu(x: Tensor, slope = 0.01): Tensor {
  return x.gt(0).where(x, x.mul(slope))
}

/**
 * x where x > 0, elsewhere weight · x, the weight learned: [1], or [C] for the channels of x [N, C, ...]. Throws
 * ShapeError for another weight. Source: He et al., 2015; torch.nn.functional.prelu.
 *
 * @example
 * ```ts
 * import { prelu, tensor } from 'descent'
 * console.log(prelu(tensor([[-4, -4]]), tensor([0.5, 0.25])).toArray()) // → [ [ -2, -1 ] ]
 * ```
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  const channels = x.ndim > 1 ? (x.shape[1] as number) : 1
  if (weight.ndim > 1 || (weight.size !== 1 && weight.size !== channels)) {
    throw new ShapeError(`prelu: the weight must be [1] or [${channels}] for [${x.shape}], got [${weight.shape}].`)
  }
  const slope = weight.size === 1 ? weight.reshape([]) : weight.reshape(x.shape.map((_, d) => (d === 1 ? -1 : 1)))
  return x.gt(0).where(x, x.mul(slope))
}

/** x below and 0 above zero: what may enter a branch for negative values without overflowing. */
function negativePart(x: Tensor): Tensor {
  return x.gt(0).where(0, x)
}

/**
 * x where x > 0, elsewhere alpha · (exp(x) − 1). Source: Clevert et al., 2015; torch.nn.functional.elu.
 *
 * @example
 * ```ts
 * import { elu, tensor } from 'descent'
 * console.log(elu(tensor([-1000, 2])).toArray()) // → [ -1, 2 ]
 * ```
 */
export function elu(x: Tensor, alpha = 1): Tensor {
  return x.gt(0).where(x, negativePart(x).expm1().mul(alpha))
}

/**
 * scale · (x where x > 0, elsewhere alpha · (exp(x) − 1)), alpha and scale chosen so that activations keep mean 0 and
 * variance 1. Source: Klambauer et al., "Self-normalizing neural networks", 2017; torch.nn.functional.selu.
 *
 * @example
 * ```ts
 * import { selu, tensor } from 'descent'
 * console.log(selu(tensor([1])).item().toFixed(4)) // → 1.0507
 * ```
 */
export function selu(x: Tensor): Tensor {
  return elu(x, 1.6732632423543772).mul(1.0507009873554805)
}

/**
 * max(x, 0) + min(0, alpha · (exp(x / alpha) − 1)). Source: Barron, 2017; torch.nn.functional.celu.
 *
 * @example
 * ```ts
 * import { celu, tensor } from 'descent'
 * console.log(celu(tensor([-1000, 2]), 0.5).toArray()) // → [ -0.5, 2 ]
 * ```
 */
export function celu(x: Tensor, alpha = 1): Tensor {
  return x.gt(0).where(x, negativePart(x).div(alpha).expm1().mul(alpha))
}

/**
 * log(1 + exp(beta · x)) / beta, and x itself where beta · x > threshold. Computed as
 * max(βx, 0) + log(1 + exp(−|βx|)), which cannot overflow. Source: torch.nn.functional.softplus.
 *
 * @example
 * ```ts
 * import { softplus, tensor } from 'descent'
 * console.log(softplus(tensor([100, -1000])).toArray()) // → [ 100, 0 ]
 * ```
 */
export function softplus(x: Tensor, beta = 1, threshold = 20): Tensor {
  const scaled = x.mul(beta)
  const smooth = scaled.maximum(0).add(scaled.abs().neg().exp().log1p()).div(beta)
  return scaled.gt(threshold).where(x, smooth)
}

/**
 * x where x > threshold, elsewhere value. Source: torch.nn.functional.threshold.
 *
 * @example
 * ```ts
 * import { tensor, threshold } from 'descent'
 * console.log(threshold(tensor([1, 3]), 2, -1).toArray()) // → [ -1, 3 ]
 * ```
 */
export function threshold(x: Tensor, threshold: number, value: number): Tensor {
  return x.gt(threshold).where(x, value)
}

/**
 * x − λ where x > λ, x + λ where x < −λ, elsewhere 0. Source: torch.nn.functional.softshrink.
 *
 * @example
 * ```ts
 * import { softshrink, tensor } from 'descent'
 * console.log(softshrink(tensor([-2, 0.25, 2])).toArray()) // → [ -1.5, 0, 1.5 ]
 * ```
 */
export function softshrink(x: Tensor, lambda = 0.5): Tensor {
  return x.gt(lambda).where(x.sub(lambda), x.lt(-lambda).where(x.add(lambda), x.mul(0)))
}

/**
 * x where |x| > λ, elsewhere 0. Source: torch.nn.functional.hardshrink.
 *
 * @example
 * ```ts
 * import { hardshrink, tensor } from 'descent'
 * console.log(hardshrink(tensor([-2, 0.25, 2])).toArray()) // → [ -2, 0, 2 ]
 * ```
 */
export function hardshrink(x: Tensor, lambda = 0.5): Tensor {
  return x.abs().le(lambda).where(0, x)
}
