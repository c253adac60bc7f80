import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import { exampleId } from '../../store/content.ts'
import { testProject } from '../../test-project.ts'
import { addVersion } from '../test-serving.ts'
import type { LogEntry } from './entry.ts'
import { type LogOptions, PredictionLog } from './log.ts'

const day = 24 * 3600_000

function entry(id: string, more: Partial<LogEntry> = {}): LogEntry {
  return {
    id,
    at: Date.now(),
    version: 1,
    role: 'champion',
    random: false,
    shadows: null,
    media: 'text',
    body: Buffer.from(`text of ${id}`),
    output: '{"label":"ham","probabilities":[0.9,0.1]}',
    uncertainty: 0.2,
    milliseconds: 1.5,
    token: null,
    ...more,
  }
}

async function opened(t: TestContext, options: Partial<LogOptions> = {}) {
  const project = await testProject(t, 'text')
  await addVersion(project)
  const troubles: string[] = []
  const log = await PredictionLog.open({
    folder: project.store.folder,
    keep: { days: 30, megabytes: 100 },
    onTrouble: (sentence) => troubles.push(sentence),
    ...options,
  })
  let closed = false
  const close = async () => {
    if (!closed) await log.close()
    closed = true
  }
  t.after(close)
  const rows = () => project.store.db.selectFrom('prediction').selectAll().orderBy('number').execute()
  return { project, log, close, rows, troubles }
}

const added = (log: PredictionLog, one: LogEntry) => new Promise<boolean>((resolve) => log.add(one, resolve))

test('what is acknowledged is in the database, with everything that was handed over, in its order', async (t) => {
  const { log, rows } = await opened(t)
  const entries = Array.from({ length: 300 }, (_, i) =>
    entry(`p${i}`, {
      at: 1_764_000_000_000 + i,
      random: i % 3 === 0,
      token: i % 2 === 0 ? 'shop' : null,
      body: Buffer.alloc(i, i),
      uncertainty: i % 5 === 0 ? null : i / 300,
      shadows: i % 7 === 0 ? `q${i}` : null,
      output: `{"label":"schön 日本 🙂 ${i}\\n"}`,
    }),
  )
  assert.ok((await Promise.all(entries.map((one) => added(log, one)))).every(Boolean))
  const found = await rows()
  assert.equal(found.length, 300)
  for (const [i, row] of found.entries()) {
    const one = entries[i] as LogEntry
    assert.equal(row.id, one.id)
    assert.equal(row.at, new Date(one.at).toISOString())
    assert.deepEqual(Buffer.from(row.body as Uint8Array), Buffer.from(one.body))
    assert.equal(row.content, exampleId({ media: 'text', body: one.body }))
    assert.deepEqual([row.random, row.token, row.output], [one.random ? 1 : 0, one.token, one.output])
    assert.deepEqual([row.uncertainty, row.shadows], [one.uncertainty, one.shadows])
  }
  assert.deepEqual(log.counts, { written: 300, dropped: 0, waiting: 0, removed: 0 })
})

test('adding never waits: beyond its bounds predictions are dropped and counted, and someone hears of it', async (t) => {
  const { log, rows, close, troubles, project } = await opened(t, { queue: 100 })
  // Another program holds the write lock.
  const other = new Database(join(project.store.folder, 'project.db'))
  other.exec('begin immediate')
  const began = performance.now()
  const outcomes = Array.from({ length: 250 }, (_, i) => added(log, entry(`p${i}`)))
  assert.ok(performance.now() - began < 1000)
  assert.equal(log.counts.waiting, 100)
  assert.equal(log.counts.dropped, 150)
  assert.match(troubles.join(), /answered but not logged/)
  other.exec('commit')
  other.close()
  const settled = await Promise.all(outcomes)
  assert.deepEqual(settled, [...Array(100).fill(true), ...Array(150).fill(false)])
  await close()
  assert.equal((await rows()).length, 100)
})

test('inputs that are too large together are dropped too', async (t) => {
  const { log } = await opened(t, { queueBytes: 1000 })
  const outcomes = await Promise.all([
    added(log, entry('a', { body: new Uint8Array(900) })),
    added(log, entry('b', { body: new Uint8Array(200) })),
  ])
  assert.deepEqual(outcomes, [true, false])
})

test('a batch that the database refuses is told as not written, and the next one is', async (t) => {
  const { log, troubles } = await opened(t)
  assert.equal(await added(log, entry('a', { version: 99 })), false)
  assert.match(troubles.join(), /FOREIGN KEY/)
  assert.equal(await added(log, entry('b')), true)
  assert.deepEqual([log.counts.written, log.counts.dropped], [1, 1])
})

test('feedback finds a prediction that was handed over just before, and only such a one', async (t) => {
  const { log, project } = await opened(t)
  log.add(entry('a'))
  const kept = await log.feedback({ prediction: 'a', value: '"spam"', at: 0, who: 'Ada' })
  assert.deepEqual(kept, { number: 1, output: entry('a').output })
  assert.equal(await log.feedback({ prediction: 'b', value: '"spam"', at: 0, who: 'Ada' }), null)
  const rows = await project.store.db.selectFrom('feedback').selectAll().execute()
  assert.deepEqual(rows, [
    { number: 1, prediction: 'a', value: '"spam"', at: '1970-01-01T00:00:00.000Z', who: 'Ada', label: null },
  ])
})

test('closing writes what waits', async (t) => {
  const { log, close, rows } = await opened(t, { interval: 60_000 })
  for (let i = 0; i < 50; i++) log.add(entry(`p${i}`))
  await close()
  assert.equal((await rows()).length, 50)
})

test('predictions beyond the age are removed; those that someone spoke about stay, without their input', async (t) => {
  const { log, rows } = await opened(t)
  const old = Date.now() - 31 * day
  for (const id of ['old', 'answered']) log.add(entry(id, { at: old }))
  await added(log, entry('new'))
  await log.feedback({ prediction: 'answered', value: '"spam"', at: 0, who: 'Ada' })
  for (let i = 0; i < 100 && log.counts.removed === 0; i++) await new Promise((resolve) => setTimeout(resolve, 100))
  const left = (await rows()).map(({ id, body }) => [id, body !== null])
  assert.deepEqual(left, [
    ['answered', false],
    ['new', true],
  ])
})

test('beyond the size the oldest go first, until the rest fits', async (t) => {
  const { log, rows } = await opened(t, { keep: { days: 30, megabytes: 1 } })
  for (let i = 0; i < 19; i++) log.add(entry(`p${i}`, { body: new Uint8Array(100_000).fill(i) }))
  await added(log, entry('last'))
  for (let i = 0; i < 100 && log.counts.removed < 10; i++) await new Promise((resolve) => setTimeout(resolve, 100))
  const left = await rows()
  const bytes = left.reduce((sum, row) => sum + (row.body?.length ?? 0), 0)
  assert.ok(bytes <= 1e6 && bytes > 700_000, `${bytes}`)
  assert.equal(left.at(-1)?.id, 'last')
  assert.equal(left[0]?.id, `p${20 - left.length}`)
})
