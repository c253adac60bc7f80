/** IDX files before they are read whole: which of them are, and how many dimensions they have. */
import { open } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'

/** The number of dimensions that the file's first bytes state (3 or 4 for images, 1 for labels); null where it is no IDX file. */
export async function idxDimensions(path: string): Promise<number | null> {
  const file = await open(path).catch(() => null)
  if (!file) return null
  try {
    const { bytesRead, buffer } = await file.read(new Uint8Array(1024), 0, 1024)
    let head = buffer.subarray(0, bytesRead)
    if (head[0] === 0x1f && head[1] === 0x8b) head = gunzipSync(head, { finishFlush: 2 })
    const known = head[0] === 0 && head[1] === 0 && [8, 9, 11, 12, 13, 14].includes(head[2] as number)
    return known && (head[3] as number) >= 1 && (head[3] as number) <= 4 ? (head[3] as number) : null
  } catch {
    return null
  } finally {
    await file.close()
  }
}
