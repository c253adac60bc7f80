/**
 * Traditional machine learning on plain arrays, to hold against every network: one interface for all of it.
 *
 * @example
 * ```ts
 * import { baselineNamed } from '@descent/loop'
 * const x = { rows: 4, columns: 1, values: Float64Array.of(1, 2, 8, 9) }
 * const y = { kind: 'classes', classes: 2, labels: Int32Array.of(0, 0, 1, 1) } as const
 * const fitted = await baselineNamed('logistic regression').fit(x, y, { seed: 1 })
 * const [, second] = await fitted.predict({ rows: 1, columns: 1, values: Float64Array.of(10) })
 * console.log((second as number) > 0.5) // → true
 * ```
 */
import { UserError } from '../errors.ts'
import type { Work } from '../progress.ts'
import { fitBoosting } from './boosting.ts'
import { fitForest } from './forest.ts'
import { fitLogistic } from './logistic.ts'
import { fitMajority } from './majority.ts'
import { bytesOf, type Model, predict } from './model.ts'
import { fitNaiveBayes } from './naive-bayes.ts'
import { fitNeighbors } from './neighbors.ts'
import { fitRidge } from './ridge.ts'
import { checkTraining, isSparse, type Rows, type Targets } from './rows.ts'

export interface FitOptions extends Work {
  /** Decides bootstraps, samples and held-out rows: the same seed gives the same model. */
  readonly seed: number
}

export interface Baseline {
  readonly name: string
  /** Whether it is for such rows and targets. */
  readonly suits: (x: Rows, y: Targets) => boolean
  /** Throws UserError where rows and targets do not belong together, and the signal's reason where it is stopped. */
  readonly fit: (x: Rows, y: Targets, options: FitOptions) => Promise<Fitted>
}

export interface Fitted {
  readonly name: string
  /** Probabilities [rows, classes], each row adding up to 1, or values [rows]. */
  readonly predict: (x: Rows, options?: Work) => Promise<Float64Array>
  /** The size of the model: the bytes of its numbers. */
  readonly bytes: number
  readonly model: Model
}

/** All baselines, the simplest first. */
export const baselines: readonly Baseline[] = [
  baseline('majority class', isClasses, async (x, y) => fitMajority(x.columns, y)),
  baseline('mean', isNumbers, async (x, y) => fitMajority(x.columns, y)),
  baseline('logistic regression', isClasses, (x, y, options) => fitLogistic(x, classesOf(y), options)),
  baseline('linear regression', isNumbers, (x, y, options) => fitRidge(x, numbersOf(y), options)),
  baseline(
    'naive Bayes',
    (x, y) => isClasses(x, y) && isSparse(x),
    (x, y, options) => fitNaiveBayes(x, classesOf(y), options),
  ),
  baseline('k nearest neighbours', any, fitNeighbors),
  baseline('random forest', any, fitForest),
  baseline('gradient boosting', any, fitBoosting),
]

/** The baselines for such rows and targets, the simplest first. */
export function baselinesFor(x: Rows, y: Targets): Baseline[] {
  return baselines.filter((candidate) => candidate.suits(x, y))
}

/** The baseline of this name. Throws UserError, with all names, where there is none. */
export function baselineNamed(name: string): Baseline {
  const found = baselines.find((candidate) => candidate.name === name)
  if (!found)
    throw new UserError(`There is no baseline '${name}'. There are: ${baselines.map((b) => b.name).join(', ')}.`)
  return found
}

function baseline(
  name: string,
  suits: Baseline['suits'],
  fit: (x: Rows, y: Targets, options: FitOptions) => Promise<Model>,
): Baseline {
  return {
    name,
    suits,
    async fit(x, y, options) {
      checkTraining(x, y)
      return fitted(name, await fit(x, y, options))
    },
  }
}

/** A model with what can be asked of it. */
export function fitted(name: string, model: Model): Fitted {
  return {
    name,
    model,
    predict: (x, options) => predict(model, x, options),
    bytes: bytesOf(model),
  }
}

function any(): boolean {
  return true
}

function isClasses(_: Rows, y: Targets): boolean {
  return y.kind === 'classes'
}

function isNumbers(_: Rows, y: Targets): boolean {
  return y.kind === 'numbers'
}

function classesOf(y: Targets) {
  if (y.kind !== 'classes') throw new UserError('This baseline is for classes. For numbers take linear regression.')
  return y
}

function numbersOf(y: Targets) {
  if (y.kind !== 'numbers') throw new UserError('This baseline is for numbers. For classes take logistic regression.')
  return y
}
