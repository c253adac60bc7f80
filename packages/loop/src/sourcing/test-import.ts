/** For tests: files to import, and all that a project holds. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { presentLabels } from '../labeling/events.ts'
import type { Project } from '../project/project.ts'
import { type Example, readExamples } from '../store/examples.ts'
import { testFolder } from '../test-project.ts'

const require = createRequire(import.meta.url)

/** Where a package with real data lies; null, and the test is skipped, where it is not installed. */
export function dataOf(t: TestContext, name: string): string | null {
  const folder = (require.resolve.paths(name) ?? []).map((path) => join(path, name)).find((path) => existsSync(path))
  if (folder !== undefined) return folder
  t.skip(`${name} is not installed`)
  return null
}

/** A file of its own folder. */
export async function testFile(t: TestContext, name: string, content: string | Uint8Array): Promise<string> {
  const path = join(await testFolder(t), name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  return path
}

export async function allExamples({ store }: Project): Promise<Example[]> {
  const rows = await store.db.selectFrom('example').select('number').orderBy('number').execute()
  return Array.fromAsync(
    readExamples(
      store,
      rows.map(({ number }) => number),
    ),
  )
}

/** Everything that an import may change: examples with their labels and splits, and columns; in no particular order of arrival. */
export async function holdings(project: Project): Promise<unknown> {
  const { db } = project.store
  const labels = await presentLabels(project.store)
  const examples = await db
    .selectFrom('example')
    .select(['id', 'number', 'given_split', 'name'])
    .orderBy('id')
    .execute()
  return {
    examples: examples.map(({ id, number, given_split, name }) => [
      id,
      labels.get(number)?.value ?? null,
      given_split,
      name,
    ]),
    fields: await db.selectFrom('field').selectAll().orderBy('position').execute(),
  }
}
