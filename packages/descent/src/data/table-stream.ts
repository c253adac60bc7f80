/**
 * Files of rows that do not fit into memory: read from the beginning as often as is asked for, a piece at a time.
 */
import type { CsvOptions } from './csv.ts'
import { type FileSource, rereadable } from './file-source.ts'
import { Preprocessing, type PreprocessingOptions, type PreprocessingState } from './preprocessing.ts'
import { PreprocessingFit } from './preprocessing-fit.ts'
import type { RawBatch, SkippedRows } from './raw.ts'
import type { RowStream } from './stream-batches.ts'
import type { Table } from './table.ts'
import type { TableOptions } from './table-builder.ts'

interface FileSpec {
  readonly format: 'csv' | 'jsonl' | 'parquet'
  readonly source: FileSource
  readonly options: CsvOptions
}

export interface RowStreamSpec extends FileSpec {
  readonly preprocessing: PreprocessingState
}

/**
 * A file as tables, one after the other: `for await (const table of stream)`. From a path, URL, bytes, Blob, or a function
 * that opens a stream, it can be read again and again; from a stream once.
 */
export class TableStream implements AsyncIterable<Table> {
  readonly #spec: FileSpec
  #read = false

  constructor(spec: FileSpec) {
    this.#spec = spec
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Table> {
    const { format, source, options } = this.#spec
    if (this.#read && !rereadable(source))
      throw new Error('This stream has been read. To read it once an epoch, give a path, or a function that opens it.')
    this.#read = true
    switch (format) {
      case 'csv':
        return yield* (await import('./on-demand.ts')).csvTables(source, options)
      case 'jsonl':
        return yield* (await import('./on-demand.ts')).jsonlTables(source, options)
      case 'parquet':
        return yield* (await import('./on-demand.ts')).parquetTables(source, options)
    }
  }

  /** Learns a preprocessing from all rows, which takes one reading. See `Table.toDataset`. */
  async fit(options: PreprocessingOptions): Promise<Preprocessing> {
    const fit = new PreprocessingFit(options)
    for await (const table of this) if (table.columns.length > 0) fit.add(table)
    return new Preprocessing(fit.state())
  }

  /** Features and targets of the rows, for a `StreamLoader`. `numbers` count the rows that were not skipped. */
  examples(preprocessing: Preprocessing): RowStream {
    const { source, ...rest } = this.#spec
    const examples = (): AsyncIterable<RawBatch> => prepared(this, preprocessing)
    const spec = (): RowStreamSpec => ({
      ...rest,
      // A URL cannot be sent as it is.
      source: source instanceof URL ? source.href : source,
      preprocessing: preprocessing.state,
    })
    return { examples, spec }
  }
}

async function* prepared(tables: AsyncIterable<Table>, preprocessing: Preprocessing): AsyncGenerator<RawBatch> {
  const { target } = preprocessing.state
  let first = 0
  let left = 0
  for await (const table of tables) {
    if (table.length === 0) continue
    const { x, y, rows } = preprocessing.prepare(table)
    left += table.length - rows.length
    yield {
      x: { shape: [rows.length, preprocessing.width], values: x },
      y: { shape: target.kind === 'class' ? [rows.length] : [rows.length, target.names.length], values: y },
      numbers: rows.map((row) => row + first),
      skippedRows: skippedOf(table, left),
    }
    first += table.length
  }
}

/** What the reader has left out, and the preprocessing for missing values. */
function skippedOf({ skipped }: Table, left: number): SkippedRows {
  const missing = left + (skipped.reasons.missing ?? 0)
  return {
    count: skipped.count + left,
    reasons: missing > 0 ? { ...skipped.reasons, missing } : skipped.reasons,
    messages: skipped.first.map(({ message }) => message),
  }
}

export function rowStream({ preprocessing, ...spec }: RowStreamSpec): RowStream {
  const source = typeof spec.source === 'string' && spec.source.startsWith('file:') ? new URL(spec.source) : spec.source
  return new TableStream({ ...spec, source }).examples(new Preprocessing(preprocessing))
}

/**
 * A CSV file of any size: see `readCsv` for sources and options. Types are inferred from the first rows.
 *
 * @example
 * ```ts
 * import { data } from 'descent'
 * const file = new TextEncoder().encode('x,y\n1,a\n2,b\n3,a\n4,b\n')
 * const stream = data.csvStream(file)
 * const preprocessing = await stream.fit({ target: 'y', numbers: 'none', targetType: 'class' })
 * const loader = new data.StreamLoader(stream.examples(preprocessing), { batchSize: 3 })
 * for await (const { x, y } of loader) console.log(x.toArray(), y.toArray())
 * // → [ [ 1 ], [ 2 ], [ 3 ] ] [ 0, 1, 0 ]
 * // → [ [ 4 ] ] [ 1 ]
 * ```
 */
export function csvStream(source: FileSource, options: CsvOptions = {}): TableStream {
  return new TableStream({ format: 'csv', source, options })
}

/** A JSON Lines file of any size: see `readJsonl`. */
export function jsonlStream(source: FileSource, options: TableOptions = {}): TableStream {
  return new TableStream({ format: 'jsonl', source, options })
}

/** A Parquet file of any size, of which one group of rows at a time is in memory: see `readParquet`. */
export function parquetStream(source: FileSource, options: TableOptions = {}): TableStream {
  return new TableStream({ format: 'parquet', source, options })
}
