/** `descent compare A B`: two runs on the test examples that both have, by the paired bootstrap. */

import { UserError } from '../errors.ts'
import { type PairedComparison, pairedBootstrap } from '../evaluation/bootstrap.ts'
import { partOf } from '../evaluation/evaluate.ts'
import type { Project } from '../project/project.ts'
import { findSnapshot } from '../versioning/snapshot.ts'
import type { Split } from '../versioning/split.ts'
import { type Contender, contenderNumbered, figureOf, judgedSplit, partFor, strataOf } from './contender.ts'

export interface RunComparison extends PairedComparison {
  readonly runs: readonly [ComparedRun, ComparedRun]
  readonly figure: 'accuracy' | 'R²'
  readonly split: Split
  /** Examples that both were judged by. */
  readonly examples: number
  /** Those of either that the other has not in that split, or with another label. */
  readonly leftOut: number
  /** Of classes: examples that only the first, or only the second, has right; null for numbers. */
  readonly onlyRight: readonly [number, number] | null
}

export type ComparedRun = Pick<Contender, 'number' | 'kind' | 'name' | 'costs'>

/**
 * Compares two runs, networks or baselines, by their numbers. Both are judged by the examples that are in the test set of
 * both (validation, where there is no test set), and have the same label in both.
 *
 * @throws {UserError} where either does not exist, is not done, or they have no such example in common
 */
export async function compareRuns(
  project: Project,
  a: number,
  b: number,
  { seed = 1 }: { readonly seed?: number } = {},
): Promise<RunComparison> {
  if (a === b) throw new UserError(`Run ${a} is the same as itself: name two different runs.`)
  const [first, second] = [await contenderNumbered(project, a), await contenderNumbered(project, b)]
  const [ofFirst, ofSecond] = [
    await findSnapshot(project, first.snapshot),
    await findSnapshot(project, second.snapshot),
  ]
  const { task, classes } = ofFirst
  if (task !== ofSecond.task || classes.join('\n') !== ofSecond.classes.join('\n'))
    throw new UserError(
      `Runs ${a} and ${b} predict different things: snapshot ${ofFirst.number} has ${meaning(ofFirst)}, snapshot ${ofSecond.number} ${meaning(ofSecond)}.`,
    )
  const split = judgedSplit(first.predictions)
  const [own, other] = [partOf(first.predictions, split), partOf(second.predictions, split)]
  const labels = new Map(Array.from(other.examples, (example, i) => [example, other.labels[i]]))
  const examples = own.examples.filter((example, i) => labels.get(example) === own.labels[i])
  if (examples.length === 0)
    throw new UserError(
      `Runs ${a} and ${b} have no ${split} example in common: train one of them on the snapshot of the other.`,
    )
  const parts = [partFor(first, split, examples), partFor(second, split, examples)] as const
  const statistics = parts.map((part) => figureOf(part, ofFirst))
  const [x, y] = statistics as [(typeof statistics)[0], (typeof statistics)[0]]
  const one = (i: number, statistic: typeof x) => statistic(Int32Array.of(i)) === 1
  const only = (better: typeof x, worse: typeof x) =>
    examples.reduce((sum, _, i) => sum + Number(one(i, better) && !one(i, worse)), 0)
  return {
    ...pairedBootstrap(examples.length, x, y, { seed, ...strataOf(parts[0], ofFirst) }),
    runs: [first, second],
    figure: task === 'class' ? 'accuracy' : 'R²',
    split,
    examples: examples.length,
    leftOut: own.examples.length + other.examples.length - 2 * examples.length,
    onlyRight: task === 'class' ? [only(x, y), only(y, x)] : null,
  }
}

function meaning({ task, classes }: { task: 'class' | 'number'; classes: readonly string[] }): string {
  return task === 'number' ? 'numbers' : `the classes ${classes.join(', ')}`
}
