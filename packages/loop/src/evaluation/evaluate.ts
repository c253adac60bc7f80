/** `descent evaluate`: judges a run by what it predicted for examples that it was not trained on. */

import { join } from 'node:path'
import { type EpochReport, overfitting } from 'descent'
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import { loadPredictions, type Predictions } from '../training/predictions.ts'
import { findRun, type Run, runFolder } from '../training/run.ts'
import { readSnapshot, type Snapshot } from '../versioning/snapshot.ts'
import type { Split } from '../versioning/split.ts'
import { fitTemperature, logitsOf, reliability, withTemperature } from './calibration.ts'
import { type ClassPredictions, rightOnes } from './class-predictions.ts'
import { classificationMetrics } from './classification.ts'
import { confusion } from './confusion.ts'
import type { ClassJudgement, EpochPoint, Evaluation, Fitting, Mistake, NumberJudgement } from './evaluation.ts'
import { largestErrors, worstMistakes } from './mistakes.ts'
import { perClass } from './per-class.ts'
import { regressionMetrics } from './regression.ts'
import { sliceColumnsOf } from './slice-columns.ts'
import { sliceScores } from './slices.ts'

export interface EvaluateOptions {
  /** The run's number; the latest that is done, where not given. */
  readonly run?: number | undefined
  /** Default: test, or validation where there is no test example. */
  readonly split?: Split | undefined
  /** Of the resampling. Default 1. */
  readonly seed?: number | undefined
  /** How many mistakes are kept. Default 20. */
  readonly mistakes?: number | undefined
}

/** The rows of one split. */
export interface Part {
  readonly examples: Int32Array
  readonly predicted: Float32Array
  readonly labels: Int32Array | Float32Array
}

const pointsDrawn = 2000

/** @throws {UserError} where there is no such run, or it is not done, or nothing to judge it by */
export async function evaluateRun(project: Project, options: EvaluateOptions = {}): Promise<Evaluation> {
  const { seed = 1, mistakes: most = 20 } = options
  const run = await findRun(project, options.run)
  if (run.status !== 'done')
    throw new UserError(
      `Run ${run.number} is ${run.status}, not done: \`descent train --resume ${run.number}\` finishes it.`,
    )
  const { snapshot, entries } = await readSnapshot(project, run.snapshot)
  const predictions = await loadPredictions(join(runFolder(project, run.number), 'predictions.safetensors'))
  const split = options.split ?? (predictions.splits.includes('test') ? 'test' : 'validation')
  const ids = new Map(entries.map(({ number, id }) => [number, id]))
  const part = partOf(predictions, split, ids)
  if (part.examples.length === 0)
    throw new UserError(
      `Snapshot ${snapshot.number} has no ${split} example to judge run ${run.number} by: label more, or give that split a larger share.`,
    )
  const judged =
    snapshot.task === 'class'
      ? judgeClasses(part, partOf(predictions, 'validation', ids), split, snapshot, seed)
      : judgeNumbers(part, seed)
  const scores = scoresOf(part, snapshot)
  const columns = await sliceColumnsOf(project, [...part.examples], snapshot.columns)
  return {
    run: run.number,
    recipe: run.name,
    snapshot: { number: snapshot.number, hash: snapshot.hash },
    split,
    examples: part.examples.length,
    judged,
    slices: sliceScores(scores, columns, { seed, higherIsBetter: snapshot.task === 'class' }),
    mistakes: mistakesOf(part, snapshot, most, ids),
    fitting: await fittingOf(project, run, judged),
  }
}

/** The examples of one split with what was predicted for them; of `known` examples alone, where given. */
export function partOf(
  { predicted, examples, splits, labels }: Predictions,
  split: Split,
  known?: { has(example: number): boolean },
): Part {
  const isKnown = (row: number) => known?.has(examples[row] as number) ?? true
  const rows = [...splits.keys()].filter((row) => splits[row] === split && isKnown(row))
  const { width } = predicted
  const values = new Float32Array(rows.length * width)
  for (const [i, row] of rows.entries())
    values.set(predicted.values.subarray(row * width, (row + 1) * width), i * width)
  const own = rows.map((row) => labels[row] as number)
  return {
    examples: Int32Array.from(rows, (row) => examples[row] as number),
    predicted: values,
    labels: labels instanceof Int32Array ? Int32Array.from(own) : Float32Array.from(own),
  }
}

/** A part as class predictions. */
export function classPart({ predicted, labels }: Part, classes: readonly string[]): ClassPredictions {
  return { probabilities: predicted, truths: Int32Array.from(labels), classes }
}

function judgeClasses(part: Part, validation: Part, split: Split, { classes }: Snapshot, seed: number): ClassJudgement {
  const predictions = classPart(part, classes)
  return {
    task: 'class',
    classes,
    metrics: classificationMetrics(predictions, { seed }),
    perClass: perClass(predictions),
    confusion: confusion(predictions),
    reliability: reliability(predictions),
    calibration: split === 'validation' ? null : calibrate(predictions, validation),
  }
}

/** The temperature is found on the validation split and judged on the other; null where there is no validation. */
function calibrate(
  { probabilities, truths, classes }: ClassPredictions,
  validation: Part,
): ClassJudgement['calibration'] {
  if (validation.examples.length === 0) return null
  const temperature = fitTemperature(logitsOf(validation.predicted), Int32Array.from(validation.labels))
  const warmed = withTemperature(logitsOf(probabilities), classes.length, temperature.temperature)
  return { temperature, reliability: reliability({ probabilities: warmed, truths, classes }) }
}

function judgeNumbers({ predicted, labels }: Part, seed: number): NumberJudgement {
  const targets = Float32Array.from(labels)
  const step = Math.max(1, Math.ceil(targets.length / pointsDrawn))
  return {
    task: 'number',
    metrics: regressionMetrics(predicted, targets, { seed }),
    points: Array.from(
      { length: Math.ceil(targets.length / step) },
      (_, i) => [targets[i * step] as number, predicted[i * step] as number] as const,
    ),
  }
}

/** 1 for right and 0 for wrong, or the absolute error. */
export function scoresOf(part: Part, { task, classes }: Pick<Snapshot, 'task' | 'classes'>): Float64Array {
  if (task === 'class') return rightOnes(classPart(part, classes))
  return Float64Array.from(part.labels, (target, i) => Math.abs((part.predicted[i] as number) - target))
}

function mistakesOf(part: Part, snapshot: Snapshot, most: number, ids: ReadonlyMap<number, string>): Mistake[] {
  const which = (index: number) => {
    const example = part.examples[index] as number
    return { example, id: ids.get(example) as string }
  }
  if (snapshot.task === 'number') {
    return largestErrors(part.predicted, Float32Array.from(part.labels), most).map(
      ({ index, target, predicted, error }) => ({
        ...which(index),
        truth: target,
        said: predicted,
        confidence: null,
        loss: Math.abs(error),
        likelyLabelError: false,
      }),
    )
  }
  return worstMistakes(classPart(part, snapshot.classes), most).map(({ index, ...mistake }) => ({
    ...which(index),
    ...mistake,
  }))
}

async function fittingOf({ store }: Project, run: Run, judged: ClassJudgement | NumberJudgement): Promise<Fitting> {
  const rows = await store.db.selectFrom('epoch').selectAll().where('run', '=', run.number).orderBy('epoch').execute()
  const history = rows.map(({ epoch, metrics }) => ({ epoch, ...JSON.parse(metrics) }) as EpochReport)
  const epochs = history.map(
    ({ epoch, loss, validation }): EpochPoint => ({ epoch, loss, validation: validation?.loss ?? null }),
  )
  return {
    epochs,
    train: run.metrics?.train?.[judged.task === 'class' ? 'accuracy' : 'r2'] ?? null,
    judged: (judged.task === 'class' ? judged.metrics.accuracy : judged.metrics.r2).estimate,
    sentence: overfitting(history)?.message ?? null,
  }
}
