/**
 * What the columns of a table are to the project: content, label, group, time, or nothing. Decided before the first row is
 * kept, from the file's first rows, the config, and what earlier imports have brought.
 */
import { UserError } from '../errors.ts'
import type { Tables } from '../store/tables.ts'

export type FieldType = Tables['field']['type']

export interface Place {
  readonly name: string
  /** The column's position in the file, from 0. */
  readonly at: number
}

export interface Column extends Place {
  /** How its cells are written into content. */
  readonly type: FieldType
  /** Whether a cell that is not of this type is kept as text: the config says category or text of what began as numbers. */
  readonly loose: boolean
}

export interface Target extends Place {
  /** Whether labels are the names of classes, or numbers. */
  readonly as: 'class' | 'number'
}

export interface Layout {
  /** Rows of a table, or texts in one of its columns. */
  readonly content: 'row' | 'text'
  /** How many columns the file has. */
  readonly width: number
  readonly names: readonly string[]
  /** Of rows: the columns that are kept, as canonical JSON orders them. Of texts: the one that is the text. */
  readonly columns: readonly Column[]
  readonly target: Target | null
  readonly group: Place | null
  readonly time: Place | null
  /** Columns of the file that are not kept. */
  readonly left: readonly string[]
}

/** Canonical JSON's order: alphabetical, but whole numbers first, as JavaScript orders the keys of objects. */
export function canonicalOrder(names: readonly string[]): string[] {
  return Object.keys(Object.fromEntries([...names].sort().map((name) => [name, null])))
}

/** Says that a file's columns are not those of the project. */
export function headerChanged(file: string, missing: readonly string[], added: readonly string[]): UserError {
  const parts = [
    missing.length > 0 ? `missing: ${missing.join(', ')}` : '',
    added.length > 0 ? `new: ${added.join(', ')}` : '',
  ].filter((part) => part !== '')
  return new UserError(
    `${file}: the columns are not those of the project's rows (${parts.join('; ')}). Bring the header into line${
      added.length > 0
        ? `, or leave columns out with columns: { ${JSON.stringify(added[0])}: 'ignore' } in descent.config.ts`
        : ''
    }. Nothing was imported.`,
  )
}
