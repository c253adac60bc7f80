/** Activations that multiply a value by a gate of its own, and those that share one between values. */
import { ShapeError } from '../../errors.ts'
import { normalizeAxis } from '../../ops/op.ts'
import type { Tensor } from '../../tensor.ts'
import { relu6 } from './bounded.ts'
import { softplus } from './rectified.ts'

/**
 * x · Φ(x), Φ the normal distribution: x · (1 + erf(x / √2)) / 2; or approximated by 'tanh':
 * x · (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2. Any shape. Source: Hendrycks and Gimpel, 2016;
 * torch.nn.functional.gelu.
 *
 * @example
 * ```ts
 * import { gelu, tensor } from 'descent'
 * console.log(gelu(tensor([0, 100])).toArray()) // → [ 0, 100 ]
 * ```
 */
export function gelu(x: Tensor, approximate: 'none' | 'tanh' = 'none'): Tensor {
  if (approximate === 'tanh') {
    const inner = x
      .mul(x)
      .mul(x)
      .mul(0.044715)
      .add(x)
      .mul(2 * Math.sqrt(2 / Math.PI))
    // (1 + tanh u) / 2 = sigmoid(2u), which keeps its digits where tanh is near -1.
    return x.mul(inner.sigmoid())
  }
  return x.mul(0.5).mul(x.mul(Math.SQRT1_2).erf().add(1))
}

/**
 * x · sigmoid(x), also called swish. Any shape. Source: Elfwing et al., 2017; torch.nn.functional.silu.
 *
 * @example
 * ```ts
 * import { silu, tensor } from 'descent'
 * console.log(silu(tensor([0, 100])).toArray()) // → [ 0, 100 ]
 * ```
 */
export function silu(x: Tensor): Tensor {
  return x.mul(x.sigmoid())
}

/**
 * x · tanh(softplus(x)). Any shape. Source: Misra, 2019; torch.nn.functional.mish.
 *
 * @example
 * ```ts
 * import { mish, tensor } from 'descent'
 * console.log(mish(tensor([0, 100])).toArray()) // → [ 0, 100 ]
 * ```
 */
export function mish(x: Tensor): Tensor {
  return x.mul(softplus(x).tanh())
}

/**
 * x · min(max(x + 3, 0), 6) / 6. Any shape. Source: Howard et al., "Searching for MobileNetV3", 2019;
 * torch.nn.functional.hardswish.
 *
 * @example
 * ```ts
 * import { hardswish, tensor } from 'descent'
 * console.log(hardswish(tensor([0, 3, 6])).toArray()) // → [ 0, 3, 6 ]
 * ```
 */
export function hardswish(x: Tensor): Tensor {
  return x.mul(relu6(x.add(3))).div(6)
}

/**
 * a · sigmoid(b), a and b the halves of x along `dim`, whose extent must be even (ShapeError). Source: Dauphin et
 * al., 2016; torch.nn.functional.glu.
 *
 * @example
 * ```ts
 * import { glu, tensor } from 'descent'
 * console.log(glu(tensor([4, 0])).toArray()) // → [ 2 ]
 * ```
 */
export function glu(x: Tensor, dim = -1): Tensor {
  const axis = normalizeAxis('glu', dim, x.ndim)
  const extent = x.shape[axis] as number
  if (extent % 2 !== 0) {
    throw new ShapeError(
      `glu: dimension ${dim} of [${x.shape}] has extent ${extent}, which does not divide into halves.`,
    )
  }
  const [a, b] = x.split(extent / 2, axis) as [Tensor, Tensor]
  return a.mul(b.sigmoid())
}

/**
 * exp(x) / Σ exp(x) along `dim`: positive, with sum 1. Large values are safe. Any shape.
 *
 * @example
 * ```ts
 * import { softmax, tensor } from 'descent'
 * console.log(softmax(tensor([1000, 1000]), 0).toArray()) // → [ 0.5, 0.5 ]
 * ```
 */
export function softmax(x: Tensor, dim: number): Tensor {
  return x.softmax(dim)
}

/**
 * log(softmax(x)) along `dim`, without the loss of digits that the two in turn would have. Any shape.
 *
 * @example
 * ```ts
 * import { logSoftmax, tensor } from 'descent'
 * console.log(logSoftmax(tensor([0, -1000]), 0).toArray()) // → [ 0, -1000 ]
 * ```
 */
export function logSoftmax(x: Tensor, dim: number): Tensor {
  return x.logSoftmax(dim)
}

/**
 * softmax(−x) along `dim`: the smallest value weighs most. Any shape.
 *
 * @example
 * ```ts
 * import { softmin, tensor } from 'descent'
 * console.log(softmin(tensor([3, 3]), 0).toArray()) // → [ 0.5, 0.5 ]
 * ```
 */
export function softmin(x: Tensor, dim: number): Tensor {
  return x.neg().softmax(dim)
}
