/** Rows from Parquet files, by the package `hyparquet`, a part of the file in memory at a time. */
import { open } from 'node:fs/promises'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Compressors } from 'hyparquet'
import { UserError } from '../errors.ts'
import type { ObjectRow } from './object-rows.ts'

/** What hyparquet does not unpack by itself and Node does. */
const compressors: Compressors = {
  GZIP: (packed) => gunzipSync(packed),
  BROTLI: (packed) => brotliDecompressSync(packed),
  ZSTD: (packed) => zstdDecompressSync(packed),
}

/**
 * The rows of a Parquet file, one group of them after the other; `most` of them.
 * @throws {UserError} where the file is damaged, or packed in a way that is not known
 */
export async function* parquetRows(
  path: string,
  name: string,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<{ readonly number: number; readonly row: ObjectRow }> {
  const { parquetMetadataAsync, parquetReadObjects } = await import('hyparquet')
  const handle = await open(path)
  try {
    const { size } = await handle.stat()
    const slice = async (from: number, to = size): Promise<ArrayBuffer> => {
      const bytes = new Uint8Array(Math.max(0, to - from))
      await handle.read(bytes, 0, bytes.length, from)
      return bytes.buffer
    }
    const file = { byteLength: size, slice }
    const damaged = (error: unknown): never => {
      throw new UserError(
        `${name} is no Parquet file that can be read: ${(error as Error).message}. Nothing was imported.`,
      )
    }
    const metadata = await parquetMetadataAsync(file).catch(damaged)
    let start = 0
    for (const group of metadata.row_groups) {
      const groupEnd = start + Number(group.num_rows)
      // A large group is read by parts, so that it need not fit into memory as objects.
      while (start < groupEnd) {
        const end = Math.min(groupEnd, start + Math.min(50_000, most - start))
        const objects = await parquetReadObjects({ file, metadata, compressors, rowStart: start, rowEnd: end }).catch(
          damaged,
        )
        for (const [i, row] of objects.entries()) yield { number: start + i + 1, row }
        start = end
        if (start >= most) return
      }
    }
  } finally {
    await handle.close()
  }
}
