/** Reads table files (CSV, TSV, JSON Lines, Parquet in constant memory; JSON whole), batch by batch. */
import { isUtf8 } from 'node:buffer'
import { UserError } from '../errors.ts'
import { type Batch, BatchBuilder } from './batch.ts'
import { CsvRows } from './csv-rows.ts'
import { type Encoding, utf8Pieces } from './encoding.ts'
import type { LabelRule } from './label-rule.ts'
import type { Layout } from './layout.ts'
import { type ObjectRow, ObjectRows } from './object-rows.ts'
import { parquetRows } from './parquet-rows.ts'
import type { TableFormat } from './source.ts'

export interface TableTask {
  readonly what: 'table'
  readonly format: TableFormat
  readonly path: string
  /** As the person wrote it. */
  readonly name: string
  readonly encoding: Encoding
  readonly delimiter: string
  readonly layout: Layout
  readonly label: LabelRule
}

export function readTable(task: TableTask): AsyncGenerator<Batch> {
  switch (task.format) {
    case 'csv':
    case 'tsv':
      return readCsv(task)
    case 'json':
      return readJson(task)
    case 'jsonl':
      return readJsonl(task)
    case 'parquet':
      return readParquet(task)
    default:
      return task.format satisfies never
  }
}

async function* readCsv({ path, name, encoding, delimiter, layout, label }: TableTask): AsyncGenerator<Batch> {
  const out = new BatchBuilder(layout.columns.length)
  const rows = new CsvRows(name, delimiter, encoding, layout, label, out)
  for await (const piece of utf8Pieces(path, name, encoding)) {
    rows.push(piece)
    if (out.full) yield out.take()
  }
  rows.end()
  yield out.take()
}

async function* readJsonl({ path, name, encoding, layout, label }: TableTask): AsyncGenerator<Batch> {
  const out = new BatchBuilder(layout.columns.length)
  const rows = new ObjectRows(layout, label, out)
  for await (const read of jsonLines(utf8Pieces(path, name, encoding))) {
    const { line, text } = read
    const row = parseLine(read)
    if (typeof row === 'string') rows.reject(line, row, text)
    else rows.add(line, row, () => text)
    if (out.full) yield out.take()
  }
  yield out.take()
}

async function* readJson({ path, name, encoding, layout, label }: TableTask): AsyncGenerator<Batch> {
  const out = new BatchBuilder(layout.columns.length)
  const rows = new ObjectRows(layout, label, out)
  for (const [i, row] of (await jsonArray(path, name, encoding)).entries()) {
    const original = (): string => JSON.stringify(row)
    if (isObject(row)) rows.add(i + 1, row, original)
    else rows.reject(i + 1, notAnObject, original())
    if (out.full) yield out.take()
  }
  yield out.take()
}

/** A file that is one list is read whole: beyond this it must be written as JSON Lines. */
const mostJsonBytes = 1 << 28
const notAnObject = 'a row must be an object {…}'

/** @throws {UserError} where the file is no list, or too large */
export async function jsonArray(path: string, name: string, encoding: Encoding): Promise<readonly unknown[]> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of utf8Pieces(path, name, encoding)) {
    pieces.push(piece)
    bytes += piece.length
    if (bytes > mostJsonBytes)
      throw new UserError(
        `${name} is larger than 256 MB, and JSON must be read whole: write it as JSON Lines, an object a line (.jsonl). Nothing was imported.`,
      )
  }
  let list: unknown
  try {
    list = JSON.parse(Buffer.concat(pieces).toString())
  } catch (error) {
    throw new UserError(
      `${name} is not JSON (${(error as Error).message}); with an object a line it is JSON Lines (--format jsonl). Nothing was imported.`,
    )
  }
  if (!Array.isArray(list))
    throw new UserError(`${name} holds no list of rows: it must be [{…}, {…}]. Nothing was imported.`)
  return list
}

export function isObject(value: unknown): value is ObjectRow {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** The lines that are not blank. */
export async function* jsonLines(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly line: number; readonly text: string; readonly valid: boolean }> {
  let rest: Uint8Array = new Uint8Array(0)
  let line = 0
  for await (const piece of pieces) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    let at = 0
    for (let end = bytes.indexOf(10, at); end >= 0; end = bytes.indexOf(10, at)) {
      line++
      const read = lineOf(bytes.subarray(at, end))
      if (read.text !== '') yield { line, ...read }
      at = end + 1
    }
    rest = bytes.slice(at)
  }
  const read = lineOf(rest)
  if (read.text !== '') yield { line: line + 1, ...read }
}

function lineOf(bytes: Uint8Array): { readonly text: string; readonly valid: boolean } {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString().trim()
  // U+FFFD may stand in the file itself, where whoever wrote it had lost a character.
  return { text, valid: !text.includes('\ufffd') || isUtf8(bytes) }
}

/** The object in a line; a sentence where there is none. */
export function parseLine({ text, valid }: { readonly text: string; readonly valid: boolean }): ObjectRow | string {
  let row: unknown
  try {
    row = JSON.parse(text)
  } catch (error) {
    return `this is not JSON (${(error as Error).message})`
  }
  if (!isObject(row)) return notAnObject
  if (!valid) return 'the text is not UTF-8'
  return row
}

async function* readParquet({ path, name, layout, label }: TableTask): AsyncGenerator<Batch> {
  const out = new BatchBuilder(layout.columns.length)
  const rows = new ObjectRows(layout, label, out)
  for await (const { number, row } of parquetRows(path, name)) {
    rows.add(number, row, () => JSON.stringify(row, (_, item) => (typeof item === 'bigint' ? String(item) : item)))
    if (out.full) yield out.take()
  }
  yield out.take()
}
