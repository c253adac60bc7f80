import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { EpochReport } from '../progress.ts'
import { jsonlHistory, readHistory } from './jsonl.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'history-'))
})
after(() => rm(folder, { recursive: true }))

const number = fc.double().map((x) => (Object.is(x, -0) ? 0 : x))
const scores = { loss: number, metrics: fc.dictionary(fc.constantFrom('accuracy', 'größe', 'a "b"\n'), number) }
const report: fc.Arbitrary<Omit<EpochReport, 'epoch'>> = fc.record({
  ...scores,
  validation: fc.option(fc.record(scores)),
  seconds: number,
  examplesPerSecond: number,
})

let files = 0
const fresh = () => join(folder, 'deeper', `${files++}.jsonl`)
const plain = (value: unknown) =>
  JSON.parse(JSON.stringify(value, (_, x) => (typeof x === 'number' ? String(x) : x))) as unknown

test('what was appended is read back to the bit; a file cut anywhere loses its last line at most and goes on', async () => {
  const bodies = fc.array(report, { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(bodies, fc.double({ min: 0, max: 1, noNaN: true }), async (list, where) => {
      const reports = list.map((body, i) => ({ epoch: i + 1, ...body }))
      const path = fresh()
      const history = jsonlHistory(path)
      await history.onStart?.()
      for (const one of reports) await history.onEpoch(one)
      assert.deepEqual(plain(await readHistory(path)), plain(reports))

      const bytes = await readFile(path)
      const cut = Math.floor(where * bytes.length)
      await writeFile(path, bytes.subarray(0, cut))
      const lines = bytes.subarray(0, cut).toString('latin1').split('\n').length - 1
      const last = { ...(reports[0] as EpochReport), epoch: reports.length + 1 }
      const again = jsonlHistory(path)
      await again.onEpoch(last)
      const read = await readHistory(path)
      // A line that only lacks its end is whole.
      assert.ok(read.length === lines + 1 || read.length === lines + 2)
      assert.deepEqual(plain(read), plain([...reports.slice(0, read.length - 1), last]))
      const text = await readFile(path, 'utf8')
      for (const line of text.split('\n').slice(0, -1)) JSON.parse(line)
      assert.ok(text.endsWith('\n'))
    }),
    { numRuns: 60 },
  )
})

const body = { loss: 1, metrics: {}, validation: null, seconds: 1, examplesPerSecond: 1 }

test('epochs that a resumed training repeats replace the earlier ones', async () => {
  const path = fresh()
  const { onEpoch } = jsonlHistory(path)
  for (const [epoch, loss] of [
    [1, 5],
    [2, 4],
    [3, 3],
    [2, 2],
  ] as const)
    await onEpoch({ ...body, epoch, loss })
  assert.deepEqual(
    (await readHistory(path)).map(({ epoch, loss }) => [epoch, loss]),
    [
      [1, 5],
      [2, 2],
    ],
  )
})

test('a file that is no history is left as it is', async () => {
  for (const [text, line] of [
    ['my notes', 1],
    ['{"epoch":1,"loss":2}\nnotes', 2],
    ['{"epoch":1,"loss":2}\n{"loss":2}\n', 2],
    ['[1]\n', 1],
  ] as const) {
    const path = fresh()
    await jsonlHistory(path).onStart?.()
    await writeFile(path, text)
    const error = { name: 'FormatError', message: new RegExp(`line ${line} is not the report of an epoch`) }
    await assert.rejects(async () => jsonlHistory(path).onEpoch({ ...body, epoch: 1 }), error)
    await assert.rejects(readHistory(path), error)
    assert.equal(await readFile(path, 'utf8'), text)
  }
  await assert.rejects(readHistory(fresh()), { code: 'ENOENT' })
})
