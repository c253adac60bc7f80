import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { UserError } from '../errors.ts'
import { StoppedError } from '../progress.ts'
import type { Kind } from '../project/config.ts'
import type { Project } from '../project/project.ts'
import { addColumns, addExamples, type TestExample } from '../test-examples.ts'
import { testProject } from '../test-project.ts'
import type { SnapshotColumn } from '../versioning/manifest.ts'
import { makeSnapshot, readSnapshot } from '../versioning/snapshot.ts'
import { contentsOf } from './examples.ts'
import { loadRun, runPredictions } from './load-run.ts'
import { epochsOf, listRuns } from './run.ts'
import { cars, iris, mnist, penguins, spamAssassin } from './test-data.ts'
import { trainRun } from './train-run.ts'

interface Data {
  readonly examples: Iterable<TestExample>
  readonly columns?: readonly SnapshotColumn[]
}

/** A project with a snapshot of the data. */
async function projectOf(t: TestContext, kind: Kind, { examples, columns = [] }: Data): Promise<Project> {
  const project = await testProject(t, kind)
  await addColumns(project, columns)
  await addExamples(project, examples)
  await makeSnapshot(project)
  return project
}

/** What is checked of every real data set: the run is recorded whole, and its model predicts what was recorded. */
async function requireWhole(project: Project): Promise<void> {
  const { run, predict } = await loadRun(project)
  const { predictions } = await runPredictions(project)
  const { entries } = await readSnapshot(project)
  assert.equal(predictions.examples.length, entries.length)
  assert.deepEqual([run.status, run.error, run.sweep], ['done', null, null])
  assert.ok((run.parameters ?? 0) > 0 && (run.bytes ?? 0) > 0 && (run.predictMicroseconds ?? 0) > 0)
  assert.deepEqual(Object.keys(run.metrics ?? {}).sort(), ['test', 'train', 'validation'])
  const epochs = await epochsOf(project, run.number)
  assert.deepEqual(
    epochs.map(({ epoch }) => epoch),
    Array.from({ length: run.recipe.epochs }, (_, i) => i + 1),
  )
  const number = predictions.examples.at(-1) as number
  const entry = entries.filter((one) => one.number === number)
  const [content] = await Array.fromAsync(contentsOf(project.store, entry, { what: '' }))
  assert.ok(content)
  const { values, width } = await predict([content])
  const recorded = predictions.predicted.values.slice(-width)
  for (const [i, value] of values.entries())
    assert.ok(
      Math.abs(value - (recorded[i] as number)) <= 1e-4 * Math.max(1, Math.abs(value)),
      `${value} ${recorded[i]}`,
    )
}

test('penguins: species are told apart; the same seed gives the same figures, another others', async (t) => {
  const project = await projectOf(t, 'tabular', penguins())
  const notes: string[] = []
  const run = await trainRun(project, { onNote: (note) => notes.push(note) })
  assert.deepEqual(notes, [])
  assert.ok((run.metrics?.test?.accuracy ?? 0) >= 0.95, JSON.stringify(run.metrics))
  await requireWhole(project)
  const again = await trainRun(project)
  assert.notEqual(again.number, run.number)
  assert.deepEqual(again.metrics, run.metrics)
  assert.notDeepEqual((await trainRun(project, { seed: 2 })).metrics, run.metrics)
})

test('cars: miles a gallon are a number, judged in miles a gallon; free text is left out, and said', async (t) => {
  const project = await projectOf(t, 'tabular', cars())
  const notes: string[] = []
  const run = await trainRun(project, { onNote: (note) => notes.push(note) })
  const { r2 = 0, mae = 99 } = run.metrics?.test ?? {}
  assert.ok(r2 >= 0.75 && mae < 4, JSON.stringify(run.metrics))
  assert.match(notes.join(), /Name.*free text/)
  await requireWhole(project)
})

test('irises: four numbers, three species', async (t) => {
  const project = await projectOf(t, 'tabular', iris())
  const run = await trainRun(project)
  assert.ok((run.metrics?.test?.accuracy ?? 0) >= 0.85, JSON.stringify(run.metrics))
  await requireWhole(project)
})

test('digits: a small network learns from a few hundred images', async (t) => {
  const project = await projectOf(t, 'image', { examples: mnist(900, 200) })
  const network = { type: 'convolution', channels: [8, 16], hidden: 32, dropout: 0.1 } as const
  await writeFile(join(project.folder, 'small.json'), JSON.stringify({ name: 'small', network, epochs: 6 }))
  const run = await trainRun(project, { recipe: 'small.json' })
  assert.deepEqual([run.name, run.recipe.network, run.recipe.batchSize], ['small', network, 32])
  assert.ok((run.metrics?.test?.accuracy ?? 0) >= 0.85, JSON.stringify(run.metrics))
  await requireWhole(project)
})

test('mail: spam is found among every eighth mail of SpamAssassin', async (t) => {
  const project = await projectOf(t, 'text', { examples: spamAssassin(8) })
  const run = await trainRun(project, { epochs: 4 })
  assert.equal(run.recipe.epochs, 4)
  assert.ok((run.metrics?.test?.accuracy ?? 0) >= 0.9, JSON.stringify(run.metrics))
  await requireWhole(project)
})

test('a training that is stopped goes on with the same call, and ends as if it had not been', async (t) => {
  const project = await projectOf(t, 'tabular', iris())
  const whole = await trainRun(project, { epochs: 12 })
  await project.store.db.updateTable('run').set({ recipe_hash: 'another' }).execute()
  const stop = new AbortController()
  const stopped = trainRun(project, {
    epochs: 12,
    signal: stop.signal,
    onEpoch: ({ epoch }) => epoch === 5 && stop.abort(),
  })
  await assert.rejects(
    stopped,
    (error) => error instanceof StoppedError && /descent train --resume 2/.test(error.message),
  )
  assert.equal((await listRuns(project))[1]?.status, 'stopped')
  const starts: [number, boolean][] = []
  const finished = await trainRun(project, {
    epochs: 12,
    onStart: ({ number }, resumed) => starts.push([number, resumed]),
  })
  assert.deepEqual(starts, [[2, true]])
  assert.deepEqual(finished.metrics, whole.metrics)
  await assert.rejects(trainRun(project, { resume: true }), /No run was cut off/)
  await assert.rejects(trainRun(project, { resume: 2 }), /Run 2 is done/)
  await assert.rejects(trainRun(project, { resume: 9 }), /There is no run 9/)
})

test('a recipe of one’s own may be code; what is wrong with it is one sentence', async (t) => {
  const project = await projectOf(t, 'tabular', iris())
  const file = join(project.folder, 'recipe.ts')
  const train = async (text: string) => {
    await writeFile(file, text)
    return trainRun(project, { recipe: 'recipe.ts' })
  }
  const descent = JSON.stringify(new URL(import.meta.resolve('descent')).href)
  const code = (network: string, more = '') =>
    `import { nn } from ${descent}\nexport default { epochs: 3, ${more} network: ${network} }\n`
  const run = await train(
    code('({ outputs }) => new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, outputs))'),
  )
  assert.deepEqual([run.status, run.recipe.network.type, run.recipe.epochs], ['done', 'code', 3])
  const { predict } = await loadRun(project)
  const values = { 'sepal length': 5, 'sepal width': 3, 'petal length': 1, 'petal width': 0.2 }
  assert.equal((await predict([{ kind: 'row', values }])).width, 3)

  for (const [text, message] of [
    ["throw new Error('no luck')", /^The recipe recipe\.ts throws: no luck$/],
    [code("() => { throw new Error('no luck') }"), /^The recipe recipe\.ts throws when it makes its network: no luck$/],
    [code('() => 3'), /must give an nn\.Module, and gave a number/],
    [code('() => new nn.Linear(5, 3)'), /^The network of the recipe '.*' cannot take a batch \[2, 4\]: /],
    [code('() => new nn.Linear(4, 2)'), /gives \[2, 2\] for 2 examples, and must give \[2, 3\]: one for each of the 3/],
    ['export default { epochs: 0 }', /'epochs' must be a whole number from 1/],
    ['export default { epohcs: 3 }', /'epohcs' is no setting of a recipe\. There are: /],
    ["export default { loss: { type: 'mse' } }", /the loss 'mse', which is for numbers.*use crossEntropy/],
    ['export const a = 1', /exports nothing/],
    [code('() => new nn.Linear(4, 3)', "optimizer: { type: 'sgd', lr: 1e30 },"), /^Run \d+: .*(loss|NaN)/],
  ] as const) {
    await assert.rejects(train(text), (error) => {
      assert.ok(error instanceof UserError, String(error))
      assert.match(error.message, message)
      return true
    })
  }
  const last = (await listRuns(project)).at(-1)
  assert.equal(last?.status, 'failed')
  assert.match(last?.error ?? '', /loss|NaN/)
})
