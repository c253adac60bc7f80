/** The losses as functions. */
export {
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyWithLogitsOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type CrossEntropyOptions,
  crossEntropy,
  type MarginOptions,
  type MultilabelSoftMarginLossOptions,
  type MultiMarginLossOptions,
  marginLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  type NLLLossOptions,
  nllLoss,
  softMarginLoss,
} from './classification.ts'
export { type CTCLossOptions, ctcLoss, type SequenceLengths } from './ctc.ts'
export {
  type CosineEmbeddingLossOptions,
  cosineEmbeddingLoss,
  type HingeEmbeddingLossOptions,
  hingeEmbeddingLoss,
  l1HingeEmbeddingLoss,
  type TripletMarginLossOptions,
  tripletMarginLoss,
} from './embedding.ts'
export { checkLossFit } from './loss-fit.ts'
export type { AnyLoss, LossFunction } from './loss-module.ts'
export {
  type MarginRankingLossOptions,
  type MultiOutputLossFunction,
  marginRankingLoss,
  multiOutputLoss,
  type WeightsOptions,
  weightedSumLoss,
} from './miscellaneous.ts'
export type { Reduction, ReductionOptions } from './reduction.ts'
export {
  type GaussianNLLLossOptions,
  gaussianNllLoss,
  type HuberLossOptions,
  huberLoss,
  type KLDivLossOptions,
  klDiv,
  l1Loss,
  mseLoss,
  type PoissonNLLLossOptions,
  poissonNllLoss,
  type SmoothL1LossOptions,
  smoothL1Loss,
} from './regression.ts'
