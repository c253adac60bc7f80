import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LabelValue } from '../labeling/events.ts'
import type { Project } from '../project/project.ts'
import { addExamples } from '../test-examples.ts'
import { testProject } from '../test-project.ts'
import { diffSnapshots } from './diff.ts'
import { findSnapshot, listSnapshots, makeSnapshot, readSnapshot } from './snapshot.ts'

type Labelled = readonly (readonly [text: string, label: LabelValue | null])[]

async function add(project: Project, mails: Labelled, labeler = 'ada', split?: string) {
  await addExamples(
    project,
    mails.map(([text, label]) => ({ content: { kind: 'text', text }, label, ...(split && { split }) })),
    labeler,
  )
}

const mails = Array.from({ length: 40 }, (_, i) => [`mail ${i}`, i % 4 === 0 ? 'spam' : 'ham'] as const)

test('the same content has the same hash in any project, whatever the order of arrival', async (t) => {
  const [a, b] = [await testProject(t, 'text'), await testProject(t, 'text')]
  await add(a, mails)
  await add(b, [...mails].reverse(), 'bob')
  const first = await makeSnapshot(a)
  const second = await makeSnapshot(b)
  assert.equal(first.snapshot.hash, second.snapshot.hash)
  assert.deepEqual((await makeSnapshot(a)).made, false, 'making it again makes nothing')
  assert.equal((await listSnapshots(a)).length, 1)
})

test('a snapshot never changes, and the difference says who changed what', async (t) => {
  const project = await testProject(t, 'text')
  await add(project, mails)
  await add(project, [['not yet', null]])
  const { snapshot } = await makeSnapshot(project, { message: 'first' })
  assert.deepEqual([snapshot.task, snapshot.classes, snapshot.examples], ['class', ['ham', 'spam'], 40])
  assert.equal(snapshot.summary.unlabelled, 1)
  const { entries } = await readSnapshot(project, 1)

  await add(
    project,
    [
      ['mail 0', 'ham'],
      ['new mail', 'spam'],
    ],
    'bob',
  )
  await add(project, [['mail 0', 'ham']], 'eve')
  const { snapshot: later } = await makeSnapshot(project)
  assert.equal(later.number, 2)
  assert.deepEqual((await readSnapshot(project, 1)).entries, entries)

  const diff = await diffSnapshots(project, 1, later.hash.slice(0, 8))
  assert.equal(diff.added.length, 1)
  assert.deepEqual([...diff.addedBy], [['bob', 1]])
  assert.deepEqual(
    diff.relabelled.map(({ before, after, by }) => [before, after, by]),
    [['spam', 'ham', ['bob', 'eve']]],
  )
  assert.equal(diff.removed.length, 0)
  const back = await diffSnapshots(project, 2, 1)
  assert.equal(back.removed.length, 1)
})

test('the frozen test set is that of every later snapshot; what comes for it later is left out', async (t) => {
  const project = await testProject(t, 'text')
  await add(project, mails)
  const { snapshot } = await makeSnapshot(project, { freeze: true })
  const testOf = async (reference: number) =>
    (await readSnapshot(project, reference)).entries.filter(({ split }) => split === 'test').map(({ id }) => id)
  assert.equal((await testOf(1)).length, snapshot.summary.splits.test)
  await add(
    project,
    Array.from({ length: 100 }, (_, i) => [`later ${i}`, 'spam']),
  )
  await add(project, [['for the test', 'ham']], 'ada', 'test')
  const later = (await makeSnapshot(project)).snapshot
  assert.deepEqual(await testOf(2), await testOf(1))
  assert.deepEqual(later.summary.leftOut, { 'came for the test set after it was frozen': 1 })
  await assert.rejects(makeSnapshot(project, { freeze: true }), /frozen on .* stays as it is/)
})

test('numbers as labels of rows are a regression; labels outside of the config are refused', async (t) => {
  const rows = await testProject(t, 'tabular')
  await add(
    rows,
    mails.map(([text], i) => [text, i / 2]),
  )
  assert.equal((await makeSnapshot(rows)).snapshot.task, 'number')

  const images = await testProject(t, 'image')
  await add(
    images,
    mails.map(([text], i) => [text, i % 10]),
  )
  const { snapshot } = await makeSnapshot(images)
  assert.deepEqual(snapshot.classes, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  assert.ok((await readSnapshot(images)).entries.every(({ label }) => typeof label === 'string'))

  const strict = await testProject(t, 'text', "export default { kind: 'text', classes: ['ham', 'junk'] }")
  await add(strict, mails)
  await assert.rejects(makeSnapshot(strict), /A label is 'spam', which is not among the config's classes: ham, junk/)
})

test('a column in the config that the examples do not have is named', async (t) => {
  const project = await testProject(t, 'tabular', "export default { kind: 'tabular', columns: { hieght: 'number' } }")
  await addExamples(
    project,
    [1, 2].map((height) => ({ content: { kind: 'row', values: { height } }, label: String(height) })),
  )
  await project.store.db.insertInto('field').values({ name: 'height', type: 'number', position: 0 }).execute()
  await assert.rejects(
    makeSnapshot(project),
    /columns name 'hieght', and the examples have no such column\. They have: height/,
  )
})

test('where there is nothing to keep, it says what to do', async (t) => {
  const project = await testProject(t, 'text')
  await assert.rejects(makeSnapshot(project), /no examples yet.*descent import/)
  await add(project, [['a', null]])
  await assert.rejects(makeSnapshot(project), /no labels.*descent label/)
  await add(project, [
    ['a', 'x'],
    ['b', 'x'],
  ])
  await assert.rejects(makeSnapshot(project), /All 2 labels are 'x'/)
  await assert.rejects(findSnapshot(project), /no snapshot yet/)
})
