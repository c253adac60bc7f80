import assert from 'node:assert/strict'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { testFolder } from '../test-project.ts'
import { type Config, checkConfig } from './config.ts'
import { initProject, openProject } from './project.ts'

test('a project is found from a folder within it; a second one is not made over it', async (t) => {
  const folder = await testFolder(t)
  await writeFile(join(folder, '.gitignore'), 'node_modules/')
  await (await initProject(folder, 'image')).close()
  await mkdir(join(folder, 'a/b'), { recursive: true })
  const project = await openProject(join(folder, 'a/b'))
  assert.equal(project.folder, folder)
  assert.equal(project.config.kind, 'image')
  await project.close()
  await assert.rejects(initProject(folder, 'text'), /is a project already.*Nothing was changed/)
  await rm(join(folder, 'descent.config.ts'))
  await assert.rejects(openProject(folder), /has a store but no descent\.config\.ts/)
  await assert.rejects(openProject(await testFolder(t)), /no project in .*descent init/)
})

test('every setting of the config is checked, and the first wrong one is named', () => {
  const good: Config = {
    kind: 'tabular',
    target: 'species',
    classes: ['a', 'b'],
    columns: { zip: 'category' },
    split: { test: 0.2, group: 'patient' },
    rules: { r: () => null },
  }
  assert.equal(checkConfig(good, 'c.ts'), good)
  for (const [wrong, message] of [
    [undefined, /c\.ts exports no config/],
    [{}, /'kind' is missing/],
    [{ kind: 'video' }, /'kind' must be one of "tabular", "image", "text", not "video"/],
    [{ kind: 'text', clases: ['a'] }, /'clases' is no setting\. There are: kind, .*classes/],
    [{ kind: 'text', classes: ['a', 'a'] }, /'classes' must be a list of two or more different texts/],
    [{ kind: 'tabular', columns: { zip: 'zip' } }, /'columns': zip must be one of .*ignore/],
    [{ kind: 'tabular', split: { tset: 0.1 } }, /'split\.tset' is no setting/],
    [{ kind: 'tabular', split: { test: 2 } }, /'split\.test' must be a share/],
    [{ kind: 'tabular', split: { test: 0.5, validation: 0.5 } }, /nothing would be left to train on/],
    [{ kind: 'text', rules: { r: 3 } }, /'rules': r must be a function/],
    [{ kind: 'text', gate: { margin: 2 } }, /'gate\.margin' must be a share/],
    [{ kind: 'text', gate: { latency: 0 } }, /'gate\.latency' must be a number above 0/],
    [{ kind: 'text', gate: { autoPromote: 1 } }, /'gate\.autoPromote' must be true or false/],
  ] as const) {
    assert.throws(() => checkConfig(wrong, 'c.ts'), message)
  }
})

test('a config that cannot be read says why', async (t) => {
  const folder = await testFolder(t)
  await (await initProject(folder, 'image')).close()
  await writeFile(join(folder, 'descent.config.ts'), 'export default { kind: ')
  await assert.rejects(openProject(folder), /descent\.config\.ts cannot be read: /)
})
