/**
 * The steps that bring a database from one schema version to the next, in order; version n is what the first n steps make.
 * A step that has been published is never changed: a new one is added behind it.
 */
import type { ColumnDefinitionBuilder, Kysely } from 'kysely'
import { firstHalf } from './first-half.ts'
import { secondHalf } from './second-half.ts'
import type { Tables } from './tables.ts'

/** What column types are called in the database at hand. */
export interface ColumnTypes {
  readonly bytes: 'blob' | 'bytea'
  readonly integer: 'integer' | 'bigint'
  readonly real: 'real' | 'double precision'
  /** Makes an integer column the primary key that counts up. */
  counting(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder
}

export type Migration = (db: Kysely<Tables>, types: ColumnTypes) => Promise<void>

export const migrations: readonly Migration[] = [firstHalf, secondHalf]
