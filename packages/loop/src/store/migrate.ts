/**
 * Brings a database to the schema version of this program: forward only, all steps in one transaction, a backup first where
 * there is something to lose. A database from a newer program is left alone.
 */
import type { Kysely, Transaction } from 'kysely'
import { UserError } from '../errors.ts'
import { type ColumnTypes, type Migration, migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

export interface MigrateOptions {
  readonly types: ColumnTypes
  /** What the database is called in messages. */
  readonly name: string
  /** Copies the database to a file whose name says the version; called before a database that exists is changed. */
  readonly backup: (version: number) => Promise<string>
  readonly steps?: readonly Migration[]
}

/** The version that the database had before. */
export async function migrate(db: Kysely<Tables>, options: MigrateOptions): Promise<number> {
  const { types, name, backup, steps = migrations } = options
  const before = await versionOf(db)
  refuseNewer(before, steps.length, name)
  if (before === steps.length) return before
  if (before > 0) await backup(before)
  await db.transaction().execute(async (transaction) => {
    // Another process may have been faster while this one waited.
    const version = await versionOf(transaction)
    refuseNewer(version, steps.length, name)
    if (version === 0) await createMeta(transaction)
    for (const step of steps.slice(version)) await step(transaction, types)
    await transaction
      .updateTable('meta')
      .set({ value: String(steps.length) })
      .where('key', '=', 'schemaVersion')
      .execute()
  })
  return before
}

async function versionOf(db: Kysely<Tables>): Promise<number> {
  const tables = await db.introspection.getTables()
  if (!tables.some((table) => table.name === 'meta')) return 0
  const row = await db.selectFrom('meta').select('value').where('key', '=', 'schemaVersion').executeTakeFirst()
  return Number(row?.value ?? 0)
}

async function createMeta(db: Transaction<Tables>): Promise<void> {
  await db.schema
    .createTable('meta')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute()
  await db.insertInto('meta').values({ key: 'schemaVersion', value: '0' }).execute()
}

function refuseNewer(version: number, known: number, name: string): void {
  if (version > known) {
    throw new UserError(
      `${name} has schema version ${version}, and this program knows versions up to ${known}: it was written by a newer Descent. Use that one, or a copy of the project from before. Nothing was changed.`,
    )
  }
}
