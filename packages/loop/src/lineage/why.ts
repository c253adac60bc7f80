/** `descent why`: everything behind one prediction: version, run, recipe, snapshot, and the examples that moved it most. */
import { UserError } from '../errors.ts'
import { inPortions } from '../feedback/traffic-examples.ts'
import type { LabelValue } from '../labeling/events.ts'
import type { Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import { findVersion } from '../registry/version.ts'
import { decodeContent } from '../store/content.ts'
import { findRun } from '../training/run.ts'
import { findSnapshot } from '../versioning/snapshot.ts'
import { type Influence, influences } from './influence.ts'

export interface Why {
  readonly prediction: string
  readonly at: string
  readonly version: number
  readonly run: number
  readonly recipe: { readonly name: string; readonly hash: string }
  readonly snapshot: { readonly number: number; readonly hash: string }
  readonly seed: number
  readonly said: LabelValue
  readonly uncertainty: number | null
  /** What people said about it since. */
  readonly feedback: readonly { readonly value: LabelValue; readonly who: string; readonly at: string }[]
  /** The training examples that moved it most towards what was said, and most against it; the strongest first. */
  readonly towards: readonly Reason[]
  readonly against: readonly Reason[]
  readonly trained: number
}

export interface Reason {
  readonly example: number
  readonly id: string
  readonly label: LabelValue
  readonly score: number
  readonly labelled: readonly { readonly who: string; readonly at: string; readonly value: LabelValue }[]
}

export interface WhyOptions extends Work {
  /** How many reasons each way. Default 10. */
  readonly count?: number | undefined
}

/**
 * Explains a prediction by its id, or the beginning of it.
 * @throws {UserError} where there is none, or its input is no longer kept
 */
export async function why(project: Project, prefix: string, { count = 10, ...work }: WhyOptions = {}): Promise<Why> {
  const { db } = project.store
  const row = await findPrediction(project, prefix)
  if (row.body === null)
    throw new UserError(
      `The input of prediction ${row.id} is no longer kept (retention, or someone asked to forget it), so it cannot be asked again.`,
    )
  const { run: runNumber } = await findVersion(project, row.version)
  const run = await findRun(project, runNumber)
  const snapshot = await findSnapshot(project, run.snapshot)
  const content = decodeContent({ media: row.media, body: row.body })
  const all = await influences(project, runNumber, content, work)
  const sorted = all.toSorted((a, b) => b.score - a.score)
  const towards = sorted.slice(0, count).filter(({ score }) => score > 0)
  const against = sorted
    .toReversed()
    .slice(0, count)
    .filter(({ score }) => score < 0)
  const words = await wordsOn(project, [...towards, ...against], snapshot.lastLabel)
  const reasonOf = ({ entry, score }: Influence): Reason => ({
    example: entry.number,
    id: entry.id,
    label: entry.label,
    score,
    labelled: words.get(entry.number) ?? [],
  })
  const feedback = await db
    .selectFrom('feedback')
    .select(['value', 'who', 'at'])
    .where('prediction', '=', row.id)
    .orderBy('number')
    .execute()
  const output = JSON.parse(row.output) as { label?: string; value?: number }
  return {
    prediction: row.id,
    at: row.at,
    version: row.version,
    run: runNumber,
    recipe: { name: run.name, hash: run.recipeHash },
    snapshot: { number: snapshot.number, hash: snapshot.hash },
    seed: run.seed,
    said: output.label ?? (output.value as number),
    uncertainty: row.uncertainty,
    feedback: feedback.map(({ value, who, at }) => ({ value: JSON.parse(value) as LabelValue, who, at })),
    towards: towards.map(reasonOf),
    against: against.map(reasonOf),
    trained: all.length,
  }
}

async function findPrediction({ store }: Project, prefix: string) {
  if (!/^[0-9a-f-]+$/i.test(prefix))
    throw new UserError(`'${prefix}' is no prediction id: every answer of the server carries one.`)
  const found = await store.db
    .selectFrom('prediction')
    .selectAll()
    .where('id', '>=', prefix)
    .where('id', '<', `${prefix}g`)
    .orderBy('id')
    .limit(2)
    .execute()
  const [first, second] = found
  if (!first)
    throw new UserError(`There is no prediction ${prefix}: it was never logged, or the log no longer keeps it.`)
  if (second) throw new UserError(`Several predictions begin with ${prefix}: write more of the id.`)
  return first
}

/** Who labelled these examples, as the snapshot saw it. */
async function wordsOn({ store }: Project, reasons: readonly Influence[], lastLabel: number) {
  const numbers = reasons.map(({ entry }) => entry.number)
  const rows = await inPortions(numbers, (some) =>
    store.db
      .selectFrom('label')
      .leftJoin('label as undo', 'undo.undoes', 'label.number')
      .select(['label.example', 'label.value', 'label.labeler', 'label.at'])
      .where('label.example', 'in', some)
      .where('label.number', '<=', lastLabel)
      .where('label.value', 'is not', null)
      .where('undo.number', 'is', null)
      .orderBy('label.number')
      .execute(),
  )
  const words = new Map<number, { who: string; at: string; value: LabelValue }[]>()
  for (const { example, value, labeler: who, at } of rows) {
    const said = { who, at, value: JSON.parse(value as string) as LabelValue }
    words.set(example, [...(words.get(example) ?? []), said])
  }
  return words
}
