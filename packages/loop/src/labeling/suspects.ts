/** Labels of a snapshot that are likely wrong, by confident learning; they wait for a person (`descent label --suspects`). */
import type { Project } from '../project/project.ts'
import type { Snapshot } from '../versioning/snapshot.ts'
import { type CrossOptions, crossPredictions } from './cross-predictions.ts'
import { findLabelErrors } from './label-errors.ts'
import { replaceQueued } from './queued.ts'

export interface SuspectLabel {
  /** The example's number. */
  readonly example: number
  readonly id: string
  readonly given: string
  readonly suggested: string
  /** How likely the suggested class is, by a network that has not seen the example. */
  readonly p: number
  /** p of the given class less the largest other: from −1, surely wrong. */
  readonly quality: number
}

export interface Suspects {
  readonly snapshot: Snapshot
  /** Labels that were judged. */
  readonly judged: number
  /** The worst first; without those that a person has looked at since they were suspected before. */
  readonly suspects: readonly SuspectLabel[]
  /** Suspects that a person has looked at before, and that are not named again. */
  readonly looked: number
  /** The share of labels that is wrong, as estimated. */
  readonly errorRate: number
}

/**
 * Trains a network a fold on the snapshot, finds the labels that contradict what networks say that have not seen them, and
 * puts these in place of the suspects that waited before.
 * @throws {UserError} as `crossPredictions` does
 */
export async function findSuspects(project: Project, options: CrossOptions = {}): Promise<Suspects> {
  const { snapshot, entries, labels, probabilities } = await crossPredictions(project, options)
  const { classes } = snapshot
  const found = findLabelErrors({ probabilities, labels, classes: classes.length })
  const answered = await project.store.db
    .selectFrom('queued')
    .select('example')
    .where('reason', '=', 'suspect')
    .where('label', 'is not', null)
    .execute()
  const looked = new Set(answered.map(({ example }) => example))
  const all = found.suspects.map(({ index, given, suggested, quality }): SuspectLabel => {
    const { number, id } = entries[index] as (typeof entries)[0]
    const p = probabilities[index * classes.length + suggested] as number
    return { example: number, id, given: classes[given] as string, suggested: classes[suggested] as string, p, quality }
  })
  const suspects = all.filter(({ example }) => !looked.has(example))
  await replaceQueued(
    project,
    'suspect',
    suspects.map(({ example, given, suggested, p, quality }) => ({
      example,
      detail: `labelled ${given}, looks like ${suggested} (${(100 * p).toFixed(0)} %)`,
      score: -quality,
      prediction: JSON.stringify({ value: suggested, p: Number(p.toFixed(4)) }),
    })),
  )
  return {
    snapshot,
    judged: entries.length,
    suspects,
    looked: all.length - suspects.length,
    errorRate: found.errorRate,
  }
}
