/** Takes an example out of golden predictions, where its content must go for good. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Project } from '../project/project.ts'
import { writeWhole } from '../store/files.ts'
import { goldenName, sha256 } from './files.ts'
import type { Golden } from './golden.ts'
import { listVersions, versionFolder } from './version.ts'

/**
 * Removes the content of the example with this id from the golden predictions of all versions; gives the numbers of those
 * that had it. They are checked by the others from then on.
 */
export async function forgetGolden(project: Pick<Project, 'store'>, id: string): Promise<number[]> {
  const changed: number[] = []
  for (const { number } of await listVersions(project)) {
    const path = join(versionFolder(project, number), goldenName)
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      // A version whose folder is gone holds nothing that could be forgotten.
      if (error.code === 'ENOENT') return null
      throw error
    })
    if (text === null) continue
    const golden = JSON.parse(text) as Golden
    const examples = golden.examples.filter((example) => example.id !== id)
    if (examples.length === golden.examples.length) continue
    const content = `${JSON.stringify({ ...golden, examples }, null, 2)}\n`
    await project.store.transaction(async (db) => {
      const { files } = await db
        .selectFrom('version')
        .select('files')
        .where('number', '=', number)
        .executeTakeFirstOrThrow()
      await writeWhole(path, content)
      const hashes = { ...(JSON.parse(files) as Record<string, string>), [goldenName]: sha256(content) }
      await db
        .updateTable('version')
        .set({ files: JSON.stringify(hashes) })
        .where('number', '=', number)
        .execute()
    })
    changed.push(number)
  }
  return changed
}
