/** What is loaded when a training, an evaluation or a record of one begins: one piece, so that a page asks once. */
export { balancedWeights } from './count-classes.ts'
export { evaluator } from './evaluator.ts'
export { Board } from './history/event-board.ts'
export { appendReport, openHistory, readReports } from './history/jsonl-file.ts'
export { sweep } from './learning-rate-sweep.ts'
export { Training } from './training.ts'
