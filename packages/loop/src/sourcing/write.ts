/**
 * Puts batches into the store, each in one transaction together with what the import has found so far: after a kill the
 * import is exactly where the last transaction left it.
 */
import { appendLabel } from '../labeling/events.ts'
import { bulkStatement, statement, value } from '../store/statement.ts'
import type { Store } from '../store/store.ts'
import type { Batch, Reject } from './batch.ts'
import { type Counts, found, mostShown } from './counts.ts'
import type { Plan } from './plan-table.ts'
import { appendRejects } from './reject-file.ts'
import { SeenNumbers } from './seen.ts'

/** Content beyond this many bytes lies in a file of its own. */
const mostInline = 1 << 16
/** With more different labels than this, they are not counted one by one. */
const mostClasses = 1000

export interface WriterOptions {
  readonly store: Store
  readonly importId: number
  readonly fields: Plan['fields']
  readonly labeler: string
  readonly split: string | null
  readonly rejectPath: string
}

export class Writer {
  readonly counts: Counts
  readonly #options: WriterOptions
  readonly #statements: ReturnType<typeof prepare>
  /** Examples that were there before this import and that it has met. */
  readonly #seen = new SeenNumbers()
  #fieldsWritten = false

  constructor(options: WriterOptions, counts: Counts) {
    this.counts = counts
    this.#options = options
    this.#statements = prepare(options.store)
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
    const { store, importId, rejectPath } = this.#options
    const next: Counts = structuredClone(counts)
    const rejects = batch.rejects.filter(({ place }) => place > counts.place)
    const files = await this.#putLarge(batch)
    next.rejectBytes = await appendRejects(rejectPath, counts.rejectBytes, rejects)
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
      await db
        .updateTable('import')
        .set({
          rows: next.rows,
          added: next.added,
          duplicates: next.repeated + next.present,
          bad: next.bad,
          report: JSON.stringify(next),
        })
        .where('id', '=', importId)
        .execute()
    })
    Object.assign(counts, next)
  }

  /** Keeps only the bad rows of a batch, of which there are too many. */
  async reject({ rejects, rows }: Batch): Promise<void> {
    const { counts } = this
    const fresh = rejects.filter(({ place }) => place > counts.place)
    counts.rejectBytes = await appendRejects(this.#options.rejectPath, counts.rejectBytes, fresh)
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
        const label = batch.labels?.[i] ?? null
        if (label === null) continue
        labels.push({ example: number, value: JSON.stringify(label), labeler, at, import_id: importId })
        countClass(next, label)
      }
      group.length = 0
      members.length = 0
    }
    for (const i of inOrder(batch)) {
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
    const byPlace = (a: number, b: number) => (batch.places[a] as number) - (batch.places[b] as number)
    for (const i of again.sort(byPlace)) {
      this.#again(batch.ids[i] as string, batch.places[i] as number, batch.labels?.[i] ?? null, next, at)
    }
  }

  /** A row whose content the project has already. */
  #again(id: string, place: number, label: string | number | null, next: Counts, at: string): void {
    const { store, importId, split, labeler } = this.#options
    const example = store.run(this.#statements.find, { id }) as ExampleHead
    const repeated = example.import_id === importId || this.#seen.has(example.number)
    if (repeated) next.repeated++
    else {
      next.present++
      this.#seen.add(example.number)
    }
    if (split !== null && example.given_split !== split) {
      if (example.given_split === null) store.run(this.#statements.giveSplit, { number: example.number, split })
      else found(next.splitConflicts, { id, place, kept: example.given_split, other: split })
    }
    if (label === null) return
    const said = store.run(this.#statements.said, { example: example.number, labeler })
    const before = said ? (JSON.parse(said.value) as string | number) : null
    if (before === label) {
      if (!repeated) countClass(next, label)
      return
    }
    // Within one import the first word counts; what a later import says replaces what an earlier one said.
    if (before !== null && repeated) {
      found(next.contradictions, { id, place, kept: before, other: label })
      return
    }
    appendLabel(store, { example: example.number, value: label, labeler, at, importId })
    next.labels++
    countClass(next, label)
    if (before !== null) next.relabeled++
  }

  #remember(batch: Batch): void {
    for (const id of batch.ids) {
      const example = this.#options.store.run(this.#statements.find, { id })
      if (example && example.import_id !== this.#options.importId) this.#seen.add(example.number)
    }
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

interface ExampleHead {
  readonly number: number
  readonly import_id: number
  readonly given_split: string | null
}

interface ExampleRow {
  readonly id: string
  readonly media: string
  readonly body: Uint8Array | null
  readonly file: string | null
  readonly bytes: number
  readonly import_id: number
  readonly place: number
  readonly name: string | null
  readonly group_key: string | null
  readonly time_key: string | null
  readonly given_split: string | null
}

const exampleColumns = [
  'id',
  'media',
  'body',
  'file',
  'bytes',
  'import_id',
  'place',
  'name',
  'group_key',
  'time_key',
  'given_split',
] as const

interface LabelRow {
  readonly example: number
  readonly value: string
  readonly labeler: string
  readonly at: string
  readonly import_id: number
}

/** With this many examples the index of ids is large: examples in the order of their ids change fewer of its pages. */
const manyExamples = 5000

/** The batch's positions in the order in which they are inserted; of equal ids the first in the file comes first. */
function inOrder({ ids }: Batch): Iterable<number> {
  if (ids.length < manyExamples) return ids.keys()
  const order = Uint32Array.from(ids.keys())
  return order.sort((a, b) => ((ids[a] as string) < (ids[b] as string) ? -1 : ids[a] === ids[b] ? a - b : 1))
}

function prepare({ db }: Store) {
  return {
    insert: bulkStatement<ExampleRow, { number: number; id: string }>(exampleColumns, (rows) =>
      db
        .insertInto('example')
        .values(rows)
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning(['number', 'id']),
    ),
    label: bulkStatement<LabelRow>(['example', 'value', 'labeler', 'at', 'import_id'], (rows) =>
      db.insertInto('label').values(rows),
    ),
    find: statement<{ id: string }, ExampleHead>(
      db.selectFrom('example').select(['number', 'import_id', 'given_split']).where('id', '=', value<string>('id')),
    ),
    said: statement<{ example: number; labeler: string }, { value: string }>(
      db
        .selectFrom('label')
        .select('value')
        .where('example', '=', value<number>('example'))
        .where('labeler', '=', value<string>('labeler'))
        .where('value', 'is not', null)
        .orderBy('number', 'desc')
        .limit(1),
    ),
    giveSplit: statement<{ number: number; split: string }>(
      db
        .updateTable('example')
        .set({ given_split: value<string>('split') })
        .where('number', '=', value<number>('number')),
    ),
  }
}
