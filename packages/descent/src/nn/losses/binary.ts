/** Losses for classification into two classes, or into several that do not exclude one another. */
import type { Tensor } from '../../tensor.ts'
import { Module } from '../module.ts'
import { type ReductionOptions, reduced } from './reduction.ts'
import { requireSameShape } from './regression.ts'

export interface BinaryCrossEntropyOptions extends ReductionOptions {
  /** A factor for each element; broadcasts. */
  readonly weight?: Tensor
}

export interface LogitsOptions extends BinaryCrossEntropyOptions {
  /** A factor for the positive examples of each class; broadcasts. */
  readonly positiveWeight?: Tensor
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
  requireSameShape('binaryCrossEntropy', input, target)
  const positive = target.mul(limitedLog(input))
  const negative = target
    .neg()
    .add(1)
    .mul(limitedLog(input.neg().add(1)))
  return reduced(weighted(positive.add(negative).neg(), options.weight), options.reduction)
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
export function binaryCrossEntropyWithLogits(input: Tensor, target: Tensor, options: LogitsOptions = {}): Tensor {
  requireSameShape('binaryCrossEntropyWithLogits', input, target)
  // −log σ(x) = max(−x, 0) + log(1 + exp(−|x|)) and −log(1 − σ(x)) = x − log σ(x).
  const missed = input.neg().maximum(0).add(input.abs().neg().exp().log1p())
  const { positiveWeight } = options
  const rest = target.neg().add(1)
  const factor = positiveWeight ? target.mul(positiveWeight).add(rest) : null
  const elements = rest.mul(input).add(factor ? factor.mul(missed) : missed)
  return reduced(weighted(elements, options.weight), options.reduction)
}

function weighted(elements: Tensor, weight?: Tensor): Tensor {
  return weight ? elements.mul(weight) : elements
}

/** `binaryCrossEntropy` as a module. */
export class BCELoss extends Module<[Tensor, Tensor]> {
  readonly #options: BinaryCrossEntropyOptions

  constructor(options: BinaryCrossEntropyOptions = {}) {
    super()
    this.record(BCELoss, [options])
    this.#options = options
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropy(input, target, this.#options)
  }
}

/** `binaryCrossEntropyWithLogits` as a module. */
export class BCEWithLogitsLoss extends Module<[Tensor, Tensor]> {
  readonly #options: LogitsOptions

  constructor(options: LogitsOptions = {}) {
    super()
    this.record(BCEWithLogitsLoss, [options])
    this.#options = options
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropyWithLogits(input, target, this.#options)
  }
}
