import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addExamples, texts } from '../test-examples.ts'
import { testProject } from '../test-project.ts'
import { presentLabels } from './events.ts'
import { checkLabel, keysFor, labelSet } from './label-set.ts'
import { exportLabelStudio, importLabelStudio } from './label-studio.ts'
import { labelingPool } from './pool.ts'
import { labelingQueue } from './queue.ts'
import { applyRules } from './rules.ts'
import { LabelingSession } from './session.ts'

const config = `export default { kind: 'text', classes: ['ham', 'spam'], rules: {
  money: (e) => /money/.test(e.text) ? 'spam' : null,
  short: (e) => e.text.length < 4 ? 'ham' : null,
} }`

test('a session labels, skips and takes back; each answer is in the store at once, with its time', async (t) => {
  const project = await testProject(t, 'text', config)
  const numbers = await addExamples(project, texts('a', 'b', 'c', 'd'))
  let now = 0
  const queue = numbers.map((example) => ({ example, reason: 'test' }))
  const session = await LabelingSession.start(project, 'ada', queue, { clock: () => now })
  now = 9000
  await session.answer('spam')
  assert.equal((await presentLabels(project.store)).get(numbers[0] as number)?.value, 'spam')
  now = 10_000
  await session.skip()
  await session.answer('ham')
  assert.deepEqual(session.state, { labelled: 2, skipped: 1, left: 1, labelsAnHour: 720, byOthers: 0 })
  assert.equal(await session.undo(), true)
  assert.equal(session.present?.example, numbers[2])
  assert.equal(await session.undo(), true)
  assert.equal(session.present?.example, numbers[1], 'the skip is taken back too')
  assert.deepEqual(await labelingPool(project, { labeler: 'ada' }), numbers.slice(1))
  const seconds = await project.store.db
    .selectFrom('label')
    .select('seconds')
    .where('number', '=', 1)
    .executeTakeFirst()
  assert.equal(seconds?.seconds, 9)
  await session.undo()
  assert.equal(await session.undo(), false)
  assert.equal((await presentLabels(project.store)).size, 0)
})

test('what a person has labelled or skipped is not asked again; what others labelled only for a second opinion', async (t) => {
  const project = await testProject(t, 'text', config)
  const [a, b, c, d] = (await addExamples(project, texts('a', 'b', 'c', 'd'))) as [number, number, number, number]
  const session = await LabelingSession.start(
    project,
    'ada',
    [a, b].map((example) => ({ example, reason: '' })),
  )
  await session.answer('ham')
  await session.skip()
  assert.deepEqual(await labelingPool(project, { labeler: 'ada' }), [c, d])
  assert.deepEqual(await labelingPool(project, { labeler: 'bob' }), [b, c, d])
  assert.deepEqual(await labelingPool(project, { labeler: 'bob', again: true }), [a, b, c, d])
  assert.deepEqual(await labelingPool(project, { labeler: 'ada', again: true }), [c, d])
  await project.store.db.insertInto('forgotten').values({ example: d, at: '', who: 'ada', why: null }).execute()
  assert.deepEqual(await labelingPool(project, { labeler: 'ada' }), [c], 'what was forgotten is not asked about')
  const queue = await labelingQueue(project, { labeler: 'ada', count: 1, seed: 3 })
  assert.deepEqual(queue, await labelingQueue(project, { labeler: 'ada', count: 1, seed: 3 }))
})

test('rules are labelers: applied again they replace their own opinion, and never a person', async (t) => {
  const project = await testProject(t, 'text', config)
  const [money, hi, other] = (await addExamples(project, texts('money now', 'hi', 'dear colleague'))) as [
    number,
    number,
    number,
  ]
  const results = await applyRules(project)
  assert.deepEqual(
    results.map(({ rule, covered, labels }) => [rule, covered, labels]),
    [
      ['money', 1, { spam: 1 }],
      ['short', 1, { ham: 1 }],
    ],
  )
  const labels = await presentLabels(project.store)
  assert.deepEqual([labels.get(money)?.value, labels.get(hi)?.value, labels.get(other)], ['spam', 'ham', undefined])
  const events = async () => (await project.store.db.selectFrom('label').select('number').execute()).length
  const before = await events()
  await applyRules(project)
  assert.equal(await events(), before, 'the same opinion is not given twice')

  const session = await LabelingSession.start(project, 'ada', [{ example: money, reason: '' }])
  await session.answer('ham')
  assert.equal((await presentLabels(project.store)).get(money)?.value, 'ham')
  assert.deepEqual((await applyRules(project))[0]?.agrees, { same: 0, compared: 1 })
})

test('a rule that throws, or gives a strange label, is named, and nothing is applied', async (t) => {
  for (const [rule, message] of [
    ["() => { throw new Error('oh') }", /The rule 'r' threw on example [0-9a-f]{12}: oh\. No rule was applied/],
    ["() => 'junk'", /The rule 'r' on example .*'junk' is not among the config's classes: ham, spam/],
  ] as const) {
    const project = await testProject(
      t,
      'text',
      `export default { kind: 'text', classes: ['ham', 'spam'], rules: { r: ${rule} } }`,
    )
    await addExamples(project, texts('a'))
    await assert.rejects(applyRules(project), message)
    assert.equal((await presentLabels(project.store)).size, 0)
  }
})

test('Label Studio: what is exported comes back into another project, once', async (t) => {
  const [a, b] = [await testProject(t, 'text', config), await testProject(t, 'text', config)]
  const numbers = await addExamples(a, texts('one', 'two', 'three'))
  const ada = await LabelingSession.start(
    a,
    'ada',
    numbers.slice(0, 2).map((example) => ({ example, reason: '' })),
  )
  await ada.answer('ham')
  await ada.answer('spam')
  const bob = await LabelingSession.start(
    a,
    'bob',
    numbers.slice(0, 1).map((example) => ({ example, reason: '' })),
  )
  await bob.answer('spam')
  const json = (await Array.fromAsync(exportLabelStudio(a))).join('')
  await addExamples(b, texts('three', 'two', 'one'))
  assert.deepEqual(await importLabelStudio(b, json, 'x.json'), { tasks: 3, added: 3, known: 0, unmatched: [] })
  assert.deepEqual(await importLabelStudio(b, json, 'x.json'), { tasks: 3, added: 0, known: 3, unmatched: [] })
  const said = async (project: typeof a) =>
    (
      await project.store.db
        .selectFrom('label')
        .innerJoin('example', 'example.number', 'label.example')
        .select(['id', 'value', 'labeler', 'at'])
        .execute()
    )
      .map((row) => JSON.stringify(row))
      .sort()
  assert.deepEqual(await said(b), await said(a))
})

test('Label Studio: its own tasks are matched by text or file name; what does not fit stops all', async (t) => {
  const project = await testProject(t, 'text', config)
  await addExamples(project, [
    { content: { kind: 'text', text: 'one' } },
    { content: { kind: 'text', text: 'two' }, name: 'mails/2.txt' },
  ])
  const task = (id: number, data: object, choice: string) => ({
    id,
    data,
    annotations: [
      {
        completed_by: 4,
        created_at: '2026-01-02T03:04:05Z',
        lead_time: 3.5,
        result: [{ type: 'choices', value: { choices: [choice] } }],
      },
      { was_cancelled: true, result: [] },
    ],
  })
  const good = [
    task(1, { text: 'one' }, 'ham'),
    task(2, { file: '/data/local-files/?d=x/mails/2.txt' }, 'spam'),
    task(3, { text: 'unknown' }, 'ham'),
  ]
  const result = await importLabelStudio(project, JSON.stringify(good), 'ls.json')
  assert.deepEqual(result, { tasks: 3, added: 2, known: 0, unmatched: ['ls.json, task 3'] })
  const bad = [task(1, { text: 'one' }, 'ham'), task(2, { text: 'one' }, 'junk')]
  await assert.rejects(
    importLabelStudio(project, JSON.stringify(bad), 'ls.json'),
    /ls\.json, task 2: 'junk' is not among/,
  )
  await assert.rejects(importLabelStudio(project, '{}', 'ls.json'), /no Label Studio export/)
  await assert.rejects(importLabelStudio(project, '[', 'ls.json'), /no JSON/)
})

test('keys: digits for themselves, else in order; the config says otherwise; labels are checked', async (t) => {
  assert.deepEqual(
    [...keysFor(['0', '7'])],
    [
      ['0', '0'],
      ['7', '7'],
    ],
  )
  assert.deepEqual(
    [...keysFor(['ham', 'spam'], { h: 'ham' })],
    [
      ['h', 'ham'],
      ['1', 'spam'],
    ],
  )
  assert.throws(() => keysFor(['ham'], { s: 'ham' }), /must be one character, and none of s u q \+/)
  assert.throws(() => keysFor(['ham'], { h: 'eggs' }), /'eggs', which is no class/)
  const project = await testProject(t, 'text', config)
  const set = await labelSet(project)
  assert.equal(checkLabel(set, ' ham '), 'ham')
  assert.throws(() => checkLabel(set, 'eggs'), /not among the config's classes: ham, spam/)
  assert.equal(checkLabel({ task: 'number' }, '1.5'), 1.5)
  assert.throws(() => checkLabel({ task: 'number' }, 'much'), /'much' is no number/)
})
