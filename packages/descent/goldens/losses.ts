/** The losses of `losses.json`, called as a user calls them. */
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  cosineEmbeddingLoss,
  crossEntropy,
  gaussianNllLoss,
  hingeEmbeddingLoss,
  huberLoss,
  klDiv,
  l1HingeEmbeddingLoss,
  l1Loss,
  marginLoss,
  marginRankingLoss,
  mseLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  nllLoss,
  type nn,
  poissonNllLoss,
  smoothL1Loss,
  softMarginLoss,
  type Tensor,
  tripletMarginLoss,
} from '../src/index.ts'
import type { Args } from './cases.ts'
import type { Inputs, Operation, Operations } from './operation.ts'

function reductionOf(args: Args): nn.Reduction {
  const reduction = args.text('reduction', 'mean')
  if (reduction !== 'mean' && reduction !== 'sum' && reduction !== 'none') throw new Error(`no reduction ${reduction}`)
  return reduction
}

const weightOf = (inputs: Inputs): { weight?: Tensor } => (inputs.weight ? { weight: inputs.weight } : {})

/** A loss of an input and a target; `more` reads its other options. */
function pair<Options>(
  loss: (input: Tensor, target: Tensor, options: Options & { reduction: nn.Reduction }) => Tensor,
  more: (args: Args, inputs: Inputs) => Options,
): Operation {
  return (inputs, args) =>
    loss(inputs.input as Tensor, inputs.target as Tensor, { ...more(args, inputs), reduction: reductionOf(args) })
}

/** A loss of two inputs and a target. */
function ranked(
  loss: (x1: Tensor, x2: Tensor, target: Tensor, options: { margin: number; reduction: nn.Reduction }) => Tensor,
): Operation {
  return (inputs, args) =>
    loss(inputs.x1 as Tensor, inputs.x2 as Tensor, inputs.target as Tensor, {
      margin: args.number('margin'),
      reduction: reductionOf(args),
    })
}

const none = (): object => ({})
const margin = (args: Args): { margin: number } => ({ margin: args.number('margin') })

export const lossOperations: Operations = {
  mse: pair(mseLoss, none),
  l1: pair(l1Loss, none),
  smooth_l1: pair(smoothL1Loss, (args) => ({ beta: args.number('beta') })),
  huber: pair(huberLoss, (args) => ({ delta: args.number('delta') })),
  poisson_nll: pair(poissonNllLoss, (args) => ({ logInput: args.flag('log_input') })),
  gaussian_nll: ({ input, target, var: variance }, args) =>
    gaussianNllLoss(input as Tensor, target as Tensor, variance as Tensor, { reduction: reductionOf(args) }),
  kl_div: ({ input, target }, args) =>
    klDiv(input as Tensor, target as Tensor, {
      reduction: args.text('reduction') === 'batchmean' ? 'batchmean' : reductionOf(args),
    }),
  binary_cross_entropy: pair(binaryCrossEntropy, (_, inputs) => weightOf(inputs)),
  binary_cross_entropy_with_logits: pair(binaryCrossEntropyWithLogits, (_, inputs) => ({
    ...weightOf(inputs),
    ...(inputs.pos_weight ? { posWeight: inputs.pos_weight } : {}),
  })),
  nll: pair(nllLoss, (args, inputs) => ({ ...weightOf(inputs), ignoreIndex: args.number('ignore_index', -100) })),
  cross_entropy: pair(crossEntropy, (args, inputs) => ({
    ...weightOf(inputs),
    labelSmoothing: args.number('label_smoothing', 0),
  })),
  margin: pair(marginLoss, margin),
  soft_margin: pair(softMarginLoss, none),
  multi_margin: pair(multiMarginLoss, (args) => ({
    ...margin(args),
    p: args.number('p') === 2 ? (2 as const) : (1 as const),
  })),
  multilabel_margin: pair(multilabelMarginLoss, none),
  multilabel_soft_margin: pair(multilabelSoftMarginLoss, (_, inputs) => weightOf(inputs)),
  hinge_embedding: pair(hingeEmbeddingLoss, margin),
  l1_hinge_embedding: ranked(l1HingeEmbeddingLoss),
  cosine_embedding: ranked(cosineEmbeddingLoss),
  margin_ranking: ranked(marginRankingLoss),
  triplet_margin: ({ anchor, positive, negative }, args) =>
    tripletMarginLoss(anchor as Tensor, positive as Tensor, negative as Tensor, {
      margin: args.number('margin'),
      p: args.number('p'),
      reduction: reductionOf(args),
    }),
}
