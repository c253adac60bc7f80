/** Losses that ask for the right sign or class, and for a margin: what is right by more than that costs nothing. */

import { sameShape } from '../../dtype.ts'
import { DTypeError, ShapeError } from '../../errors.ts'
import { checkIndex } from '../../functions/indexing.ts'
import { shapeText } from '../../ops/op.ts'
import type { Tensor } from '../../tensor.ts'
import { chosenClasses, classAxis, classWeight, requireClasses, requireFloat, sameShaped } from './check.ts'
import { lossModule } from './loss-module.ts'
import { type ReductionOptions, reduced } from './reduction.ts'
import { report } from './watch.ts'

export interface MarginOptions extends ReductionOptions {
  /** How far on the right side a value must be to cost nothing. Default 1. */
  readonly margin?: number
}

export interface MultiMarginLossOptions extends MarginOptions {
  /** The power of each shortfall: 1 or 2. Default 1. */
  readonly p?: 1 | 2
  /** A factor for each class: [C]. */
  readonly weight?: Tensor
}

/**
 * max(0, margin − y·x) for predictions x and targets y of −1 or 1, of any one shape: the hinge loss of support vector
 * machines. Values on the right side beyond the margin have loss and gradient 0. Throws ShapeError where shapes differ.
 * Source: Cortes and Vapnik, 1995; Torch7's MarginCriterion.
 *
 * @example
 * ```ts
 * import { marginLoss, tensor } from 'descent'
 * console.log(marginLoss(tensor([0.5, 3]), tensor([1, -1]), { reduction: 'none' }).toArray()) // → [ 0.5, 4 ]
 * ```
 */
export function marginLoss(input: Tensor, target: Tensor, options: MarginOptions = {}): Tensor {
  const { margin = 1, reduction } = options
  const y = sameShaped('marginLoss', input, target)
  report('marginLoss', 'signs', input, y)
  return reduced(input.mul(y).neg().add(margin).relu(), reduction)
}

/**
 * log(1 + exp(−y·x)) for predictions x and targets y of −1 or 1, of any one shape: `binaryCrossEntropyWithLogits` for
 * targets written as signs. Exact for every x. Throws ShapeError where shapes differ.
 * Source: torch.nn.functional.soft_margin_loss.
 *
 * @example
 * ```ts
 * import { softMarginLoss, tensor } from 'descent'
 * console.log(softMarginLoss(tensor([1000, 1000]), tensor([1, -1]), { reduction: 'none' }).toArray()) // → [ 0, 1000 ]
 * ```
 */
export function softMarginLoss(input: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor {
  const y = sameShaped('softMarginLoss', input, target)
  report('softMarginLoss', 'signs', input, y)
  const missed = input.mul(y).neg()
  return reduced(missed.maximum(0).add(missed.abs().neg().exp().log1p()), options.reduction)
}

/**
 * Σ_{c ≠ y} max(0, margin − x_y + x_c)^p / C for scores x [N, C] or [C] and i32 classes y [N] or []: each other class
 * must stay behind the right one by the margin. Throws ShapeError, DTypeError and, for a class outside of 0…C−1,
 * IndexError (compiled too). Source: Weston and Watkins, 1999; torch.nn.functional.multi_margin_loss.
 *
 * @example
 * ```ts
 * import { multiMarginLoss, tensor } from 'descent'
 * console.log(multiMarginLoss(tensor([[3, 2.5]]), tensor([0], { dtype: 'i32' })).item()) // → 0.25
 * ```
 */
export function multiMarginLoss(input: Tensor, target: Tensor, options: MultiMarginLossOptions = {}): Tensor {
  const { margin = 1, p = 1, reduction } = options
  const name = 'multiMarginLoss'
  const axis = classAxis(name, 'scores', input)
  if (input.ndim > 2) throw new ShapeError(`${name}: takes scores [N, C] or [C], got ${shapeText(input.shape)}.`)
  requireClasses(name, 'scores', input, target, axis)
  if (p !== 1 && p !== 2) throw new RangeError(`${name}: p must be 1 or 2, not ${p}.`)
  const weight = classWeight(name, options.weight, input, axis)
  const chosen = chosenClasses(name, input, target, axis)
  const right = chosen.where(input, 0).sum(axis, true)
  const short = input.sub(right).add(margin).relu()
  const others = chosen.where(0, p === 1 ? short : short.square()).mean(axis)
  return reduced(weight ? others.mul(chosen.where(weight, 0).sum(axis)) : others, reduction)
}

/**
 * Σ_{y ∈ Y, c ∉ Y} max(0, 1 − x_y + x_c) / C for scores x [N, C] or [C] and, in an i32 target of the same shape, the
 * list Y of each row's classes, ended by −1 where it is shorter than C; what follows the −1 does not count. Needs
 * memory for N·C² values. Throws ShapeError, DTypeError and, for a class outside of 0…C−1, IndexError (compiled too).
 * Source: torch.nn.functional.multilabel_margin_loss.
 *
 * @example
 * ```ts
 * import { multilabelMarginLoss, tensor } from 'descent'
 * const classes = tensor([[2, 0, -1]], { dtype: 'i32' })
 * console.log(multilabelMarginLoss(tensor([[3, 0, 1]]), classes).item()) // → 0
 * ```
 */
export function multilabelMarginLoss(input: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor {
  const name = 'multilabelMarginLoss'
  requireFloat(name, 'input', input)
  if (input.ndim < 1 || input.ndim > 2 || !sameShape(input.shape, target.shape)) {
    throw new ShapeError(
      `${name}: takes scores [N, C] or [C] and lists of classes of the same shape, got ${shapeText(input.shape)} and ${shapeText(target.shape)}.`,
    )
  }
  if (target.dtype !== 'i32') {
    throw new DTypeError(`${name}: the target is ${target.dtype}; lists of classes are whole numbers: use .int().`)
  }
  const last = input.ndim - 1
  const classes = input.shape[last] as number
  const listed = target.eq(-1).int().cumsum(last).eq(0)
  const places = checkIndex(listed.where(target, 0), classes, `${name} target`)
  // [..., Y, C]: each listed class against all classes, of which those in the list do not count.
  const pairs = [...input.shape, classes]
  const listedPairs = listed.unsqueeze(-1).expand(pairs)
  const same = places.unsqueeze(-1).eq(input.detach().positions([last]).unsqueeze(last).expand(pairs))
  const isTarget = same.logicalAnd(listedPairs).sum(last, true).gt(0).expand(pairs)
  const right = input.gather(last, places).unsqueeze(-1)
  const short = input.unsqueeze(last).sub(right).add(1).relu()
  const counts = listedPairs.logicalAnd(isTarget.logicalNot())
  return reduced(
    counts
      .where(short, 0)
      .sum([last, last + 1])
      .div(classes),
    options.reduction,
  )
}

type Pair = [input: Tensor, target: Tensor]

/** `marginLoss` as a module. */
export class MarginLoss extends /* @__PURE__ */ lossModule<Pair, MarginOptions>(marginLoss) {}
/** `softMarginLoss` as a module. */
export class SoftMarginLoss extends /* @__PURE__ */ lossModule<Pair, ReductionOptions>(softMarginLoss) {}
/** `multiMarginLoss` as a module. */
export class MultiMarginLoss extends /* @__PURE__ */ lossModule<Pair, MultiMarginLossOptions>(multiMarginLoss) {}
/** `multilabelMarginLoss` as a module. */
export class MultiLabelMarginLoss extends /* @__PURE__ */ lossModule<Pair, ReductionOptions>(multilabelMarginLoss) {}
