/**
 * A statement that is compiled once and run for many rows: for imports, where building a query for every row would cost more
 * than running it. The query is written with kysely like any other, with `value('name')` where the row's values go.
 *
 * ```text
 * const insert = statement<{ id: string }, { number: number }>(
 *   db.insertInto('example').values({ id: value('id'), … }).returning('number'))
 * await store.transaction(async () => { for (const row of rows) store.run(insert, row) })
 * ```
 */
import type { CompiledQuery } from 'kysely'

interface Compilable {
  compile(): CompiledQuery
}

/** Where a value goes: named by the row, or always the same. */
type Place = { readonly name: string } | { readonly name: null; readonly value: unknown }

export interface CompiledStatement {
  readonly sql: string
  readonly order: readonly Place[]
  /** Whether it gives back a row. */
  readonly returns: boolean
}

export interface Statement<Row, Result> extends CompiledStatement {
  /** Only for the types. */
  readonly row?: Row
  readonly result?: Result
}

/** What a database gives: a function that runs the statement for one row. */
export type StatementRunner = (statement: CompiledStatement) => (row: Record<string, unknown>) => unknown

class Named {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** Stands for the row's value of this name. */
export function value<T>(name: string): T {
  return new Named(name) as T
}

/** Compiles a query in which `value(name)` stands for the row's values. */
export function statement<Row extends object, Result = undefined>(query: Compilable): Statement<Row, Result> {
  const { sql, parameters, query: node } = query.compile()
  const order = parameters.map((parameter) =>
    parameter instanceof Named ? { name: parameter.name } : { name: null, value: parameter },
  )
  return {
    sql,
    order,
    returns: node.kind === 'SelectQueryNode' || ('returning' in node && node.returning !== undefined),
  }
}

/** A statement for many rows at once, which costs less a row; compiled for `size` of them, and for one. */
export interface BulkStatement<Row, Result> {
  readonly size: number
  readonly many: CompiledStatement
  readonly one: CompiledStatement
  readonly row?: Row
  readonly result?: Result
}

/**
 * Compiles an insert of many rows: `query` is given rows of placeholders. For each group of rows it gives back what it
 * returns, in no order.
 *
 * ```text
 * const insert = bulkStatement<{ name: string }, { number: number }>(['name'], (rows) =>
 *   db.insertInto('thing').values(rows).returning('number'))
 * await store.transaction(async () => store.runBulk(insert, rows))
 * ```
 */
export function bulkStatement<Row extends object, Result = undefined>(
  names: readonly (keyof Row & string)[],
  query: (rows: Row[]) => Compilable,
  size = 50,
): BulkStatement<Row, Result> {
  const placeholders = (count: number): Row[] =>
    Array.from(
      { length: count },
      (_, r) => Object.fromEntries(names.map((name) => [name, value(`${r} ${name}`)])) as Row,
    )
  return { size, many: statement(query(placeholders(size))), one: statement(query(placeholders(1))) }
}

/** The row and the name that a bulk statement's placeholder stands for. */
export function bulkPlace(name: string): readonly [row: number, name: string] {
  const at = name.indexOf(' ')
  return [Number(name.slice(0, at)), name.slice(at + 1)]
}

/** What a database gives for bulk statements: a function that runs the statement for a group of rows. */
export type BulkRunner = (statement: CompiledStatement) => (rows: readonly Record<string, unknown>[]) => unknown[]
