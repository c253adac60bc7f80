/** CSV from files. Loaded by `readCsv` and by streams. */
import { byteStream } from './byte-stream.ts'
import { type CsvOptions, CsvParser } from './csv.ts'
import { type FileSource, sourceName } from './file-source.ts'
import type { Table } from './table.ts'

/** See `readCsv`. */
export async function readCsvFile(source: FileSource, options: CsvOptions): Promise<Table> {
  const file = sourceName(source, 'CSV data')
  const parser = new CsvParser(options, file)
  for await (const piece of byteStream(source, file)) parser.push(piece)
  return (parser.take(true) as Table).withSortedLevels()
}

/** The rows of a CSV file in tables of as many as one piece of the file holds. */
export async function* csvTables(source: FileSource, options: CsvOptions = {}): AsyncGenerator<Table> {
  const file = sourceName(source, 'CSV data')
  const parser = new CsvParser(options, file)
  for await (const piece of byteStream(source, file)) {
    parser.push(piece)
    const table = parser.take(false)
    if (table && table.length > 0) yield table
  }
  yield parser.take(true) as Table
}
