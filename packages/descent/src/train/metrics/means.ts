/** Metrics that are means over the examples of a batch: functions, which a compiled step computes along the way. */
import { arange } from '../../create.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../tensor.ts'

function difference(name: string, output: Tensor, target: Tensor): Tensor {
  if (output.shape.join() !== target.shape.join())
    throw new ShapeError(`${name}: output [${output.shape}] and target [${target.shape}] must have the same shape.`)
  return output.sub(target)
}

/**
 * The mean absolute error of a batch, f32 []: Σ|y − t| / n. Any shape, the same for both; throws ShapeError otherwise.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'descent'
 * console.log(metrics.meanAbsoluteError(tensor([1, 2]), tensor([2, 5])).item()) // → 2
 * ```
 */
export function meanAbsoluteError(output: Tensor, target: Tensor): Tensor {
  return difference('meanAbsoluteError', output, target).abs().mean()
}

/**
 * The mean squared error of a batch, f32 []: Σ(y − t)² / n. Any shape, the same for both; throws ShapeError otherwise.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'descent'
 * console.log(metrics.meanSquaredError(tensor([1, 2]), tensor([2, 5])).item()) // → 5
 * ```
 */
export function meanSquaredError(output: Tensor, target: Tensor): Tensor {
  return difference('meanSquaredError', output, target).square().mean()
}

/**
 * The share of a batch's examples whose true class is among the k most likely, f32 []: output [N, C, ...], target i32
 * [N, ...]. Of equal scores the first comes first. Throws RangeError where k is no whole number from 1 to C.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'descent'
 * const scores = tensor([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
 * console.log(metrics.topKAccuracy(scores, tensor([1, 2], { dtype: 'i32' }), { k: 2 }).item()) // → 0.5
 * ```
 */
export function topKAccuracy(
  output: Tensor,
  target: Tensor,
  options: {
    /** Default 5. */
    readonly k?: number
  } = {},
): Tensor {
  const { k = 5 } = options
  const classes = output.shape[1] ?? 0
  if (!(Number.isInteger(k) && k >= 1 && k <= classes))
    throw new RangeError(
      `topKAccuracy: k = ${k} is no whole number from 1 to the ${classes} classes of [${output.shape}].`,
    )
  const truth = target.unsqueeze(1)
  const own = output.gather(1, truth)
  const number = arange(classes)
    .int()
    .reshape([classes, ...output.shape.slice(2).map(() => 1)])
  const before = output
    .gt(own)
    .float()
    .add(output.eq(own).logicalAnd(number.lt(truth)).float())
  return before.sum(1).lt(k).float().mean()
}
