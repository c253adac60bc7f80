/** What to label next. */
export { type Batch, type SelectOptions, selectBatch, strategies } from './select-batch.ts'
export { type Pool, type Strategy, type StrategyName, type Suggestion, strategyNames } from './strategy.ts'
