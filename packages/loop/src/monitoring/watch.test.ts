import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { descent } from '../cli/test-command.ts'
import { allWaiting } from '../labeling/queued.ts'
import type { Project } from '../project/project.ts'
import { seeded } from '../random.ts'
import { setAlias } from '../registry/aliases.ts'
import { registerRun } from '../registry/register.ts'
import { digitProject, penguinProject, train } from '../registry/test-versions.ts'
import type { Content, ImageContent } from '../store/content.ts'
import { mnist } from '../training/test-data.ts'
import { logTraffic, turned } from './test-traffic.ts'
import { type AlarmEvent, TrafficWatch } from './watch.ts'

/** Digits that the project does not have. */
const fresh = [...mnist(2000, 0)].slice(300).map(({ content }) => content as ImageContent)

async function served(t: TestContext): Promise<{ project: Project; version: number }> {
  const { project, run } = await digitProject(t)
  const { version } = await registerRun(project, run.number)
  await setAlias(project, 'champion', version.number)
  return { project, version: version.number }
}

async function alarmsOf(watch: TrafficWatch): Promise<AlarmEvent[]> {
  return (await watch.check()).flatMap(({ alarms }) => alarms)
}

test('traffic as it was raises no alarm; turned digits do, fill the queue, and when they stop the alarm closes', async (t) => {
  const { project, version } = await served(t)
  const watch = await TrafficWatch.open(project, { ask: 30 })
  await logTraffic(project, version, fresh.slice(0, 600))
  assert.deepEqual(await alarmsOf(watch), [])

  const strange = fresh.slice(600, 1000).map((digit) => turned(digit, 45))
  await logTraffic(project, version, strange)
  const opened = (await alarmsOf(watch)).filter(({ change }) => change === 'opened')
  const drift = opened.find(({ measure }) => measure === 'drift:embedding')
  assert.ok(drift, 'the drift is noticed')
  assert.ok(opened.reduce((sum, { asked }) => sum + asked, 0) >= 30)
  const asked = await allWaiting(project, { labeler: 'ada', count: 1000 })
  assert.ok(asked.length >= 30)
  assert.match(asked[0]?.reason ?? '', /^drifted: alarm \d+:/)

  // A process that is started anew goes on with the alarm that is open: it does not ring a second time.
  const second = await TrafficWatch.open(project, { fromNow: true })
  await logTraffic(project, version, strange.slice(0, 300))
  assert.deepEqual(
    (await alarmsOf(second)).filter(({ measure }) => measure === 'drift:embedding'),
    [],
  )
  await logTraffic(project, version, fresh.slice(1000, 1700))
  const closed = (await alarmsOf(second)).filter(({ measure }) => measure === 'drift:embedding')
  assert.deepEqual(
    closed.map(({ number, change }) => ({ number, change })),
    [{ number: drift.number, change: 'closed' }],
  )
})

test('a new champion is a new start: alarms of the one before close', async (t) => {
  const { project, version } = await served(t)
  const watch = await TrafficWatch.open(project)
  await logTraffic(
    project,
    version,
    fresh.slice(0, 400).map((digit) => turned(digit, 60)),
  )
  assert.ok((await alarmsOf(watch)).length > 0)
  const run = await train(project, { seed: 2, epochs: 1 })
  const { version: next } = await registerRun(project, run.number)
  await setAlias(project, 'champion', next.number)
  assert.deepEqual(await watch.check(), [])
  assert.equal(watch.version, next.number)
  const open = await project.store.db.selectFrom('alarm').select('number').where('closed_at', 'is', null).execute()
  assert.deepEqual(open, [])
})

test('columns of rows are watched: the one that moved is named, and what it was before and is now', async (t) => {
  const { project, run, examples } = await penguinProject(t)
  const { version } = await registerRun(project, run.number)
  await setAlias(project, 'champion', version.number)
  // The file is in the order of species, which as traffic would be a drift.
  const order = seeded(4).permutation(examples.length)
  const rows = Array.from(order, (i) => (examples[i] as (typeof examples)[number]).content)
  const heavy = rows.map((content): Content => {
    if (content.kind !== 'row') return content
    const mass = content.values['Body Mass (g)']
    return { kind: 'row', values: { ...content.values, 'Body Mass (g)': typeof mass === 'number' ? mass * 2 : null } }
  })
  const watch = await TrafficWatch.open(project)
  await logTraffic(project, version.number, rows.slice(0, 250))
  assert.deepEqual(await alarmsOf(watch), [])
  await logTraffic(project, version.number, heavy)
  const alarms = await alarmsOf(watch)
  const mass = alarms.find(({ measure }) => measure === 'drift:Body Mass (g)')
  assert.match(mass?.detail ?? '', /Body Mass \(g\) .*before.*now/)
  assert.ok(!alarms.some(({ measure }) => measure === 'drift:Beak Depth (mm)'))

  const { code, out } = await descent(project.folder, ['monitor', '--once'])
  assert.equal(code, 0)
  assert.match(out, /drift:Body Mass \(g\)/)
  assert.match(out, /Open: alarm/)
})
