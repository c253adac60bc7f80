/**
 * Labels as events: given, and taken back, never overwritten. The present label of an example is derived from them.
 *
 * What holds: of one labeler's events on an example the latest that was not taken back counts; a person's word counts before
 * a file's, and a file's before a rule's or a model's; of several persons the most, at a tie the latest. An accepted
 * consensus counts before all, until a person or a file labels the example after it.
 */
import type { Transaction } from 'kysely'
import { UserError } from '../errors.ts'
import { type Statement, statement, value } from '../store/statement.ts'
import type { Store } from '../store/store.ts'
import type { Tables } from '../store/tables.ts'

/** A class's name, or a number. */
export type LabelValue = string | number

/** The labeler whose words an accepted consensus is. */
export const consensusName = 'consensus'

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

/** One labeler's present word on one example. */
export interface PresentEvent {
  readonly number: number
  readonly example: number
  /** JSON. */
  readonly value: string
  readonly labeler: string
  readonly kind: LabelerKind
  readonly at: string
  readonly seconds: number | null
}

/** Each labeler's latest event on each example that was not taken back, in order of the examples; as after the event `until`. */
export async function presentEvents({ db }: Store, until?: number): Promise<PresentEvent[]> {
  const last = until ?? Number.MAX_SAFE_INTEGER
  const rows = await db
    .selectFrom('label')
    .innerJoin('labeler', 'labeler.name', 'label.labeler')
    .leftJoin('label as undo', (join) => join.onRef('undo.undoes', '=', 'label.number').on('undo.number', '<=', last))
    .select([
      'label.number',
      'label.example',
      'label.value',
      'label.labeler',
      'labeler.kind',
      'label.at',
      'label.seconds',
    ])
    .where('label.value', 'is not', null)
    .where('label.number', '<=', last)
    .where('undo.number', 'is', null)
    .orderBy('label.example')
    .orderBy('label.number')
    .execute()
  const events: PresentEvent[] = []
  let latest = new Map<string, PresentEvent>()
  let example: number | null = null
  for (const row of rows as PresentEvent[]) {
    if (row.example !== example) {
      events.push(...latest.values())
      latest = new Map()
      example = row.example
    }
    latest.set(row.labeler, row)
  }
  events.push(...latest.values())
  return events
}

/** The number of the latest event; 0 before the first. */
export async function lastEvent(db: Store['db']): Promise<number> {
  const row = await db.selectFrom('label').select(db.fn.max('number').as('number')).executeTakeFirst()
  return Number(row?.number ?? 0)
}

/** Whether another person or a file has labelled the example after the event `since`, and not taken it back. */
export async function isLabelledByOthers(
  db: Store['db'],
  example: number,
  { labeler, since }: { readonly labeler: string; readonly since: number },
): Promise<boolean> {
  const row = await db
    .selectFrom('label')
    .innerJoin('labeler', 'labeler.name', 'label.labeler')
    .leftJoin('label as undo', 'undo.undoes', 'label.number')
    .select('label.number')
    .where('label.example', '=', example)
    .where('label.number', '>', since)
    .where('label.labeler', '!=', labeler)
    .where('labeler.kind', 'in', ['person', 'file'])
    .where('label.value', 'is not', null)
    .where('undo.number', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** The present labels of all examples, by example number, as they were after the event `until` (now, where not given). */
export async function presentLabels(store: Store, until?: number): Promise<Map<number, PresentLabel>> {
  const labels = new Map<number, PresentLabel>()
  let said: PresentEvent[] = []
  const finish = () => {
    const [first] = said
    if (first) labels.set(first.example, decide(said))
    said = []
  }
  for (const event of await presentEvents(store, until)) {
    if (said[0] && said[0].example !== event.example) finish()
    said.push(event)
  }
  finish()
  return labels
}

const weight: Record<LabelerKind, number> = { person: 2, file: 1, rule: 0, model: 0 }

/** The label that the words on one example come to. */
function decide(said: readonly PresentEvent[]): PresentLabel {
  const consensus = said.find(({ labeler, kind }) => labeler === consensusName && kind === 'model')
  if (consensus && !said.some(({ kind, number }) => weight[kind] > 0 && number > consensus.number))
    return present(said, consensus.value, consensus.number)
  const highest = Math.max(...said.map(({ kind }) => weight[kind]))
  const byValue = new Map<string, PresentEvent[]>()
  for (const event of said) {
    if (weight[event.kind] === highest) byValue.set(event.value, [...(byValue.get(event.value) ?? []), event])
  }
  const last = (group: readonly PresentEvent[]) => Math.max(...group.map(({ number }) => number))
  const [winner] = [...byValue.values()].sort((a, b) => b.length - a.length || last(b) - last(a)) as [PresentEvent[]]
  return present(said, (winner[0] as PresentEvent).value, last(winner))
}

function present(said: readonly PresentEvent[], text: string, event: number): PresentLabel {
  return {
    value: JSON.parse(text) as LabelValue,
    labelers: said.filter(({ value }) => value === text).map(({ labeler }) => labeler),
    against: said.filter(({ value }) => value !== text).map(({ labeler }) => labeler),
    event,
  }
}
