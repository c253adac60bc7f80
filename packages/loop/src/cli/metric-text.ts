/** Figures of runs for a terminal. */
import type { Metrics } from '../training/metrics.ts'

/** `97.08 %` */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`
}

/** Four digits that count. */
export function digits(value: number): string {
  return String(Number(value.toPrecision(4)))
}

/** The figure that a run is judged by: accuracy, or R² of numbers. */
export function headline(metrics: Metrics | undefined): string {
  if (metrics?.accuracy !== undefined) return percent(metrics.accuracy)
  return metrics?.r2 !== undefined ? `R² ${metrics.r2.toFixed(3)}` : ''
}

/** All figures of a split in one line. */
export function metricsText({ accuracy, macroF1, logLoss, mae, rmse, r2 }: Metrics): string {
  const parts = [
    accuracy === undefined ? null : `accuracy ${percent(accuracy)}`,
    macroF1 === undefined ? null : `mean F1 ${percent(macroF1)}`,
    logLoss === undefined ? null : `log loss ${digits(logLoss)}`,
    r2 === undefined ? null : `R² ${r2.toFixed(3)}`,
    mae === undefined ? null : `mean absolute error ${digits(mae)}`,
    rmse === undefined ? null : `root mean squared error ${digits(rmse)}`,
  ]
  return parts.filter((part) => part !== null).join(', ')
}
