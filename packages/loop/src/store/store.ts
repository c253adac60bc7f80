/** A project's memory: the database and the content-addressed files, behind one object. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Kysely, Transaction } from 'kysely'
import { Files } from './files.ts'
import { explain, type OpenDatabase, openSqlite } from './sqlite.ts'
import type { BulkStatement, CompiledStatement, Statement } from './statement.ts'
import type { Tables } from './tables.ts'

/** The name of the database within `.descent/`. */
const databaseName = 'project.db'

export class Store {
  readonly db: Kysely<Tables>
  readonly files: Files
  /** `.descent/` */
  readonly folder: string
  readonly #database: OpenDatabase
  readonly #prepared = new WeakMap<CompiledStatement, (row: Record<string, unknown>) => unknown>()
  readonly #bulks = new WeakMap<CompiledStatement, (rows: readonly Record<string, unknown>[]) => unknown[]>()

  private constructor(folder: string, database: OpenDatabase) {
    this.folder = folder
    this.#database = database
    this.db = database.db
    this.files = new Files(join(folder, 'files'))
  }

  /** Opens the store in this folder, and makes it where there is none. */
  static async open(folder: string): Promise<Store> {
    await mkdir(join(folder, 'files'), { recursive: true })
    return new Store(folder, await openSqlite(join(folder, databaseName)))
  }

  /**
   * Runs `work` in one transaction that holds the write lock from its start: all of it is kept or nothing.
   * Transactions do not nest.
   */
  async transaction<T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T> {
    try {
      return await this.db.transaction().execute(work)
    } catch (error) {
      throw explain(error, join(this.folder, databaseName))
    }
  }

  /** As `transaction`, and what it removes is overwritten: nothing of it is left in the database's files. */
  async erase<T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T> {
    return this.#database.erase(() => this.transaction(work))
  }

  /** Runs a prepared statement for one row. Only within `transaction`. */
  run<Row extends object, Result>(statement: Statement<Row, Result>, row: Row): Result | undefined {
    let run = this.#prepared.get(statement)
    if (!run) {
      run = this.#database.statements(statement)
      this.#prepared.set(statement, run)
    }
    return run(row as Record<string, unknown>) as Result | undefined
  }

  /** Runs a prepared statement for many rows, a group of them at a time; what it returns for all, in no order. Only within `transaction`. */
  runBulk<Row extends object, Result>(statement: BulkStatement<Row, Result>, rows: readonly Row[]): Result[] {
    const results: Result[] = []
    for (let at = 0; at < rows.length; ) {
      const whole = rows.length - at >= statement.size
      const compiled = whole ? statement.many : statement.one
      let run = this.#bulks.get(compiled)
      if (!run) {
        run = this.#database.bulks(compiled)
        this.#bulks.set(compiled, run)
      }
      const size = whole ? statement.size : 1
      const group = (size === rows.length ? rows : rows.slice(at, at + size)) as readonly Record<string, unknown>[]
      for (const result of run(group)) results.push(result as Result)
      at += size
    }
    return results
  }

  async close(): Promise<void> {
    await this.#database.close()
  }
}
