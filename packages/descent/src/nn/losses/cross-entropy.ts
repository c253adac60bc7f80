/**
 * Cross-entropy, the loss for classification into one of several classes. The class of each row is compared with the
 * numbers 0…C−1 instead of being looked up: so it is a chain of elementwise operations and sums over a row, which the
 * compiler makes one kernel.
 */
import { sameShape } from '../../dtype.ts'
import { DTypeError, ShapeError } from '../../errors.ts'
import { checkIndex } from '../../functions/indexing.ts'
import type { Tensor } from '../../tensor.ts'
import { Module } from '../module.ts'
import { type ReductionOptions, reduced } from './reduction.ts'

export interface CrossEntropyOptions extends ReductionOptions {
  /** A factor for each class: [C]. */
  readonly weight?: Tensor
  /** The share of the target that is spread evenly over all classes, from 0 to 1. Default 0. */
  readonly labelSmoothing?: number
  /** Targets of this value do not count. Default: none; other values outside of 0…C−1 are an IndexError. */
  readonly ignoreIndex?: number
}

/**
 * −log softmax(input)[target] for logits [N, C], [N, C, d1, d2, …] or [C] and i32 classes [N], [N, d1, d2, …] or [];
 * or −Σ_c target_c · log softmax(input)_c for f32 probabilities of the input's shape. The mean is weighted by the
 * classes' weights. Throws ShapeError where shapes do not fit, DTypeError for classes that are not i32, and IndexError
 * naming a class outside of 0…C−1 (compiled too). Source: torch.nn.functional.cross_entropy.
 *
 * @example
 * ```ts
 * import { crossEntropy, tensor } from 'descent'
 * const loss = crossEntropy(tensor([[0, 0]]), tensor([1], { dtype: 'i32' }))
 * console.log(loss.item().toFixed(4)) // → 0.6931
 * ```
 */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const axis = input.ndim === 1 ? 0 : 1
  const classes = input.shape[axis]
  if (classes === undefined || classes === 0) {
    throw new ShapeError(`crossEntropy: takes logits [N, C, ...], got [${input.shape.join(', ')}].`)
  }
  requireTarget(input, target, axis)
  const spread = input.shape.map((_, d) => (d === axis ? classes : 1))
  const weight = options.weight?.reshape(spread) ?? null
  const logs = input.logSoftmax(axis)
  return target.dtype === 'f32'
    ? againstProbabilities(logs, target, weight, axis, options)
    : againstClasses(logs, target, weight, axis, options)
}

function againstProbabilities(
  logs: Tensor,
  target: Tensor,
  weight: Tensor | null,
  axis: number,
  { labelSmoothing = 0, reduction = 'mean' }: CrossEntropyOptions,
): Tensor {
  const classes = logs.shape[axis] as number
  const smoothed = labelSmoothing > 0 ? target.mul(1 - labelSmoothing).add(labelSmoothing / classes) : target
  const terms = logs.mul(smoothed)
  return reduced((weight ? terms.mul(weight) : terms).sum(axis).neg(), reduction)
}

function againstClasses(
  logs: Tensor,
  target: Tensor,
  weight: Tensor | null,
  axis: number,
  { labelSmoothing = 0, ignoreIndex, reduction = 'mean' }: CrossEntropyOptions,
): Tensor {
  const classes = logs.shape[axis] as number
  const ignored = ignoreIndex === undefined ? null : target.eq(ignoreIndex)
  const counted = checkIndex(ignored ? ignored.where(0, target) : target, classes, 'crossEntropy target')
  const chosen = logs.detach().positions([axis]).eq(counted.unsqueeze(axis))
  const weightedLogs = weight ? logs.mul(weight) : logs
  let losses = chosen.where(weightedLogs.neg(), 0).sum(axis)
  if (labelSmoothing > 0) {
    losses = losses.mul(1 - labelSmoothing).sub(weightedLogs.sum(axis).mul(labelSmoothing / classes))
  }
  if (ignored) losses = ignored.where(0, losses)
  if (reduction !== 'mean' || (!weight && !ignored)) return reduced(losses, reduction)
  // The mean is over what counts, each example as much as its class weighs.
  const weights = weight ? chosen.where(weight, 0).sum(axis) : losses.detach().onesLike()
  return losses.sum().div((ignored ? ignored.where(0, weights) : weights).sum())
}

function requireTarget(input: Tensor, target: Tensor, axis: number): void {
  const rows = input.shape.filter((_, d) => d !== axis)
  const text = `crossEntropy: logits [${input.shape.join(', ')}] and target [${target.shape.join(', ')}] ${target.dtype}`
  if (sameShape(target.shape, input.shape) && target.dtype === 'f32') return
  if (!sameShape(target.shape, rows)) {
    throw new ShapeError(
      `${text}: needs classes [${rows.join(', ')}] i32, or probabilities [${input.shape.join(', ')}] f32.`,
    )
  }
  if (target.dtype !== 'i32') throw new DTypeError(`${text}: classes are whole numbers; convert them with .int().`)
}

/** `crossEntropy` as a module. */
export class CrossEntropyLoss extends Module<[Tensor, Tensor]> {
  readonly #options: CrossEntropyOptions

  constructor(options: CrossEntropyOptions = {}) {
    super()
    this.record(CrossEntropyLoss, [options])
    this.#options = options
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return crossEntropy(input, target, this.#options)
  }
}
