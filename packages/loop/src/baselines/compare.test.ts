/** A network against baselines, and runs against runs, on penguins. */
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { descent } from '../cli/test-command.ts'
import { UserError } from '../errors.ts'
import { appendLabel } from '../labeling/events.ts'
import { StoppedError } from '../progress.ts'
import type { Project } from '../project/project.ts'
import { addColumns, addExamples } from '../test-examples.ts'
import { testProject } from '../test-project.ts'
import { runFolder } from '../training/run.ts'
import { penguins } from '../training/test-data.ts'
import { trainRun } from '../training/train-run.ts'
import { makeSnapshot } from '../versioning/snapshot.ts'
import { compareModels } from './compare-models.ts'
import { compareRuns } from './compare-runs.ts'
import { curvesAreKept, learningCurves } from './learning-curve.ts'
import { shareOf } from './snapshot-rows.ts'

const birds = (() => {
  try {
    return penguins()
  } catch {
    return null
  }
})()
const skip = birds === null ? 'the package vega-datasets is not installed' : false

async function penguinProject(t: TestContext): Promise<Project> {
  const project = await testProject(t, 'tabular')
  if (!birds) return project
  await addColumns(project, birds.columns)
  await addExamples(project, birds.examples)
  await makeSnapshot(project)
  return project
}

test('a network is compared with all baselines on the same examples', { skip }, async (t) => {
  const project = await penguinProject(t)
  const run = await trainRun(project, { epochs: 15 })
  const { models, advice, examples, figure, split } = await compareModels(project)
  assert.deepEqual([figure, split, models.length], ['accuracy', 'test', 6])
  assert.ok(examples > 40)
  const scores = models.map(({ score }) => score.estimate)
  assert.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  )
  assert.equal(models.filter(({ behind }) => behind === null).length, 1)
  const network = models.find(({ kind }) => kind === 'network')
  assert.equal(network?.score.estimate, run.metrics?.test?.accuracy)
  for (const { score } of models) assert.ok(score.low <= score.estimate && score.estimate <= score.high)
  const majority = models.find(({ name }) => name === 'majority class')
  assert.ok((majority?.behind?.high ?? 0) < -0.3, 'the majority is surely worse')
  assert.notEqual(models[advice.use]?.name, 'majority class')
  assert.match(advice.sentence, /^Use /)
})

test('without a network the baselines are compared with one another', { skip }, async (t) => {
  const { run, models } = await compareModels(await penguinProject(t))
  assert.equal(run, null)
  assert.equal(models.length, 5)
})

test('learning curves are measured once, and a stop keeps what is measured', { skip }, async (t) => {
  const project = await penguinProject(t)
  await trainRun(project, { epochs: 3 })
  const comparison = await compareModels(project)
  const controller = new AbortController()
  let measured = 0
  const stopped = learningCurves(project, comparison, {
    signal: controller.signal,
    onPoint: () => {
      if (++measured === 9) controller.abort()
    },
  })
  await assert.rejects(stopped, StoppedError)
  assert.equal(await curvesAreKept(project, comparison), false)
  let others = 0
  const count = { onPoint: () => void others++ }
  const curves = await learningCurves(project, comparison, count)
  assert.equal(measured + others, 6 * 4)
  assert.equal(await curvesAreKept(project, comparison), true)
  assert.deepEqual(await learningCurves(project, comparison, count), curves)
  assert.equal(measured + others, 6 * 4)
  for (const { points, number } of curves) {
    const shares = points.map(({ share }) => share)
    assert.deepEqual(shares, [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1])
    const examples = points.map((point) => point.examples)
    assert.deepEqual(
      examples,
      examples.toSorted((a, b) => a - b),
    )
    const model = comparison.models.find((one) => one.number === number)
    assert.equal(points.at(-1)?.score, model?.score.estimate)
  }
  const forest = curves.find(({ name }) => name === 'random forest')
  assert.ok((forest?.points.at(-1)?.score ?? 0) > 0.9)
})

test('a share is part of every larger one, and has every class', () => {
  const entries = Array.from({ length: 500 }, (_, i) => ({
    id: ((i * 2654435761) % 2 ** 32).toString(16),
    label: ['a', 'b', 'c'][i % 10 === 0 ? 2 : i % 2] as string,
  }))
  let before: readonly (typeof entries)[0][] = []
  for (const share of [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1]) {
    const some = shareOf(entries, share, 'class')
    assert.ok(Math.abs(some.length - 500 * share) <= 2)
    assert.equal(new Set(some.map(({ label }) => label)).size, 3)
    assert.ok(before.every((entry) => some.includes(entry)))
    before = some
  }
})

test('two runs are compared by what both were judged by', { skip }, async (t) => {
  const project = await penguinProject(t)
  const good = await trainRun(project, { epochs: 15 })
  const poor = await trainRun(project, { epochs: 1 })
  const { difference, a, b, onlyRight, examples, leftOut } = await compareRuns(project, good.number, poor.number)
  assert.equal(a.estimate, good.metrics?.test?.accuracy)
  assert.equal(b.estimate, poor.metrics?.test?.accuracy)
  assert.ok(Math.abs(difference.estimate - (b.estimate - a.estimate)) < 1e-12)
  assert.ok(difference.high < 0, 'one epoch is surely worse than fifteen')
  const [first, second] = onlyRight as [number, number]
  assert.equal(second - first, Math.round(difference.estimate * examples))
  assert.equal(leftOut, 0)
  await assert.rejects(compareRuns(project, 1, 1), UserError)
  await assert.rejects(compareRuns(project, 1, 77), /There is no run 77/)
})

test('an example whose label has changed between two snapshots is left out', { skip }, async (t) => {
  const project = await penguinProject(t)
  const first = await trainRun(project, { epochs: 2 })
  const { store } = project
  const { number } = await store.db
    .selectFrom('example')
    .select('number')
    .where('number', 'in', await testExamples(project))
    .limit(1)
    .executeTakeFirstOrThrow()
  await store.transaction(async () => appendLabel(store, { example: number, value: 'Gentoo', labeler: 'file' }))
  const before = await compareRuns(project, first.number, (await trainRun(project, { epochs: 2, seed: 2 })).number)
  await makeSnapshot(project)
  const second = await trainRun(project, { epochs: 2 })
  const { examples } = await compareRuns(project, first.number, second.number)
  assert.ok(examples < before.examples)
})

async function testExamples(project: Project): Promise<number[]> {
  const { baselines } = await compareModels(project)
  const { baselinePredictions } = await import('./baseline-run.ts')
  const { examples, splits, labels } = await baselinePredictions(project, (baselines[0] as { number: number }).number)
  // Adelie: class 0, which the new label is not.
  return [...examples].filter((_, i) => splits[i] === 'test' && labels[i] === 0)
}

test('the command prints table, curve, dimensions and one sentence, and then knows them', { skip }, async (t) => {
  const project = await penguinProject(t)
  await trainRun(project, { epochs: 15 })
  const { out, code, err } = await descent(project.folder, ['compare'])
  assert.equal(code, 0, err)
  assert.match(out, /Run 2: majority class/)
  assert.match(out, /Run 1 \(perceptron\) and 5 baselines on snapshot 1, judged by the same \d+ test examples/)
  assert.match(out, /model +run +accuracy +95 % interval +to the best, in points +training +a prediction +size/)
  assert.match(out, /Learning curve[\s\S]*1\/16 +1\/8 +1\/4 +1\/2 +all/)
  for (const line of ['features', 'amount of data', 'training time', 'testing time', 'interpretation'])
    assert.match(out, new RegExp(`^${line} `, 'm'))
  assert.match(out, /looks most at .*(Beak|Flipper)/)
  assert.match(out, /^Use .*\.$/m)
  const again = await descent(project.folder, ['compare', '1'])
  assert.doesNotMatch(again.out, /Run 2: majority|Training all of them/)
  const end = (text: string) => text.slice(text.indexOf('Learning curve'))
  assert.equal(end(again.out), end(out))
  const json = JSON.parse((await descent(project.folder, ['compare', '--json'])).out)
  assert.equal(json.models.length, 6)
  assert.equal(json.curves.length, 6)
  const pair = await descent(project.folder, ['compare', '1', '2'])
  assert.match(
    pair.out,
    /On the same \d+ test examples[\s\S]*Run 1 is better than run 2 by more than chance explains\./,
  )
})

test('a baseline whose folder is gone is named', { skip }, async (t) => {
  const project = await penguinProject(t)
  const { baselines } = await compareModels(project)
  const { number } = baselines[1] as (typeof baselines)[0]
  await rm(join(runFolder(project, number), 'about.json'))
  await assert.rejects(compareModels(project), new RegExp(`The baseline ${number} .* is incomplete`))
})
