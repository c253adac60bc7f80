import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { initProject, openProject } from '../project/project.ts'
import { projectStatus } from '../project/status.ts'
import { seeded } from '../random.ts'
import { testFolder } from '../test-project.ts'
import { importFiles } from './import.ts'
import { ended, kept, startImport, writeRows } from './test-kill.ts'

/** Waits until the import has kept so many rows. */
async function untilRows(folder: string, rows: number): Promise<void> {
  const project = await openProject(folder)
  try {
    for (;;) {
      const latest = await project.store.db.selectFrom('import').select('rows').orderBy('id', 'desc').executeTakeFirst()
      if ((latest?.rows ?? 0) >= rows) return
      await setTimeout(5)
    }
  } finally {
    await project.close()
  }
}

test('an import that is killed again and again goes on where it was, to the same end', async (t) => {
  const rows = 130_000
  const path = join(await testFolder(t), 'rows.csv')
  await writeRows(path, rows)
  const [whole, killed] = [await testFolder(t), await testFolder(t)]
  await (await initProject(killed, 'tabular')).close()
  const project = await initProject(whole, 'tabular')
  await importFiles(project, [path], { target: 'k' })
  await project.close()

  const random = seeded(11)
  let most = 0
  for (const moment of ['early', 40_000, 80_000, 'late'] as const) {
    const child = startImport(killed, [path, '--target', 'k'])
    const end = ended(child)
    if (typeof moment === 'number') await untilRows(killed, moment - 5000)
    await setTimeout(moment === 'early' ? 300 * random.uniform() : 60 * random.uniform())
    child.kill('SIGKILL')
    const { signal } = await end
    const { examples, status, counts } = await kept(killed)
    if (signal === 'SIGKILL') assert.ok(status === null || status === 'running', `${status}`)
    assert.ok(examples >= most && (counts[0] ?? 0) <= rows)
    most = examples
  }
  const again = await openProject(killed)
  const { next } = await projectStatus(again)
  await again.close()
  assert.equal(next.command, `descent import ${path} --target k`)
  const { code, said } = await ended(startImport(killed, [path, '--target', 'k']))
  assert.equal(code, 0, said)
  assert.ok(most === 0 || /went on where it was stopped/.test(said), said)
  assert.deepEqual(await kept(killed), await kept(whole))
  const rejects = (folder: string) => readFile(join(folder, '.descent/rejects/import-1.jsonl'), 'utf8')
  assert.equal(await rejects(killed), await rejects(whole))
})
