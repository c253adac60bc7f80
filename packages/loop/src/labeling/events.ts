/**
 * Labels as events: given, and taken back, never overwritten. The present label of an example is derived from them.
 *
 * What holds: of one labeler's events on an example the latest that was not taken back counts; a person's word counts before
 * a file's, and a file's before a rule's or a model's; of several persons the most, at a tie the latest.
 */
import type { Transaction } from 'kysely'
import { UserError } from '../errors.ts'
import { type Statement, statement, value } from '../store/statement.ts'
import type { Store } from '../store/store.ts'
import type { Tables } from '../store/tables.ts'

/** A class's name, or a number. */
export type LabelValue = string | number

export type LabelerKind = Tables['labeler']['kind']

export interface LabelEvent {
  /** The example's number. */
  readonly example: number
  readonly value: LabelValue
  readonly labeler: string
  /** ISO 8601; now, where not given. */
  readonly at?: string
  readonly seconds?: number | null
  readonly prediction?: string | null
  readonly importId?: number | null
}

/** The present label of one example. */
export interface PresentLabel {
  readonly value: LabelValue
  /** Who says so. */
  readonly labelers: readonly string[]
  /** Who says something else. */
  readonly against: readonly string[]
  /** The number of the latest event that counts. */
  readonly event: number
}

/** Makes the labeler known, where it is not yet. */
export async function addLabeler(
  db: Transaction<Tables> | Store['db'],
  name: string,
  kind: LabelerKind,
): Promise<void> {
  if (name.trim() === '') throw new UserError('A labeler needs a name.')
  await db
    .insertInto('labeler')
    .values({ name, kind, created_at: new Date().toISOString() })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
}

interface Row {
  readonly example: number
  readonly value: string
  readonly labeler: string
  readonly at: string
  readonly seconds: number | null
  readonly prediction: string | null
  readonly import_id: number | null
}

const inserts = new WeakMap<Store, Statement<Row, { number: number }>>()

/** Appends an event and gives its number. Only within `store.transaction`; the labeler must be known. */
export function appendLabel(store: Store, event: LabelEvent): number {
  let insert = inserts.get(store)
  if (!insert) {
    insert = statement<Row, { number: number }>(
      store.db
        .insertInto('label')
        .values({
          example: value<number>('example'),
          value: value<string>('value'),
          labeler: value<string>('labeler'),
          at: value<string>('at'),
          seconds: value<number | null>('seconds'),
          prediction: value<string | null>('prediction'),
          undoes: null,
          import_id: value<number | null>('import_id'),
        })
        .returning('number'),
    )
    inserts.set(store, insert)
  }
  const { example, labeler, at = new Date().toISOString(), seconds = null, prediction = null, importId = null } = event
  const row = { example, value: JSON.stringify(event.value), labeler, at, seconds, prediction, import_id: importId }
  return (store.run(insert, row) as { number: number }).number
}

/** Takes back an event, by an event of its own. */
export async function retractLabel(db: Transaction<Tables> | Store['db'], number: number): Promise<void> {
  const event = await db
    .selectFrom('label')
    .select(['example', 'labeler', 'value'])
    .where('number', '=', number)
    .executeTakeFirst()
  if (event?.value == null) throw new UserError(`There is no label event ${number}.`)
  await db
    .insertInto('label')
    .values({
      example: event.example,
      labeler: event.labeler,
      value: null,
      at: new Date().toISOString(),
      undoes: number,
    })
    .execute()
}

/** The present labels of all examples, by example number, as they were after the event `until` (now, where not given). */
export async function presentLabels(store: Store, until?: number): Promise<Map<number, PresentLabel>> {
  const kinds = new Map(
    (await store.db.selectFrom('labeler').select(['name', 'kind']).execute()).map((l) => [l.name, l.kind]),
  )
  let query = store.db
    .selectFrom('label')
    .select(['number', 'example', 'value', 'labeler', 'undoes'])
    .orderBy('example')
    .orderBy('number')
  if (until !== undefined) query = query.where('number', '<=', until)
  const labels = new Map<number, PresentLabel>()
  let events: Said[] = []
  const finish = () => {
    const label = events[0] && decide(events, kinds)
    if (label) labels.set((events[0] as Said).example, label)
    events = []
  }
  for (const event of await query.execute()) {
    if (events[0] && events[0].example !== event.example) finish()
    events.push(event)
  }
  finish()
  return labels
}

interface Said {
  readonly number: number
  readonly example: number
  readonly value: string | null
  readonly labeler: string
  readonly undoes: number | null
}

const weight: Record<LabelerKind, number> = { person: 2, file: 1, rule: 0, model: 0 }

/** The label that an example's events come to; null where all were taken back. */
function decide(events: readonly Said[], kinds: ReadonlyMap<string, LabelerKind>): PresentLabel | null {
  const undone = new Set(events.map((event) => event.undoes))
  const latest = new Map<string, Said>()
  for (const event of events) if (event.value !== null && !undone.has(event.number)) latest.set(event.labeler, event)
  if (latest.size === 0) return null
  const rank = (event: Said) => weight[kinds.get(event.labeler) ?? 'model']
  const said = [...latest.values()]
  const highest = Math.max(...said.map(rank))
  const byValue = new Map<string, Said[]>()
  for (const event of said) {
    if (rank(event) === highest)
      byValue.set(event.value as string, [...(byValue.get(event.value as string) ?? []), event])
  }
  const last = (group: readonly Said[]) => Math.max(...group.map(({ number }) => number))
  const [winner] = [...byValue.values()].sort((a, b) => b.length - a.length || last(b) - last(a)) as [Said[]]
  const text = (winner[0] as Said).value as string
  return {
    value: JSON.parse(text) as LabelValue,
    labelers: said.filter((event) => event.value === text).map(({ labeler }) => labeler),
    against: said.filter((event) => event.value !== text).map(({ labeler }) => labeler),
    event: last(winner),
  }
}
