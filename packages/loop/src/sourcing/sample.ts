/** The first rows of a table file: its columns, and values to infer types from. */
import { inferType } from 'descent/cells'
import { UserError } from '../errors.ts'
import { CsvLines, fieldTexts, mostRowBytes } from './csv-rows.ts'
import { type Encoding, utf8Pieces } from './encoding.ts'
import type { FieldType } from './layout.ts'
import { missingWords } from './missing-values.ts'
import { asText, type ObjectRow } from './object-rows.ts'
import { parquetRows } from './parquet-rows.ts'
import { isObject, jsonArray, jsonLines, parseLine } from './read-tables.ts'
import type { TableFormat } from './source.ts'

/** How many rows are looked at. */
const sampleRows = 1000
/** How many bytes of a CSV are looked at, where they hold a row. */
const sampleBytes = 1 << 20

export interface Sample {
  readonly names: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
  readonly delimiter: string
  /** Whether numbers and dates are written as texts. */
  readonly written: boolean
}

interface SampleOptions {
  readonly format: TableFormat
  readonly path: string
  readonly name: string
  readonly encoding: Encoding
  readonly delimiter: string | undefined
}

/** @throws {UserError} where there are no rows, or no usable header */
export async function sampleTable(options: SampleOptions): Promise<Sample> {
  const { format, path, name, encoding } = options
  switch (format) {
    case 'csv':
    case 'tsv':
      return sampleCsv(options)
    case 'json': {
      const list = (await jsonArray(path, name, encoding)).slice(0, sampleRows)
      return ofObjects(name, list.filter(isObject))
    }
    case 'jsonl': {
      const rows: ObjectRow[] = []
      for await (const line of jsonLines(utf8Pieces(path, name, encoding))) {
        const row = parseLine(line)
        if (typeof row !== 'string') rows.push(row)
        if (rows.length >= sampleRows) break
      }
      return ofObjects(name, rows)
    }
    case 'parquet': {
      const rows: ObjectRow[] = []
      for await (const { row } of parquetRows(path, name, sampleRows)) rows.push(row)
      return ofObjects(name, rows)
    }
    default:
      return format satisfies never
  }
}

function ofObjects(name: string, rows: readonly ObjectRow[]): Sample {
  if (rows.length === 0) throw new UserError(`${name} holds no rows that can be read. Nothing was imported.`)
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return { names, rows: rows.map((row) => names.map((key) => row[key] ?? null)), delimiter: '', written: false }
}

async function sampleCsv(options: SampleOptions, most = sampleBytes): Promise<Sample> {
  const { path, name, encoding, format } = options
  let { delimiter } = options
  const first: Uint8Array[] = []
  let bytes = 0
  let whole = true
  for await (const piece of utf8Pieces(path, name, encoding)) {
    first.push(piece)
    bytes += piece.length
    whole = bytes < most
    if (!whole) break
  }
  const head = Buffer.concat(first)
  const given = delimiter ?? (format === 'tsv' ? '\t' : undefined)
  let sample = split(head, whole, name, given ?? ',')
  // Where commas give one column, another character may give several.
  if (given === undefined && (sample.rows[0]?.length ?? 0) <= 1) {
    for (const other of [';', '\t', '|']) {
      const found = split(head, whole, name, other)
      if ((found.rows[0]?.length ?? 0) > (sample.rows[0]?.length ?? 0)) {
        sample = found
        delimiter = other
      }
    }
  }
  const [header, ...rows] = sample.rows
  // The first rows may be long ones.
  if (rows.length === 0 && !whole && most === sampleBytes) return sampleCsv(options, mostRowBytes + sampleBytes)
  if (!header) throw new UserError(`${name} holds no rows. Nothing was imported.`)
  if (rows.length === 0) {
    const fault = sample.fault ?? (whole ? null : 'the first is longer than 16 MB: is a quote never closed?')
    const why = fault === null ? '' : ` that can be read (${fault})`
    throw new UserError(`${name} holds a header (${header.join(', ')}) and no rows${why}. Nothing was imported.`)
  }
  const names = header.map((text, i) => (text.trim() === '' ? `column${i + 1}` : text.trim()))
  const twice = names.find((text, i) => names.indexOf(text) !== i)
  if (twice !== undefined) {
    throw new UserError(
      `${name}: the header names ${JSON.stringify(twice)} twice. Give each column a name of its own. Nothing was imported.`,
    )
  }
  const usable = rows
    .filter((row) => row.length === names.length)
    .map((row) => row.map((text) => (missingWords.has(text) ? null : text)))
  return { names, rows: usable, delimiter: delimiter ?? given ?? ',', written: true }
}

/** The header and first rows as texts, and what is wrong with the first that is none. */
function split(
  head: Uint8Array,
  whole: boolean,
  name: string,
  delimiter: string,
): { readonly rows: string[][]; readonly fault: string | null } {
  const rows: string[][] = []
  let fault: string | null = null
  const lines = new CsvLines(
    name,
    delimiter,
    ({ bytes }) => {
      if (rows.length <= sampleRows) rows.push(fieldTexts(lines.scanner, bytes))
    },
    ({ line }, reason) => {
      if (rows.length === 0) throw new UserError(`${name}: the header cannot be read: ${reason}. Nothing was imported.`)
      fault ??= `line ${line}, ${reason}`
    },
  )
  lines.push(head)
  if (whole) lines.end()
  return { rows, fault }
}

/** What column `at` holds, from the sample. */
export function inferredType({ rows, written }: Sample, at: number): FieldType {
  return inferType(
    rows.map((row) => present(row[at])),
    written,
  )
}

function present(value: unknown): unknown {
  return asText(value) === null ? null : value
}
