/** The loop: the life of a model in one folder. */
export { type Architecture, type ArchitectureOptions, describeArchitecture } from './architecture/describe.ts'
export type { NetworkInput } from './architecture/input.ts'
export type { RecipeFile } from './architecture/load-recipe.ts'
export type { Recipe } from './architecture/recipe.ts'
export { type Advice, advise } from './baselines/advice.ts'
export { type Baseline, baselineNamed, baselines, type Fitted } from './baselines/baseline.ts'
export { type BaselineRun, type LoadedBaseline, listBaselines, loadBaseline } from './baselines/baseline-run.ts'
export { type ComparedModel, compareModels, type ModelComparison } from './baselines/compare-models.ts'
export { compareRuns, type RunComparison } from './baselines/compare-runs.ts'
export type { Costs } from './baselines/contender.ts'
export { type Importance, importances, permutationImportances } from './baselines/importances.ts'
export { type Curve, type CurvePoint, learningCurves } from './baselines/learning-curve.ts'
export type { Rows as BaselineRows, Targets as BaselineTargets } from './baselines/rows.ts'
export { type BaselineOptions, trainBaselines } from './baselines/train-baselines.ts'
export { gainLines } from './cli/gain-text.ts'
export { gateLines } from './cli/gate-text.ts'
export { type PredictOptions, type PredictReport, predictFiles } from './deployment/predict-files.ts'
export { isInRandomSlice } from './deployment/prediction-id.ts'
export { type ServeOptions, type Serving, serve } from './deployment/serve.ts'
export { createToken, listTokens, revokeToken, type Token } from './deployment/tokens.ts'
export type { RecentTraffic } from './deployment/traffic.ts'
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
export { type EvaluateOptions, evaluateRun } from './evaluation/evaluate.ts'
export type { Evaluation } from './evaluation/evaluation.ts'
export type { Interval } from './evaluation/interval.ts'
export { metricStatistic } from './evaluation/metric-statistic.ts'
export { type ClassMistake, largestErrors, type NumberMistake, worstMistakes } from './evaluation/mistakes.ts'
export { type ClassReport, perClass } from './evaluation/per-class.ts'
export { type RegressionMetrics, regressionMetrics } from './evaluation/regression.ts'
export { reportPage } from './evaluation/report/page.ts'
export { type SliceReport, type SliceScore, sliceScores } from './evaluation/slices.ts'
export { wilson } from './evaluation/wilson.ts'
export { accuracyFromFeedback, type FeedbackAccuracy } from './feedback/accuracy.ts'
export { type FeedbackReport, feedbackLabels } from './feedback/feedback-labels.ts'
export { type FillOptions, type FillReport, fillQueue } from './feedback/fill-queue.ts'
export { type Gain, goRound, type RoundOptions, type RoundResult } from './feedback/round.ts'
export { cohenKappa, fleissKappa, krippendorffAlpha, type PairAgreement, pairAgreement } from './labeling/agreement.ts'
export { type Consensus, type DawidSkene, dawidSkene, majorityVote } from './labeling/consensus.ts'
export { type CrossOptions, type CrossPredictions, crossPredictions } from './labeling/cross-predictions.ts'
export {
  addLabeler,
  appendLabel,
  type LabelValue,
  type PresentLabel,
  presentLabels,
  retractLabel,
} from './labeling/events.ts'
export { assignFolds, outOfSampleProbabilities } from './labeling/folds.ts'
export { findLabelErrors, type LabelErrors, type Suspect } from './labeling/label-errors.ts'
export { exportLabelStudio, importLabelStudio } from './labeling/label-studio.ts'
export { type LabelerPair, type ProjectAgreement, projectAgreement } from './labeling/project-agreement.ts'
export {
  type Accepted,
  acceptConsensus,
  type JudgedExample,
  type JudgedLabeler,
  type ProjectConsensus,
  projectConsensus,
} from './labeling/project-consensus.ts'
export { type Choice, labelingQueue, type Queue, type QueueOptions } from './labeling/queue.ts'
export { allWaiting, disputed, waiting } from './labeling/queued.ts'
export { applyRules, type RuleResult } from './labeling/rules.ts'
export { LabelingSession } from './labeling/session.ts'
export {
  type Batch,
  type Pool,
  type StrategyName,
  type Suggestion,
  selectBatch,
  strategyNames,
} from './labeling/strategies/index.ts'
export { findSuspects, type SuspectLabel, type Suspects } from './labeling/suspects.ts'
export { type Votes, votesFromTable } from './labeling/votes.ts'
export { type Forgotten, forget } from './lineage/forget.ts'
export { type Impact, impact } from './lineage/impact.ts'
export { type Why, why } from './lineage/why.ts'
export { type AlarmSettings, type AlarmState, nextAlarm, quiet, type Reading } from './monitoring/alarm.ts'
export { type KolmogorovSmirnov, kolmogorovSmirnov } from './monitoring/kolmogorov-smirnov.ts'
export { type Discrepancy, type Points, PointsReference } from './monitoring/mean-discrepancy.ts'
export type { Measure } from './monitoring/measures.ts'
export { type ColumnDrift, type ColumnReference, columnDrift, columnReference } from './monitoring/stability.ts'
export { type AlarmEvent, type CheckReport, TrafficWatch, type WatchOptions } from './monitoring/watch.ts'
export { type Progress, StoppedError, type Work } from './progress.ts'
export { type Config, defineConfig, type Kind, type Rule, type RuleInput, type ServeConfig } from './project/config.ts'
export { initProject, openProject, type Project } from './project/project.ts'
export { type Random, seeded } from './random.ts'
export {
  type AliasChange,
  aliasesOn,
  aliasHistory,
  championOn,
  currentAliases,
  currentVersion,
  setAlias,
} from './registry/aliases.ts'
export { type ExportOptions, exportVersion } from './registry/export/export.ts'
export { askGate } from './registry/gate.ts'
export type { Comparison, GateCheck, GateReport } from './registry/gate-report.ts'
export { type LoadedVersion, loadVersion } from './registry/load-version.ts'
export { type Promotion, promote, rollback } from './registry/promote.ts'
export { type RegisterOptions, registerRun } from './registry/register.ts'
export type { Answer, ServedModel, VersionSignature } from './registry/served-model.ts'
export { findVersion, listVersions, type Version } from './registry/version.ts'
export { type ImportOptions, importFiles } from './sourcing/import.ts'
export type { ImportReport, SourceReport } from './sourcing/report.ts'
export type { Cell, Content } from './store/content.ts'
export { type Example, findExample, readExample, readExamples } from './store/examples.ts'
export type { Store } from './store/store.ts'
export { type LoadedRun, loadRun, runPredictions } from './training/load-run.ts'
export type { Predictions } from './training/predictions.ts'
export { type EpochRecord, epochsOf, findRun, listRuns, type Run } from './training/run.ts'
export { type Sweep, type SweepOptions, sweepRecipes } from './training/sweep.ts'
export { type EpochNews, type TrainOptions, trainRun } from './training/train-run.ts'
export { diffSnapshots, type LabelChange, type SnapshotDiff } from './versioning/diff.ts'
export {
  findSnapshot,
  listSnapshots,
  makeSnapshot,
  readSnapshot,
  type Snapshot,
  type SnapshotEntry,
} from './versioning/snapshot.ts'
export type { Split } from './versioning/split.ts'
