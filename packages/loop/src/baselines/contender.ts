/** A run that is compared, network or baseline: what it predicted for examples of one split, and what it costs. */

import { UserError } from '../errors.ts'
import { meanOf, type Statistic } from '../evaluation/bootstrap.ts'
import { rightOnes } from '../evaluation/class-predictions.ts'
import { classPart, type Part, partOf } from '../evaluation/evaluate.ts'
import type { Project } from '../project/project.ts'
import { runPredictions } from '../training/load-run.ts'
import type { Predictions } from '../training/predictions.ts'
import type { Run } from '../training/run.ts'
import type { Snapshot } from '../versioning/snapshot.ts'
import type { Split } from '../versioning/split.ts'
import { type BaselineRun, baselinePredictions, findBaseline } from './baseline-run.ts'

export interface Contender {
  /** Of the run. */
  readonly number: number
  readonly kind: 'network' | 'baseline'
  readonly name: string
  /** The snapshot's hash. */
  readonly snapshot: string
  readonly costs: Costs
  readonly predictions: Predictions
}

export interface Costs {
  /** Training time in seconds. */
  readonly training: number
  /** One prediction, in microseconds. */
  readonly prediction: number
  readonly bytes: number
}

export async function networkContender(project: Project, number?: number): Promise<Contender & { run: Run }> {
  const { run, predictions } = await runPredictions(project, number)
  const { seconds, predictMicroseconds, bytes } = run
  const costs = { training: seconds, prediction: predictMicroseconds ?? Number.NaN, bytes: bytes ?? Number.NaN }
  return { number: run.number, kind: 'network', name: run.name, snapshot: run.snapshot, costs, predictions, run }
}

export async function baselineContender(project: Project, run: BaselineRun): Promise<Contender> {
  const { number, name, snapshot, seconds, predictMicroseconds, bytes } = run
  const costs = { training: seconds, prediction: predictMicroseconds, bytes }
  return { number, kind: 'baseline', name, snapshot, costs, predictions: await baselinePredictions(project, number) }
}

/** The run of this number, whichever kind it is of. Throws UserError where there is none, or it is not done. */
export async function contenderNumbered(project: Project, number: number): Promise<Contender> {
  const row = await project.store.db.selectFrom('run').select('kind').where('number', '=', number).executeTakeFirst()
  if (!row) throw new UserError(`There is no run ${number}: \`descent runs\` and \`descent baselines\` list them.`)
  if (row.kind === 'network') return networkContender(project, number)
  return baselineContender(project, await findBaseline(project, number))
}

/** The split to compare on: test, or validation where there is no test example. */
export function judgedSplit({ splits }: Predictions): Split {
  return splits.includes('test') ? 'test' : 'validation'
}

/** What a contender is judged by over any set of the part's examples: accuracy, or R². More is better. */
export function figureOf(part: Part, { task, classes }: Pick<Snapshot, 'task' | 'classes'>): Statistic {
  if (task === 'class') return meanOf(rightOnes(classPart(part, classes)))
  const { predicted, labels } = part
  return (indices) => {
    let [sum, squares, errors] = [0, 0, 0]
    for (let i = 0; i < indices.length; i++) {
      const at = indices[i] as number
      const label = labels[at] as number
      sum += label
      squares += label * label
      errors += (label - (predicted[at] as number)) ** 2
    }
    const spread = squares - (sum * sum) / indices.length
    return spread > 0 ? 1 - errors / spread : Number.NaN
  }
}

/** Resamples keep the sizes of the classes, as in `descent evaluate`. */
export function strataOf({ labels }: Part, { task }: Pick<Snapshot, 'task'>): { readonly strata?: Int32Array } {
  return task === 'class' ? { strata: Int32Array.from(labels) } : {}
}

/** A contender's predictions for these examples, in their order. */
export function partFor({ predictions }: Contender, split: Split, examples: Int32Array): Part {
  const own = partOf(predictions, split)
  const width = predictions.predicted.width
  const places = new Map(Array.from(own.examples, (example, place) => [example, place]))
  const rows = Array.from(examples, (example) => places.get(example) as number)
  const predicted = new Float32Array(rows.length * width)
  for (const [i, row] of rows.entries())
    predicted.set(own.predicted.subarray(row * width, (row + 1) * width), i * width)
  const labels = rows.map((row) => own.labels[row] as number)
  return {
    examples,
    predicted,
    labels: own.labels instanceof Int32Array ? Int32Array.from(labels) : Float32Array.from(labels),
  }
}
