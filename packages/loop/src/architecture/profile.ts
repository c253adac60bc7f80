/** What is known of a snapshot's data before anything is trained: what defaults are chosen by, and warnings look at. */
import type { Config, Kind } from '../project/config.ts'
import { readExample } from '../store/examples.ts'
import type { Store } from '../store/store.ts'
import type { Snapshot, SnapshotEntry } from '../versioning/snapshot.ts'
import { imageSize } from './features/pixels.ts'

export interface DataProfile {
  readonly kind: Kind
  readonly task: 'class' | 'number'
  /** Examples of each split. */
  readonly train: number
  readonly validation: number
  readonly test: number
  /** In their order; none where the task is a number. */
  readonly classes: readonly string[]
  /** Training examples of each class. */
  readonly counts: readonly number[]
  readonly image: { readonly width: number; readonly height: number; readonly channels: 1 | 3 } | null
}

export async function profileOf(
  store: Store,
  config: Config,
  snapshot: Snapshot,
  entries: readonly SnapshotEntry[],
): Promise<DataProfile> {
  const { kind, task, classes } = snapshot
  const numbers = new Map(classes.map((name, i) => [name, i]))
  const counts = classes.map(() => 0)
  const sizes = { train: 0, validation: 0, test: 0 }
  for (const { split, label } of entries) {
    sizes[split]++
    const at = split === 'train' && task === 'class' ? numbers.get(String(label)) : undefined
    if (at !== undefined) counts[at] = (counts[at] as number) + 1
  }
  const first = kind === 'image' ? entries.find(({ split }) => split === 'train') : undefined
  const content = first ? (await readExample(store, first.number)).content : null
  const image = content?.kind === 'image' ? await imageSize(content, config.image) : null
  return { kind, task, ...sizes, classes, counts, image }
}

/** The most frequent class's training examples for each of the rarest's; 1 where there are no classes. */
export function imbalance({ counts }: Pick<DataProfile, 'counts'>): number {
  const seen = counts.filter((count) => count > 0)
  return seen.length > 1 ? Math.max(...seen) / Math.min(...seen) : 1
}
