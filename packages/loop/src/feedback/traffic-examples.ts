/**
 * Requests become examples: what the server was asked is kept as an example like any other, so that a person can label it and
 * a network learn from it. What is an example already stays that one.
 *
 * What must hold: the random slice of the traffic is for judging. The test set is frozen, and examples of that slice come for it,
 * so that no later snapshot has them and accuracy on them is not flattered.
 */
import type { Transaction } from 'kysely'
import type { Project } from '../project/project.ts'
import { mostInline } from '../store/content.ts'
import type { Tables } from '../store/tables.ts'
import { freezeOnce } from './freeze-once.ts'

export interface TrafficExample {
  readonly prediction: string
  /** The example's number. */
  readonly example: number
}

/**
 * Keeps the inputs of these predictions as examples. Left out: predictions that are gone, whose input was removed by retention,
 * or whose content was forgotten on request.
 */
export async function keepTraffic(project: Project, predictions: readonly string[]): Promise<TrafficExample[]> {
  const { store } = project
  const rows = await inPortions(predictions, (ids) =>
    store.db
      .selectFrom('prediction')
      .select(['id', 'at', 'version', 'random', 'content', 'media', 'body'])
      .where('id', 'in', ids)
      .execute(),
  )
  const slice = rows.find(({ random }) => random === 1)
  if (slice) await freezeOnce(project, slice.version)
  const large = new Map<string, string>()
  for (const { id, body } of rows)
    if (body !== null && body.length > mostInline) large.set(id, await store.files.put(body))
  return store.transaction(async (db) => {
    const imports = new Map<number, { id: number; rows: number }>()
    const kept: TrafficExample[] = []
    for (const { id, at, version, random, content, media, body } of rows) {
      const known = await exampleOf(db, content)
      if (known !== null) {
        if (known !== 'forgotten') kept.push({ prediction: id, example: known })
        continue
      }
      if (body === null) continue
      const source = imports.get(version) ?? (await importOf(db, version))
      imports.set(version, source)
      const file = large.get(id) ?? null
      const { number } = await db
        .insertInto('example')
        .values({
          id: content,
          media,
          body: file === null ? body : null,
          file,
          bytes: body.length,
          import_id: source.id,
          place: ++source.rows,
          name: null,
          group_key: null,
          time_key: at,
          given_split: random === 1 ? 'test' : null,
        })
        .returning('number')
        .executeTakeFirstOrThrow()
      kept.push({ prediction: id, example: number })
    }
    for (const { id, rows: examples } of imports.values())
      await db.updateTable('import').set({ rows: examples, added: examples }).where('id', '=', id).execute()
    return kept
  })
}

async function exampleOf(db: Transaction<Tables>, id: string): Promise<number | 'forgotten' | null> {
  const row = await db
    .selectFrom('example')
    .leftJoin('forgotten', 'forgotten.example', 'example.number')
    .select(['example.number', 'forgotten.at'])
    .where('example.id', '=', id)
    .executeTakeFirst()
  if (!row) return null
  return row.at === null ? row.number : 'forgotten'
}

/** All requests that one version answered are one import. */
async function importOf(db: Transaction<Tables>, version: number): Promise<{ id: number; rows: number }> {
  const path = `requests to version ${version}`
  const known = await db
    .selectFrom('import')
    .select(['id', 'rows'])
    .where('format', '=', 'traffic')
    .where('path', '=', path)
    .executeTakeFirst()
  if (known) return known
  const now = new Date().toISOString()
  const counts = { rows: 0, added: 0, duplicates: 0, bad: 0 }
  return db
    .insertInto('import')
    .values({ path, format: 'traffic', options: '{}', started_at: now, finished_at: now, status: 'done', ...counts })
    .returning(['id', 'rows'])
    .executeTakeFirstOrThrow()
}

/** A query for many ids, so many at a time. */
export async function inPortions<Id, Row>(
  ids: readonly Id[],
  query: (ids: readonly Id[]) => Promise<Row[]>,
  size = 500,
): Promise<Row[]> {
  const rows: Row[] = []
  for (let at = 0; at < ids.length; at += size) rows.push(...(await query(ids.slice(at, at + size))))
  return rows
}
