/** JSON Lines (https://jsonlines.org): one object a line, each a row; a key is a column. */
import type { FileSource } from './file-source.ts'
import type { Table } from './table.ts'
import type { TableOptions } from './table-builder.ts'

/**
 * Reads JSON Lines, one object a line, into a table: see `readCsv` for sources and options. Strings are categories,
 * texts or dates, never numbers. A key that a row lacks, and null, are missing values. Throws RowError, naming the line,
 * for lines that are no objects, for a key that none of the first rows has, and for values of another type.
 *
 * @example
 * ```ts
 * import { data } from 'descent'
 * const bytes = new TextEncoder().encode('{"x": 1, "ok": true}\n{"x": 2.5}\n')
 * const table = await data.readJsonl(bytes)
 * console.log([...table.rows()]) // → [ { x: 1, ok: true }, { x: 2.5, ok: null } ]
 * ```
 */
export async function readJsonl(source: FileSource, options: TableOptions = {}): Promise<Table> {
  const { readJsonlFile } = await import('./on-demand.ts')
  return readJsonlFile(source, options)
}
