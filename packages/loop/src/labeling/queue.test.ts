import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addExamples, type TestExample, texts } from '../test-examples.ts'
import { testProject } from '../test-project.ts'
import { mnist, penguins } from '../training/test-data.ts'
import { trainRun } from '../training/train-run.ts'
import { makeSnapshot } from '../versioning/snapshot.ts'
import { presentLabels } from './events.ts'
import { labelingQueue } from './queue.ts'
import { LabelingSession } from './session.ts'
import { strategyNames } from './strategies/index.ts'

/** Digits of which only the first so many have labels. */
const digits = (labelled: number, all: number): TestExample[] =>
  [...mnist(all, 0)].map(({ content, label }, i) => ({ content, label: i < labelled ? (label ?? null) : null }))

test('before there is a network the queue is random, and core-set covers the data: near copies are not asked twice', async (t) => {
  const project = await testProject(t, 'text')
  const kinds = ['win money now', 'meeting on monday at ten', 'the cat sat on a mat']
  const lines = kinds.flatMap((line) => Array.from({ length: 20 }, (_, i) => `${line} ${'!'.repeat(i)}`))
  const numbers = await addExamples(project, texts(...lines))
  const plain = await labelingQueue(project, { count: 3 })
  assert.deepEqual([plain.strategy, plain.choices[0]?.reason], ['random', 'chosen at random'])
  assert.match(plain.notes.join(' '), /no network is trained yet/)
  const kindOf = (example: number) => Math.floor(numbers.indexOf(example) / 20)
  for (const strategy of strategyNames.filter((name) => name !== 'random')) {
    const { choices, strategy: used, notes } = await labelingQueue(project, { count: 3, strategy })
    assert.equal(used, 'coreSet')
    assert.deepEqual(choices.map(({ example }) => kindOf(example)).sort(), [0, 1, 2], strategy)
    if (strategy !== 'coreSet') assert.match(notes.join(' '), /there is no model yet: core-set/)
  }
  const few = await labelingQueue(project, { count: 3, strategy: 'coreSet', candidates: 10 })
  assert.match(few.notes.join(' '), /chose among 10 of 60 examples, drawn by lot/)
  assert.equal(few.choices.length, 3)
})

test('core-set without a network works for rows and images; rows of nothing but free text are drawn by lot, and it says so', async (t) => {
  const { examples } = penguins()
  const table = await testProject(t, 'tabular')
  await table.store.db.insertInto('field').values({ name: 'Island', type: 'category', position: 0 }).execute()
  await table.store.db.insertInto('field').values({ name: 'Sex', type: 'category', position: 1 }).execute()
  await addExamples(
    table,
    examples.map(({ content }) => ({ content })),
  )
  const rows = await labelingQueue(table, { count: 4, strategy: 'coreSet' })
  assert.deepEqual([rows.strategy, rows.choices.length], ['coreSet', 4])
  const images = await testProject(t, 'image')
  await addExamples(images, digits(10, 60))
  const first = await labelingQueue(images, { count: 4, strategy: 'coreSet' })
  assert.match(first.choices[0]?.reason ?? '', /unlike everything labelled or chosen so far/)
  const bare = await testProject(t, 'tabular')
  await bare.store.db.insertInto('field').values({ name: 'remark', type: 'text', position: 0 }).execute()
  await addExamples(bare, [
    { content: { kind: 'row', values: { remark: 'a' } } },
    { content: { kind: 'row', values: { remark: 'b' } } },
  ])
  const lot = await labelingQueue(bare, { count: 1, strategy: 'coreSet' })
  assert.deepEqual([lot.strategy, lot.choices.length], ['random', 1])
  assert.match(lot.notes.join(' '), /cannot be compared: .*remark is left out, it holds free text/)
})

test('with a network, margin is the default: it asks what that network wavers on, says why, and keeps its prediction', async (t) => {
  const project = await testProject(t, 'image')
  await addExamples(project, digits(150, 450))
  await makeSnapshot(project)
  await trainRun(project, { epochs: 3, threads: 1 })
  const queue = await labelingQueue(project, { labeler: 'ada', count: 20 })
  assert.equal(queue.strategy, 'margin')
  assert.match(queue.notes.join(' '), /Chosen by run 1: where it wavers most \(margin\)/)
  for (const { reason, prediction } of queue.choices) {
    assert.match(reason, /the model wavers between \d \(\d+ %\) and \d \(\d+ %\)/)
    const { run, value, p } = JSON.parse(prediction ?? '') as { run: number; value: string; p: number }
    assert.ok(run === 1 && /^\d$/.test(value) && p > 0.1 && p < 0.95, prediction)
  }
  assert.deepEqual(await labelingQueue(project, { labeler: 'ada', count: 20 }), queue)
  const labelled = new Set((await presentLabels(project.store)).keys())
  for (const strategy of strategyNames) {
    const { choices, strategy: used } = await labelingQueue(project, { count: 10, strategy, candidates: 60 })
    assert.equal(used, strategy)
    assert.equal(new Set(choices.map(({ example }) => example)).size, 10)
    assert.ok(choices.every(({ example }) => !labelled.has(example)))
  }
  const session = await LabelingSession.start(project, 'ada', queue.choices)
  await session.answer('3')
  const kept = await project.store.db.selectFrom('label').select('prediction').where('labeler', '=', 'ada').execute()
  assert.deepEqual(kept, [{ prediction: queue.choices[0]?.prediction }])
  await assert.rejects(labelingQueue(project, { count: 1, strategy: 'margin', run: 7 }), /There is no run 7/)
})

test('two people who label at once are not asked the same: what one has answered, the other passes over', async (t) => {
  const project = await testProject(t, 'text')
  await addExamples(project, texts(...Array.from({ length: 40 }, (_, i) => `text ${i}`)))
  const [forAda, forBob] = [
    await labelingQueue(project, { labeler: 'ada', count: 40 }),
    await labelingQueue(project, { labeler: 'bob', count: 40 }),
  ]
  assert.notDeepEqual(forAda.choices, forBob.choices)
  const ada = await LabelingSession.start(project, 'ada', forAda.choices)
  const bob = await LabelingSession.start(project, 'bob', forBob.choices)
  for (let turn = 0; ada.present || bob.present; turn++) {
    const one = turn % 2 === 0 ? ada : bob
    if (one.present) await one.answer('x')
  }
  const events = await project.store.db.selectFrom('label').select('example').execute()
  assert.equal(new Set(events.map(({ example }) => example)).size, 40)
  // What both have on their screens at one moment gets two opinions, and both are kept.
  assert.ok(events.length <= 46, `${events.length} labels`)
  assert.equal(ada.state.labelled + bob.state.labelled, events.length)
  await assert.rejects(
    project.store.db
      .insertInto('labeler')
      .values({ name: 'rule:x', kind: 'rule', created_at: '' })
      .execute()
      .then(() => LabelingSession.start(project, 'rule:x', [])),
    /'rule:x' is the name of a rule's labels, not of a person/,
  )
})
