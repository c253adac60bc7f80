/** The network of a run against the baselines of its snapshot, on the same examples. */

import { UserError } from '../errors.ts'
import {
  type BootstrapInterval,
  type BootstrapOptions,
  bootstrap,
  pairedBootstrap,
  type Statistic,
} from '../evaluation/bootstrap.ts'
import { partOf } from '../evaluation/evaluate.ts'
import { wilson } from '../evaluation/wilson.ts'
import type { Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import type { Run } from '../training/run.ts'
import { findSnapshot, type Snapshot } from '../versioning/snapshot.ts'
import type { Split } from '../versioning/split.ts'
import { type Advice, accuracyWording, advise, r2Wording } from './advice.ts'
import type { BaselineRun } from './baseline-run.ts'
import {
  baselineContender,
  type Contender,
  type Costs,
  figureOf,
  judgedSplit,
  networkContender,
  partFor,
  strataOf,
} from './contender.ts'
import { trainBaselines } from './train-baselines.ts'

export interface CompareOptions extends Work {
  /** The run of a network. Default: the latest that is done. */
  readonly run?: number | undefined
  /** Of the resampling, and of the baselines. Default 1. */
  readonly seed?: number | undefined
  /** Hears of each baseline that had to be trained. */
  readonly onBaseline?: ((run: BaselineRun, made: boolean) => void) | undefined
}

export interface ComparedModel {
  /** Of the run. */
  readonly number: number
  readonly kind: 'network' | 'baseline'
  readonly name: string
  readonly score: BootstrapInterval
  /** Its score less the best one's, paired; null for the best. */
  readonly behind: BootstrapInterval | null
  readonly costs: Costs
}

export interface ModelComparison {
  readonly snapshot: { readonly number: number; readonly hash: string }
  readonly task: 'class' | 'number'
  /** Accuracy, or R². */
  readonly figure: 'accuracy' | 'R²'
  readonly split: Split
  readonly examples: number
  /** Null where no network is trained yet. */
  readonly run: Run | null
  readonly baselines: readonly BaselineRun[]
  /** The best first. */
  readonly models: readonly ComparedModel[]
  /** `use` is a place among the models. */
  readonly advice: Advice
}

/**
 * Compares a network with the baselines of its snapshot; those that are missing are trained first.
 * @throws {UserError} where there is no snapshot, or nothing to compare on
 */
export async function compareModels(project: Project, options: CompareOptions = {}): Promise<ModelComparison> {
  const { seed = 1 } = options
  const network = await networkOf(project, options.run)
  const snapshot = await findSnapshot(project, network?.snapshot)
  const baselines = await trainBaselines(project, { ...options, snapshot: snapshot.hash, seed })
  const contenders = await Promise.all(baselines.map((run) => baselineContender(project, run)))
  const models = judge(network ? [...contenders, network] : contenders, snapshot, seed)
  const { split, examples } = examplesOf(contenders[0] as Contender, snapshot)
  return {
    snapshot: { number: snapshot.number, hash: snapshot.hash },
    task: snapshot.task,
    figure: snapshot.task === 'class' ? 'accuracy' : 'R²',
    split,
    examples: examples.length,
    run: network?.run ?? null,
    baselines,
    models,
    advice: advise(models, snapshot.task === 'class' ? accuracyWording : r2Wording),
  }
}

/** The network to compare; null where none was named, and none is done. */
async function networkOf(project: Project, number: number | undefined) {
  if (number !== undefined) return networkContender(project, number)
  const row = await project.store.db
    .selectFrom('run')
    .select('number')
    .where('kind', '=', 'network')
    .where('status', '=', 'done')
    .where('sweep', 'is', null)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row ? networkContender(project, row.number) : null
}

function examplesOf({ predictions }: Contender, { number }: Snapshot): { split: Split; examples: Int32Array } {
  const split = judgedSplit(predictions)
  const { examples } = partOf(predictions, split)
  if (examples.length === 0)
    throw new UserError(
      `Snapshot ${number} has neither test nor validation examples to compare on: label more, or give those splits a larger share.`,
    )
  return { split, examples }
}

/** Scores with intervals, and the paired difference of each to the best; the best first. */
function judge(contenders: readonly Contender[], snapshot: Snapshot, seed: number): ComparedModel[] {
  const { split, examples } = examplesOf(contenders[0] as Contender, snapshot)
  const count = examples.length
  const measured = contenders.map((contender) => {
    const part = partFor(contender, split, examples)
    return { contender, statistic: figureOf(part, snapshot), settings: { seed, ...strataOf(part, snapshot) } }
  })
  const scored = measured.map((one) => ({ ...one, score: scoreOf(one.statistic, count, snapshot, one.settings) }))
  // Of equals the simplest comes first.
  const order = scored.toSorted((a, b) => b.score.estimate - a.score.estimate)
  const [best] = order
  return order.map(({ contender: { number, kind, name, costs }, statistic, score, settings }) => {
    const behind =
      best === undefined || statistic === best.statistic
        ? null
        : pairedBootstrap(count, best.statistic, statistic, settings).difference
    return { number, kind, name, score, behind, costs }
  })
}

/** By the bootstrap; where all or no answers are right, which leaves it nothing to resample, by Wilson's interval. */
function scoreOf(
  statistic: Statistic,
  count: number,
  { task }: Snapshot,
  settings: BootstrapOptions,
): BootstrapInterval {
  const score = bootstrap(count, statistic, settings)
  const { estimate } = score
  if (task !== 'class' || (estimate > 0 && estimate < 1)) return score
  return { ...score, ...wilson(Math.round(estimate * count), count) }
}
