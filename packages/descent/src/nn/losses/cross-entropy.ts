/**
 * Cross-entropy, the loss for classification into one of several classes. The class of each row is compared with the
 * numbers 0…C−1 instead of being looked up: so it is a chain of elementwise operations and sums over a row, which the
 * compiler makes one kernel.
 */
import { sameShape } from '../../dtype.ts'
import { shapeText } from '../../ops/op.ts'
import type { Tensor } from '../../tensor.ts'
import { chosenClasses, classAxis, classWeight, requireClasses } from './check.ts'
import { lossModule } from './loss-module.ts'
import { type ReductionOptions, reduced } from './reduction.ts'
import { report } from './watch.ts'

export interface NLLLossOptions extends ReductionOptions {
  /** A factor for each class: [C]. */
  readonly weight?: Tensor
  /** Targets of this value do not count, neither above nor below the line of the mean. Default −100. */
  readonly ignoreIndex?: number
}

export interface CrossEntropyOptions extends NLLLossOptions {
  /** The share of the target that is spread evenly over all classes, from 0 to 1. Default 0. */
  readonly labelSmoothing?: number
}

/**
 * −log softmax(input)[target] for logits [N, C], [N, C, d1, d2, …] or [C] and i32 classes [N], [N, d1, d2, …] or [];
 * or −Σ_c target_c · log softmax(input)_c for f32 probabilities of the input's shape. The mean is weighted by the
 * classes' weights, and without targets that count it is NaN. Throws ShapeError where shapes do not fit, DTypeError for
 * classes that are not i32, IndexError naming a class outside of 0…C−1 that is not ignored (compiled too), and
 * RangeError for a smoothing outside of 0…1. Source: torch.nn.functional.cross_entropy.
 *
 * @example
 * ```ts
 * import { crossEntropy, tensor } from 'descent'
 * const loss = crossEntropy(tensor([[0, 0]]), tensor([1], { dtype: 'i32' }))
 * console.log(loss.item().toFixed(4)) // → 0.6931
 * ```
 */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const axis = classAxis('crossEntropy', 'logits', input)
  const { labelSmoothing = 0, ignoreIndex = -100 } = options
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new RangeError(`crossEntropy: labelSmoothing must be from 0 to 1, not ${labelSmoothing}.`)
  }
  const probabilities = target.dtype === 'f32' && sameShape(target.shape, input.shape)
  if (!probabilities) {
    requireClasses('crossEntropy', 'logits', input, target, axis, `, or probabilities ${shapeText(input.shape)} f32`)
  } else if (ignoreIndex >= 0) {
    throw new RangeError('crossEntropy: ignoreIndex names a class, but the target holds probabilities.')
  }
  report('crossEntropy', 'logits', input, target)
  const weight = classWeight('crossEntropy', options.weight, input, axis)
  if (probabilities) return againstProbabilities(input.logSoftmax(axis), target, weight, axis, options)
  const truth = truthOf('crossEntropy', input, target, weight, axis, options)
  return againstClasses(input.logSoftmax(axis), truth, weight, axis, options)
}

/**
 * −input[target] for log-probabilities [N, C], [N, C, d1, d2, …] or [C] and i32 classes [N], [N, d1, d2, …] or []: with
 * `logSoftmax` before it, it is `crossEntropy`. The mean is weighted by the classes' weights, and without targets that
 * count it is NaN. Throws ShapeError where shapes do not fit, DTypeError for classes that are not i32, and IndexError
 * naming a class outside of 0…C−1 that is not ignored (compiled too). Source: torch.nn.functional.nll_loss.
 *
 * @example
 * ```ts
 * import { nllLoss, tensor } from 'descent'
 * const logs = tensor([[0.25, 0.75]]).log()
 * console.log(nllLoss(logs, tensor([1], { dtype: 'i32' })).item().toFixed(4)) // → 0.2877
 * ```
 */
export function nllLoss(input: Tensor, target: Tensor, options: NLLLossOptions = {}): Tensor {
  const axis = classAxis('nllLoss', 'log-probabilities', input)
  requireClasses('nllLoss', 'log-probabilities', input, target, axis)
  report('nllLoss', 'logProbabilities', input, target)
  const weight = classWeight('nllLoss', options.weight, input, axis)
  return againstClasses(input, truthOf('nllLoss', input, target, weight, axis, options), weight, axis, options)
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

/** What the targets alone say. */
interface Truth {
  /** Which targets do not count: one for each row. */
  readonly ignored: Tensor
  /** Where the class of each row stands, of the input's shape. */
  readonly chosen: Tensor
  /** What the mean multiplies each loss by, 1 / Σ weights of what counts; null where it is no mean. */
  readonly share: Tensor | null
}

/**
 * The share is found before anything is computed from the input, and goes into each term: so the gradients need not
 * wait for the loss, and forward and backward are one kernel.
 */
function truthOf(
  name: string,
  input: Tensor,
  target: Tensor,
  weight: Tensor | null,
  axis: number,
  { ignoreIndex = -100, reduction = 'mean' }: NLLLossOptions,
): Truth {
  const ignored = target.eq(ignoreIndex)
  const chosen = chosenClasses(name, input, ignored.where(0, target), axis)
  if (reduction !== 'mean') return { ignored, chosen, share: null }
  const weights = ignored.where(0, weight ? chosen.where(weight, 0).sum(axis) : 1)
  return { ignored, chosen, share: weights.sum().reciprocal() }
}

function againstClasses(
  logs: Tensor,
  { ignored, chosen, share }: Truth,
  weight: Tensor | null,
  axis: number,
  { labelSmoothing = 0, reduction }: CrossEntropyOptions,
): Tensor {
  const scaled = (weight ? logs.mul(weight) : logs).mul(share ? share.neg() : -1)
  // 0, but NaN where nothing counts.
  const terms = ignored.unsqueeze(axis).where(share ? share.mul(0) : 0, scaled)
  let losses = chosen.where(terms, 0).sum(axis)
  if (labelSmoothing > 0) {
    losses = losses.mul(1 - labelSmoothing).add(terms.sum(axis).mul(labelSmoothing / (logs.shape[axis] as number)))
  }
  return reduced(losses, share ? 'sum' : reduction)
}

type Pair = [input: Tensor, target: Tensor]

/** `crossEntropy` as a module. */
export class CrossEntropyLoss extends /* @__PURE__ */ lossModule<Pair, CrossEntropyOptions>(crossEntropy) {}
/** `nllLoss` as a module. */
export class NLLLoss extends /* @__PURE__ */ lossModule<Pair, NLLLossOptions>(nllLoss) {}
