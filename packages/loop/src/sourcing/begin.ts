/**
 * The start of an import, and who runs it. One import runs in a project at a time: what one takes back when it fails, another
 * must not have counted on. An import that was killed is known by its process, which is gone, and goes on.
 */
import { randomUUID } from 'node:crypto'
import type { Transaction } from 'kysely'
import { UserError } from '../errors.ts'
import { addLabeler } from '../labeling/events.ts'
import type { Store } from '../store/store.ts'
import type { Tables } from '../store/tables.ts'
import { type Counts, newCounts } from './counts.ts'
import type { Source } from './source.ts'

export interface Begun {
  readonly id: number
  readonly counts: Counts
  readonly resumed: boolean
  readonly notes: readonly string[]
}

export interface BeginOptions {
  /** Of the content. */
  readonly hash: string
  /** What decides how the content is read, as JSON: an import goes on only with the same. */
  readonly settings: string
  readonly columns: number
  /** Whether it is to bring the project's columns, as there were none when it was prepared. */
  readonly bringsFields: boolean
  readonly labeler: { readonly name: string; readonly kind: 'file' | 'person' }
}

/** A process that has kept nothing for this long, in milliseconds, is taken for one that does not run. */
const longestBeat = 2 * 60_000
/** The imports that run in this process, by their token. */
const running = new Set<string>()

/** Goes on with an import of the same content and settings that has not ended, or begins one. */
export async function begin(store: Store, source: Source, options: BeginOptions): Promise<Begun> {
  const { hash, settings, columns, bringsFields, labeler } = options
  return store.transaction(async (db) => {
    const open = await unfinished(db)
    for (const { path, counts } of open) if (isAlive(counts)) throw inUse(path, counts)
    if (bringsFields && (await db.selectFrom('field').select('name').limit(1).executeTakeFirst()))
      throw new UserError(
        'Another command has brought the first rows of this project meanwhile. Nothing was changed: run this one again.',
      )
    await addLabeler(db, labeler.name, labeler.kind)
    const same = open.find((one) => one.hash === hash && one.format === source.format && one.options === settings)
    const counts: Counts = {
      ...(same?.counts ?? newCounts(columns)),
      pid: process.pid,
      token: randomUUID(),
      beat: Date.now(),
    }
    const report = JSON.stringify(counts)
    running.add(counts.token)
    if (same) {
      await db.updateTable('import').set({ status: 'running', report }).where('id', '=', same.id).execute()
      return { id: same.id, counts, resumed: counts.rows > 0, notes: [] }
    }
    const changed = open.filter(({ path, format }) => path === source.path && format === source.format)
    for (const { id } of changed)
      await db.updateTable('import').set({ content_hash: null }).where('id', '=', id).execute()
    const { id } = await db
      .insertInto('import')
      .values({
        path: source.path,
        format: source.format,
        content_hash: hash,
        options: settings,
        started_at: new Date().toISOString(),
        status: 'running',
        rows: 0,
        added: 0,
        duplicates: 0,
        bad: 0,
        report,
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    const notes = changed.map(
      ({ counts: { rows } }) =>
        `an earlier import of it was stopped after ${rows} rows, which stay; the file or the options have changed, so this one began anew`,
    )
    return { id, counts, resumed: false, notes }
  })
}

/** This process no longer runs the import. */
export function release({ token }: Counts): void {
  running.delete(token)
}

/** Keeps what the import has found; only within a transaction, and only while no other process has taken the import over. */
export async function keepCounts(db: Transaction<Tables>, id: number, counts: Counts): Promise<void> {
  const row = await db.selectFrom('import').select('report').where('id', '=', id).executeTakeFirst()
  const { token } = JSON.parse(row?.report ?? '{}') as Partial<Counts>
  if (token !== counts.token)
    throw new UserError('Another command has gone on with this import. Nothing is lost: what it reports is the whole.')
  const { rows, added, repeated, present, bad } = counts
  await db
    .updateTable('import')
    .set({ rows, added, duplicates: repeated + present, bad, report: JSON.stringify(counts) })
    .where('id', '=', id)
    .execute()
}

async function unfinished(db: Transaction<Tables>) {
  const rows = await db
    .selectFrom('import')
    .select(['id', 'path', 'format', 'options', 'content_hash as hash', 'report'])
    .where('status', 'in', ['running', 'stopped'])
    .where('content_hash', 'is not', null)
    .orderBy('id', 'desc')
    .execute()
  return rows.map(({ report, ...row }) => ({ ...row, counts: JSON.parse(report ?? '{}') as Counts }))
}

function isAlive({ pid, token, beat }: Counts): boolean {
  if (pid === process.pid) return running.has(token)
  if (Date.now() - beat > longestBeat) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function inUse(path: string, { pid }: Counts): UserError {
  return new UserError(
    `Another command is importing ${path} into this project (process ${pid}): wait until it has ended, or stop it. Nothing was changed.`,
  )
}
