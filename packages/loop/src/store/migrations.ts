/**
 * The steps that bring a database from one schema version to the next, in order; version n is what the first n steps make.
 * A step that has been published is never changed: a new one is added behind it.
 */
import type { ColumnDefinitionBuilder, Kysely } from 'kysely'
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

export const migrations: readonly Migration[] = [firstHalf]

async function firstHalf(db: Kysely<Tables>, { bytes, integer, real, counting }: ColumnTypes): Promise<void> {
  const { schema } = db
  const required = (column: ColumnDefinitionBuilder) => column.notNull()
  const key = (column: ColumnDefinitionBuilder) => column.primaryKey()
  const zero = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo(0)

  await schema
    .createTable('import')
    .addColumn('id', integer, counting)
    .addColumn('path', 'text', required)
    .addColumn('format', 'text', required)
    .addColumn('content_hash', 'text')
    .addColumn('options', 'text', required)
    .addColumn('started_at', 'text', required)
    .addColumn('finished_at', 'text')
    .addColumn('status', 'text', required)
    .addColumn('rows', integer, zero)
    .addColumn('added', integer, zero)
    .addColumn('duplicates', integer, zero)
    .addColumn('bad', integer, zero)
    .addColumn('report', 'text')
    .execute()
  await schema
    .createTable('field')
    .addColumn('name', 'text', key)
    .addColumn('type', 'text', required)
    .addColumn('position', integer, required)
    .execute()
  await schema
    .createTable('example')
    .addColumn('number', integer, counting)
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('media', 'text', required)
    .addColumn('body', bytes)
    .addColumn('file', 'text')
    .addColumn('bytes', integer, required)
    .addColumn('import_id', integer, (column) => column.notNull().references('import.id'))
    .addColumn('place', integer, required)
    .addColumn('name', 'text')
    .addColumn('group_key', 'text')
    .addColumn('time_key', 'text')
    .addColumn('given_split', 'text')
    .execute()
  await schema
    .createTable('frozen')
    .addColumn('example', integer, (column) => column.primaryKey().references('example.number'))
    .addColumn('frozen_at', 'text', required)
    .execute()
  await schema
    .createTable('labeler')
    .addColumn('name', 'text', key)
    .addColumn('kind', 'text', required)
    .addColumn('created_at', 'text', required)
    .execute()
  await schema
    .createTable('label')
    .addColumn('number', integer, counting)
    .addColumn('example', integer, (column) => column.notNull().references('example.number'))
    .addColumn('value', 'text')
    .addColumn('labeler', 'text', (column) => column.notNull().references('labeler.name'))
    .addColumn('at', 'text', required)
    .addColumn('seconds', real)
    .addColumn('prediction', 'text')
    .addColumn('undoes', integer)
    .addColumn('import_id', integer)
    .execute()
  await schema.createIndex('label_of_example').on('label').column('example').execute()
  await schema
    .createTable('skip')
    .addColumn('number', integer, counting)
    .addColumn('example', integer, (column) => column.notNull().references('example.number'))
    .addColumn('labeler', 'text', required)
    .addColumn('at', 'text', required)
    .execute()
  await schema
    .createTable('snapshot')
    .addColumn('hash', 'text', key)
    .addColumn('number', integer, (column) => column.notNull().unique())
    .addColumn('created_at', 'text', required)
    .addColumn('message', 'text')
    .addColumn('examples', integer, required)
    .addColumn('summary', 'text', required)
    .addColumn('last_label', integer, required)
    .execute()
  await schema
    .createTable('sweep')
    .addColumn('number', integer, counting)
    .addColumn('snapshot', 'text', (column) => column.notNull().references('snapshot.hash'))
    .addColumn('settings', 'text', required)
    .addColumn('seed', integer, required)
    .addColumn('status', 'text', required)
    .addColumn('created_at', 'text', required)
    .execute()
  await schema
    .createTable('run')
    .addColumn('number', integer, counting)
    .addColumn('snapshot', 'text', (column) => column.notNull().references('snapshot.hash'))
    .addColumn('kind', 'text', required)
    .addColumn('name', 'text', required)
    .addColumn('recipe', 'text', required)
    .addColumn('recipe_hash', 'text', required)
    .addColumn('seed', integer, required)
    .addColumn('status', 'text', required)
    .addColumn('error', 'text')
    .addColumn('device', 'text', required)
    .addColumn('environment', 'text', required)
    .addColumn('started_at', 'text', required)
    .addColumn('finished_at', 'text')
    .addColumn('seconds', real, zero)
    .addColumn('joules', real)
    .addColumn('metrics', 'text')
    .addColumn('parameters', integer)
    .addColumn('bytes', integer)
    .addColumn('predict_microseconds', real)
    .addColumn('parent', integer)
    .addColumn('sweep', integer)
    .execute()
  await schema
    .createTable('epoch')
    .addColumn('run', integer, (column) => column.notNull().references('run.number'))
    .addColumn('epoch', integer, required)
    .addColumn('metrics', 'text', required)
    .addPrimaryKeyConstraint('epoch_key', ['run', 'epoch'])
    .execute()
}
