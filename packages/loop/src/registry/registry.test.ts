import assert from 'node:assert/strict'
import { appendFile, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { descent } from '../cli/test-command.ts'
import { runFolder } from '../training/run.ts'
import { trainRun } from '../training/train-run.ts'
import { readSnapshot } from '../versioning/snapshot.ts'
import { hashFolder } from './files.ts'
import type { Golden } from './golden.ts'
import { removeGolden } from './golden-removal.ts'
import { loadVersion } from './load-version.ts'
import { registerRun } from './register.ts'
import { carProject, digitProject, penguinProject } from './test-versions.ts'
import { findVersion, versionFolder } from './version.ts'

test('a version answers as its run does, with a temperature, and says what it takes and gives', async (t) => {
  const { project, run, examples } = await penguinProject(t, { epochs: 3 })
  const { version, made } = await registerRun(project, run.number, { message: 'first' })
  assert.deepEqual([version.number, version.run, version.message, made], [1, run.number, 'first', true])
  assert.deepEqual(version.signature.output, { task: 'class', classes: ['Adelie', 'Chinstrap', 'Gentoo'] })
  assert.ok(version.signature.input.kind === 'row')
  assert.deepEqual(
    version.signature.input.fields.map(({ name, type }) => `${name}: ${type}`),
    [
      'Beak Length (mm): number',
      'Beak Depth (mm): number',
      'Flipper Length (mm): number',
      'Body Mass (g): number',
      'Island: category',
      'Sex: category',
    ],
  )
  const model = await loadVersion(project, 1)
  const contents = examples.map(({ content }) => content)
  const answers = await model.predict(contents)
  const raw = await model.trained.predict(contents)
  assert.notEqual(model.temperature, 1)
  let right = 0
  for (const [i, answer] of answers.entries()) {
    assert.ok('label' in answer)
    right += Number(answer.label === examples[i]?.label)
    const sum = answer.probabilities.reduce((a, b) => a + b, 0)
    assert.ok(Math.abs(sum - 1) < 1e-5)
    const logits = [...raw.values.subarray(i * 3, i * 3 + 3)].map((p) => Math.log(p) / model.temperature)
    const total = logits.reduce((s, z) => s + Math.exp(z), 0)
    for (const [k, z] of logits.entries())
      assert.ok(Math.abs(Math.exp(z) / total - (answer.probabilities[k] ?? 0)) < 1e-5)
    const entropy = -answer.probabilities.reduce((s, p) => s + (p > 0 ? p * Math.log(p) : 0), 0) / Math.log(3)
    assert.ok(Math.abs(answer.uncertainty - entropy) < 1e-6)
  }
  assert.ok(right / answers.length > 0.8, `${right} of ${answers.length}`)
  assert.equal((await model.embed(contents.slice(0, 5))).count, 5)

  assert.deepEqual(await registerRun(project, run.number), { version, made: false })
  await assert.rejects(registerRun(project, 7), /There is no run 7/)
  await assert.rejects(loadVersion(project, 2), /There is no version 2/)
  await assert.rejects(loadVersion(project, 'champion'), /The alias 'champion' points to no version/)
})

test('the card states data, figures with intervals, slices, certainty and limits; the lineage leads back', async (t) => {
  const { project, run } = await penguinProject(t)
  const { version } = await registerRun(project)
  const card = await readFile(join(versionFolder(project, 1), 'card.md'), 'utf8')
  const { snapshot, entries } = await readSnapshot(project, run.snapshot)
  const tests = entries.filter(({ split }) => split === 'test').length
  assert.match(card, /## Intended use\n\nTo be filled in/)
  assert.ok(card.includes(`Snapshot 1 (${snapshot.hash.slice(0, 12)})`))
  assert.ok(card.includes(`By ${tests} test examples, with intervals of 95 %`))
  assert.match(card, /\| accuracy \| [\d.]+ % \| [\d.]+ % to [\d.]+ % \|/)
  assert.match(card, /\| Gentoo \| \d+ \|/)
  assert.match(card, /## Slices\n\n.*slices/)
  assert.match(card, /examples are few/)
  assert.ok(version.metrics.task === 'class')
  assert.equal(version.metrics.metrics.accuracy.estimate, run.metrics?.test?.accuracy)
  const shown = await descent(project.folder, ['versions', '1'])
  assert.equal(shown.code, 0, shown.err)
  assert.match(shown.out, new RegExp(`run +${run.number}, trained .* seed 1`))
  assert.match(shown.out, new RegExp(`recipe +perceptron \\(${run.recipeHash.slice(0, 12)}\\)`))
  assert.match(shown.out, new RegExp(`snapshot +1 \\(${snapshot.hash.slice(0, 12)}\\)`))
})

test('a version whose files changed is refused, and the refusal names the file', async (t) => {
  const { project, run } = await penguinProject(t)
  await registerRun(project)
  const folder = versionFolder(project, 1)
  const again = new RegExp(`Put it back from a copy, or register run ${run.number} again`)
  for (const name of ['model.safetensors', 'features.json', 'calibration.json']) {
    const path = join(folder, name)
    const before = await readFile(path)
    await appendFile(path, ' ')
    await assert.rejects(loadVersion(project, 1), new RegExp(`${name} is not what was registered`))
    await assert.rejects(loadVersion(project, 1), again)
    await rename(path, `${path}.away`)
    await assert.rejects(loadVersion(project, 1), new RegExp(`${name} is gone`))
    await rm(`${path}.away`)
    await writeFile(path, before)
  }
  // The card is for people to complete.
  await appendFile(join(folder, 'card.md'), 'It tells penguins apart.')
  await loadVersion(project, 1)
})

test('a version that answers otherwise than when it was registered is refused, and the refusal says by how much', async (t) => {
  const { project } = await carProject(t)
  const { version } = await registerRun(project)
  assert.deepEqual(version.signature.output, { task: 'number' })
  const folder = versionFolder(project, 1)
  // Another scale behind the network, with hashes that fit: what only the golden predictions can notice.
  const path = join(folder, 'settings.json')
  const settings = JSON.parse(await readFile(path, 'utf8'))
  const forge = async (scale: number) => {
    await writeFile(path, JSON.stringify({ ...settings, target: { ...settings.target, scale } }))
    const { files } = await hashFolder(folder)
    await project.store.db
      .updateTable('version')
      .set({ files: JSON.stringify(files) })
      .execute()
  }
  await forge(settings.target.scale * 1.01)
  await assert.rejects(
    loadVersion(project, 1),
    /Version 1 does not answer as it did .* for example [0-9a-f]{12} the number was [\d.]+ and is [\d.]+, more than [\d.e-]+ apart/,
  )
  await forge(settings.target.scale)
  const model = await loadVersion(project, 1)
  const [answer] = await model.predict([{ kind: 'row', values: { Cylinders: 4, Horsepower: 80 } }])
  assert.ok(answer && 'value' in answer && answer.value > 10 && answer.value < 60)
})

test('an example that must be forgotten leaves the golden predictions, which still check the rest', async (t) => {
  const { project } = await penguinProject(t, { epochs: 1 })
  await registerRun(project)
  const path = join(versionFolder(project, 1), 'golden.json')
  const golden = async () => JSON.parse(await readFile(path, 'utf8')) as Golden
  const { examples } = await golden()
  assert.equal(examples.length, 16)
  const gone = examples[4] as Golden['examples'][0]
  assert.equal(await removeGolden(project, 1, gone.id), true)
  assert.deepEqual(
    (await golden()).examples,
    examples.filter(({ id }) => id !== gone.id),
  )
  assert.equal(await removeGolden(project, 1, gone.id), false)
  await loadVersion(project, 1)
})

test('what a killed registration left behind is no obstacle', async (t) => {
  const { project } = await penguinProject(t, { epochs: 1 })
  // As it lies when the process ends between the renaming of the folder and the commit of its row.
  await mkdir(versionFolder(project, 1), { recursive: true })
  await writeFile(join(versionFolder(project, 1), 'model.safetensors'), 'other')
  const { version } = await registerRun(project)
  assert.equal(version.number, 1)
  await loadVersion(project, 1)
})

test('a version needs nothing of its run, nor the file that its network was written in', async (t) => {
  const { project } = await penguinProject(t, { epochs: 1 })
  const modules = fileURLToPath(new URL('../../../../node_modules', import.meta.url))
  await symlink(modules, join(project.folder, 'node_modules'))
  const recipe = join(project.folder, 'mine.ts')
  await writeFile(
    recipe,
    `import { nn } from 'descent'
export default { network: ({ layout, outputs }) => new nn.Sequential(new nn.Linear(layout.numbers + layout.categories.length, outputs)) }
`,
  )
  const run = await trainRun(project, { recipe: 'mine.ts', epochs: 1, threads: 1 })
  await registerRun(project, run.number)
  const content = { kind: 'row', values: { 'Body Mass (g)': 4000 } } as const
  const before = await (await loadVersion(project, 1)).predict([content])
  await writeFile(recipe, 'export default 3')
  await rm(runFolder(project, run.number), { recursive: true })
  assert.deepEqual(await (await loadVersion(project, 1)).predict([content]), before)
})

test('images: registered by the command, which says what comes next', async (t) => {
  const { project, run, examples } = await digitProject(t)
  const { code, out, err } = await descent(project.folder, ['register', '-m', 'digits'])
  assert.equal(code, 0, err)
  assert.match(out, /Registered run 1 as version 1: [\d.]+ % right \(95 % interval .*\) on 100 test examples\./)
  assert.match(out, /Next: descent promote 1\n/)
  const version = await findVersion(project, '1')
  assert.deepEqual(version.signature.input, { kind: 'image', width: 28, height: 28, channels: 1 })
  const { predict } = await loadVersion(project, 1)
  const tests = examples.filter(({ split }) => split === 'test')
  const answers = await predict(tests.map(({ content }) => content))
  const right = answers.filter((answer, i) => 'label' in answer && answer.label === tests[i]?.label).length
  assert.equal(right / tests.length, run.metrics?.test?.accuracy)
})
