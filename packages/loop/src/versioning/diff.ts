/** What changed between two snapshots: examples added and removed, labels changed (by whom, when), examples moved between splits. */
import { type LabelValue, presentLabels } from '../labeling/events.ts'
import type { Project } from '../project/project.ts'
import { readSnapshot, type Snapshot, type SnapshotEntry } from './snapshot.ts'
import type { Split } from './split.ts'

export interface LabelChange {
  readonly id: string
  readonly before: LabelValue
  readonly after: LabelValue
  /** Who stands behind the label that it has in the later snapshot. */
  readonly by: readonly string[]
  /** When the event that decided was given, in ISO 8601. */
  readonly at: string | null
}

export interface SnapshotDiff {
  readonly from: Snapshot
  readonly to: Snapshot
  readonly added: readonly SnapshotEntry[]
  readonly removed: readonly SnapshotEntry[]
  readonly relabelled: readonly LabelChange[]
  readonly moved: readonly { readonly id: string; readonly before: Split; readonly after: Split }[]
  /** Who gave the labels of the added examples, and how many each. */
  readonly addedBy: ReadonlyMap<string, number>
}

/** Compares two snapshots, given as `findSnapshot` takes them. */
export async function diffSnapshots(project: Project, a: string | number, b: string | number): Promise<SnapshotDiff> {
  const { snapshot: from, entries: before } = await readSnapshot(project, a)
  const { snapshot: to, entries: after } = await readSnapshot(project, b)
  const old = new Map(before.map((entry) => [entry.id, entry]))
  const present = new Set(after.map(({ id }) => id))
  const labels = await presentLabels(project.store, to.lastLabel)
  const times = await timesOf(
    project,
    after.flatMap(({ id, number, label }) => {
      const was = old.get(id)
      return was && was.label !== label ? [labels.get(number)?.event ?? 0] : []
    }),
  )

  const added: SnapshotEntry[] = []
  const relabelled: LabelChange[] = []
  const moved: { id: string; before: Split; after: Split }[] = []
  const addedBy = new Map<string, number>()
  for (const entry of after) {
    const was = old.get(entry.id)
    const label = labels.get(entry.number)
    if (!was) {
      added.push(entry)
      for (const labeler of label?.labelers ?? []) addedBy.set(labeler, (addedBy.get(labeler) ?? 0) + 1)
      continue
    }
    if (was.label !== entry.label) {
      const at = label ? (times.get(label.event) ?? null) : null
      relabelled.push({ id: entry.id, before: was.label, after: entry.label, by: label?.labelers ?? [], at })
    }
    if (was.split !== entry.split) moved.push({ id: entry.id, before: was.split, after: entry.split })
  }
  return { from, to, added, removed: before.filter(({ id }) => !present.has(id)), relabelled, moved, addedBy }
}

async function timesOf({ store }: Project, events: readonly number[]): Promise<Map<number, string>> {
  const times = new Map<number, string>()
  for (let i = 0; i < events.length; i += 1000) {
    const rows = await store.db
      .selectFrom('label')
      .select(['number', 'at'])
      .where('number', 'in', events.slice(i, i + 1000))
      .execute()
    for (const { number, at } of rows) times.set(number, at)
  }
  return times
}
