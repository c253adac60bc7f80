import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { descent } from '../cli/test-command.ts'
import { presentLabels } from '../labeling/events.ts'
import { allWaiting } from '../labeling/queued.ts'
import { LabelingSession } from '../labeling/session.ts'
import { logTraffic } from '../monitoring/test-traffic.ts'
import type { Project } from '../project/project.ts'
import { setAlias } from '../registry/aliases.ts'
import { registerRun } from '../registry/register.ts'
import { digitProject, train } from '../registry/test-versions.ts'
import type { ImageContent } from '../store/content.ts'
import { mnist } from '../training/test-data.ts'
import { makeSnapshot, readSnapshot } from '../versioning/snapshot.ts'
import { accuracyFromFeedback } from './accuracy.ts'
import { feedbackLabels } from './feedback-labels.ts'
import { fillQueue } from './fill-queue.ts'
import { keepTraffic } from './traffic-examples.ts'

const fresh = [...mnist(1000, 0)].slice(300)
const contents = (from: number, to: number) => fresh.slice(from, to).map(({ content }) => content as ImageContent)

async function served(t: TestContext): Promise<{ project: Project; version: number }> {
  const { project, run } = await digitProject(t)
  const { version } = await registerRun(project, run.number)
  await setAlias(project, 'champion', version.number)
  return { project, version: version.number }
}

async function say(project: Project, prediction: string, value: unknown, who = 'ada'): Promise<void> {
  await project.store.db
    .insertInto('feedback')
    .values({ prediction, value: JSON.stringify(value), at: new Date().toISOString(), who })
    .execute()
}

test('feedback becomes labels with the prediction that prompted them, once; the example has the id of its content', async (t) => {
  const { project, version } = await served(t)
  const ids = await logTraffic(project, version, contents(0, 3))
  await say(project, ids[0] as string, '7')
  await say(project, ids[1] as string, 3)
  await say(project, 'no such prediction', '1')
  const report = await feedbackLabels(project)
  assert.deepEqual([report.labels, report.gone, report.refused], [2, 1, 0])
  assert.equal((await feedbackLabels(project)).labels, 0)
  const events = await project.store.db
    .selectFrom('label')
    .innerJoin('example', 'example.number', 'label.example')
    .innerJoin('prediction', 'prediction.id', 'label.prediction')
    .select(['label.value', 'label.labeler', 'example.id', 'prediction.content'])
    .execute()
  assert.deepEqual(
    events.map(({ value, labeler }) => [value, labeler]),
    [
      ['"7"', 'ada'],
      ['"3"', 'ada'],
    ],
  )
  for (const { id, content } of events) assert.equal(id, content)
})

test('the random slice is never trained on, and its accuracy is told apart', async (t) => {
  const { project, version } = await served(t)
  const plain = await logTraffic(project, version, contents(0, 10))
  const slice = await logTraffic(project, version, contents(10, 30), { random: 1 })
  for (const [i, id] of [...plain, ...slice].entries()) await say(project, id, fresh[i]?.label)
  assert.equal((await feedbackLabels(project)).labels, 30)
  const { snapshot } = await makeSnapshot(project)
  const { entries } = await readSnapshot(project, snapshot.hash)
  const inSnapshot = new Set(entries.map(({ number }) => number))
  const kept = async (ids: readonly string[]) => (await keepTraffic(project, ids)).map(({ example }) => example)
  assert.ok((await kept(plain)).every((example) => inSnapshot.has(example)))
  assert.ok((await kept(slice)).every((example) => !inSnapshot.has(example)))
  const { all, random } = await accuracyFromFeedback(project, version)
  assert.deepEqual([all?.count, random?.count], [30, 20])
})

test('the queue mixes reasons, asks about nothing twice, and is worked off by labelling', async (t) => {
  const { project, version } = await served(t)
  await logTraffic(project, version, contents(0, 150))
  await logTraffic(project, version, contents(150, 200), { random: 1 })
  const challenger = await registerRun(project, (await train(project, { seed: 3, epochs: 1 })).number)
  const asked = await logTraffic(project, version, contents(200, 260))
  const shadows = await logTraffic(project, challenger.version.number, contents(200, 260), { role: 'shadow' })
  for (const [i, id] of shadows.entries())
    await project.store.db
      .updateTable('prediction')
      .set({ shadows: asked[i] as string })
      .where('id', '=', id)
      .execute()

  const report = await fillQueue(project, { count: 50 })
  assert.equal(report.added, 50)
  assert.equal(
    Object.values(report.byReason).reduce((a, b) => a + b, 0),
    50,
  )
  for (const reason of ['uncertain', 'diverse', 'drifted', 'random'] as const) assert.ok(report.byReason[reason] > 0)
  const waiting = await allWaiting(project, { labeler: 'ada', count: 1000 })
  assert.equal(new Set(waiting.map(({ example }) => example)).size, 50)
  const more = await fillQueue(project, { count: 20, mix: { random: 1 } })
  assert.deepEqual([more.byReason.random, more.added, more.looked], [20, 20, 210])

  const session = await LabelingSession.start(project, 'ada', waiting.slice(0, 5))
  for (let i = 0; i < 5; i++) await session.answer('4')
  const left = await allWaiting(project, { labeler: 'ada', count: 1000 })
  assert.equal(left.length, 50 + more.added - 5)
  const labels = await presentLabels(project.store)
  assert.ok(waiting.slice(0, 5).every(({ example }) => labels.get(example)?.value === '4'))
})

test('a challenger that answers otherwise is a reason of its own', async (t) => {
  const { project, version } = await served(t)
  const asked = await logTraffic(project, version, contents(0, 40))
  const answers = await project.store.db.selectFrom('prediction').select(['id', 'output']).execute()
  const challenger = await registerRun(project, (await train(project, { seed: 3, epochs: 1 })).number)
  const shadows = await logTraffic(project, challenger.version.number, contents(0, 40), { role: 'shadow' })
  let differing = 0
  for (const [i, id] of shadows.entries()) {
    const db = project.store.db
    await db
      .updateTable('prediction')
      .set({ shadows: asked[i] as string })
      .where('id', '=', id)
      .execute()
    const { output } = await db.selectFrom('prediction').select('output').where('id', '=', id).executeTakeFirstOrThrow()
    const champion = answers.find((answer) => answer.id === asked[i])?.output as string
    if ((JSON.parse(champion) as { label: string }).label !== (JSON.parse(output) as { label: string }).label)
      differing++
  }
  const { byReason } = await fillQueue(project, { count: 40, mix: { disputed: 1 } })
  assert.equal(byReason.disputed, differing)
})

test('descent queue says what waits and what comes next; without a champion it says so', async (t) => {
  const { project, version } = await served(t)
  await logTraffic(project, version, contents(0, 60))
  const { code, out } = await descent(project.folder, ['queue', '--fill', '-n', '12'])
  assert.equal(code, 0)
  assert.match(out, /Added 12 examples of 60 unlabelled answers of version 1/)
  assert.match(out, /Next: descent label --queue/)
  await setAlias(project, 'champion', null)
  const refused = await descent(project.folder, ['queue', '--fill'])
  assert.equal(refused.code, 1)
  assert.match(refused.err, /no champion/)
})
