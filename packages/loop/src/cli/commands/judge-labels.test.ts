import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { addLabeler, appendLabel, presentLabels } from '../../labeling/events.ts'
import { addExamples, texts } from '../../test-examples.ts'
import { testProject } from '../../test-project.ts'
import { makeSnapshot } from '../../versioning/snapshot.ts'
import { descent } from '../test-command.ts'

test('from rules and people to a consensus: each command says what it found and what to do next', async (t) => {
  const config = `export default { kind: 'text', classes: ['ham', 'spam'], rules: {
    money: (e) => /money/.test(e.text) ? 'spam' : null,
    hello: (e) => /hello/.test(e.text) ? 'ham' : null,
  } }`
  const project = await testProject(t, 'text', config)
  const lines = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? `money ${i}` : `hello ${i}`))
  const numbers = await addExamples(project, texts(...lines))
  const early = await descent(project.folder, ['labels', 'agreement'])
  assert.deepEqual([early.code, early.out], [1, ''])
  assert.match(early.err, /^Error: There are no labels: agreement needs two or more/)
  const rules = await descent(project.folder, ['labels', 'rules'])
  assert.match(rules.out, /money +20 \(50\.0 %\) +spam 20/)
  assert.match(rules.out, /Next: descent labels consensus/)
  await project.store.transaction(async (db) => {
    for (const labeler of ['ada', 'eve']) {
      await addLabeler(db, labeler, 'person')
      for (const [i, example] of numbers.entries()) {
        const right = i % 2 === 0 ? 'spam' : 'ham'
        const value = labeler === 'eve' && i % 5 === 0 ? (right === 'ham' ? 'spam' : 'ham') : right
        appendLabel(project.store, { example, value, labeler })
      }
    }
  })
  const agreement = await descent(project.folder, ['labels', 'agreement'])
  assert.match(agreement.out, /ada +eve +40 +80\.0 % +0\.600/)
  assert.match(agreement.out, /4 labelers, 40 examples labelled, 40 of them by two or more; on 8 they differ/)
  assert.match(agreement.out, /Fleiss' kappa 0\.\d+, Krippendorff's alpha 0\.\d+/)
  assert.match(agreement.out, /Next: descent label --disputed/)
  const third = await descent(project.folder, ['label', '--disputed', '--as', 'bob', '-n', '3'], '1q')
  assert.match(third.out, /1 of 3 · bob · ada says (ham, eve says spam|spam, eve says ham)/)

  const eve = (await presentLabels(project.store)).get(numbers[5] as number)?.value
  assert.equal(eve, 'spam', 'of two people the latest counts, so far')
  const shown = await descent(project.folder, ['labels', 'consensus'])
  assert.match(shown.out, /eve +person +40 +(7|8)\d\.\d %/)
  assert.match(shown.out, /the consensus differs from the present label on (7|8)/)
  assert.match(shown.out, /Next: descent labels consensus --accept/)
  assert.equal((await presentLabels(project.store)).get(numbers[5] as number)?.value, 'spam', 'nothing is kept yet')
  const accepted = await descent(project.folder, ['labels', 'consensus', '--accept'])
  assert.match(accepted.out, /Accepted: 8 new labels by consensus, (7|8) of them other than before/)
  assert.match(accepted.out, /Left as they are: 32 where all agree anyway/)
  assert.equal((await presentLabels(project.store)).get(numbers[5] as number)?.value, 'ham')
})

test('suspects are listed with their contents, and sent to the terminal', async (t) => {
  const project = await testProject(t, 'text', `export default { kind: 'text', classes: ['ham', 'spam'] }`)
  const words = { spam: ['win', 'money', 'prize', 'now'], ham: ['meeting', 'minutes', 'lunch', 'report'] }
  const examples = Array.from({ length: 120 }, (_, i) => {
    const kind = i % 2 === 0 ? 'spam' : 'ham'
    const text = `${words[kind].filter((_, w) => (i + w) % 5 !== 0).join(' ')} ${i}`
    const wrong = i === 10 || i === 33
    const label = wrong ? (kind === 'spam' ? 'ham' : 'spam') : kind
    return { content: { kind: 'text', text }, label } as const
  })
  await addExamples(project, examples)
  const none = await descent(project.folder, ['label', '--suspects'])
  assert.match(none.out, /No label is under suspicion\. Next: descent labels errors/)
  await makeSnapshot(project)
  const small = { preprocess: { type: 'words', buckets: 512 }, network: { type: 'bagOfWords', hidden: [] } }
  await writeFile(
    join(project.folder, 'small.json'),
    JSON.stringify({ ...small, batchSize: 8, optimizer: { lr: 0.02 } }),
  )
  const args = ['labels', 'errors', '--folds', '3', '--epochs', '20', '--recipe', 'small.json']
  const { code, out, err } = await descent(project.folder, args)
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /: labelled ham by file, looks like spam \(\d+\.\d %\)\n {3}.*money/)
  assert.match(out, /: labelled spam by file, looks like ham \(\d+\.\d %\)\n {3}.*meeting/)
  assert.match(out, /120 labels judged, [2-4] suspects\. About \d\.\d % of the labels are estimated wrong/)
  assert.match(out, /Next: descent label --suspects/)
  const label = await descent(project.folder, ['label', '--suspects', '--as', 'ada'], '1q')
  assert.match(label.out, /1 of [2-4] · ada · labelled (ham|spam), looks like (ham|spam) \(\d+ %\)/)
  const few = await descent(project.folder, ['labels', 'errors', '--folds', '100'])
  assert.match(few.err, /^Error: 120 labelled examples are too few for 100 folds/)
})
