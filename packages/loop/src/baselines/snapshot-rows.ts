/** A snapshot, or a share of its training examples, as rows and targets for traditional models. */
import { StoppedError, type Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import type { Content } from '../store/content.ts'
import { readExamples } from '../store/examples.ts'
import type { Snapshot, SnapshotEntry } from '../versioning/snapshot.ts'
import { featureBytes, fitRowFeatures, type RowFeatures, rowsOf } from './row-features.ts'
import type { Rows, Targets } from './rows.ts'
import { RowsBuilder } from './rows-builder.ts'

export interface RowSplit {
  readonly entries: readonly SnapshotEntry[]
  readonly x: Rows
  readonly y: Targets
}

export interface SnapshotRows {
  readonly features: RowFeatures
  /** The bytes of what the features have learned. */
  readonly featureBytes: number
  /** What making the training rows took: a part of the training time of each model. */
  readonly seconds: number
  readonly train: RowSplit
  /** Null where the snapshot has no such examples. */
  readonly validation: RowSplit | null
  readonly test: RowSplit | null
}

/** More training examples than this cost much and change little: so many are drawn, by their ids, as each class has them. */
export const MOST_EXAMPLES = 100_000
const CHUNK = 256

/** `training`: the examples to learn from. Throws UserError where there are none, StoppedError where it is stopped. */
export async function snapshotRows(
  project: Project,
  snapshot: Snapshot,
  training: readonly SnapshotEntry[],
  entries: readonly SnapshotEntry[],
  work: Work,
): Promise<SnapshotRows> {
  const began = performance.now()
  const knowledge = { columns: snapshot.columns, config: project.config }
  const contents = contentsOf(project, training, 'reading the training split', work)
  const features = await fitRowFeatures(snapshot.kind, contents, knowledge, { signal: work.signal })
  const split = async (name: string, own: readonly SnapshotEntry[]): Promise<RowSplit> => ({
    entries: own,
    x: await encoded(project, features, own, `measuring the ${name} split`, work),
    y: targetsOf(snapshot, own),
  })
  const train = await split('training', training)
  const seconds = (performance.now() - began) / 1000
  const other = async (name: 'validation' | 'test') => {
    const own = entries.filter((entry) => entry.split === name)
    return own.length > 0 ? split(name, own) : null
  }
  return {
    features,
    featureBytes: featureBytes(features),
    seconds,
    train,
    validation: await other('validation'),
    test: await other('test'),
  }
}

/** Classes by their numbers, or numbers. */
export function targetsOf({ task, classes }: Snapshot, entries: readonly SnapshotEntry[]): Targets {
  if (task === 'number') return { kind: 'numbers', values: Float64Array.from(entries, ({ label }) => Number(label)) }
  const places = new Map(classes.map((name, i) => [name, i]))
  const labels = Int32Array.from(entries, ({ label }) => places.get(String(label)) as number)
  return { kind: 'classes', classes: classes.length, labels }
}

/**
 * A share of the entries, each class's own where labels are classes, at least one of each: by the order of their ids, which
 * are hashes, so that it is as good as by lot, the same at each call, and a smaller share is part of every larger one.
 */
export function shareOf<E extends Pick<SnapshotEntry, 'id' | 'label'>>(
  entries: readonly E[],
  share: number,
  task: 'class' | 'number',
): E[] {
  const groups = Map.groupBy(entries, ({ label }) => (task === 'class' ? String(label) : ''))
  return [...groups.values()].flatMap((group) => {
    const byId = group.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    return byId.slice(0, Math.max(1, Math.round(share * group.length)))
  })
}

async function encoded(
  project: Project,
  features: RowFeatures,
  entries: readonly SnapshotEntry[],
  what: string,
  work: Work,
): Promise<Rows> {
  const builder = new RowsBuilder(entries.length)
  let chunk: Content[] = []
  for await (const content of contentsOf(project, entries, what, work)) {
    chunk.push(content)
    if (chunk.length < CHUNK) continue
    builder.add(await rowsOf(features, chunk))
    chunk = []
  }
  if (chunk.length > 0) builder.add(await rowsOf(features, chunk))
  return builder.rows()
}

async function* contentsOf(
  { store }: Project,
  entries: readonly SnapshotEntry[],
  what: string,
  { onProgress, signal }: Work,
): AsyncGenerator<Content> {
  let done = 0
  const numbers = entries.map(({ number }) => number)
  for await (const { content } of readExamples(store, numbers)) {
    if (++done % CHUNK === 0 || done === entries.length) {
      onProgress?.({ what, done, total: entries.length, unit: 'examples' })
      if (signal?.aborted) throw new StoppedError(`Stopped while ${what}: nothing of it is kept.`)
    }
    yield content
  }
}
