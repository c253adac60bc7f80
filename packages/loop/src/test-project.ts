/** For tests: a project in a folder of its own that is gone when the test ends. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Kind } from './project/config.ts'
import { initProject, openProject, type Project } from './project/project.ts'
import { writeWhole } from './store/files.ts'

/** Makes the project; `config` is the text of a config file, where the kind's own does not do. */
export async function testProject(test: TestContext, kind: Kind, config?: string): Promise<Project> {
  const folder = await testFolder(test)
  let project = await initProject(folder, kind)
  if (config !== undefined) {
    await project.close()
    await writeWhole(join(folder, 'descent.config.ts'), config)
    project = await openProject(folder)
  }
  test.after(() => project.close())
  return project
}

/** An empty folder that is gone when the test ends. */
export async function testFolder(test: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'descent-loop-'))
  test.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}
