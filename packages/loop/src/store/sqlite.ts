/**
 * SQLite through better-sqlite3: the only file that knows which database it is.
 *
 * What holds: write-ahead log, so that readers never wait; every transaction takes the write lock at its start, so that two
 * writers wait for one another instead of failing half-way; what is committed is on the disk (synchronous = full).
 */
import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import Database from 'better-sqlite3'
import { CompiledQuery, type DatabaseConnection, Kysely, SqliteDialect, SqliteDriver } from 'kysely'
import { UserError } from '../errors.ts'
import { migrate } from './migrate.ts'
import type { ColumnTypes, Migration } from './migrations.ts'
import { type BulkRunner, bulkPlace, type CompiledStatement, type StatementRunner } from './statement.ts'
import type { Tables } from './tables.ts'

/** How long a writer waits for another, in milliseconds. */
const busyTimeout = 30_000

export interface OpenDatabase {
  readonly db: Kysely<Tables>
  readonly statements: StatementRunner
  readonly bulks: BulkRunner
  /** Does work after which nothing that it removed is left in the database's files, overwritten or not. */
  readonly erase: <T>(work: () => Promise<T>) => Promise<T>
  readonly close: () => Promise<void>
}

const types: ColumnTypes = {
  bytes: 'blob',
  integer: 'integer',
  real: 'real',
  counting: (column) => column.primaryKey().autoIncrement(),
}

/** Opens the database at `path`, makes it where it does not exist, and brings it to the present schema. */
export async function openSqlite(path: string, steps?: readonly Migration[]): Promise<OpenDatabase> {
  const connection = connect(path)
  const db = new Kysely<Tables>({ dialect: new ImmediateDialect(connection) })
  const close = () => db.destroy()
  try {
    await migrate(db, {
      types,
      name: `The database ${path}`,
      backup: (version) => backUp(connection, path, version),
      ...(steps && { steps }),
    })
  } catch (error) {
    await close()
    throw explain(error, path)
  }
  return {
    db,
    statements: (statement) => runner(connection, statement),
    bulks: (statement) => bulkRunner(connection, statement),
    erase: async (work) => {
      connection.pragma('secure_delete = on')
      try {
        return await work()
      } finally {
        connection.pragma('secure_delete = off')
        // The write-ahead log still holds pages as they were.
        connection.pragma('wal_checkpoint(truncate)')
      }
    },
    close,
  }
}

function connect(path: string): Database.Database {
  const exists = existsSync(path)
  try {
    const connection = new Database(path, { timeout: busyTimeout })
    // Of a new database: a twelfth faster to fill than with the default's 4,096 bytes.
    connection.pragma('page_size = 16384')
    connection.pragma('journal_mode = wal')
    connection.pragma('synchronous = full')
    connection.pragma('foreign_keys = on')
    connection.pragma('cache_size = -65536')
    // An import changes the same pages again and again: they are written back when the log has reached 256 MB.
    connection.pragma('wal_autocheckpoint = 16384')
    connection.pragma('journal_size_limit = 67108864')
    return connection
  } catch (error) {
    throw exists ? explain(error, path) : error
  }
}

/** What SQLite's error means to a person, where it means something. */
export function explain(error: unknown, path: string): unknown {
  const code = (error as { code?: string } | null)?.code ?? ''
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
    return new UserError(
      `${path} is damaged or no SQLite database: put back a copy (backups lie beside it as ${basename(path)}.before-version-*). Nothing was changed.`,
    )
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return new UserError(
      `Another descent command has been writing to ${path} for ${busyTimeout / 1000} s. Nothing was changed: try again when it has ended.`,
    )
  }
  if (code === 'SQLITE_FULL' || code.startsWith('SQLITE_IOERR_WRITE')) {
    return new UserError(
      `The disk is full: ${path} cannot grow. What was reported as done is kept; make room and run the command again.`,
    )
  }
  if (code.startsWith('SQLITE_READONLY') || code === 'SQLITE_CANTOPEN') {
    return new UserError(`${path} cannot be written: look at the permissions of the folder.`)
  }
  return error
}

async function backUp(connection: Database.Database, path: string, version: number): Promise<string> {
  const copy = `${path}.before-version-${version + 1}`
  await rm(`${copy}.partial`, { force: true })
  await connection.backup(`${copy}.partial`)
  await rename(`${copy}.partial`, copy)
  return copy
}

/** Runs one compiled statement for many values, without making it anew. */
function runner(connection: Database.Database, { sql, order, returns }: CompiledStatement) {
  const prepared = connection.prepare(sql)
  const valuesOf = (row: Record<string, unknown>) =>
    order.map((place) => (place.name === null ? place.value : row[place.name]))
  return (row: Record<string, unknown>): unknown => {
    const values = valuesOf(row)
    if (returns) return prepared.get(...values)
    prepared.run(...values)
    return undefined
  }
}

/** Runs one compiled statement for a group of rows at a time. */
function bulkRunner(connection: Database.Database, { sql, order, returns }: CompiledStatement) {
  const prepared = connection.prepare(sql)
  const places = order.map((place) => (place.name === null ? place : bulkPlace(place.name)))
  const values: unknown[] = new Array(places.length)
  return (rows: readonly Record<string, unknown>[]): unknown[] => {
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as (typeof places)[number]
      values[i] = 'value' in place ? place.value : rows[place[0]]?.[place[1]]
    }
    if (returns) return prepared.all(values)
    prepared.run(values)
    return []
  }
}

class ImmediateDialect extends SqliteDialect {
  readonly #config: { readonly database: Database.Database }

  constructor(database: Database.Database) {
    super({ database })
    this.#config = { database }
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver(this.#config)
  }
}

class ImmediateDriver extends SqliteDriver {
  readonly #database: Database.Database

  constructor(config: { readonly database: Database.Database }) {
    super(config)
    this.#database = config.database
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // Where the disk is full, SQLite has taken the transaction back by itself.
    if (this.#database.inTransaction) await super.rollbackTransaction(connection)
  }
}
