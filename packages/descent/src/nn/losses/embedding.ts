/** Losses for embeddings: what belongs together shall be near, what does not shall be at least a margin away. */
import { sameShape } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import { shapeText } from '../../ops/op.ts'
import type { Tensor } from '../../tensor.ts'
import { onePerRow, requireAtLeast, requireFloat, sameShaped } from './check.ts'
import { lossModule } from './loss-module.ts'
import { type ReductionOptions, reduced } from './reduction.ts'
import { report } from './watch.ts'

export interface HingeEmbeddingLossOptions extends ReductionOptions {
  /** The distance from which pairs that do not belong together cost nothing. Default 1. */
  readonly margin?: number
}

export interface CosineEmbeddingLossOptions extends ReductionOptions {
  /** The cosine up to which pairs that do not belong together cost nothing, from −1 to 1. Default 0. */
  readonly margin?: number
}

export interface TripletMarginLossOptions extends ReductionOptions {
  /** How much farther than the positive the negative must be to cost nothing. Default 1. */
  readonly margin?: number
  /** The norm that measures distances. Default 2. */
  readonly p?: number
  /** Added to each difference before the norm is taken. Default 1e-6. */
  readonly eps?: number
  /** Whether the negative's distance from the positive counts instead, where it is smaller. Default false. */
  readonly swap?: boolean
}

/**
 * x where y = 1, max(0, margin − x) where y = −1, for distances x and targets y of any one shape: for pairs whose
 * distance is computed already. Throws ShapeError where shapes differ.
 * Source: torch.nn.functional.hinge_embedding_loss.
 *
 * @example
 * ```ts
 * import { hingeEmbeddingLoss, tensor } from 'descent'
 * const loss = hingeEmbeddingLoss(tensor([0.25, 0.25, 3]), tensor([1, -1, -1]), { reduction: 'none' })
 * console.log(loss.toArray()) // → [ 0.25, 0.75, 0 ]
 * ```
 */
export function hingeEmbeddingLoss(input: Tensor, target: Tensor, options: HingeEmbeddingLossOptions = {}): Tensor {
  const { margin = 1, reduction } = options
  const y = sameShaped('hingeEmbeddingLoss', input, target)
  report('hingeEmbeddingLoss', 'signs', input, y)
  return reduced(hinged(input, y, margin), reduction)
}

/** What does not say −1 is drawn together, what does not say 1 pushed apart, as in PyTorch. */
function hinged(distance: Tensor, y: Tensor, margin: number): Tensor {
  const apart = y.ne(1).where(distance.neg().add(margin).relu(), 0)
  return y.ne(-1).where(distance, 0).add(apart)
}

/**
 * ‖x1 − x2‖₁ where y = 1, max(0, margin − ‖x1 − x2‖₁) where y = −1, for embeddings x1 and x2 [N, D] or [D] and targets
 * y [N] or []. Throws ShapeError where shapes do not fit. Source: Torch7's L1HingeEmbeddingCriterion.
 *
 * @example
 * ```ts
 * import { l1HingeEmbeddingLoss, tensor } from 'descent'
 * console.log(l1HingeEmbeddingLoss(tensor([[0, 1]]), tensor([[2, 1]]), tensor([1])).item()) // → 2
 * ```
 */
export function l1HingeEmbeddingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options: HingeEmbeddingLossOptions = {},
): Tensor {
  const { margin = 1, reduction } = options
  const y = pairTarget('l1HingeEmbeddingLoss', input1, input2, target)
  return reduced(hinged(input1.sub(input2).abs().sum(-1), y, margin), reduction)
}

/**
 * 1 − cos where y = 1, max(0, cos − margin) where y = −1, cos = x1·x2 / (‖x1‖·‖x2‖), for embeddings x1 and x2 [N, D]
 * or [D] and targets y [N] or []: lengths do not count. Throws ShapeError where shapes do not fit, RangeError for a
 * margin outside of −1…1. Source: torch.nn.functional.cosine_embedding_loss.
 *
 * @example
 * ```ts
 * import { cosineEmbeddingLoss, tensor } from 'descent'
 * const loss = cosineEmbeddingLoss(tensor([[1, 0]]), tensor([[0, 5]]), tensor([1]))
 * console.log(loss.item()) // → 1
 * ```
 */
export function cosineEmbeddingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options: CosineEmbeddingLossOptions = {},
): Tensor {
  const { margin = 0, reduction } = options
  if (!(margin >= -1 && margin <= 1)) {
    throw new RangeError(`cosineEmbeddingLoss: margin must be from -1 to 1, as a cosine is, not ${margin}.`)
  }
  const y = pairTarget('cosineEmbeddingLoss', input1, input2, target)
  const length = (x: Tensor): Tensor => x.square().sum(-1).add(1e-12).sqrt()
  const cosine = input1
    .mul(input2)
    .sum(-1)
    .div(length(input1).mul(length(input2)))
  const together = y.eq(1).where(cosine.neg().add(1), 0)
  return reduced(together.add(y.eq(-1).where(cosine.sub(margin).relu(), 0)), reduction)
}

/** Two embeddings a row and a target for each row, which is given back as f32. */
function pairTarget(loss: string, input1: Tensor, input2: Tensor, target: Tensor): Tensor {
  requireFloat(loss, 'input1', input1)
  requireFloat(loss, 'input2', input2)
  if (!sameShape(input1.shape, input2.shape) || input1.ndim < 1 || input1.ndim > 2) {
    throw new ShapeError(
      `${loss}: takes embeddings [N, D] or [D] in pairs, got ${shapeText(input1.shape)} and ${shapeText(input2.shape)}.`,
    )
  }
  const y = onePerRow(loss, input1.shape.slice(0, -1), target)
  report(loss, 'signs', input1, y)
  return y
}

/**
 * max(0, margin + ‖a − p‖ − ‖a − n‖) for embeddings of an anchor a, a positive p that belongs to it and a negative n
 * that does not, all [N, D] or [D]: a loss of [N] or []. With `swap` the negative's distance is the smaller one of
 * those from anchor and positive. Throws ShapeError where shapes differ, RangeError for a margin of 0 or less.
 * Source: Schroff et al., "FaceNet", 2015; Balntas et al., 2016 (swap); torch.nn.functional.triplet_margin_loss.
 *
 * @example
 * ```ts
 * import { tensor, tripletMarginLoss } from 'descent'
 * const loss = tripletMarginLoss(tensor([[0, 0]]), tensor([[3, 4]]), tensor([[0, 2]]))
 * console.log(loss.item().toFixed(3)) // → 4.000
 * ```
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginLossOptions = {},
): Tensor {
  const { margin = 1, p = 2, eps = 1e-6, swap = false, reduction } = options
  const name = 'tripletMarginLoss'
  requireAtLeast(name, 'margin', margin, 0, true)
  for (const [part, x] of Object.entries({ anchor, positive, negative })) {
    requireFloat(name, part, x)
    if (x.ndim < 1 || !sameShape(x.shape, anchor.shape)) {
      throw new ShapeError(
        `${name}: anchor, positive and negative must have one shape, [N, D] or [D], got ${shapeText(anchor.shape)}, ${shapeText(positive.shape)} and ${shapeText(negative.shape)}.`,
      )
    }
  }
  const distance = (a: Tensor, b: Tensor): Tensor => a.sub(b).add(eps).norm(p, -1)
  const away = distance(anchor, negative)
  const farther = swap ? away.minimum(distance(positive, negative)) : away
  return reduced(distance(anchor, positive).sub(farther).add(margin).relu(), reduction)
}

type Pair = [input: Tensor, target: Tensor]
type PairOfEmbeddings = [input1: Tensor, input2: Tensor, target: Tensor]
type Triplet = [anchor: Tensor, positive: Tensor, negative: Tensor]

/** `hingeEmbeddingLoss` as a module. */
export class HingeEmbeddingLoss extends /* @__PURE__ */ lossModule<Pair, HingeEmbeddingLossOptions>(
  hingeEmbeddingLoss,
) {}
/** `l1HingeEmbeddingLoss` as a module: its `forward` takes two embeddings and a target. */
export class L1HingeEmbeddingLoss extends /* @__PURE__ */ lossModule<PairOfEmbeddings, HingeEmbeddingLossOptions>(
  l1HingeEmbeddingLoss,
) {}
/** `cosineEmbeddingLoss` as a module: its `forward` takes two embeddings and a target. */
export class CosineEmbeddingLoss extends /* @__PURE__ */ lossModule<PairOfEmbeddings, CosineEmbeddingLossOptions>(
  cosineEmbeddingLoss,
) {}
/** `tripletMarginLoss` as a module: its `forward` takes anchor, positive and negative. */
export class TripletMarginLoss extends /* @__PURE__ */ lossModule<Triplet, TripletMarginLossOptions>(
  tripletMarginLoss,
) {}
