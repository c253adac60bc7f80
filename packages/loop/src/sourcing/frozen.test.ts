import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testProject } from '../test-project.ts'
import { makeSnapshot, readSnapshot } from '../versioning/snapshot.ts'
import { importFiles } from './import.ts'
import { testFile } from './test-import.ts'

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => {
    const n = from + i
    return {
      text: `message ${n} about ${n * 7} things and ${n * 13} more of them, sent in week ${n % 52}`,
      k: n % 3 === 0 ? 'spam' : 'ham',
    }
  })
const jsonl = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

test('nothing that comes after it was frozen gets into the test set, or out of it', async (t) => {
  const project = await testProject(t, 'text')
  const early = lines(0, 100)
  await importFiles(project, [await testFile(t, 'early.jsonl', jsonl(early))], { target: 'k' })
  await makeSnapshot(project, { freeze: true })
  const splitOf = async (reference: number) =>
    new Map((await readSnapshot(project, reference)).entries.map(({ id, split }) => [id, split]))
  const frozen = [...(await splitOf(1))].filter(([, split]) => split === 'test').map(([id]) => id)
  assert.ok(frozen.length > 5)

  // All of the old ones, for training; a few of them a little changed; and new ones for the test set.
  const again = await importFiles(project, [await testFile(t, 'again.jsonl', jsonl(early))], {
    target: 'k',
    split: 'train',
  })
  const conflicts = again.sources[0]?.splitConflicts
  assert.equal(conflicts?.count, frozen.length)
  assert.ok(
    conflicts?.first.every(
      ({ id, kept, other }) => frozen.includes(id) && kept === 'test (frozen)' && other === 'train',
    ),
  )
  const changed = early.map(({ text, k }) => ({ text: `${text} !`, k }))
  const near = await importFiles(project, [await testFile(t, 'near.jsonl', jsonl(changed))], {
    target: 'k',
    split: 'train',
  })
  assert.deepEqual(
    [near.added, near.sources[0]?.findings?.nearDuplicates.count, near.sources[0]?.findings?.nearDuplicates.ofFrozen],
    [100, 100, frozen.length],
  )
  assert.equal(near.sources[0]?.findings?.nearDuplicates.acrossSplits, frozen.length)
  await importFiles(project, [await testFile(t, 'late.jsonl', jsonl(lines(200, 300)))], { target: 'k', split: 'test' })

  const { snapshot } = await makeSnapshot(project)
  const later = [...(await splitOf(2))].filter(([, split]) => split === 'test').map(([id]) => id)
  assert.deepEqual(later.sort(), frozen.sort())
  assert.deepEqual(snapshot.summary.leftOut, { 'came for the test set after it was frozen': 100 })
})

test('the same example in two splits stays where it was first, and is reported', async (t) => {
  const project = await testProject(t, 'tabular')
  const train = await testFile(t, 'train.csv', 'x,k\n1,a\n2,b\n3,a\n')
  await importFiles(project, [train], { target: 'k', split: 'train' })
  const report = await importFiles(project, [await testFile(t, 'test.csv', 'x,k\n3,a\n4,b\n')], { split: 'test' })
  assert.deepEqual(
    report.sources[0]?.splitConflicts.first.map(({ place, kept, other }) => [place, kept, other]),
    [[2, 'train', 'test']],
  )
  const rows = await project.store.db.selectFrom('example').select('given_split').orderBy('number').execute()
  assert.deepEqual(
    rows.map(({ given_split }) => given_split),
    ['train', 'train', 'train', 'test'],
  )
})

test('examples without a split get that of a later import that names one', async (t) => {
  const project = await testProject(t, 'tabular')
  const path = await testFile(t, 'a.csv', 'x,k\n1,a\n2,b\n')
  await importFiles(project, [path], { target: 'k' })
  await importFiles(project, [path], { split: 'validation' })
  const rows = await project.store.db.selectFrom('example').select('given_split').execute()
  assert.deepEqual(
    rows.map(({ given_split }) => given_split),
    ['validation', 'validation'],
  )
})
