/**
 * Activations that stay within bounds. All take any shape and give the same. Where a formula has branches, a value
 * that would overflow in the branch not taken never enters it: so no gradient is NaN.
 */
import type { Tensor } from '../../tensor.ts'

/**
 * 0 where x < 0, 1 where x ≥ 0; NaN stays. Any shape.
 *
 * Nothing learns through it by gradient descent: it is flat on both sides of 0, so its slope is 0 wherever it has one,
 * and a weight before it would never be told which way to go. Descent does not hide that: the result carries no
 * gradient, and `backward()` from it alone is an error. It is the threshold of Rosenblatt's perceptron (1958), which
 * learns by a rule of its own, w ← w + (y − ŷ)·x after each mistake: see examples/perceptron. To learn by gradients, put
 * `sigmoid` in its place, and a threshold of 0.5 only where predictions are used. Source: torch.heaviside, with 1 at 0.
 *
 * @example
 * ```ts
 * import { grad, heaviside, tensor } from 'descent'
 * console.log(heaviside(tensor([-2, 0, 3])).toArray()) // → [ 0, 1, 1 ]
 * const slope = grad((w) => heaviside(w).sum())
 * console.log(slope(tensor([-2, 3])).toArray()) // → [ 0, 0 ]
 * ```
 */
export function heaviside(x: Tensor): Tensor {
  const values = x.detach()
  return values.ge(0).where(1, values.lt(0).where(0, values))
}

/**
 * 1 / (1 + exp(−x)), the logistic function.
 *
 * @example
 * ```ts
 * import { sigmoid, tensor } from 'descent'
 * console.log(sigmoid(tensor([0, 1000, -1000])).toArray()) // → [ 0.5, 1, 0 ]
 * ```
 */
export function sigmoid(x: Tensor): Tensor {
  return x.sigmoid()
}

/**
 * The hyperbolic tangent (exp(x) − exp(−x)) / (exp(x) + exp(−x)).
 *
 * @example
 * ```ts
 * import { tanh, tensor } from 'descent'
 * console.log(tanh(tensor([0, 100])).toArray()) // → [ 0, 1 ]
 * ```
 */
export function tanh(x: Tensor): Tensor {
  return x.tanh()
}

/**
 * x / (1 + |x|). Source: torch.nn.functional.softsign.
 *
 * @example
 * ```ts
 * import { softsign, tensor } from 'descent'
 * console.log(softsign(tensor([1, -3])).toArray()) // → [ 0.5, -0.75 ]
 * ```
 */
export function softsign(x: Tensor): Tensor {
  return x.div(x.abs().add(1))
}

/**
 * x limited to [min, max]; the gradient flows where min < x < max. Source: torch.nn.functional.hardtanh.
 *
 * @example
 * ```ts
 * import { hardtanh, tensor } from 'descent'
 * console.log(hardtanh(tensor([-2, 0.5, 2])).toArray()) // → [ -1, 0.5, 1 ]
 * ```
 */
export function hardtanh(x: Tensor, min = -1, max = 1): Tensor {
  return x.le(min).where(min, x.ge(max).where(max, x))
}

/**
 * min(max(x, 0), 6). Source: Howard et al., "MobileNets", 2017; torch.nn.functional.relu6.
 *
 * @example
 * ```ts
 * import { relu6, tensor } from 'descent'
 * console.log(relu6(tensor([-1, 3, 9])).toArray()) // → [ 0, 3, 6 ]
 * ```
 */
export function relu6(x: Tensor): Tensor {
  return hardtanh(x, 0, 6)
}

/**
 * min(max(x + 3, 0), 6) / 6. Source: torch.nn.functional.hardsigmoid.
 *
 * @example
 * ```ts
 * import { hardsigmoid, tensor } from 'descent'
 * console.log(hardsigmoid(tensor([-4, 0, 4])).toArray()) // → [ 0, 0.5, 1 ]
 * ```
 */
export function hardsigmoid(x: Tensor): Tensor {
  return relu6(x.add(3)).div(6)
}

/**
 * x − tanh(x). Source: torch.nn.functional.tanhshrink.
 *
 * @example
 * ```ts
 * import { tanhshrink, tensor } from 'descent'
 * console.log(tanhshrink(tensor([0])).toArray()) // → [ 0 ]
 * ```
 */
export function tanhshrink(x: Tensor): Tensor {
  return x.sub(x.tanh())
}

/**
 * log(sigmoid(x)) = min(x, 0) − log(1 + exp(−|x|)), exact for large |x|. Source: torch.nn.functional.logsigmoid.
 *
 * @example
 * ```ts
 * import { logSigmoid, tensor } from 'descent'
 * console.log(logSigmoid(tensor([-100])).toArray()) // → [ -100 ]
 * ```
 */
export function logSigmoid(x: Tensor): Tensor {
  return x.minimum(0).sub(x.abs().neg().exp().log1p())
}
