/** Parquet from files, by the package `hyparquet`. Loaded by `readParquet` and by streams. */
import type { AsyncBuffer, FileMetaData, SchemaTree } from 'hyparquet'
import { FormatError } from '../errors.ts'
import { byteStream } from './byte-stream.ts'
import { joined } from './bytes.ts'
import type { ColumnType } from './column-builder.ts'
import { type FileSource, isRemote, sourceName } from './file-source.ts'
import { peer } from './peer.ts'
import type { Table } from './table.ts'
import { TableBuilder, type TableOptions } from './table-builder.ts'

/** See `readParquet`. */
export async function readParquetFile(source: FileSource, options: TableOptions): Promise<Table> {
  const reader = await openParquet(source, options)
  try {
    for await (const _ of reader.groups());
    return reader.builder.take(true).withSortedLevels()
  } finally {
    await reader.close()
  }
}

/** The rows of a Parquet file in tables, one for each of its groups of rows. */
export async function* parquetTables(source: FileSource, options: TableOptions = {}): AsyncGenerator<Table> {
  const reader = await openParquet(source, options)
  try {
    for await (const last of reader.groups()) {
      const table = reader.builder.take(last)
      if (table.length > 0) yield table
    }
  } finally {
    await reader.close()
  }
}

interface ParquetReader {
  readonly builder: TableBuilder
  /** Adds one group of rows after the other; true with the last. */
  groups(): AsyncGenerator<boolean>
  close(): Promise<void>
}

async function openParquet(source: FileSource, options: TableOptions): Promise<ParquetReader> {
  const name = sourceName(source, 'Parquet data')
  const { parquetMetadataAsync, parquetReadObjects, parquetSchema } = await peer(
    'hyparquet',
    'Reading Parquet',
    () => import('hyparquet'),
  )
  const damaged = (error: unknown): never => {
    throw new FormatError(`${name} is not a Parquet file that can be read: ${(error as Error).message}.`, {
      cause: error,
    })
  }
  const { file, close } = await openFile(source, name)
  let metadata: FileMetaData
  let fields: readonly SchemaTree[]
  try {
    metadata = await parquetMetadataAsync(file)
    fields = parquetSchema(metadata).children
  } catch (error) {
    await close()
    return damaged(error)
  }
  const header = fields.map(({ element }) => element.name)
  const types = Object.fromEntries(
    fields.flatMap((field) => {
      const type = typeOf(field)
      return type ? [[field.element.name, type]] : []
    }),
  )
  const builder = new TableBuilder({ file: name, unit: 'row', written: false }, header, {
    ...options,
    types: { ...types, ...options.types },
  })
  async function* groups(): AsyncGenerator<boolean> {
    let rowStart = 0
    for (const [g, { num_rows }] of metadata.row_groups.entries()) {
      const rowEnd = rowStart + Number(num_rows)
      const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd, columns: [...builder.names] }).catch(
        damaged,
      )
      for (const [i, row] of rows.entries())
        builder.add(
          rowStart + i + 1,
          builder.names.map((column) => present(row[column])),
        )
      rowStart = rowEnd
      yield g === metadata.row_groups.length - 1
    }
  }
  return { builder, groups, close }
}

function present(value: unknown): unknown {
  return value === undefined || Number.isNaN(value) ? null : value
}

/** What the file says that a column holds; null for texts, which may be categories. */
function typeOf({ element, children }: SchemaTree): ColumnType | null {
  const { type, converted_type: converted, logical_type: logical } = element
  if (children.length > 0) return null
  if (converted === 'DATE' || converted?.startsWith('TIMESTAMP') || logical?.type === 'TIMESTAMP' || type === 'INT96')
    return 'date'
  if (converted === 'DECIMAL' || logical?.type === 'FLOAT16') return 'number'
  switch (type) {
    case 'BOOLEAN':
      return 'boolean'
    case 'INT32':
    case 'INT64':
    case 'FLOAT':
    case 'DOUBLE':
      return 'number'
    default:
      return null
  }
}

/** Only the parts of a file that are asked for are read, where it is a path or a Blob. */
async function openFile(source: FileSource, name: string): Promise<{ file: AsyncBuffer; close: () => Promise<void> }> {
  const close = async (): Promise<void> => {}
  if (source instanceof Blob) {
    return { file: { byteLength: source.size, slice: (from, to) => source.slice(from, to).arrayBuffer() }, close }
  }
  if ((typeof source === 'string' || source instanceof URL) && !isRemote(source)) {
    const { open } = await import('node:fs/promises')
    const handle = await open(source)
    const { size } = await handle.stat()
    const slice = async (from: number, to = size): Promise<ArrayBuffer> => {
      const bytes = new Uint8Array(Math.max(0, to - from))
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, from)
      if (bytesRead < bytes.length) throw new FormatError(`${name}: ends after ${from + bytesRead} bytes.`)
      return bytes.buffer
    }
    return { file: { byteLength: size, slice }, close: () => handle.close() }
  }
  let bytes: Uint8Array = new Uint8Array(0)
  if (source instanceof Uint8Array) bytes = source
  else for await (const piece of byteStream(source, name)) bytes = joined(bytes, piece)
  return { file: { byteLength: bytes.length, slice: (from, to) => bytes.slice(from, to).buffer as ArrayBuffer }, close }
}
