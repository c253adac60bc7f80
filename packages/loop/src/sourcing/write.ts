/**
 * Puts batches into the store, each in one transaction together with what the import has found so far: after a kill the
 * import is exactly where the last transaction left it.
 */
import { appendLabel } from '../labeling/events.ts'
import { mostInline } from '../store/content.ts'
import type { Store } from '../store/store.ts'
import type { Batch, Reject } from './batch.ts'
import { keepCounts } from './begin.ts'
import { type Counts, found, mostShown } from './counts.ts'
import type { Plan } from './plan-table.ts'
import { appendRejects } from './reject-file.ts'
import { SeenNumbers } from './seen.ts'
import { type ExampleHead, type ExampleRow, type LabelRow, type Said, writeStatements } from './write-statements.ts'

/** With more different labels than this, they are not counted one by one. */
const mostClasses = 1000

export interface WriterOptions {
  readonly store: Store
  readonly importId: number
  readonly fields: Plan['fields']
  readonly labeler: string
  readonly split: string | null
  readonly rejectFile: string
}

export class Writer {
  readonly counts: Counts
  readonly #options: WriterOptions
  readonly #statements: ReturnType<typeof writeStatements>
  /** Examples that were there before this import and that it has met. */
  readonly #seen = new SeenNumbers()
  #fieldsWritten = false

  constructor(options: WriterOptions, counts: Counts) {
    this.counts = counts
    this.#options = options
    this.#statements = writeStatements(options.store)
  }

  /** Keeps a batch. Where an earlier process of this import has kept it already, only remembers what it has met. */
  async write(batch: Batch): Promise<void> {
    if (batch.rows === 0) return
    const { counts } = this
    const last = Math.max(batch.places.at(-1) ?? 0, batch.rejects.at(-1)?.place ?? 0)
    if (last <= counts.place) {
      if (counts.present > 0) this.#remember(batch)
      return
    }
    const { store, importId, rejectFile } = this.#options
    const next: Counts = structuredClone(counts)
    const rejects = batch.rejects.filter(({ place }) => place > counts.place)
    const files = await this.#putLarge(batch)
    next.rejectBytes = await appendRejects(rejectFile, counts.rejectBytes, rejects)
    await store.transaction(async (db) => {
      if (!this.#fieldsWritten && this.#options.fields.length > 0) {
        await db
          .insertInto('field')
          .values([...this.#options.fields])
          .onConflict((conflict) => conflict.column('name').doNothing())
          .execute()
      }
      this.#fieldsWritten = true
      this.#insert(batch, next, files)
      addFindings(next, batch, rejects)
      if (next.classes && Object.keys(next.classes).length > mostClasses) next.classes = null
      next.place = last
      next.beat = Date.now()
      await keepCounts(db, importId, next)
    })
    Object.assign(counts, next)
  }

  /** Keeps only the bad rows of a batch, of which there are too many. */
  async reject({ rejects, rows }: Batch): Promise<void> {
    const { counts } = this
    const fresh = rejects.filter(({ place }) => place > counts.place)
    counts.rejectBytes = await appendRejects(this.#options.rejectFile, counts.rejectBytes, fresh)
    counts.rows += rows
    counts.bad += fresh.length
    counts.rejects.push(...fresh.slice(0, mostShown - counts.rejects.length).map(shortened))
  }

  /** Files for contents that are too large for the database, by their position in the batch. */
  async #putLarge(batch: Batch): Promise<ReadonlyMap<number, string>> {
    const files = new Map<number, string>()
    for (let i = 0; i < batch.ids.length; i++) {
      const from = batch.starts[i] as number
      const to = batch.ends[i] as number
      if (to - from > mostInline) files.set(i, await this.#options.store.files.put(batch.bodies.subarray(from, to)))
    }
    return files
  }

  #insert(batch: Batch, next: Counts, files: ReadonlyMap<number, string>): void {
    const { store, importId, split, labeler } = this.#options
    const { insert, label: insertLabel } = this.#statements
    const at = new Date().toISOString()
    const again: number[] = []
    const group: ExampleRow[] = []
    const members: number[] = []
    const labels: LabelRow[] = []
    const flush = (): void => {
      const numbers = new Map(store.runBulk(insert, group).map(({ id, number }) => [id, number]))
      for (const i of members) {
        const id = batch.ids[i] as string
        const number = numbers.get(id)
        if (number === undefined) {
          again.push(i)
          continue
        }
        // The same content a second time in this group is a duplicate of the first.
        numbers.delete(id)
        next.added++
        next.from = next.from === 0 ? number : Math.min(next.from, number)
        next.to = Math.max(next.to, number)
        const label = batch.labels?.[i] ?? null
        if (label === null) continue
        labels.push({ example: number, value: JSON.stringify(label), labeler, at, import_id: importId })
        countClass(next, label)
      }
      group.length = 0
      members.length = 0
    }
    for (const i of batch.order ?? batch.ids.keys()) {
      const place = batch.places[i] as number
      if (place <= this.counts.place) continue
      next.rows++
      const from = batch.starts[i] as number
      const to = batch.ends[i] as number
      const file = files.get(i) ?? null
      members.push(i)
      group.push({
        id: batch.ids[i] as string,
        media: typeof batch.medias === 'string' ? batch.medias : (batch.medias[i] as string),
        body: file === null ? batch.bodies.subarray(from, to) : null,
        file,
        bytes: to - from,
        import_id: importId,
        place,
        name: batch.names?.[i] ?? null,
        group_key: batch.groups?.[i] ?? null,
        time_key: batch.times?.[i] ?? null,
        given_split: split,
      })
      if (group.length === insert.size) flush()
    }
    flush()
    store.runBulk(insertLabel, labels)
    next.labels += labels.length
    this.#again(
      batch,
      again.sort((a, b) => (batch.places[a] as number) - (batch.places[b] as number)),
      next,
      at,
    )
  }

  /** Rows, by their position in the batch, whose content the project has already. */
  #again(batch: Batch, positions: readonly number[], next: Counts, at: string): void {
    const { store, importId, split, labeler } = this.#options
    const heads = this.#find(positions.map((i) => batch.ids[i] as string))
    const said = batch.labels ? this.#said(heads) : new Map<number, string | number>()
    for (const i of positions) {
      const id = batch.ids[i] as string
      const place = batch.places[i] as number
      const example = heads.get(id) as ExampleHead
      const repeated = example.import_id === importId || this.#seen.has(example.number)
      if (repeated) next.repeated++
      else {
        next.present++
        this.#seen.add(example.number)
      }
      const given = example.frozen_at === null ? example.given_split : 'test (frozen)'
      if (split !== null && given !== null && !given.startsWith(split) && !repeated)
        found(next.splitConflicts, { id, place, kept: given, other: split })
      const label = batch.labels?.[i] ?? null
      if (label === null) continue
      const before = said.get(example.number)
      if (before === label) {
        if (!repeated) countClass(next, label)
        continue
      }
      // Within one import the first word counts; what a later import says replaces what an earlier one said.
      if (before !== undefined && repeated) {
        found(next.contradictions, { id, place, kept: before, other: label })
        continue
      }
      appendLabel(store, { example: example.number, value: label, labeler, at, importId })
      said.set(example.number, label)
      next.labels++
      countClass(next, label)
      if (before !== undefined) next.relabeled++
    }
  }

  #find(ids: readonly string[]): Map<string, ExampleHead> {
    const rows = [...new Set(ids)].map((id) => ({ id }))
    return new Map(this.#options.store.runBulk(this.#statements.find, rows).map((head) => [head.id, head]))
  }

  /** The labeler's latest word on each example. */
  #said(heads: ReadonlyMap<string, ExampleHead>): Map<number, string | number> {
    const { store, labeler } = this.#options
    const rows = Array.from(heads.values(), ({ number }) => ({ example: number, labeler }))
    const latest = new Map<number, Said>()
    for (const said of store.runBulk(this.#statements.said, rows)) {
      if (said.number > (latest.get(said.example)?.number ?? 0)) latest.set(said.example, said)
    }
    return new Map(Array.from(latest.values(), ({ example, value }) => [example, JSON.parse(value) as string | number]))
  }

  #remember(batch: Batch): void {
    for (const { number, import_id } of this.#find(batch.ids).values())
      if (import_id !== this.#options.importId) this.#seen.add(number)
  }

  /**
   * When all is read: examples that were there get the split that this import names, where they have none, and those that
   * only an unfinished import has brought belong to this one, so that they stay if that one is taken back.
   */
  async finish(): Promise<void> {
    const { store, importId, split } = this.#options
    await store.transaction(async (db) => {
      await keepCounts(db, importId, this.counts)
      const open = await db
        .selectFrom('import')
        .select('id')
        .where('status', '!=', 'done')
        .where('id', '!=', importId)
        .limit(1)
        .executeTakeFirst()
      for (const number of split !== null || open ? this.#seen : []) {
        if (open) store.run(this.#statements.adopt, { number, importId })
        if (split !== null) store.run(this.#statements.giveSplit, { number, split })
      }
    })
  }
}

function addFindings(next: Counts, batch: Batch, rejects: readonly Reject[]): void {
  next.rows += rejects.length
  next.bad += rejects.length
  next.rejects.push(...rejects.slice(0, mostShown - next.rejects.length).map(shortened))
  for (const [c, missing] of batch.missing.entries()) next.missing[c] = (next.missing[c] ?? 0) + missing
  for (const [note, count] of Object.entries(batch.notes)) next.notes[note] = (next.notes[note] ?? 0) + count
}

function shortened(reject: Reject): Reject {
  return { ...reject, original: reject.original.slice(0, 200) }
}

function countClass(next: Counts, label: string | number): void {
  if (next.classes === null) return
  const name = String(label)
  next.classes[name] = (Object.hasOwn(next.classes, name) ? (next.classes[name] as number) : 0) + 1
}
