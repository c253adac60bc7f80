/** A split of a snapshot in memory, encoded, as the trainer and the predictions read it. */
import type { data } from 'descent'
import type { Memory } from '../architecture/features/memory.ts'
import { type Features, memoryFor } from '../architecture/features.ts'
import { StoppedError, type Work } from '../progress.ts'
import type { Content } from '../store/content.ts'
import { readExamples } from '../store/examples.ts'
import type { Store } from '../store/store.ts'
import type { SnapshotEntry } from '../versioning/snapshot.ts'
import { encodeTargets, type Target } from './target.ts'

/** Inputs and targets of one split. `read` and `labels` are what the library's loaders ask for. */
export class SplitData implements data.Source {
  readonly entries: readonly SnapshotEntry[]
  readonly length: number
  readonly inputs: Memory
  readonly #targets: data.RawArray

  constructor(entries: readonly SnapshotEntry[], inputs: Memory, target: Target) {
    this.entries = entries
    this.length = entries.length
    this.inputs = inputs
    this.#targets = encodeTargets(target, entries)
  }

  read(places: Int32Array): { readonly x: data.RawArray; readonly y: data.RawArray } {
    const { shape, values } = this.#targets
    const size = shape.length > 1 ? (shape[1] as number) : 1
    const taken = values instanceof Int32Array ? new Int32Array(places.length) : new Float32Array(places.length * size)
    for (const [i, place] of places.entries()) taken[i] = values[place] as number
    return { x: this.inputs.read(places), y: { shape: [places.length, ...shape.slice(1)], values: taken } }
  }

  labels(): Int32Array {
    return Int32Array.from(this.#targets.values)
  }
}

/** Examples are read and encoded so many at a time. */
const CHUNK = 256

/** Reads the contents of these entries and encodes them. */
export async function loadSplit(
  store: Store,
  features: Features,
  target: Target,
  entries: readonly SnapshotEntry[],
  work: Work & { readonly what: string },
): Promise<SplitData> {
  const inputs = memoryFor(features, entries.length)
  let chunk: Content[] = []
  for await (const content of contentsOf(store, entries, work)) {
    chunk.push(content)
    if (chunk.length === CHUNK) {
      await inputs.add(chunk)
      chunk = []
    }
  }
  await inputs.add(chunk)
  return new SplitData(entries, inputs, target)
}

/** The contents of these entries, one after the other. */
export async function* contentsOf(
  store: Store,
  entries: readonly SnapshotEntry[],
  { what, onProgress, signal }: Work & { readonly what: string },
): AsyncGenerator<Content> {
  let done = 0
  for await (const { content } of readExamples(
    store,
    entries.map(({ number }) => number),
  )) {
    if (++done % CHUNK === 0 || done === entries.length) {
      onProgress?.({ what, done, total: entries.length, unit: 'examples' })
      if (signal?.aborted) throw new StoppedError('Stopped while examples were read: nothing was trained yet.')
    }
    yield content
  }
}
