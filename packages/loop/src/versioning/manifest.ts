/**
 * What a snapshot is, as text: a first line with the meaning of the data, then one line an example (id, split, label), in the
 * order of the ids. Its SHA-256 is the snapshot's name: the same content has the same name on any machine.
 */
import { UserError } from '../errors.ts'
import type { LabelValue } from '../labeling/events.ts'
import type { Kind } from '../project/config.ts'
import type { Split } from './split.ts'

export interface ManifestHead {
  readonly kind: Kind
  readonly task: 'class' | 'number'
  /** In the order of the network's outputs; empty for numbers. */
  readonly classes: readonly string[]
  readonly columns: readonly SnapshotColumn[]
}

export interface SnapshotColumn {
  readonly name: string
  readonly type: 'number' | 'category' | 'text' | 'date' | 'boolean'
}

export interface ManifestEntry {
  readonly id: string
  readonly split: Split
  readonly label: LabelValue
}

const format = 'descent snapshot 1'
const letters: Record<Split, string> = { train: 'T', validation: 'V', test: 'X' }
const splits: Record<string, Split> = { T: 'train', V: 'validation', X: 'test' }

export function encodeManifest(head: ManifestHead, entries: readonly ManifestEntry[]): string {
  const { kind, task, classes, columns } = head
  const lines = entries.map(({ id, split, label }) => `${id} ${letters[split]} ${JSON.stringify(label)}\n`).sort()
  return `${format}\n${JSON.stringify({ kind, task, classes, columns })}\n${lines.join('')}`
}

export function decodeManifest(text: string): { head: ManifestHead; entries: ManifestEntry[] } {
  const lines = text.split('\n')
  if (lines[0] !== format)
    throw new UserError(`This is no snapshot that this program knows: it begins with '${lines[0]}'.`)
  const entries = lines.slice(2, -1).map((line) => ({
    id: line.slice(0, 32),
    split: splits[line[33] as string] as Split,
    label: JSON.parse(line.slice(35)) as LabelValue,
  }))
  return { head: JSON.parse(lines[1] as string) as ManifestHead, entries }
}
