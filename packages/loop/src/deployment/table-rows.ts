/** Rows of a table file one after the other, as values by column and as texts to be written again. */
import { UserError } from '../errors.ts'
import { CsvLines, fieldTexts } from '../sourcing/csv-rows.ts'
import { type Encoding, examineText, utf8Pieces } from '../sourcing/encoding.ts'
import { missingWords } from '../sourcing/missing-values.ts'
import { asText } from '../sourcing/object-rows.ts'
import { parquetRows } from '../sourcing/parquet-rows.ts'
import { isObject, jsonArray, jsonLines, parseLine } from '../sourcing/read-tables.ts'
import { sampleTable } from '../sourcing/sample.ts'
import type { Source, SourceFile, TableFormat } from '../sourcing/source.ts'

export interface TableRow {
  /** The line or row in its file, from 1. */
  readonly place: number
  /** By column; null where there is no value. */
  readonly values: Readonly<Record<string, unknown>>
  /** In the order of the columns. */
  readonly texts: readonly string[]
  /** Why it cannot be read; null where it can. */
  readonly fault: string | null
}

export interface TableRows {
  readonly names: readonly string[]
  readonly rows: AsyncIterable<TableRow>
}

export async function tableRows(source: Source): Promise<TableRows> {
  const format = source.format as TableFormat
  const { path, name } = source.files[0] as SourceFile
  const encoding = format === 'parquet' ? 'utf-8' : await encodingOf(path, name)
  const { names, delimiter } = await sampleTable({ format, path, name, encoding, delimiter: undefined }).catch(
    (error: Error) => {
      throw error instanceof UserError ? new UserError(error.message.replace(' Nothing was imported.', '')) : error
    },
  )
  switch (format) {
    case 'csv':
    case 'tsv':
      return { names, rows: csvRows(path, name, encoding, delimiter, names) }
    case 'json':
      return { names, rows: arrayRows(await jsonArray(path, name, encoding), names) }
    case 'jsonl':
      return { names, rows: jsonRows(path, name, encoding, names) }
    case 'parquet':
      return { names, rows: objects(parquetRows(path, name), names) }
    default:
      return format satisfies never
  }
}

async function encodingOf(path: string, name: string): Promise<Encoding> {
  const { encoding } = await examineText(path, name)
  return encoding
}

async function* csvRows(
  path: string,
  name: string,
  encoding: Encoding,
  delimiter: string,
  names: readonly string[],
): AsyncGenerator<TableRow> {
  let ready: TableRow[] = []
  let header = true
  const lines = new CsvLines(
    name,
    delimiter,
    ({ bytes, line }) => {
      const texts = fieldTexts(lines.scanner, bytes)
      if (header) header = false
      else if (texts.length !== names.length)
        ready.push(broken(line, `the row has ${texts.length} fields, not ${names.length}`, texts, names))
      else ready.push({ place: line, values: valuesOf(names, texts), texts, fault: null })
    },
    ({ line }, reason) => ready.push(broken(line, reason, [], names)),
  )
  for await (const piece of utf8Pieces(path, name, encoding)) {
    lines.push(piece)
    yield* ready
    ready = []
  }
  lines.end()
  yield* ready
}

function valuesOf(names: readonly string[], texts: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name, i) => [name, missingWords.has(texts[i] as string) ? null : texts[i]]))
}

/** As many cells as there are columns, whatever the row had. */
function broken(place: number, fault: string, texts: readonly string[], names: readonly string[]): TableRow {
  return { place, values: {}, texts: names.map((_, i) => texts[i] ?? ''), fault }
}

async function* jsonRows(
  path: string,
  name: string,
  encoding: Encoding,
  names: readonly string[],
): AsyncGenerator<TableRow> {
  for await (const read of jsonLines(utf8Pieces(path, name, encoding))) {
    const { line } = read
    const row = parseLine(read)
    if (typeof row === 'string') yield broken(line, row, [], names)
    else yield { place: line, values: row, texts: textsOf(row, names), fault: null }
  }
}

async function* arrayRows(list: readonly unknown[], names: readonly string[]): AsyncGenerator<TableRow> {
  for (const [i, row] of list.entries()) {
    if (isObject(row)) yield { place: i + 1, values: row, texts: textsOf(row, names), fault: null }
    else yield broken(i + 1, 'it is no object', [], names)
  }
}

async function* objects(rows: ReturnType<typeof parquetRows>, names: readonly string[]): AsyncGenerator<TableRow> {
  for await (const { number, row } of rows)
    yield { place: number, values: row, texts: textsOf(row, names), fault: null }
}

function textsOf(row: Readonly<Record<string, unknown>>, names: readonly string[]): string[] {
  return names.map((name) => asText(row[name]) ?? '')
}
