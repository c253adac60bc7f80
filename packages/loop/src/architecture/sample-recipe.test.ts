import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../random.ts'
import { defaultRecipe, networkDefaults, preprocessFor } from './defaults.ts'
import type { DataProfile } from './profile.ts'
import { recipeHash } from './recipe.ts'
import { checkRecipe } from './recipe-check.ts'
import { recipeDifference } from './recipe-difference.ts'
import { sampleRecipe } from './sample-recipe.ts'

const profile = (kind: DataProfile['kind'], task: DataProfile['task'], train: number): DataProfile => ({
  kind,
  task,
  train,
  validation: 100,
  test: 100,
  classes: task === 'class' ? ['a', 'b'] : [],
  counts: task === 'class' ? [train >> 1, train - (train >> 1)] : [],
  image: kind === 'image' ? { width: 28, height: 28, channels: 1 } : null,
})

const bases = [
  profile('tabular', 'class', 300),
  profile('tabular', 'number', 70_000),
  profile('image', 'class', 60_000),
  profile('text', 'class', 3000),
  profile('text', 'class', 50_000),
].map(defaultRecipe)

/** Recipes of every network that is plain data. */
const all = [
  ...bases,
  ...Object.values(networkDefaults).map((network) => {
    const base = bases.find(
      ({ kind }) => kind === (preprocessFor(network.type) ? 'text' : network.type === 'mlp' ? 'tabular' : 'image'),
    )
    assert.ok(base)
    return { ...base, network, preprocess: preprocessFor(network.type) ?? base.preprocess }
  }),
]

test('every default is a recipe, and so is everything that is drawn near one; a seed draws the same again', () => {
  for (const base of all) {
    assert.equal(checkRecipe(base, 'base'), base)
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const drawn = sampleRecipe(base, seeded(seed))
        checkRecipe(drawn, 'drawn')
        assert.equal(recipeHash(drawn), recipeHash(sampleRecipe(base, seeded(seed))))
        assert.deepEqual(
          [drawn.epochs, drawn.augmentation, drawn.network.type],
          [base.epochs, base.augmentation, base.network.type],
        )
        assert.ok(drawn.optimizer.lr >= base.optimizer.lr / 6 && drawn.optimizer.lr <= base.optimizer.lr * 6)
      }),
      { numRuns: 30 },
    )
  }
})

test('a difference names the settings that are other, and nothing else', () => {
  const [base] = bases
  assert.ok(base)
  assert.deepEqual(recipeDifference(base, { ...base, name: 'other', epochs: 1 }), [])
  const other = { ...base, batchSize: 7, optimizer: { ...base.optimizer, lr: 0.5 } }
  assert.deepEqual(recipeDifference(base, other), ['optimizer.lr 0.5', 'batchSize 7'])
})
