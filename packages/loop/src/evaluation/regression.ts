/** The numbers that sum up a regression, each with its interval. */
import { metrics } from 'descent'
import { type BootstrapInterval, type BootstrapOptions, bootstrap, meanOf, type Statistic } from './bootstrap.ts'
import { metricStatistic } from './metric-statistic.ts'

export interface RegressionMetrics {
  /** The mean absolute error, in the unit of the target. */
  readonly mae: BootstrapInterval
  /** The root of the mean squared error, in the unit of the target. */
  readonly rmse: BootstrapInterval
  /** The share of the targets' variance that is explained; NaN for one example. */
  readonly r2: BootstrapInterval
}

/** Throws RangeError, naming the example, where sizes do not fit or a value is not finite. */
export function checkRegression(outputs: Float32Array, targets: Float32Array): void {
  if (targets.length === 0) throw new RangeError('There are no predictions to judge.')
  if (outputs.length !== targets.length)
    throw new RangeError(`There are ${outputs.length} predictions for ${targets.length} targets.`)
  for (const [name, values] of [
    ['prediction', outputs],
    ['target', targets],
  ] as const) {
    const wrong = values.findIndex((x) => !Number.isFinite(x))
    if (wrong >= 0) throw new RangeError(`The ${name} of example ${wrong} is ${values[wrong]}.`)
  }
}

/** MAE, RMSE and R² of predictions [N] and targets [N], with bootstrap intervals. Throws RangeError where they do not fit. */
export function regressionMetrics(
  outputs: Float32Array,
  targets: Float32Array,
  options: BootstrapOptions,
): RegressionMetrics {
  checkRegression(outputs, targets)
  const errors = Float64Array.from(targets, (target, i) => (outputs[i] as number) - target)
  const meanSquare = meanOf(errors.map((error) => error * error))
  const measured = (statistic: Statistic) => bootstrap(targets.length, statistic, options)
  return {
    mae: measured(meanOf(errors.map(Math.abs))),
    rmse: measured((indices) => Math.sqrt(meanSquare(indices))),
    r2: measured(metricStatistic(() => new metrics.R2(), outputs, targets)),
  }
}
