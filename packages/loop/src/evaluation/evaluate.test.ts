import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { descent } from '../cli/test-command.ts'
import { openProject } from '../project/project.ts'
import { addColumns, addExamples } from '../test-examples.ts'
import { testProject } from '../test-project.ts'
import { loadPredictions } from '../training/predictions.ts'
import { runFolder } from '../training/run.ts'
import { cars, penguins } from '../training/test-data.ts'
import { trainRun } from '../training/train-run.ts'
import { makeSnapshot } from '../versioning/snapshot.ts'
import { evaluateRun } from './evaluate.ts'
import { reportPage } from './report/page.ts'

test('a classifier is judged by the test examples alone, and every figure follows from its predictions', async (t) => {
  const project = await testProject(t, 'tabular')
  const { examples, columns } = penguins()
  await addColumns(project, columns)
  await addExamples(project, examples)
  await makeSnapshot(project)
  const run = await trainRun(project, { epochs: 2 })
  const evaluation = await evaluateRun(project, { mistakes: 5 })
  const { predicted, splits, labels } = await loadPredictions(
    join(runFolder(project, run.number), 'predictions.safetensors'),
  )
  const rows = [...splits.keys()].filter((row) => splits[row] === 'test')
  const guess = (row: number) => {
    const own = [...predicted.values.subarray(row * 3, row * 3 + 3)]
    return own.indexOf(Math.max(...own))
  }
  const right = rows.filter((row) => guess(row) === labels[row]).length
  assert.equal(evaluation.split, 'test')
  assert.equal(evaluation.examples, rows.length)
  assert.equal(evaluation.judged.task, 'class')
  if (evaluation.judged.task !== 'class') return
  const { accuracy } = evaluation.judged.metrics
  assert.equal(accuracy.estimate, right / rows.length)
  assert.ok(accuracy.low < accuracy.estimate || accuracy.estimate === 0)
  const seen = evaluation.judged.perClass.reduce((sum, { support }) => sum + support, 0)
  assert.equal(seen, rows.length)
  assert.equal(evaluation.mistakes.length, Math.min(5, rows.length - right))
  for (const { truth, said } of evaluation.mistakes) assert.notEqual(truth, said)
  assert.ok(evaluation.slices.slices.some(({ column }) => column === 'Island'))

  const page = await reportPage(project, evaluation)
  assert.doesNotMatch(page, /https?:\/\/(?!www\.w3\.org)/, 'nothing is loaded from elsewhere')
  for (const { id } of evaluation.mistakes) assert.ok(page.includes(id.slice(0, 12)))
})

test('a regression is judged by its errors, and dates are written as days', async (t) => {
  const project = await testProject(t, 'tabular')
  const { examples, columns } = cars()
  await addColumns(project, columns)
  await addExamples(project, examples)
  await makeSnapshot(project)
  await trainRun(project, { epochs: 3 })
  const { judged, slices, mistakes } = await evaluateRun(project)
  assert.equal(judged.task, 'number')
  if (judged.task !== 'number') return
  const { mae, rmse } = judged.metrics
  assert.ok(mae.low < mae.estimate && mae.estimate < mae.high && mae.estimate < rmse.estimate)
  const losses = mistakes.map(({ loss }) => loss)
  assert.deepEqual(
    losses,
    losses.toSorted((a, b) => b - a),
    'the worst first',
  )
  const years = slices.slices.filter(({ column }) => column === 'Year')
  assert.ok(years.length > 0)
  for (const { slice } of years) assert.match(slice, /19\d\d-01-01/)
})

test('descent evaluate prints the figures and writes the report; without a run it says what to do', async (t) => {
  const project = await testProject(t, 'tabular')
  const { examples, columns } = penguins()
  await addColumns(project, columns)
  await addExamples(project, examples)
  await makeSnapshot(project)
  const early = await descent(project.folder, ['evaluate'])
  assert.equal(early.code, 1)
  assert.match(early.err, /descent train/)
  const { number } = await trainRun(project, { epochs: 1 })
  const { code, out } = await descent(project.folder, ['evaluate'])
  assert.equal(code, 0)
  assert.match(out, /accuracy +\d+\.\d\d %/)
  assert.match(out, /Gentoo/)
  const report = join(runFolder(project, number), 'report.html')
  assert.match(readFileSync(report, 'utf8'), /<svg/)
  const json = await descent(project.folder, ['evaluate', String(number), '--json', '--split', 'validation'])
  assert.equal((JSON.parse(json.out) as { split: string }).split, 'validation')
  const again = await openProject(project.folder)
  t.after(() => again.close())
  await assert.rejects(evaluateRun(again, { run: 99 }), /99/)
})
