/** The statements that put examples and labels into the store, compiled once for many rows. */
import { bulkStatement, statement, value } from '../store/statement.ts'
import type { Store } from '../store/store.ts'

export interface ExampleRow {
  readonly id: string
  readonly media: string
  readonly body: Uint8Array | null
  readonly file: string | null
  readonly bytes: number
  readonly import_id: number
  readonly place: number
  readonly name: string | null
  readonly group_key: string | null
  readonly time_key: string | null
  readonly given_split: string | null
}

export interface LabelRow {
  readonly example: number
  readonly value: string
  readonly labeler: string
  readonly at: string
  readonly import_id: number
}

/** What is known of an example that the project has already. */
export interface ExampleHead {
  readonly number: number
  readonly id: string
  readonly import_id: number
  readonly given_split: string | null
  readonly frozen_at: string | null
}

/** A labeler's word on an example. */
export interface Said {
  readonly number: number
  readonly example: number
  /** JSON. */
  readonly value: string
}

const exampleColumns = [
  'id',
  'media',
  'body',
  'file',
  'bytes',
  'import_id',
  'place',
  'name',
  'group_key',
  'time_key',
  'given_split',
] as const

export function writeStatements({ db }: Store) {
  return {
    /** Gives back those that were not there. */
    insert: bulkStatement<ExampleRow, { number: number; id: string }>(exampleColumns, (rows) =>
      db
        .insertInto('example')
        .values(rows)
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning(['number', 'id']),
    ),
    label: bulkStatement<LabelRow>(['example', 'value', 'labeler', 'at', 'import_id'], (rows) =>
      db.insertInto('label').values(rows),
    ),
    find: bulkStatement<{ id: string }, ExampleHead>(['id'], (rows) =>
      db
        .selectFrom('example')
        .leftJoin('frozen', 'frozen.example', 'example.number')
        .select(['number', 'id', 'import_id', 'given_split', 'frozen_at'])
        .where(
          'id',
          'in',
          rows.map(({ id }) => id),
        ),
    ),
    /** Of one labeler: that of the first row. */
    said: bulkStatement<{ example: number; labeler: string }, Said>(['example', 'labeler'], (rows) =>
      db
        .selectFrom('label')
        .select(['number', 'example', 'value'])
        .where(
          'example',
          'in',
          rows.map(({ example }) => example),
        )
        .where('labeler', '=', rows[0]?.labeler ?? '')
        .where('value', 'is not', null)
        .$castTo<Said>(),
    ),
    giveSplit: statement<{ number: number; split: string }>(
      db
        .updateTable('example')
        .set({ given_split: value<string>('split') })
        .where('number', '=', value<number>('number'))
        .where('given_split', 'is', null),
    ),
    /** Takes an example over from an import that has not ended. */
    adopt: statement<{ number: number; importId: number }>(
      db
        .updateTable('example')
        .set({ import_id: value<number>('importId') })
        .where('number', '=', value<number>('number'))
        .where('import_id', 'in', db.selectFrom('import').select('id').where('status', '!=', 'done')),
    ),
  }
}
