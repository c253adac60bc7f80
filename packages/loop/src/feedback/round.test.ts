import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { descent } from '../cli/test-command.ts'
import { logTraffic } from '../monitoring/test-traffic.ts'
import { StoppedError } from '../progress.ts'
import type { Project } from '../project/project.ts'
import { aliasHistory, currentVersion, setAlias } from '../registry/aliases.ts'
import { trafficExamples } from '../registry/judge-examples.ts'
import { promote } from '../registry/promote.ts'
import { registerRun } from '../registry/register.ts'
import { digitProject } from '../registry/test-versions.ts'
import type { ImageContent } from '../store/content.ts'
import { addExamples, type TestExample } from '../test-examples.ts'
import { listRuns } from '../training/run.ts'
import { mnist } from '../training/test-data.ts'
import { listSnapshots, readSnapshot } from '../versioning/snapshot.ts'
import { goRound, type RoundResult } from './round.ts'

/** Digits that the first champion has not seen. */
const fresh = [...mnist(1300, 0)].slice(300)

/** The champion has learned 300 digits for one epoch: there is much to better. */
async function served(t: TestContext, config?: string): Promise<Project> {
  const { project, run } = await digitProject(t, { epochs: 1, ...(config ? { config } : {}) })
  const { version } = await registerRun(project, run.number)
  await setAlias(project, 'champion', version.number, { who: 'ada', how: 'promoted' })
  return project
}

/** Nearly everything passes this gate. */
const lenient = `export default { kind: 'image', gate: { margin: 0.9, sliceMargin: 0.9 } }`

const label = (project: Project, digits: readonly TestExample[], who = 'ada') => addExamples(project, digits, who)
const rounds = ({ store }: Project) => store.db.selectFrom('round').selectAll().orderBy('number').execute()
const yes = async () => true

function ended(result: RoundResult): Exclude<RoundResult, { status: 'too few' }> {
  if (result.status === 'too few') throw new Error(`${result.labels} labels are too few.`)
  return result
}

test('with too few new labels no round begins, and it is said how many there are; without a champion none can', async (t) => {
  const project = await served(t)
  await label(project, fresh.slice(0, 20))
  assert.deepEqual(await goRound(project, { labels: 21 }), { status: 'too few', labels: 20, learned: 0, wanted: 21 })
  assert.deepEqual([await rounds(project), (await listRuns(project)).length], [[], 1])
  await setAlias(project, 'champion', null)
  await assert.rejects(goRound(project), /no champion to better.*descent promote/)
})

test('a round trains on from the champion, is asked about, and its better version is champion from then on', async (t) => {
  const project = await served(t)
  await label(project, fresh.slice(0, 200))
  const asked: unknown[] = []
  const result = ended(
    await goRound(project, {
      labels: 200,
      epochs: 6,
      who: 'grace',
      confirm: async (report, gain) => asked.push(report.passed, gain.labels) > 0,
    }),
  )
  assert.deepEqual([result.status, result.before, result.version, asked], ['promoted', 1, 2, [true, 200]])
  const { test: onTest } = result.gain
  assert.ok(onTest && onTest.challenger > onTest.champion + 0.1 && onTest.difference.low > 0)
  const [run] = (await listRuns(project)).filter(({ number }) => number === 2)
  assert.equal(run?.start, 1)
  const history = (await aliasHistory(project)).map(({ name, version, who, how }) => [name, version, who, how])
  assert.deepEqual(history, [
    ['champion', 1, 'ada', 'promoted'],
    ['challenger', 2, 'grace', 'set'],
    ['champion', 2, 'grace', 'promoted'],
    ['challenger', null, 'grace', 'removed'],
  ])
  const [round] = await rounds(project)
  assert.deepEqual([round?.status, round?.run, round?.after, round?.labels], ['promoted', 2, 2, 200])
  assert.deepEqual(JSON.parse(round?.gain ?? ''), JSON.parse(JSON.stringify(result.gain)))
  assert.deepEqual(await goRound(project), { status: 'too few', labels: 0, learned: 0, wanted: 100 })
})

test('what the gate refuses does not become champion, and the same labels begin no second round', async (t) => {
  const project = await served(t)
  await label(
    project,
    fresh.slice(0, 300).map((digit) => ({ ...digit, label: '0' })),
  )
  const refused = ended(await goRound(project, { epochs: 4, confirm: () => assert.fail('nobody is asked') }))
  assert.equal(refused.status, 'refused')
  assert.ok(refused.gain.test && refused.gain.test.difference.high < 0)
  assert.equal(await currentVersion(project, 'champion'), 1)
  assert.deepEqual(await goRound(project), { status: 'too few', labels: 0, learned: 300, wanted: 100 })

  await label(project, fresh.slice(0, 300), 'grace')
  await label(project, fresh.slice(300, 310), 'grace')
  const right = ended(await goRound(project, { labels: 310, epochs: 4, anew: true, confirm: yes }))
  assert.deepEqual([right.round, right.gain.labels], [2, 310])
})

test("without a person's word a version waits; the next call asks again, and trains nothing again", async (t) => {
  const project = await served(t)
  await label(project, fresh.slice(0, 150))
  const waits = ended(await goRound(project, { epochs: 4 }))
  assert.deepEqual([waits.status, await currentVersion(project, 'champion')], ['waiting', 1])
  const runs = await listRuns(project)
  const again = ended(await goRound(project, { epochs: 9, confirm: yes, onEpoch: () => assert.fail('trained again') }))
  assert.deepEqual([again.status, again.round, again.version], ['promoted', waits.round, waits.version])
  assert.deepEqual(await listRuns(project), runs)
  assert.equal(await currentVersion(project, 'champion'), waits.version)
})

test('a round whose version a person promoted by hand is finished by that; one that is declined is over', async (t) => {
  const project = await served(t, lenient)
  await label(project, fresh.slice(0, 150))
  const waits = ended(await goRound(project, { epochs: 4 }))
  await promote(project, waits.version)
  assert.equal((await goRound(project)).status, 'too few')
  await label(project, fresh.slice(150, 300))
  const declined = ended(await goRound(project, { epochs: 1, confirm: async () => false }))
  assert.deepEqual([declined.status, declined.before], ['declined', waits.version])
  assert.deepEqual(
    (await rounds(project)).map(({ status, finished_at }) => [status, finished_at !== null]),
    [
      ['promoted', true],
      ['declined', true],
    ],
  )
})

test('a round that is stopped in training goes on with the same run, and ends as if it had not been', async (t) => {
  const project = await served(t)
  await label(project, fresh.slice(0, 150))
  const stop = new AbortController()
  const stopped = goRound(project, {
    epochs: 8,
    signal: stop.signal,
    onEpoch: ({ epoch }) => epoch === 3 && stop.abort(),
  })
  await assert.rejects(stopped, (error) => error instanceof StoppedError && /descent loop.*goes on/.test(error.message))
  assert.deepEqual(
    (await rounds(project)).map(({ status, run }) => [status, run]),
    [['stopped', 2]],
  )
  await label(project, fresh.slice(150, 160))
  const epochs: number[] = []
  const result = ended(await goRound(project, { confirm: yes, onEpoch: ({ epoch }) => epochs.push(epoch) }))
  assert.deepEqual([result.round, result.gain.labels, (await listRuns(project)).length], [1, 150, 2])
  assert.ok(epochs[0] === 4 && epochs.at(-1) === 8)
  assert.equal((await listSnapshots(project)).length, 2)
})

test('a round that was killed between any two steps is gone on with', async (t) => {
  const project = await served(t, lenient)
  await label(project, fresh.slice(0, 150))
  const { status, version, round } = ended(await goRound(project, { epochs: 3 }))
  assert.equal(status, 'waiting')
  for (const lost of [{}, { after: null }, { after: null, run: null }, { after: null, run: null, snapshot: null }]) {
    await project.store.db
      .updateTable('round')
      .set({ status: 'running', ...lost })
      .execute()
    if ('run' in lost)
      await project.store.db.updateTable('run').set({ status: 'running' }).where('number', '=', 2).execute()
    const again = ended(await goRound(project, { epochs: 3 }))
    assert.deepEqual([again.status, again.round, again.version], ['waiting', round, version])
  }
  assert.equal((await rounds(project)).length, 1)
})

test('where the config says so, what passes is promoted without asking anyone', async (t) => {
  const project = await served(t, `export default { kind: 'image', gate: { autoPromote: true } }`)
  await label(project, fresh.slice(0, 150))
  const { status } = ended(await goRound(project, { epochs: 4, confirm: () => assert.fail('nobody is asked') }))
  assert.deepEqual([status, await currentVersion(project, 'champion')], ['promoted', 2])
})

test('labels of a class that the champion does not know train a network anew', async (t) => {
  const project = await served(t)
  const strokes = fresh.slice(0, 120).map((digit, i) => (i % 2 ? digit : { ...digit, label: 'no digit' }))
  await label(project, strokes)
  const news: string[] = []
  await goRound(project, { labels: 100, epochs: 1, onNews: (sentence) => news.push(sentence) })
  assert.ok(news.some((sentence) => /other classes than the champion knows: training anew/.test(sentence)))
  const run = (await listRuns(project)).find(({ number }) => number === 2)
  assert.equal(run?.start, null)
  const [, snapshot] = await listSnapshots(project)
  assert.ok(snapshot?.classes.includes('no digit'))
})

test('feedback begins a round; labels on the random slice are judged by, never trained on', async (t) => {
  const project = await served(t)
  const { db } = project.store
  await db.deleteFrom('frozen').execute()
  const contents = fresh.map(({ content }) => content as ImageContent)
  const plain = await logTraffic(project, 1, contents.slice(0, 120))
  const slice = await logTraffic(project, 1, contents.slice(120, 180), { random: 1 })
  const say = async (prediction: string, i: number) =>
    db
      .insertInto('feedback')
      .values({ prediction, value: JSON.stringify(fresh[i]?.label), at: new Date().toISOString(), who: 'ada' })
      .execute()
  for (const [i, prediction] of slice.entries()) await say(prediction, 120 + i)
  assert.deepEqual(await goRound(project, { labels: 1 }), { status: 'too few', labels: 0, learned: 0, wanted: 1 })
  for (const [i, prediction] of plain.entries()) await say(prediction, i)

  const result = ended(await goRound(project, { labels: 120, epochs: 4 }))
  assert.deepEqual([result.gain.labels, result.gain.traffic?.examples], [120, 60])
  const [, snapshot] = await listSnapshots(project)
  const { entries } = await readSnapshot(project, snapshot?.number)
  const learned = new Set(entries.map(({ id }) => id))
  const judged = await trafficExamples(project, { snapshots: [], test: [], learned })
  assert.equal(judged.length, 60)
})

test('descent loop prints what the labels bought, a hundred each, and what comes next', async (t) => {
  const project = await served(t)
  const few = await descent(project.folder, ['loop'])
  assert.deepEqual([few.code, few.err], [0, ''])
  assert.match(
    few.out,
    /0 examples labelled since the champion's snapshot; a round begins with 100.*\nNext: descent queue/,
  )
  await label(project, fresh.slice(0, 200))
  const waits = await descent(project.folder, ['loop', '--epochs', '5'])
  assert.match(waits.out, /Training on from the weights of version 1 \(run 1\)\./)
  assert.match(
    waits.out,
    /What 200 new labels bought:\n {2}on the test set \(100\): [\d.]+ % → [\d.]+ %, \+[\d.]+ points/,
  )
  assert.match(waits.out, /Version 2 waits for a person's word\.\nNext: descent promote 2/)
  const promoted = await descent(project.folder, ['loop', '--yes', '--as', 'grace'])
  assert.match(promoted.out, /Going on with round 1\./)
  const [, before = 0, after = 0, points = 0, hundred = 0] = (
    /: ([\d.]+) % → ([\d.]+) %, \+([\d.]+) points .*, \+([\d.]+) a hundred labels/.exec(promoted.out) ?? []
  ).map(Number)
  assert.ok(Math.abs(after - before - points) < 0.11 && Math.abs(points / 2 - hundred) < 0.11, promoted.out)
  assert.match(promoted.out, /Version 2 is champion now, in place of 1\./)
  assert.equal(await currentVersion(project, 'champion'), 2)
  const endless = await descent(project.folder, ['loop', '--labels', '0', '--watch'])
  assert.deepEqual([endless.code, /--watch waits for labels/.test(endless.err)], [1, true])
})
