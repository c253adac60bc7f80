import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { descent } from '../cli/test-command.ts'
import { evaluateRun } from '../evaluation/evaluate.ts'
import { logTraffic } from '../monitoring/test-traffic.ts'
import { openProject } from '../project/project.ts'
import { setAlias } from '../registry/aliases.ts'
import { loadVersion } from '../registry/load-version.ts'
import { registerRun } from '../registry/register.ts'
import { digitProject, mailProject, train } from '../registry/test-versions.ts'
import { readExample } from '../store/examples.ts'
import { runFolder } from '../training/run.ts'
import { makeSnapshot, readSnapshot } from '../versioning/snapshot.ts'
import { forget } from './forget.ts'
import { impact } from './impact.ts'
import { influenceName, influences } from './influence.ts'
import { why } from './why.ts'

test('the prediction of a training example is moved most by examples of its own class, itself in the first tenth', async (t) => {
  const { project, run } = await digitProject(t, { epochs: 6 })
  const { entries } = await readSnapshot(project, run.snapshot)
  const train = entries.filter(({ split }) => split === 'train')
  let own = 0
  let among = 0
  const asked = train.slice(0, 12)
  for (const entry of asked) {
    const { content } = await readExample(project.store, entry.number)
    const sorted = (await influences(project, run.number, content)).toSorted((a, b) => b.score - a.score)
    const top = sorted.slice(0, 10)
    own += top.filter(({ entry: { label } }) => label === entry.label).length / top.length
    if (sorted.findIndex((one) => one.entry.number === entry.number) < train.length / 10) among++
  }
  // By lot either would be a tenth.
  assert.ok(own / asked.length > 0.5, `${own / asked.length}`)
  assert.ok(among >= asked.length / 2, `${among}`)
  // What is kept gives the same as what is computed anew.
  const kept = join(runFolder(project, run.number), influenceName)
  assert.ok(existsSync(kept))
  const { content } = await readExample(project.store, train[0]?.number as number)
  const scores = (await influences(project, run.number, content)).map(({ score }) => score)
  const { rm } = await import('node:fs/promises')
  await rm(kept)
  const again = (await influences(project, run.number, content)).map(({ score }) => score)
  assert.deepEqual(again, scores)
})

test('why leads from a prediction to version, run, snapshot, examples and who labelled them', async (t) => {
  const { project, run } = await digitProject(t)
  const { version } = await registerRun(project, run.number)
  await setAlias(project, 'champion', version.number)
  const { entries } = await readSnapshot(project, run.snapshot)
  const tested = entries.find(({ split }) => split === 'test')
  const { content } = await readExample(project.store, tested?.number as number)
  const [id] = (await logTraffic(project, version.number, [content])) as [string]
  const found = await why(project, id.slice(0, 12), { count: 5 })
  assert.equal(found.version, version.number)
  assert.equal(found.run, run.number)
  assert.equal(found.snapshot.hash, run.snapshot)
  assert.equal(found.towards.length, 5)
  for (const { labelled, label } of found.towards) assert.deepEqual(labelled[0]?.value, label)
  const { out, code } = await descent(project.folder, ['why', id, '-n', '3'])
  assert.equal(code, 0)
  assert.match(out, new RegExp(`version ${version.number}: run ${run.number}`))
  assert.match(out, /labelled \d +file/)
  const unknown = await descent(project.folder, ['why', 'abcdef'])
  assert.equal(unknown.code, 1)
  assert.match(unknown.err, /no prediction abcdef/)
})

test('impact tells what learned from an example and what was only tested on it', async (t) => {
  const { project, run } = await digitProject(t)
  const { version } = await registerRun(project, run.number)
  await setAlias(project, 'champion', version.number)
  const { entries } = await readSnapshot(project, run.snapshot)
  const of = (wanted: string) => entries.find(({ split }) => split === wanted) as (typeof entries)[number]
  const learned = await impact(project, of('train').id)
  assert.deepEqual(learned.retrain, [version.number])
  assert.deepEqual(learned.versions[0]?.aliases, ['champion'])
  assert.deepEqual(
    learned.snapshots.map(({ split }) => split),
    ['train'],
  )
  const tested = await impact(project, of('test').id)
  assert.deepEqual(tested.retrain, [])
  assert.deepEqual(
    tested.runs.map(({ number, learned }) => ({ number, learned })),
    [{ number: run.number, learned: false }],
  )
})

test('what is forgotten is nowhere in the folder any more; its hash is; everything goes on without it', async (t) => {
  const { project, run } = await mailProject(t)
  const { version } = await registerRun(project, run.number)
  await setAlias(project, 'champion', version.number)
  const { entries } = await readSnapshot(project, run.snapshot)
  const golden = JSON.parse(readFileSync(join(project.store.folder, 'models', '1', 'golden.json'), 'utf8')) as {
    examples: { id: string }[]
  }
  const entry = entries.find(({ id }) => id === golden.examples[0]?.id)
  assert.ok(entry, 'an example that stands among the golden ones')
  const { content } = await readExample(project.store, entry.number)
  assert.equal(content.kind, 'text')
  if (content.kind !== 'text') return
  // A piece of it that no other mail has.
  const secret = content.text
    .split('\n')
    .toSorted((a, b) => b.length - a.length)[0]
    ?.slice(0, 60) as string
  await logTraffic(project, version.number, [content])
  assert.notEqual(await filesWith(project.store.folder, secret), 0)

  const report = await forget(project, entry.id, { who: 'ada', why: 'asked for it' })
  assert.equal(report.requests, 1)
  assert.deepEqual(report.golden, [version.number])
  assert.equal(await filesWith(project.store.folder, secret), 0)
  await forget(project, entry.id)

  await assert.rejects(readExample(project.store, entry.number), /removed for good/)
  assert.equal((await readSnapshot(project, run.snapshot)).entries.length, entries.length - 1)
  const next = await makeSnapshot(project)
  assert.ok(!(await readSnapshot(project, next.snapshot.hash)).entries.some(({ id }) => id === entry.id))
  await loadVersion(project, version.number)
  await evaluateRun(project, { run: run.number })
  await train(project, { epochs: 1 })
})

test('descent forget says what would happen, and does it with --yes', async (t) => {
  const { project, run } = await digitProject(t, { epochs: 1 })
  const { entries } = await readSnapshot(project, run.snapshot)
  const entry = entries.find(({ split }) => split === 'train') as (typeof entries)[number]
  const dry = await descent(project.folder, ['forget', entry.id.slice(0, 16)])
  assert.match(dry.out, /Nothing was changed/)
  await readExample(project.store, entry.number)
  const done = await descent(project.folder, ['forget', entry.id.slice(0, 16), '--yes', '--why', 'test'])
  assert.equal(done.code, 0, done.err)
  assert.match(done.out, /Removed the content/)
  const { out } = await descent(project.folder, ['impact', entry.id.slice(0, 16)])
  assert.match(out, /its content was removed by .*: test\n/)
  const again = await openProject(project.folder)
  t.after(() => again.close())
  await assert.rejects(readExample(again.store, entry.number), /removed for good/)
})

/** In how many files of the folder these bytes occur. */
async function filesWith(folder: string, text: string): Promise<number> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const needles = [Buffer.from(text), Buffer.from(Buffer.from(text).toString('base64').slice(4, 40))]
  return names.filter(({ parentPath, name }) => {
    const bytes = readFileSync(join(parentPath, name))
    return needles.some((needle) => bytes.includes(needle))
  }).length
}
