import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadModel, manualSeed, type nn, noGrad, randint, randn, saveModel, type Tensor, tensor } from 'descent'
import { testFolder } from '../../test-project.ts'
import { networkDefaults } from '../defaults.ts'
import { inputShape, type Layout } from '../input.ts'
import type { NetworkRecipe } from '../recipe.ts'
import { makeNetwork, networkClasses } from './index.ts'

const layouts = {
  table: { type: 'table', numbers: 3, categories: [4, 7] },
  image: { type: 'image', channels: 3, height: 17, width: 12 },
  tiny: { type: 'image', channels: 1, height: 4, width: 4 },
  words: { type: 'words', buckets: 64 },
  tokens: { type: 'tokens', vocabulary: 50, length: 9 },
} as const satisfies Record<string, Layout>

/** A batch of 3 as the layout says. */
function batch(layout: Layout): Tensor {
  const shape = [3, ...inputShape(layout)]
  if (layout.type === 'tokens') return randint(1, layout.vocabulary, shape)
  // Numbers of levels are from 0 to 3.
  return layout.type === 'table' ? randint(0, 4, shape).float() : randn(shape)
}

const takes: Readonly<Record<string, readonly (keyof typeof layouts)[]>> = {
  mlp: ['table', 'image', 'tiny', 'words'],
  convolution: ['image', 'tiny'],
  resnet: ['image', 'tiny'],
  bagOfWords: ['words'],
  textConvolution: ['tokens'],
  textTransformer: ['tokens'],
}

function made(recipe: Exclude<NetworkRecipe, { type: 'code' }>, layout: Layout, outputs: number): nn.Module {
  manualSeed(3)
  return makeNetwork(recipe, { layout, outputs, task: outputs === 1 ? 'number' : 'class' })
}

test('every network gives its outputs for every layout that it takes, refuses others, and is saved and loaded whole', async (t) => {
  const folder = await testFolder(t)
  for (const recipe of Object.values(networkDefaults)) {
    for (const [name, layout] of Object.entries(layouts)) {
      if (!takes[recipe.type]?.includes(name as keyof typeof layouts)) {
        assert.throws(() => made(recipe, layout, 5), {
          message: new RegExp(`The network '${recipe.type}' does not take`),
        })
        continue
      }
      const net = made(recipe, layout, 5).eval()
      const x = batch(layout)
      const expected = noGrad(() => net.forward(x))
      assert.deepEqual(expected.shape, [3, 5], `${recipe.type} ${name}`)
      await saveModel(net, folder, { classes: networkClasses })
      const loaded = (await loadModel(folder, { classes: networkClasses })) as nn.Module
      assert.deepEqual(noGrad(() => loaded.eval().forward(x)).toArray(), expected.toArray(), `${recipe.type} ${name}`)
      assert.deepEqual(made(recipe, layout, 1).eval().forward(x).shape, [3, 1])
    }
  }
})

test('every parameter of every network is learned: all have gradients', () => {
  for (const recipe of Object.values(networkDefaults)) {
    const layout = layouts[takes[recipe.type]?.[0] as keyof typeof layouts]
    const net = made({ ...recipe, dropout: 0 }, layout, 2)
    net.forward(batch(layout)).square().sum().backward()
    const without = Object.entries(Object.fromEntries(net.namedParameters())).filter(([, p]) => p.grad === null)
    assert.deepEqual(
      without.map(([name]) => name),
      [],
      recipe.type,
    )
  }
})

test('a transformer of texts does not see what stands behind the end', () => {
  const net = made(networkDefaults.textTransformer, layouts.tokens, 2).eval()
  const text = [1, 7, 9, 4]
  const padded = (length: number) => {
    const short = made(networkDefaults.textTransformer, { ...layouts.tokens, length }, 2).eval()
    short.loadStateDict({
      ...net.stateDict(),
      'positions.weight': (net.stateDict()['positions.weight'] as Tensor).slice([0, length]),
    })
    const row = Int32Array.from({ length }, (_, i) => text[i] ?? 0)
    return noGrad(() => short.forward(tensor(row, { shape: [1, length] }))).data()
  }
  const [long, exact] = [padded(9), padded(4)]
  for (const [i, value] of long.entries()) assert.ok(Math.abs(value - (exact[i] as number)) < 1e-5)
})
