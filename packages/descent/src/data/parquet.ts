/** Parquet files, by the package `hyparquet`, one group of rows after the other. */
import type { FileSource } from './file-source.ts'
import type { Table } from './table.ts'
import type { TableOptions } from './table-builder.ts'

/**
 * Reads a Parquet file into a table: see `readCsv` for sources and options. Numbers, booleans and dates are what the
 * file says they are; texts are categories where they come back. Needs the package `hyparquet`, and throws an Error
 * that says so where it is not installed; FormatError for a file that is damaged, or packed in a way that hyparquet does
 * not unpack (it does Snappy and none).
 */
export async function readParquet(source: FileSource, options: TableOptions = {}): Promise<Table> {
  const { readParquetFile } = await import('./on-demand.ts')
  return readParquetFile(source, options)
}
