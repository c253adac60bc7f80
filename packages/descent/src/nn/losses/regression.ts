/** Losses for predictions that are quantities. */
import { sameShape } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../tensor.ts'
import { Module } from '../module.ts'
import { type ReductionOptions, reduced } from './reduction.ts'

/**
 * The squared error (input − target)². Both have any one shape; other shapes are a ShapeError, for broadcasting
 * [N, 1] against [N] would quietly compare everything with everything. Source: torch.nn.functional.mse_loss.
 *
 * @example
 * ```ts
 * import { mseLoss, tensor } from 'descent'
 * console.log(mseLoss(tensor([1, 2]), tensor([1, 4])).item()) // → 2
 * ```
 */
export function mseLoss(input: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor {
  requireSameShape('mseLoss', input, target)
  return reduced(input.sub(target).square(), options.reduction)
}

/** `mseLoss` as a module. */
export class MSELoss extends Module<[Tensor, Tensor]> {
  readonly #options: ReductionOptions

  constructor(options: ReductionOptions = {}) {
    super()
    this.record(MSELoss, [options])
    this.#options = options
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, this.#options)
  }
}

export function requireSameShape(loss: string, input: Tensor, target: Tensor): void {
  if (sameShape(input.shape, target.shape)) return
  const hint = input.size === target.size ? ' Reshape one of them to the shape of the other.' : ''
  throw new ShapeError(
    `${loss}: input [${input.shape.join(', ')}] and target [${target.shape.join(', ')}] differ.${hint}`,
  )
}
