/** Training and evaluation. */
export { type EvaluateOptions, evaluate, type Loss } from './evaluate.ts'
export { type FitOptions, type FitResult, fit } from './fit.ts'
export type { AccumulatingMetric } from './metrics/accumulating.ts'
export * as metrics from './metrics/index.ts'
export { accuracy, type Metric, type Metrics, type Scores } from './metrics.ts'
export { NonFiniteLossError } from './non-finite.ts'
export type { EpochReport } from './progress.ts'
