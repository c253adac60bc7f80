/**
 * Examples that wait for a person, each with the reason: suspects of wrong labels, and what others put there. A label that
 * someone gives in a session answers what waits for that example; taken back, it waits again.
 */
import type { Transaction } from 'kysely'
import type { Project } from '../project/project.ts'
import type { Store } from '../store/store.ts'
import type { Tables } from '../store/tables.ts'
import { type PresentEvent, presentEvents } from './events.ts'
import type { Choice } from './queue.ts'

export type QueuedReason = Tables['queued']['reason']

export interface QueuedItem {
  /** The example's number. */
  readonly example: number
  /** The reason in words. */
  readonly detail: string
  /** Larger comes first. */
  readonly score: number
  /** The id of the request that brought it, or JSON: what a model said of it. */
  readonly prediction?: string | undefined
}

export interface ReasonedItem extends QueuedItem {
  readonly reason: QueuedReason
  readonly alarm?: number | undefined
}

/** Adds to what waits, but not what waits already, whatever for, nor what a person has labelled. How many were added. */
export async function addQueued(store: Store, items: readonly ReasonedItem[]): Promise<number> {
  const labelled = await labelledByPersons(store)
  return store.transaction(async (db) => {
    const open = await db.selectFrom('queued').select('example').where('closed_at', 'is', null).execute()
    const out = new Set([...open.map(({ example }) => example), ...labelled.keys()])
    const at = new Date().toISOString()
    let added = 0
    for (const { example, reason, detail, score, prediction = null, alarm = null } of items) {
      if (out.has(example)) continue
      out.add(example)
      await db.insertInto('queued').values({ example, reason, detail, score, at, prediction, alarm }).execute()
      added++
    }
    return added
  })
}

/**
 * Everything that waits and the labeler has not skipped: the reasons in turn, the largest score of each first, so that who
 * stops early has seen some of each.
 */
export async function allWaiting(
  project: Project,
  { labeler, count }: { readonly labeler: string; readonly count: number },
): Promise<Choice[]> {
  await closeAnswered(project.store)
  const groups = await Promise.all(reasons.map((reason) => waiting(project, reason, { labeler, count })))
  const seen = new Set<number>()
  const choices: Choice[] = []
  const longest = Math.max(...groups.map(({ length }) => length))
  for (let i = 0; i < longest; i++)
    for (const [r, group] of groups.entries()) {
      const choice = group[i]
      if (!choice || seen.has(choice.example)) continue
      seen.add(choice.example)
      choices.push({ ...choice, reason: `${reasons[r]}: ${choice.reason}` })
    }
  return choices.slice(0, count)
}

const reasons = [
  'drifted',
  'uncertain',
  'disputed',
  'diverse',
  'random',
  'suspect',
] as const satisfies readonly QueuedReason[]

/** Closes what a person has labelled elsewhere since it was put there (suspects apart: they are labelled as it is), or was forgotten. */
async function closeAnswered(store: Store): Promise<void> {
  const labelled = await labelledByPersons(store)
  const open = await store.db
    .selectFrom('queued')
    .leftJoin('forgotten', 'forgotten.example', 'queued.example')
    .select(['queued.number', 'queued.example', 'queued.reason', 'forgotten.at as forgotten'])
    .where('closed_at', 'is', null)
    .execute()
  const answered = open.filter(
    ({ example, reason, forgotten }) => forgotten !== null || (reason !== 'suspect' && labelled.has(example)),
  )
  if (answered.length === 0) return
  const closed_at = new Date().toISOString()
  await store.transaction(async (db) => {
    for (const { number, example } of answered)
      await db
        .updateTable('queued')
        .set({ closed_at, label: labelled.get(example) ?? null })
        .where('number', '=', number)
        .execute()
  })
}

/** The numbers of examples on which a person's word stands, with that event. */
async function labelledByPersons(store: Store): Promise<Map<number, number>> {
  const events = await presentEvents(store)
  return new Map(events.flatMap(({ example, number, kind }) => (kind === 'person' ? [[example, number] as const] : [])))
}

/** Puts these in place of what waited for this reason before. */
export async function replaceQueued(
  { store }: Project,
  reason: QueuedReason,
  items: readonly QueuedItem[],
): Promise<void> {
  const at = new Date().toISOString()
  await store.transaction(async (db) => {
    await db
      .updateTable('queued')
      .set({ closed_at: at })
      .where('reason', '=', reason)
      .where('closed_at', 'is', null)
      .execute()
    for (const { example, detail, score, prediction = null } of items)
      await db.insertInto('queued').values({ example, reason, detail, score, at, prediction }).execute()
  })
}

/** What waits for this reason and the labeler has not skipped, the largest score first. */
export async function waiting(
  { store }: Project,
  reason: QueuedReason,
  { labeler, count }: { readonly labeler: string; readonly count: number },
): Promise<Choice[]> {
  const rows = await store.db
    .selectFrom('queued')
    .leftJoin('skip', (join) => join.onRef('skip.example', '=', 'queued.example').on('skip.labeler', '=', labeler))
    .select(['queued.example', 'queued.detail', 'queued.prediction'])
    .where('queued.reason', '=', reason)
    .where('queued.closed_at', 'is', null)
    .where('skip.number', 'is', null)
    .orderBy('queued.score', 'desc')
    .orderBy('queued.number')
    .limit(count)
    .execute()
  return rows.map(({ example, detail, prediction }) => ({
    example,
    reason: detail,
    ...(prediction === null ? {} : { prediction }),
  }))
}

/** Examples on which people and files differ and that the labeler has not labelled or skipped: for a further opinion. */
export async function disputed(
  { store }: Project,
  { labeler, count }: { readonly labeler: string; readonly count: number },
): Promise<Choice[]> {
  const skips = await store.db.selectFrom('skip').select('example').where('labeler', '=', labeler).execute()
  const skipped = new Set(skips.map(({ example }) => example))
  const events = (await presentEvents(store)).filter(({ kind }) => kind === 'person' || kind === 'file')
  const choices: Choice[] = []
  for (const [example, said] of Map.groupBy(events, (event) => event.example)) {
    const differ = new Set(said.map(({ value }) => value)).size > 1
    if (!differ || skipped.has(example) || said.some((event) => event.labeler === labeler)) continue
    choices.push({ example, reason: said.map(wordOf).join(', ') })
  }
  return choices.slice(0, count)
}

const wordOf = ({ labeler, value }: PresentEvent) => `${labeler} says ${String(JSON.parse(value))}`

/** The label event answers what waits for its example. */
export async function closeQueued(db: Transaction<Tables>, example: number, event: number): Promise<void> {
  await db
    .updateTable('queued')
    .set({ label: event, closed_at: new Date().toISOString() })
    .where('example', '=', example)
    .where('closed_at', 'is', null)
    .execute()
}

/** What the label event had answered waits again. */
export async function reopenQueued(db: Transaction<Tables>, event: number): Promise<void> {
  await db.updateTable('queued').set({ label: null, closed_at: null }).where('label', '=', event).execute()
}
