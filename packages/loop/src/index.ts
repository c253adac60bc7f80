/** The loop: the life of a model in one folder. */
export { UserError } from './errors.ts'
export {
  type BootstrapInterval,
  bootstrap,
  meanOf,
  type PairedComparison,
  pairedBootstrap,
  type Statistic,
} from './evaluation/bootstrap.ts'
export {
  fitTemperature,
  logitsOf,
  type Reliability,
  reliability,
  type Temperature,
  withTemperature,
} from './evaluation/calibration.ts'
export type { ClassPredictions } from './evaluation/class-predictions.ts'
export { type ClassificationMetrics, classificationMetrics } from './evaluation/classification.ts'
export type { Column } from './evaluation/columns.ts'
export { type Confusion, confusion } from './evaluation/confusion.ts'
export type { Interval } from './evaluation/interval.ts'
export { metricStatistic } from './evaluation/metric-statistic.ts'
export { type ClassMistake, largestErrors, type NumberMistake, worstMistakes } from './evaluation/mistakes.ts'
export { type ClassReport, perClass } from './evaluation/per-class.ts'
export { type RegressionMetrics, regressionMetrics } from './evaluation/regression.ts'
export { type SliceReport, type SliceScore, sliceScores } from './evaluation/slices.ts'
export { wilson } from './evaluation/wilson.ts'
export { cohenKappa, fleissKappa, krippendorffAlpha, type PairAgreement, pairAgreement } from './labeling/agreement.ts'
export { type Consensus, type DawidSkene, dawidSkene, majorityVote } from './labeling/consensus.ts'
export { assignFolds, outOfSampleProbabilities } from './labeling/folds.ts'
export { findLabelErrors, type LabelErrors, type Suspect } from './labeling/label-errors.ts'
export {
  type Batch,
  type Pool,
  type StrategyName,
  type Suggestion,
  selectBatch,
  strategyNames,
} from './labeling/strategies/index.ts'
export { type Votes, votesFromTable } from './labeling/votes.ts'
export { type Random, seeded } from './random.ts'
