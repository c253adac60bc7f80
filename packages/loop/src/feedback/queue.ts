/**
 * The labelling queue: examples that a person should look at next, each with its reason. An example stands in it once; a
 * label, whoever gives it, answers it.
 */
import { presentEvents } from '../labeling/events.ts'
import type { Store } from '../store/store.ts'
import type { Tables } from '../store/tables.ts'
import { inPortions } from './traffic-examples.ts'

export type QueueReason = Tables['queued']['reason']

export interface ToQueue {
  readonly example: number
  readonly reason: QueueReason
  readonly detail: string
  /** Larger comes first, within a reason. */
  readonly score: number
  readonly prediction?: string | null
  readonly alarm?: number | null
}

export interface Queued extends ToQueue {
  readonly number: number
  readonly at: string
}

/** Puts these into the queue, but those that wait in it already or that a person has labelled. How many were put. */
export async function queueExamples(store: Store, items: readonly ToQueue[]): Promise<number> {
  const labelled = await labelledByPersons(store)
  return store.transaction(async (db) => {
    const open = await db.selectFrom('queued').select('example').where('closed_at', 'is', null).execute()
    const out = new Set([...open.map(({ example }) => example), ...labelled.keys()])
    const at = new Date().toISOString()
    let count = 0
    for (const { example, reason, detail, score, prediction = null, alarm = null } of items) {
      if (out.has(example)) continue
      out.add(example)
      await db.insertInto('queued').values({ example, reason, detail, score, at, prediction, alarm }).execute()
      count++
    }
    return count
  })
}

/** What waits, by reasons in turn, the highest score of each first: whoever stops early has seen some of each. */
export async function openQueue(store: Store): Promise<Queued[]> {
  await closeAnswered(store)
  const rows = await store.db
    .selectFrom('queued')
    .select(['number', 'example', 'reason', 'detail', 'score', 'at', 'prediction', 'alarm'])
    .where('closed_at', 'is', null)
    .orderBy('score', 'desc')
    .orderBy('number')
    .execute()
  const byReason = [...Map.groupBy(rows, ({ reason }) => reason).values()]
  const longest = Math.max(0, ...byReason.map((group) => group.length))
  return Array.from({ length: longest }, (_, i) => byReason.flatMap((group) => group.slice(i, i + 1))).flat()
}

/** Closes what a person has labelled since it was put into the queue, or whose content was forgotten. How many. */
export async function closeAnswered(store: Store): Promise<number> {
  const labelled = await labelledByPersons(store)
  const open = await store.db
    .selectFrom('queued')
    .leftJoin('forgotten', 'forgotten.example', 'queued.example')
    .select(['queued.number', 'queued.example', 'forgotten.at as forgotten'])
    .where('closed_at', 'is', null)
    .execute()
  const answered = open.filter(({ example, forgotten }) => labelled.has(example) || forgotten !== null)
  if (answered.length === 0) return 0
  const now = new Date().toISOString()
  await store.transaction(async (db) => {
    for (const { number, example } of answered)
      await db
        .updateTable('queued')
        .set({ closed_at: now, label: labelled.get(example) ?? null })
        .where('number', '=', number)
        .execute()
  })
  return answered.length
}

/** The numbers of examples on which a person's word stands, with that event. */
async function labelledByPersons(store: Store): Promise<Map<number, number>> {
  const events = await presentEvents(store)
  return new Map(events.flatMap(({ example, number, kind }) => (kind === 'person' ? [[example, number] as const] : [])))
}

/** Which of these examples nobody has labelled yet: no person, no file. */
export async function unlabelled(store: Store, examples: readonly number[]): Promise<number[]> {
  const said = await inPortions(examples, (numbers) =>
    store.db
      .selectFrom('label')
      .innerJoin('labeler', 'labeler.name', 'label.labeler')
      .leftJoin('label as undo', 'undo.undoes', 'label.number')
      .select('label.example')
      .where('label.example', 'in', numbers)
      .where('label.value', 'is not', null)
      .where('undo.number', 'is', null)
      .where('labeler.kind', 'in', ['person', 'file'])
      .execute(),
  )
  const out = new Set(said.map(({ example }) => example))
  return examples.filter((example) => !out.has(example))
}
