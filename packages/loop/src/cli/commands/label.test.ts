import assert from 'node:assert/strict'
import { test } from 'node:test'
import { presentLabels } from '../../labeling/events.ts'
import { addExamples, texts } from '../../test-examples.ts'
import { testProject } from '../../test-project.ts'
import { descent } from '../test-command.ts'

test('descent label asks for one key an example; keys may come from a pipe', async (t) => {
  const project = await testProject(t, 'text')
  await addExamples(project, texts('first', 'second', 'third', 'fourth', 'fifth'))
  const { code, out } = await descent(project.folder, ['label', '--as', 'ada'], '+ham\n1u1s+spam\n?q')
  assert.equal(code, 0)
  assert.match(out, /1 of 5 · ada · chosen at random/)
  assert.match(out, /1 ham {3}2 spam {3}\+ another/)
  assert.match(out, /There is no key '\?' here/)
  assert.match(out, /3 labels given by ada .*, 1 skipped, 1 left in this queue/)
  const labels = [...(await presentLabels(project.store)).values()].map(({ value }) => value).sort()
  assert.deepEqual(labels, ['ham', 'ham', 'spam'])
  const last = await descent(project.folder, ['label', '--as', 'ada'], '1')
  assert.match(last.out, /1 label given by ada/)
  const again = await descent(project.folder, ['label', '--as', 'ada'])
  assert.match(again.out, /There is nothing left to label/)
})

test('an error is one sentence and code 1', async (t) => {
  const project = await testProject(t, 'text')
  const { code, err, out } = await descent(project.folder, ['snapshot'])
  assert.deepEqual([code, out], [1, ''])
  assert.equal(err, 'Error: There are no examples yet: bring some with `descent import PATH…`.\n')
})
