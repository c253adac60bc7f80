/** The losses as modules. */
export {
  BCELoss,
  BCEWithLogitsLoss,
  CrossEntropyLoss,
  MarginLoss,
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  NLLLoss,
  SoftMarginLoss,
} from './classification.ts'
export { CTCLoss } from './ctc.ts'
export { CosineEmbeddingLoss, HingeEmbeddingLoss, L1HingeEmbeddingLoss, TripletMarginLoss } from './embedding.ts'
export { MarginRankingLoss, MultiOutputLoss, WeightedSumLoss } from './miscellaneous.ts'
export { GaussianNLLLoss, HuberLoss, KLDivLoss, L1Loss, MSELoss, PoissonNLLLoss, SmoothL1Loss } from './regression.ts'
