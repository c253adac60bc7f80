/** Losses made of losses, and the loss of a ranking. */
import { sameShape } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import { shapeText } from '../../ops/op.ts'
import type { Operand, Tensor } from '../../tensor.ts'
import { Module } from '../module.ts'
import { requireFloat, sameShaped } from './check.ts'
import { type AnyLoss, asFunction, type LossFunction, lossModule } from './loss-module.ts'
import { type ReductionOptions, reduced } from './reduction.ts'
import { report } from './watch.ts'

export interface WeightsOptions {
  /**
   * A factor for each loss. A number stays what it is; a tensor [] is read at each step, so that `fill_` changes it
   * without a new plan. Default: 1 for each.
   */
  readonly weights?: readonly Operand[]
}

export interface MarginRankingLossOptions extends ReductionOptions {
  /** By how much the one that ranks higher must be larger to cost nothing. Default 0. */
  readonly margin?: number
}

/** A loss of several outputs and their targets, in the same order. */
export type MultiOutputLossFunction = (outputs: readonly Tensor[], targets: readonly Tensor[]) => Tensor

/**
 * The loss Σᵢ wᵢ·lossᵢ(output, target): several losses of one output. Losses are functions or modules. Throws
 * RangeError without losses or for another number of weights, ShapeError where the losses' results differ in shape.
 * Source: Torch7's MultiCriterion.
 *
 * @example
 * ```ts
 * import { l1Loss, mseLoss, tensor, weightedSumLoss } from 'descent'
 * const loss = weightedSumLoss([mseLoss, l1Loss], { weights: [1, 0.5] })
 * console.log(loss(tensor([3]), tensor([1])).item()) // → 5
 * ```
 */
export function weightedSumLoss(losses: readonly AnyLoss[], options: WeightsOptions = {}): LossFunction {
  const weights = requireWeights('weightedSumLoss', losses, options)
  const functions = losses.map(asFunction)
  return (output, target) =>
    weightedSum(
      'weightedSumLoss',
      functions.map((loss) => loss(output, target)),
      weights,
    )
}

/**
 * The loss Σᵢ wᵢ·lossᵢ(outputᵢ, targetᵢ) of a network with several outputs: one loss for each. Losses are functions or
 * modules. Throws RangeError without losses or for another number of weights, outputs or targets, ShapeError where
 * the losses' results differ in shape. Source: Torch7's ParallelCriterion.
 *
 * @example
 * ```ts
 * import { crossEntropy, mseLoss, multiOutputLoss, tensor } from 'descent'
 * const loss = multiOutputLoss([mseLoss, crossEntropy], { weights: [2, 1] })
 * const outputs = [tensor([3]), tensor([[9, 0]])]
 * const targets = [tensor([1]), tensor([0], { dtype: 'i32' })]
 * console.log(loss(outputs, targets).item().toFixed(3)) // → 8.000
 * ```
 */
export function multiOutputLoss(losses: readonly AnyLoss[], options: WeightsOptions = {}): MultiOutputLossFunction {
  const weights = requireWeights('multiOutputLoss', losses, options)
  const functions = losses.map(asFunction)
  return (outputs, targets) => {
    for (const [what, { length }] of Object.entries({ outputs, targets })) {
      if (length === losses.length) continue
      throw new RangeError(`multiOutputLoss: ${length} ${what} for ${losses.length} losses; each loss takes one.`)
    }
    return weightedSum(
      'multiOutputLoss',
      functions.map((loss, i) => loss(outputs[i] as Tensor, targets[i] as Tensor)),
      weights,
    )
  }
}

function requireWeights(name: string, losses: readonly AnyLoss[], { weights }: WeightsOptions): readonly Operand[] {
  if (losses.length === 0) throw new RangeError(`${name}: needs at least one loss.`)
  if (weights && weights.length !== losses.length) {
    throw new RangeError(`${name}: ${weights.length} weights for ${losses.length} losses; give one for each.`)
  }
  return weights ?? losses.map(() => 1)
}

function weightedSum(name: string, parts: readonly Tensor[], weights: readonly Operand[]): Tensor {
  const { shape } = parts[0] as Tensor
  const other = parts.find((part) => !sameShape(part.shape, shape))
  if (other) {
    throw new ShapeError(
      `${name}: the losses give ${shapeText(shape)} and ${shapeText(other.shape)}; reduce them to one shape.`,
    )
  }
  return parts.map((part, i) => scaled(part, weights[i] as Operand)).reduce((sum, part) => sum.add(part))
}

function scaled(x: Tensor, weight: Operand): Tensor {
  return weight === 1 ? x : x.mul(weight)
}

/**
 * max(0, −y·(x1 − x2) + margin) for scores x1 and x2 and targets y of any one shape: y = 1 says that x1 ranks higher,
 * −1 that x2 does. Throws ShapeError where shapes differ. Source: torch.nn.functional.margin_ranking_loss.
 *
 * @example
 * ```ts
 * import { marginRankingLoss, tensor } from 'descent'
 * console.log(marginRankingLoss(tensor([1, 5]), tensor([3, 3]), tensor([1, 1])).item()) // → 1
 * ```
 */
export function marginRankingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options: MarginRankingLossOptions = {},
): Tensor {
  const { margin = 0, reduction } = options
  requireFloat('marginRankingLoss', 'input2', input2)
  sameShaped('marginRankingLoss', input1, input2, 'input2')
  const y = sameShaped('marginRankingLoss', input1, target)
  report('marginRankingLoss', 'signs', input1, y)
  return reduced(input1.sub(input2).mul(y).neg().add(margin).relu(), reduction)
}

/** `weightedSumLoss` as a module. */
export class WeightedSumLoss extends Module<[output: Tensor, target: Tensor]> {
  readonly #loss: LossFunction

  constructor(losses: readonly AnyLoss[], options: WeightsOptions = {}) {
    super()
    this.record(WeightedSumLoss, [losses, options])
    this.#loss = weightedSumLoss(losses, options)
  }

  override forward(output: Tensor, target: Tensor): Tensor {
    return this.#loss(output, target)
  }
}

/** `multiOutputLoss` as a module. */
export class MultiOutputLoss extends Module<[outputs: readonly Tensor[], targets: readonly Tensor[]]> {
  readonly #loss: MultiOutputLossFunction

  constructor(losses: readonly AnyLoss[], options: WeightsOptions = {}) {
    super()
    this.record(MultiOutputLoss, [losses, options])
    this.#loss = multiOutputLoss(losses, options)
  }

  override forward(outputs: readonly Tensor[], targets: readonly Tensor[]): Tensor {
    return this.#loss(outputs, targets)
  }
}

type Ranking = [input1: Tensor, input2: Tensor, target: Tensor]

/** `marginRankingLoss` as a module: its `forward` takes two scores and a target. */
export class MarginRankingLoss extends /* @__PURE__ */ lossModule<Ranking, MarginRankingLossOptions>(
  marginRankingLoss,
) {}
