/** Taking one example out of the golden predictions of a version, for those who ask to be forgotten. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Project } from '../project/project.ts'
import { writeWhole } from '../store/files.ts'
import { goldenName, readVersionFile, sha256 } from './files.ts'
import { findVersion, versionFolder } from './version.ts'

/** Whether the version had it. The version's recorded hash follows the file, so that it loads as before. */
export async function removeGolden(project: Project, number: number, id: string): Promise<boolean> {
  const folder = versionFolder(project, number)
  if (!existsSync(join(folder, goldenName))) return false
  const golden = await readVersionFile(folder, goldenName)
  const examples = golden.examples.filter((example) => example.id !== id)
  const text = `${JSON.stringify({ ...golden, examples }, null, 2)}\n`
  const { files } = await findVersion(project, number)
  if (examples.length === golden.examples.length) return false
  await project.store.transaction(async (db) => {
    await db
      .updateTable('version')
      .set({ files: JSON.stringify({ ...files, [goldenName]: sha256(text) }) })
      .where('number', '=', number)
      .execute()
    await writeWhole(join(folder, goldenName), text)
  })
  return true
}
