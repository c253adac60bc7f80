/**
 * What the gate judges by: the test set, and traffic of late about which someone has said what is true. Neither has an
 * example that one of the two models was trained on or stopped by: feedback becomes labels, and a model that has seen the
 * answers would win.
 */
import type { LabelValue } from '../labeling/events.ts'
import type { Project } from '../project/project.ts'
import { type Content, decodeContent } from '../store/content.ts'
import { readExamples } from '../store/examples.ts'
import { findRun } from '../training/run.ts'
import { readSnapshot, type Snapshot, type SnapshotEntry } from '../versioning/snapshot.ts'
import type { Version } from './version.ts'

export interface JudgeExample {
  readonly content: Content
  readonly label: LabelValue
}

/** The snapshots of the versions, the newest first. */
export interface Background {
  readonly snapshots: readonly Snapshot[]
  /** The test examples of the newest, but those that another of the versions has learned from. */
  readonly test: readonly SnapshotEntry[]
  /** The ids of all examples that any of the versions has learned from. */
  readonly learned: ReadonlySet<string>
}

export async function backgroundOf(project: Project, versions: readonly Version[]): Promise<Background> {
  const hashes = new Set<string>()
  for (const { run } of versions) hashes.add((await findRun(project, run)).snapshot)
  const all = await Promise.all(Array.from(hashes, (hash) => readSnapshot(project, hash)))
  all.sort((a, b) => b.snapshot.number - a.snapshot.number)
  const learned = new Set<string>()
  for (const { entries } of all) for (const { id, split } of entries) if (split !== 'test') learned.add(id)
  const test = (all[0]?.entries ?? []).filter(({ id, split }) => split === 'test' && !learned.has(id))
  return { snapshots: all.map(({ snapshot }) => snapshot), test, learned }
}

/** The test examples with their contents, without holding all of them. */
export async function* testExamples(project: Project, { test }: Background): AsyncGenerator<JudgeExample> {
  let at = 0
  const numbers = test.map(({ number }) => number)
  for await (const { content } of readExamples(project.store, numbers))
    yield { content, label: (test[at++] as SnapshotEntry).label }
}

/** At most so many of the newest answered requests with feedback. */
const mostTraffic = 1000

/** Each content once, with what was said about it last. */
export async function trafficExamples({ store }: Project, { learned }: Background): Promise<JudgeExample[]> {
  const rows = await store.db
    .selectFrom('feedback')
    .innerJoin('prediction', 'prediction.id', 'feedback.prediction')
    .select(['prediction.content', 'prediction.media', 'prediction.body', 'feedback.value'])
    .where('prediction.body', 'is not', null)
    .where('prediction.role', '!=', 'shadow')
    .orderBy('feedback.number', 'desc')
    .limit(4 * mostTraffic)
    .execute()
  const found = new Map<string, JudgeExample>()
  for (const { content, media, body, value } of rows) {
    if (found.size >= mostTraffic) break
    if (body === null || learned.has(content) || found.has(content)) continue
    const label = JSON.parse(value) as LabelValue
    found.set(content, { content: decodeContent({ media, body }), label })
  }
  return [...found.values()]
}
