/** What a network learns to give: a class by its number, or a number scaled by the training labels. */
import type { data } from 'descent'
import type { SnapshotEntry } from '../versioning/snapshot.ts'

export type Target =
  | { readonly task: 'class'; readonly classes: readonly string[] }
  /** The network gives (label − center) / scale. */
  | { readonly task: 'number'; readonly center: number; readonly scale: number }

/** @param training the entries of the training split */
export function targetOf(
  task: 'class' | 'number',
  classes: readonly string[],
  training: readonly SnapshotEntry[],
): Target {
  if (task === 'class') return { task, classes }
  const labels = training.map(({ label }) => Number(label))
  const center = labels.reduce((a, b) => a + b, 0) / labels.length
  const scale = Math.sqrt(labels.reduce((sum, label) => sum + (label - center) ** 2, 0) / labels.length) || 1
  return { task, center, scale }
}

/** How many numbers the network gives an example. */
export function outputsOf(target: Target): number {
  return target.task === 'class' ? target.classes.length : 1
}

/** i32 classes [N], or f32 scaled numbers [N, 1]. */
export function encodeTargets(target: Target, entries: readonly SnapshotEntry[]): data.RawArray {
  const n = entries.length
  if (target.task === 'number') {
    const { center, scale } = target
    return { shape: [n, 1], values: Float32Array.from(entries, ({ label }) => (Number(label) - center) / scale) }
  }
  const numbers = new Map(target.classes.map((name, i) => [name, i]))
  return { shape: [n], values: Int32Array.from(entries, ({ label }) => numbers.get(String(label)) as number) }
}
