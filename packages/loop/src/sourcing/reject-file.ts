/** The reject file of an import: `.descent/rejects/import-7.jsonl`, each bad row as it was written, with place and reason. */
import { mkdir, open, rm, truncate } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { explainWrite } from '../store/files.ts'
import type { Store } from '../store/store.ts'
import type { Reject } from './batch.ts'

export function rejectPath(store: Store, importId: number): string {
  return join(store.folder, 'rejects', `import-${importId}.jsonl`)
}

/** Writes rows behind the first `length` bytes, which are those that are known to be kept; gives the new length. */
export async function appendRejects(path: string, length: number, rejects: readonly Reject[]): Promise<number> {
  if (rejects.length === 0) return length
  const text = Buffer.from(rejects.map((reject) => `${JSON.stringify(reject)}\n`).join(''))
  try {
    await mkdir(dirname(path), { recursive: true })
    if (length === 0) await rm(path, { force: true })
    else await truncate(path, length)
    const file = await open(path, 'a')
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    throw explainWrite(error, path)
  }
  return length + text.length
}
