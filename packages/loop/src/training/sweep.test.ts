import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoppedError } from '../progress.ts'
import { addColumns, addExamples } from '../test-examples.ts'
import { testProject } from '../test-project.ts'
import { makeSnapshot } from '../versioning/snapshot.ts'
import { listRuns } from './run.ts'
import { byScore, sweepRecipes } from './sweep.ts'
import { iris } from './test-data.ts'

const settings = { trials: 4, factor: 2, epochs: 8, workers: 2 }

test('a sweep trains many recipes a little and the best longer, and goes on after a stop without training twice', async (t) => {
  const project = await testProject(t, 'tabular')
  const { examples, columns } = iris()
  await addColumns(project, columns)
  await addExamples(project, examples)
  await makeSnapshot(project)
  const stop = new AbortController()
  let ended = 0
  const stopped = sweepRecipes(project, {
    ...settings,
    signal: stop.signal,
    onRun: () => ++ended === 2 && stop.abort(),
  })
  await assert.rejects(
    stopped,
    (error) => error instanceof StoppedError && /descent sweep --resume 1/.test(error.message),
  )
  const before = (await listRuns(project)).filter(({ status }) => status === 'done')
  assert.ok(before.length >= 2 && before.length < 7, `${before.length}`)

  const { rounds, best } = await sweepRecipes(project, { resume: true })
  assert.deepEqual(
    rounds.map((runs) => runs.map(({ recipe }) => recipe.epochs)),
    [[2, 2, 2, 2], [4, 4], [8]],
  )
  const all = await listRuns(project)
  assert.equal(all.length, 7)
  for (const run of all) assert.deepEqual([run.status, run.sweep, run.environment.threads >= 1], ['done', 1, true])
  for (const run of before)
    assert.deepEqual(
      all.find(({ number }) => number === run.number),
      run,
    )
  const [first = [], second = [], [last] = []] = rounds
  assert.equal(last?.number, best.number)
  // What went on is the better half, and each run names the one that it goes back to.
  assert.ok(first.slice(0, 2).every((run) => first.slice(2).every((other) => byScore(run, other) <= 0)))
  assert.deepEqual(
    second.map(({ parent }) => parent).sort(),
    first
      .slice(0, 2)
      .map(({ number }) => number)
      .sort(),
  )
  await assert.rejects(sweepRecipes(project, { resume: 1 }), /Sweep 1 is done/)
  await assert.rejects(sweepRecipes(project, { trials: 1 }), /2 trials or more, not 1/)
})

test('the best has the highest accuracy, then the lowest log loss; of numbers the lowest error; what is no number is last', () => {
  const order = (...scores: Record<string, number>[]) =>
    scores
      .map((validation) => ({ metrics: { validation } }))
      .sort(byScore)
      .map(({ metrics }) => metrics.validation)
  const [a, b, c] = [
    { accuracy: 0.9, logLoss: 0.3 },
    { accuracy: 0.9, logLoss: 0.2 },
    { accuracy: 0.8, logLoss: 0.1 },
  ] as const
  assert.deepEqual(order(c, a, b), [b, a, c])
  assert.deepEqual(order({ rmse: Number.NaN }, { rmse: 3 }, { rmse: 2 }), [
    { rmse: 2 },
    { rmse: 3 },
    { rmse: Number.NaN },
  ])
})
