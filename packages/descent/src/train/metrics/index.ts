/** Metrics: functions, means over a batch, and classes, exact over all batches. */

export type { AccumulatingMetric, ClassOptions } from './accumulating.ts'
export { Accuracy, TopK } from './accuracy.ts'
export { AUC } from './auc.ts'
export { type CalibrationBin, CalibrationError, type CalibrationOptions } from './calibration.ts'
export { ConfusionMatrix, type ConfusionMatrixOptions } from './confusion-matrix.ts'
export { meanAbsoluteError, meanSquaredError, topKAccuracy } from './means.ts'
export { type Average, type AverageOptions, F1, Precision, Recall } from './precision-recall.ts'
export type { ProbabilityOptions } from './probabilities.ts'
export { MAE, MSE, R2, RMSE } from './regression.ts'
