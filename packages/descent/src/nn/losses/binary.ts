/** Losses for classification into two classes, or into several that do not exclude one another. */
import { DTypeError, ShapeError } from '../../errors.ts'
import { shapeText } from '../../ops/op.ts'
import type { Tensor } from '../../tensor.ts'
import { sameShaped } from './check.ts'
import { lossModule } from './loss-module.ts'
import { type ReductionOptions, reduced } from './reduction.ts'
import { report } from './watch.ts'

export interface BinaryCrossEntropyOptions extends ReductionOptions {
  /** A factor for each element; broadcasts to the input's shape. */
  readonly weight?: Tensor
}

export interface BinaryCrossEntropyWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** A factor for the positive examples of each class; broadcasts to the input's shape. */
  readonly posWeight?: Tensor
}

/**
 * −(y·log p + (1 − y)·log(1 − p)) for probabilities p in [0, 1] and targets y in [0, 1], of any one shape. Logarithms
 * are not taken below −100, so that p = 0 and p = 1 have finite losses. Where p comes from a sigmoid,
 * `binaryCrossEntropyWithLogits` is exact. Throws ShapeError where shapes differ.
 * Source: torch.nn.functional.binary_cross_entropy.
 *
 * @example
 * ```ts
 * import { binaryCrossEntropy, tensor } from 'descent'
 * console.log(binaryCrossEntropy(tensor([1, 0]), tensor([1, 1])).item()) // → 50
 * ```
 */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options: BinaryCrossEntropyOptions = {}): Tensor {
  const name = 'binaryCrossEntropy'
  const y = sameShaped(name, input, target)
  report(name, 'probabilities', input, y)
  const positive = y.mul(limitedLog(input))
  const negative = y
    .neg()
    .add(1)
    .mul(limitedLog(input.neg().add(1)))
  return reduced(weighted(name, positive.add(negative).neg(), options.weight), options.reduction)
}

/** max(log p, −100), its gradient without the infinity of 1 / 0. */
function limitedLog(p: Tensor): Tensor {
  const small = p.le(Math.exp(-100))
  return small.where(-100, small.where(1, p).log())
}

/**
 * −(w·y·log σ(x) + (1 − y)·log(1 − σ(x))) for logits x and targets y in [0, 1] of any one shape, w the weight of
 * positive examples: computed from log σ(x) = min(x, 0) − log(1 + exp(−|x|)), exact for every x. Throws ShapeError
 * where shapes differ. Source: torch.nn.functional.binary_cross_entropy_with_logits.
 *
 * @example
 * ```ts
 * import { binaryCrossEntropyWithLogits, tensor } from 'descent'
 * console.log(binaryCrossEntropyWithLogits(tensor([-1000]), tensor([1])).item()) // → 1000
 * ```
 */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyWithLogitsOptions = {},
): Tensor {
  const name = 'binaryCrossEntropyWithLogits'
  const y = sameShaped(name, input, target)
  report(name, 'binaryLogits', input, y)
  const elements = missedLogits(input, y, broadcastFactor(name, 'posWeight', options.posWeight, input))
  return reduced(weighted(name, elements, options.weight), options.reduction)
}

/**
 * −(y·log σ(x) + (1 − y)·log(1 − σ(x))) for logits x [N, C] or [C] and targets y of the same shape, 0 or 1 for each
 * class, averaged over the classes: `binaryCrossEntropyWithLogits` as one loss a row, [N] or []. Throws ShapeError
 * where shapes differ. Source: torch.nn.functional.multilabel_soft_margin_loss.
 *
 * @example
 * ```ts
 * import { multilabelSoftMarginLoss, tensor } from 'descent'
 * console.log(multilabelSoftMarginLoss(tensor([[-10, 30]]), tensor([[1, 1]])).item().toFixed(3)) // → 5.000
 * ```
 */
export function multilabelSoftMarginLoss(
  input: Tensor,
  target: Tensor,
  options: MultilabelSoftMarginLossOptions = {},
): Tensor {
  const name = 'multilabelSoftMarginLoss'
  const y = sameShaped(name, input, target)
  if (input.ndim === 0) throw new ShapeError(`${name}: takes logits [N, C] or [C], got [].`)
  report(name, 'binaryLogits', input, y)
  return reduced(weighted(name, missedLogits(input, y, null), options.weight).mean(-1), options.reduction)
}

export interface MultilabelSoftMarginLossOptions extends ReductionOptions {
  /** A factor for each class: [C]. */
  readonly weight?: Tensor
}

/** −(w·y·log σ(x) + (1 − y)·log(1 − σ(x))), from −log σ(x) = max(−x, 0) + log(1 + exp(−|x|)). */
function missedLogits(input: Tensor, y: Tensor, posWeight: Tensor | null): Tensor {
  const missed = input.neg().maximum(0).add(input.abs().neg().exp().log1p())
  const rest = y.neg().add(1)
  // −log(1 − σ(x)) = x − log σ(x).
  return rest.mul(input).add(posWeight ? y.mul(posWeight).add(rest).mul(missed) : missed)
}

function weighted(loss: string, elements: Tensor, weight: Tensor | undefined): Tensor {
  const factor = broadcastFactor(loss, 'weight', weight, elements)
  return factor ? elements.mul(factor) : elements
}

/** A factor that broadcasts to x, and does not make it larger. */
function broadcastFactor(loss: string, name: string, factor: Tensor | undefined, x: Tensor): Tensor | null {
  if (!factor) return null
  const lead = x.ndim - factor.ndim
  if (lead < 0 || factor.shape.some((extent, d) => extent !== 1 && extent !== x.shape[lead + d])) {
    throw new ShapeError(
      `${loss}: ${name} ${shapeText(factor.shape)} does not broadcast to the input's shape ${shapeText(x.shape)}.`,
    )
  }
  if (factor.dtype !== 'f32') throw new DTypeError(`${loss}: ${name} is ${factor.dtype}; convert it with .float().`)
  return factor
}

type Pair = [input: Tensor, target: Tensor]

/** `binaryCrossEntropy` as a module. */
export class BCELoss extends /* @__PURE__ */ lossModule<Pair, BinaryCrossEntropyOptions>(binaryCrossEntropy) {}
/** `binaryCrossEntropyWithLogits` as a module. */
export class BCEWithLogitsLoss extends /* @__PURE__ */ lossModule<Pair, BinaryCrossEntropyWithLogitsOptions>(
  binaryCrossEntropyWithLogits,
) {}
/** `multilabelSoftMarginLoss` as a module. */
export class MultiLabelSoftMarginLoss extends /* @__PURE__ */ lossModule<Pair, MultilabelSoftMarginLossOptions>(
  multilabelSoftMarginLoss,
) {}
