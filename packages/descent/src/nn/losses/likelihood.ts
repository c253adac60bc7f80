/** Losses that are −log of a probability: of a count, of a measurement with its variance, of a distribution. */
import { withVjp } from '../../apply.ts'
import { sameShape } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import { shapeText } from '../../ops/op.ts'
import type { Operand, Tensor } from '../../tensor.ts'
import { requireAtLeast, requireFloat, sameShaped } from './check.ts'
import { lossModule } from './loss-module.ts'
import { type Reduction, type ReductionOptions, reduced } from './reduction.ts'
import { report } from './watch.ts'

export interface PoissonNLLLossOptions extends ReductionOptions {
  /** Whether the input is the logarithm of the expected count, or the expected count itself. Default true. */
  readonly logInput?: boolean
  /** Adds log(y!), by Stirling's formula and for y > 1, which does not depend on the input. Default false. */
  readonly full?: boolean
  /** Added to an expected count before its logarithm is taken. Default 1e-8. */
  readonly eps?: number
}

export interface GaussianNLLLossOptions extends ReductionOptions {
  /** Adds log(2π)/2, which does not depend on the input. Default false. */
  readonly full?: boolean
  /** Smaller variances count as this one. Default 1e-6. */
  readonly eps?: number
}

export interface KLDivLossOptions {
  /**
   * 'mean' divides by the number of elements; 'batchmean' by the first extent alone, which is the divergence as it is
   * defined, averaged over the batch. Default 'mean', as in PyTorch.
   */
  readonly reduction?: Reduction | 'batchmean'
  /** Whether the target holds logarithms of probabilities. Default false. */
  readonly logTarget?: boolean
}

/**
 * −log of the Poisson probability of counts y, of any one shape: exp(x) − y·x for x = log of the expected count, or
 * x − y·log(x + eps) for the expected count x. The gradient exp(x) − y grows with the expected count alone. Overflows
 * to infinity for x above 88. Throws ShapeError where shapes differ. Source: torch.nn.functional.poisson_nll_loss.
 *
 * @example
 * ```ts
 * import { poissonNllLoss, tensor } from 'descent'
 * console.log(poissonNllLoss(tensor([0, 0]), tensor([0, 3])).item()) // → 1
 * console.log(poissonNllLoss(tensor([2]), tensor([0]), { logInput: false }).item()) // → 2
 * ```
 */
export function poissonNllLoss(input: Tensor, target: Tensor, options: PoissonNLLLossOptions = {}): Tensor {
  const { logInput = true, full = false, eps = 1e-8, reduction } = options
  const counts = sameShaped('poissonNllLoss', input, target)
  const expected = logInput ? input.exp() : input
  const elements = expected.sub(counts.mul(logInput ? input : input.add(eps).log()))
  return reduced(full ? elements.add(stirling(counts)) : elements, reduction)
}

/** y·log y − y + log(2πy)/2 where y > 1, elsewhere 0. */
function stirling(counts: Tensor): Tensor {
  const many = counts.gt(1)
  const y = many.where(counts, 1)
  const log = y.log()
  return many.where(
    y
      .mul(log)
      .sub(y)
      .add(log.add(Math.log(2 * Math.PI)).mul(0.5)),
    0,
  )
}

/**
 * −log of the normal density of targets y at expected values x with variance v: (log v + (x − y)²/v) / 2. A network
 * that predicts v too learns where it is unsure: far outliers cost less where v is large. `variance` is one number,
 * of the input's shape, or without its last dimension (or 1 there) for one variance a row. Variances below eps count
 * as eps, yet have a gradient. Throws ShapeError where shapes do not fit, RangeError for a negative number.
 * Source: Nix and Weigend, 1994; torch.nn.functional.gaussian_nll_loss.
 *
 * @example
 * ```ts
 * import { gaussianNllLoss, tensor } from 'descent'
 * console.log(gaussianNllLoss(tensor([1]), tensor([3]), tensor([1])).item()) // → 2
 * console.log(gaussianNllLoss(tensor([1]), tensor([3]), 4).item().toFixed(4)) // → 1.1931
 * ```
 */
export function gaussianNllLoss(
  input: Tensor,
  target: Tensor,
  variance: Operand,
  options: GaussianNLLLossOptions = {},
): Tensor {
  const { full = false, eps = 1e-6, reduction } = options
  const error = input.sub(sameShaped('gaussianNllLoss', input, target))
  requireAtLeast('gaussianNllLoss', 'eps', eps, 0)
  const given = fittedVariance(input, variance)
  // The limit changes the value alone: a variance that has sunk below it must find its way up again.
  const limited = withVjp(
    'limitedVariance',
    [given],
    () => given.clamp(eps),
    (g) => [g],
  )
  const elements = limited.log().add(error.square().div(limited)).mul(0.5)
  return reduced(full ? elements.add(0.5 * Math.log(2 * Math.PI)) : elements, reduction)
}

function fittedVariance(input: Tensor, variance: Operand): Tensor {
  if (typeof variance === 'number') {
    requireAtLeast('gaussianNllLoss', 'variance', variance, 0)
    return input.operand(variance)
  }
  requireFloat('gaussianNllLoss', 'variance', variance)
  const row = input.shape.slice(0, -1)
  if (sameShape(variance.shape, input.shape) || sameShape(variance.shape, [...row, 1])) return variance
  if (input.ndim > 0 && sameShape(variance.shape, row)) return variance.unsqueeze(-1)
  throw new ShapeError(
    `gaussianNllLoss: variance ${shapeText(variance.shape)} must be a number, ${shapeText(input.shape)} as the input, or one value a row: ${shapeText(row)} or ${shapeText([...row, 1])}.`,
  )
}

/**
 * The Kullback-Leibler divergence from distribution x to y, elementwise y·(log y − x), for x = log-probabilities and
 * y = probabilities (with `logTarget`, their logarithms: exp(y)·(y − x)) of any one shape, 0 where y = 0. Sums over a
 * row are never negative, and 0 where the distributions agree. Throws ShapeError where shapes differ.
 * Source: Kullback and Leibler, 1951; torch.nn.functional.kl_div.
 *
 * @example
 * ```ts
 * import { klDiv, tensor } from 'descent'
 * const logits = tensor([[0, 0]])
 * const loss = klDiv(logits.logSoftmax(1), tensor([[1, 0]]), { reduction: 'batchmean' })
 * console.log(loss.item().toFixed(4)) // → 0.6931
 * ```
 */
export function klDiv(input: Tensor, target: Tensor, options: KLDivLossOptions = {}): Tensor {
  const { reduction, logTarget = false } = options
  const y = sameShaped('klDiv', input, target)
  report('klDiv', logTarget ? 'logProbabilities' : 'distributions', input, y)
  const elements = logTarget ? y.exp().mul(y.sub(input)) : timesLog(y).sub(y.mul(input))
  if (reduction !== 'batchmean') return reduced(elements, reduction)
  return elements.sum().div(input.shape[0] ?? 1)
}

/** y·log y, 0 where y = 0. */
function timesLog(y: Tensor): Tensor {
  const zero = y.eq(0)
  return zero.where(0, y.mul(zero.where(1, y).log()))
}

type Pair = [input: Tensor, target: Tensor]
type Triple = [input: Tensor, target: Tensor, variance: Operand]

/** `poissonNllLoss` as a module. */
export class PoissonNLLLoss extends /* @__PURE__ */ lossModule<Pair, PoissonNLLLossOptions>(poissonNllLoss) {}
/** `gaussianNllLoss` as a module: its `forward` takes input, target and variance. */
export class GaussianNLLLoss extends /* @__PURE__ */ lossModule<Triple, GaussianNLLLossOptions>(gaussianNllLoss) {}
/** `klDiv` as a module. */
export class KLDivLoss extends /* @__PURE__ */ lossModule<Pair, KLDivLossOptions>(klDiv) {}
