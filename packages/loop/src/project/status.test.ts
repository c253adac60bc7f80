import assert from 'node:assert/strict'
import { test } from 'node:test'
import { descent } from '../cli/test-command.ts'
import { fillQueue } from '../feedback/fill-queue.ts'
import { goRound } from '../feedback/round.ts'
import { allWaiting } from '../labeling/queued.ts'
import { LabelingSession } from '../labeling/session.ts'
import { logTraffic, turned } from '../monitoring/test-traffic.ts'
import { TrafficWatch } from '../monitoring/watch.ts'
import { setAlias } from '../registry/aliases.ts'
import { promote } from '../registry/promote.ts'
import { registerRun } from '../registry/register.ts'
import { digitProject } from '../registry/test-versions.ts'
import type { ImageContent } from '../store/content.ts'
import { addExamples, texts } from '../test-examples.ts'
import { testProject } from '../test-project.ts'
import { mnist } from '../training/test-data.ts'
import { makeSnapshot } from '../versioning/snapshot.ts'
import { type BoxStatus, projectStatus } from './status.ts'

test('status follows the circle: it says what changed and what comes next', async (t) => {
  const project = await testProject(t, 'text')
  const next = async () => (await projectStatus(project)).next.command
  assert.equal(await next(), 'descent import PATH…')
  const numbers = await addExamples(project, texts('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'))
  assert.equal(await next(), 'descent label')
  const session = await LabelingSession.start(
    project,
    'ada',
    numbers.map((example) => ({ example, reason: '' })),
  )
  for (let i = 0; i < 7; i++) await session.answer(i % 2 ? 'x' : 'y')
  assert.equal(await next(), 'descent snapshot')
  await makeSnapshot(project)
  assert.equal(await next(), 'descent train')
  await session.answer('x')
  const { boxes, next: now } = await projectStatus(project)
  assert.equal(now.command, 'descent snapshot')
  assert.deepEqual(
    boxes.map(({ state }) => state),
    ['done', 'done', 'changed', 'empty', 'empty', 'empty', 'empty', 'empty', 'empty'],
  )
  assert.equal(boxes[2]?.says, 'snapshot 1 with 7 examples; since then 1 label event')
})

const fresh = [...mnist(1200, 0)].slice(300)
const contents = fresh.map(({ content }) => content as ImageContent)
const lenient = `export default { kind: 'image', gate: { margin: 0.9, sliceMargin: 0.9 } }`

test('status goes on from a trained network round the circle and back', async (t) => {
  const { project } = await digitProject(t, { epochs: 2, config: lenient })
  const next = async () => (await projectStatus(project)).next.command
  const box = async (name: BoxStatus['box']) => (await projectStatus(project)).boxes.find(({ box }) => box === name)
  assert.equal(await next(), 'descent register')
  await registerRun(project)
  assert.equal(await next(), 'descent promote 1')
  assert.deepEqual(
    [(await box('registry'))?.state, (await box('registry'))?.says],
    ['changed', '1 version, no champion'],
  )
  await promote(project, 1, { who: 'ada' })
  assert.equal(await next(), 'descent serve')
  assert.match((await box('registry'))?.says ?? '', /^version 1 of 1 is champion since [\d-]+ \(ada\): [\d.]+ % right/)

  const watch = await TrafficWatch.open(project, { ask: 60 })
  await logTraffic(project, 1, contents.slice(0, 200))
  await watch.check()
  assert.equal(await next(), 'descent monitor')
  assert.match((await box('deployment'))?.says ?? '', /^200 answers kept, the last by version 1, [\d-]+ [\d:]+ UTC$/)
  assert.equal((await box('monitoring'))?.says, 'no alarm, no feedback')
  await logTraffic(
    project,
    1,
    contents.slice(200, 450).map((content) => turned(content, 90)),
  )
  await watch.check()
  assert.match((await box('monitoring'))?.says ?? '', /^open: alarm 1 \(drift:embedding\)/)
  assert.equal(await next(), 'descent label --queue')
  await fillQueue(project, { count: 60 })
  const waiting = await allWaiting(project, { labeler: 'ada', count: 1000 })
  assert.equal((await box('feedback'))?.says, `${waiting.length} in the labelling queue`)

  const session = await LabelingSession.start(project, 'ada', waiting)
  for (let i = 0; i < 100; i++) await session.answer(String(i % 10))
  assert.match((await box('feedback'))?.says ?? '', /100 new labels since the last training$/)
  assert.equal(await next(), 'descent loop')
  const stop = new AbortController()
  await assert.rejects(goRound(project, { epochs: 3, signal: stop.signal, onEpoch: () => stop.abort() }))
  assert.deepEqual(
    [await next(), /round 1: not finished/.test((await box('feedback'))?.says ?? '')],
    ['descent loop', true],
  )
  const round = await goRound(project)
  assert.equal(round.status, 'waiting')
  assert.equal(await next(), 'descent promote 2')
  assert.match((await box('feedback'))?.says ?? '', /round 1: waits for a person's word/)
  await promote(project, 2)
  assert.equal((await box('monitoring'))?.says, 'no alarm, no feedback')
  assert.match((await box('deployment'))?.says ?? '', /the last by version 1/)
})

test('status tells accuracy from feedback, counts feedback that is no label, and prints all of it', async (t) => {
  const { project, run } = await digitProject(t, { epochs: 2 })
  await registerRun(project, run.number)
  await setAlias(project, 'champion', 1, { who: 'ada' })
  const ids = await logTraffic(project, 1, contents.slice(0, 120))
  for (const [i, prediction] of ids.entries())
    await project.store.db
      .insertInto('feedback')
      .values({ prediction, value: JSON.stringify(fresh[i]?.label), at: new Date().toISOString(), who: 'ada' })
      .execute()
  const { boxes, next } = await projectStatus(project)
  assert.match(boxes[7]?.says ?? '', /^[\d.]+ % right of 120 answers with feedback \([\d.]+ % to [\d.]+ %\)$/)
  assert.equal(boxes[8]?.says, 'feedback on 120 answers that is no label yet')
  assert.deepEqual(next, { command: 'descent loop', why: '120 new labels may better the champion' })
  const { code, out } = await descent(project.folder, ['status'])
  assert.equal(code, 0)
  assert.equal(out.split('\n').filter((line) => /^[○◐●] [a-z]+ +/.test(line)).length, 9)
  assert.match(out, /\nNext: descent loop \(120 new labels may better the champion\)\n$/)
})
