import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { descent } from '../cli/test-command.ts'
import { forget } from '../lineage/forget.ts'
import type { Project } from '../project/project.ts'
import { seeded } from '../random.ts'
import { encodeContent, exampleId } from '../store/content.ts'
import type { TestExample } from '../test-examples.ts'
import { mnist } from '../training/test-data.ts'
import { readSnapshot } from '../versioning/snapshot.ts'
import { aliasHistory, championOn, currentVersion, setAlias } from './aliases.ts'
import { compare, compareSlices, worseBy } from './compare.ts'
import { askGate, sliceCheck } from './gate.ts'
import { promote, rollback } from './promote.ts'
import { registerRun } from './register.ts'
import { digitProject, train } from './test-versions.ts'

const worse = {
  name: 'worse',
  network: { type: 'mlp', hidden: [4], dropout: 0 },
  augmentation: [],
  optimizer: { type: 'sgd', lr: 0.01 },
}

/** Versions 1, middling, 2, better, and 3, bad. */
async function threeVersions(t: Parameters<typeof digitProject>[0], config?: string) {
  const { project } = await digitProject(t, { epochs: 2, ...(config ? { config } : {}) })
  await registerRun(project)
  await registerRun(project, (await train(project, { epochs: 12 })).number)
  await registerRun(project, (await train(project, { recipe: worse, epochs: 1 })).number)
  return project
}

test('what is better becomes champion; what is worse is refused, with which check and by how much', async (t) => {
  const project = await threeVersions(t)
  const first = await promote(project, 1, { who: 'ada', why: 'a beginning' })
  assert.equal(first.change?.how, 'promoted')
  assert.deepEqual(
    first.report.checks.map(({ check, passed }) => `${check}: ${passed}`),
    ['test set: null', 'latency: true', 'size: true'],
  )
  const second = await promote(project, 2)
  assert.equal(second.change?.version, 2)
  const better = second.report.checks[0]?.comparison
  assert.ok(better && better.challenger > better.champion && better.examples === 100)
  await assert.rejects(promote(project, 2), /Version 2 is the champion already/)

  const { report, change } = await promote(project, 3)
  assert.equal(change, null)
  assert.equal(report.passed, false)
  const [onTest, inSlices] = report.checks
  assert.equal(onTest?.passed, false)
  const found = onTest?.comparison
  assert.ok(found)
  const points = (100 * (found.champion - found.challenger)).toFixed(2)
  assert.ok(onTest.sentence.includes(`${points} points worse`), onTest.sentence)
  assert.ok(onTest.sentence.includes('more than the 2.00 points allowed'), onTest.sentence)
  assert.equal(inSlices?.passed, false)
  assert.match(
    inSlices?.sentence ?? '',
    /Worse where .* is .*points worse.*more than the 5\.00 points allowed in a slice/,
  )
  assert.equal(await currentVersion(project, 'champion'), 2)

  const stopped = promote(project, 3, { signal: AbortSignal.abort() })
  await assert.rejects(stopped, { name: 'StoppedError', message: 'Stopped: the champion is what it was.' })
  await assert.rejects(promote(project, 3, { force: true }), /needs a reason/)
  await assert.rejects(promote(project, 3, { force: true, why: ' ' }), /needs a reason/)
  const forced = await promote(project, 3, { force: true, why: 'a demonstration', who: 'bob' })
  assert.deepEqual(
    [forced.change?.how, forced.change?.why, forced.change?.who, forced.change?.gate?.passed],
    ['forced', 'a demonstration', 'bob', false],
  )
  const history = await aliasHistory(project, 'champion')
  assert.deepEqual(history.at(-1), forced.change)

  assert.equal((await rollback(project, { why: 'enough' })).version, 2)
  assert.equal((await rollback(project)).version, 1)
  await assert.rejects(rollback(project), /no champion before version 1/)
  assert.deepEqual(
    (await aliasHistory(project, 'champion')).map(({ version, how }) => `${how} ${version}`),
    ['promoted 1', 'promoted 2', 'forced 3', 'rolled back 2', 'rolled back 1'],
  )

  const refused = await descent(project.folder, ['promote', '3'])
  assert.equal(refused.code, 1)
  assert.match(refused.out, /test set +refused +[\d.]+ % right of 100 test examples/)
  assert.match(refused.out, /Refused: version 1 stays champion/)
  const passed = await descent(project.folder, ['promote', '2', '--why', 'better', '--as', 'ada'])
  assert.equal(passed.code, 0, passed.err + passed.out)
  assert.match(passed.out, /Version 2 is champion from now on/)
  const back = await descent(project.folder, ['rollback'])
  assert.match(back.out, /Version 1 is champion again/)
  const direct = await descent(project.folder, ['alias', 'champion', '3'])
  assert.equal(direct.code, 1)
  assert.match(direct.err, /descent promote/)
})

test('traffic with feedback is judged by, but not what a model has learned from', async (t) => {
  const project = await threeVersions(t)
  await promote(project, 2)
  const trafficOf = async () => (await askGate(project, 3)).checks.find(({ check }) => check === 'traffic')
  // What both have been trained on does not count, however often it is asked.
  const digits = [...mnist(300, 160)]
  await log(project, digits.slice(0, 60))
  const before = await trafficOf()
  assert.equal(before?.passed, null)
  assert.match(before?.sentence ?? '', /Of the traffic (\d) inputs have feedback/)
  const fresh = digits.slice(-60)
  await log(project, fresh)
  // The same inputs again, with wrong feedback that was then put right: the last word counts.
  await log(project, fresh, () => '0')
  await log(project, fresh)
  const after = await trafficOf()
  assert.equal(after?.passed, false)
  assert.ok(after?.comparison)
  assert.ok(after.comparison.examples >= 60 && after.comparison.examples < 70, `${after.comparison.examples}`)
  assert.ok(after.comparison.champion > 0.6 && after.comparison.challenger < after.comparison.champion)
  assert.match(after.sentence, /inputs with feedback, the champion/)
})

let asked = 0
/** Logs the digits as answered by version 2, with feedback. */
async function log(
  { store }: Project,
  digits: readonly TestExample[],
  say = (digit: TestExample) => String(digit.label),
) {
  await store.transaction(async (db) => {
    for (const digit of digits) {
      const { media, body } = encodeContent(digit.content)
      const [id, at] = [`p${++asked}`, new Date().toISOString()]
      const row = { id, at, version: 2, role: 'champion', content: exampleId({ media, body }), media, body } as const
      await db
        .insertInto('prediction')
        .values({ ...row, output: '{}', milliseconds: 1 })
        .execute()
      const value = JSON.stringify(say(digit))
      await db.insertInto('feedback').values({ prediction: id, value, at, who: 'ada' }).execute()
    }
  })
}

test('test examples that were forgotten since do not hinder registering and comparing', async (t) => {
  const { project, run } = await digitProject(t, { epochs: 1 })
  await registerRun(project)
  await promote(project, 1)
  const { number } = await train(project, { epochs: 6 })
  const { entries } = await readSnapshot(project, run.snapshot)
  const gone = entries.find(({ split }) => split === 'test')
  await forget(project, gone?.id as string)
  await registerRun(project, number)
  const { report } = await promote(project, 2)
  assert.equal(report.checks[0]?.comparison?.examples, 99)
  assert.equal(report.passed, true)
})

test('limits of time and size hold without a champion too, and are named', async (t) => {
  const config = "export default { kind: 'image', gate: { latency: 1e-6, bytes: 1000 } }"
  const { project } = await digitProject(t, { epochs: 1, config })
  const { version } = await registerRun(project)
  const { report, change } = await promote(project, 1)
  assert.equal(change, null)
  const of = (name: string) => report.checks.find(({ check }) => check === name)
  assert.match(of('latency')?.sentence ?? '', /An answer takes [\d.]+ ms; more than the allowed 0\.000001 ms/)
  const excess = (version.bytes - 1000).toLocaleString('en')
  assert.ok(of('size')?.sentence.includes(`${excess} more than the allowed 1,000`))
})

test('an alias has a whole history: who, when, why, and what it was on a day', async (t) => {
  const { project } = await digitProject(t, { epochs: 1 })
  await registerRun(project)
  await registerRun(project, (await train(project, { epochs: 1, seed: 2 })).number)
  const days = ['2026-01-05', '2026-01-07', '2026-01-07', '2026-02-01']
  await setAlias(project, 'champion', 1, { who: 'ada', why: 'first' })
  await setAlias(project, 'champion', 2, { who: 'bob' })
  await setAlias(project, 'champion', 1, { who: 'eve' })
  await setAlias(project, 'champion', null, { who: 'eve' })
  for (const [i, day] of days.entries())
    await project.store.db
      .updateTable('alias')
      .set({ at: `${day}T1${i}:00:00.000Z` })
      .where('number', '=', i + 1)
      .execute()
  const on = (when: string) => championOn(project, when)
  assert.equal(await on('2026-01-04'), null)
  assert.equal(await on('2026-01-05'), 1)
  assert.equal(await on('2026-01-06'), 1)
  assert.equal(await on('2026-01-07T11:30:00Z'), 2)
  assert.equal(await on('2026-01-07'), 1)
  assert.equal(await on('2026-02-01T12:59:00Z'), 1)
  assert.equal(await on('2026-02-01'), null)
  for (const wrong of ['yesterday', '2026-02-31', ''])
    await assert.rejects(on(wrong), /is no date: write it as 2026-11-25/)
  await assert.rejects(setAlias(project, 'best one', 1), /is no name for an alias/)
  await assert.rejects(setAlias(project, '1', 1), /is no name for an alias/)
  await assert.rejects(setAlias(project, 'best', 9), /There is no version 9/)
  await setAlias(project, 'best', 2)
  await assert.rejects(setAlias(project, 'best', 2), /best is version 2 already/)
  await assert.rejects(setAlias(project, 'best', 1, { expected: 1 }), /best has changed meanwhile: .* version 2 now/)
  const listed = await descent(project.folder, ['aliases', '--on', '2026-01-06'])
  assert.match(listed.out, /champion +1 +2026-01-05 10:00 +set +ada +first/)
})

test('the difference of two models is that of their means, and none where they answer alike', () => {
  const score = fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 2, maxLength: 60 })
  fc.assert(
    fc.property(score, (pairs) => {
      const [old, fresh] = [0, 1].map((side) => Float64Array.from(pairs, (pair) => Number(pair[side]))) as [
        Float64Array,
        Float64Array,
      ]
      const mean = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length
      const found = compare(old, fresh, { task: 'class', seed: 1 })
      assert.ok(Math.abs(worseBy(found) - (mean(old) - mean(fresh))) < 1e-12)
      assert.ok(found.difference.low <= found.difference.high)
      const same = compare(old, old, { task: 'class', seed: 1 })
      assert.deepEqual([same.difference.low, same.difference.high, same.pValue], [0, 0, 1])
    }),
    { numRuns: 30 },
  )
})

test('a slice that got worse is refused by, where all of it got no worse', () => {
  const random = seeded(3)
  const n = 600
  const city = Array.from({ length: n }, (_, i) => ['Rome', 'Paris', 'Oslo'][i % 3] as string)
  const old = Float64Array.from({ length: n }, () => Number(random.uniform() < 0.8))
  // Better in Rome and Paris, worse in Oslo.
  const fresh = old.map((right, i) =>
    city[i] === 'Oslo' ? right * Number(random.uniform() < 0.7) : Math.max(right, Number(random.uniform() < 0.9)),
  )
  const mean = (values: Float64Array) => values.reduce((a, b) => a + b) / n
  assert.ok(mean(fresh) > mean(old))
  const options = { task: 'class', seed: 1 } as const
  const slices = compareSlices(old, fresh, [{ name: 'city', values: city }], options)
  const refused = sliceCheck(slices, {})
  assert.equal(refused.passed, false)
  assert.match(refused.sentence, /^Worse where city is Oslo: .* points worse/)
  assert.equal(sliceCheck(slices, { sliceMargin: 0.9 }).passed, true)
  assert.equal(sliceCheck(compareSlices(old, old, [{ name: 'city', values: city }], options), {}).passed, true)
})
