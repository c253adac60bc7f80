/** Losses of the distance between a prediction and a quantity: they differ in what they make of large distances. */
import type { Tensor } from '../../tensor.ts'
import { requireAtLeast, sameShaped } from './check.ts'
import { lossModule } from './loss-module.ts'
import { type ReductionOptions, reduced } from './reduction.ts'

export interface SmoothL1LossOptions extends ReductionOptions {
  /** The distance below which the error counts by its square. Default 1; with 0 it is `l1Loss`. */
  readonly beta?: number
}

export interface HuberLossOptions extends ReductionOptions {
  /** The distance below which the error counts by its square. Default 1. */
  readonly delta?: number
}

/**
 * The squared error (x − y)² of predictions x and targets y of any one shape. Twice as far off costs four times as
 * much, so outliers decide; the best constant prediction is the mean. Throws ShapeError where shapes differ, for
 * broadcasting [N, 1] against [N] would quietly compare everything with everything.
 * Source: torch.nn.functional.mse_loss.
 *
 * @example
 * ```ts
 * import { mseLoss, tensor } from 'descent'
 * console.log(mseLoss(tensor([1, 2]), tensor([1, 4])).item()) // → 2
 * ```
 */
export function mseLoss(input: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor {
  return reduced(input.sub(sameShaped('mseLoss', input, target)).square(), options.reduction)
}

/**
 * The absolute error |x − y| of predictions and targets of any one shape. Every unit of distance costs the same; the
 * best constant prediction is the median. The gradient is ±1 however near the target is, and 0 on it. Throws
 * ShapeError where shapes differ. Source: torch.nn.functional.l1_loss.
 *
 * @example
 * ```ts
 * import { l1Loss, tensor } from 'descent'
 * console.log(l1Loss(tensor([1, 2]), tensor([1, 4])).item()) // → 1
 * ```
 */
export function l1Loss(input: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor {
  return reduced(input.sub(sameShaped('l1Loss', input, target)).abs(), options.reduction)
}

/**
 * (x − y)² / (2·beta) where |x − y| < beta, elsewhere |x − y| − beta/2: a square near the target, the absolute error
 * (with slope ±1) far away. Any one shape. Throws ShapeError where shapes differ, RangeError for a negative beta.
 * Source: Girshick, "Fast R-CNN", 2015; torch.nn.functional.smooth_l1_loss.
 *
 * @example
 * ```ts
 * import { smoothL1Loss, tensor } from 'descent'
 * console.log(smoothL1Loss(tensor([0.5, 4]), tensor([0, 0]), { reduction: 'none' }).toArray()) // → [ 0.125, 3.5 ]
 * ```
 */
export function smoothL1Loss(input: Tensor, target: Tensor, options: SmoothL1LossOptions = {}): Tensor {
  const { beta = 1, reduction } = options
  requireAtLeast('smoothL1Loss', 'beta', beta, 0)
  const distance = input.sub(sameShaped('smoothL1Loss', input, target)).abs()
  return reduced(beta === 0 ? distance : squareThenLine(distance, beta).div(beta), reduction)
}

/**
 * (x − y)² / 2 where |x − y| ≤ delta, elsewhere delta · (|x − y| − delta/2): delta times `smoothL1Loss`, so that its
 * gradient is the distance, limited to ±delta. Any one shape. Throws ShapeError where shapes differ, RangeError for a
 * delta of 0 or less. Source: Huber, "Robust estimation of a location parameter", 1964; torch.nn.functional.huber_loss.
 *
 * @example
 * ```ts
 * import { huberLoss, tensor } from 'descent'
 * console.log(huberLoss(tensor([1, 4]), tensor([0, 0]), { delta: 2, reduction: 'none' }).toArray()) // → [ 0.5, 6 ]
 * ```
 */
export function huberLoss(input: Tensor, target: Tensor, options: HuberLossOptions = {}): Tensor {
  const { delta = 1, reduction } = options
  requireAtLeast('huberLoss', 'delta', delta, 0, true)
  const distance = input.sub(sameShaped('huberLoss', input, target)).abs()
  return reduced(squareThenLine(distance, delta), reduction)
}

/** d²/2 up to the bend and the tangent from there: c · (d − c/2) with c = min(d, bend), so that no branch overflows. */
function squareThenLine(distance: Tensor, bend: number): Tensor {
  const near = distance.minimum(bend)
  return near.mul(distance.sub(near.mul(0.5)))
}

type Pair = [input: Tensor, target: Tensor]

/** `mseLoss` as a module. */
export class MSELoss extends /* @__PURE__ */ lossModule<Pair, ReductionOptions>(mseLoss) {}
/** `l1Loss` as a module. */
export class L1Loss extends /* @__PURE__ */ lossModule<Pair, ReductionOptions>(l1Loss) {}
/** `smoothL1Loss` as a module. */
export class SmoothL1Loss extends /* @__PURE__ */ lossModule<Pair, SmoothL1LossOptions>(smoothL1Loss) {}
/** `huberLoss` as a module. */
export class HuberLoss extends /* @__PURE__ */ lossModule<Pair, HuberLossOptions>(huberLoss) {}
