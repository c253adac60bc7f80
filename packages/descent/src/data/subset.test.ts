import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ArrayDataset, column, tensorsOf } from './dataset.ts'
import { DataLoader } from './loader.ts'
import { MapDataset } from './map-dataset.ts'
import type { RawExamples } from './raw.ts'
import { balancedWeights, WeightedRandomSampler } from './sampler.ts'
import { ConcatDataset, randomSplit, Subset, stratifiedSplit } from './subset.ts'

const counting = (length: number, start = 0) =>
  new ArrayDataset(
    column(Float32Array.from({ length }, (_, i) => start + i)),
    column(Int32Array.from({ length }, (_, i) => (start + i) % 4)),
  )
const later = (length: number, start = 0) =>
  new MapDataset(length, async (i) => ({ x: start + i, y: (start + i) % 4 }), { targetType: 'class' })

test('a part of a sum of parts has the examples that its numbers say, at once or in time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(6), { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(1000), { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      async (lengths, picks, waiting) => {
        const total = lengths.reduce((a, b) => a + b, 0)
        if (total === 0) return
        let start = 0
        const parts = lengths.map((length) => {
          start += length
          return waiting ? later(length, start - length) : counting(length, start - length)
        })
        const numbers = picks.map((pick) => pick % total)
        const subset = new Subset(new ConcatDataset(parts), numbers)
        const order = Int32Array.from(numbers, (_, i) => i).reverse()
        const examples = await subset.read(order)
        assert.deepEqual([...examples.x.values], [...numbers].reverse())
        const { y } = tensorsOf(examples)
        assert.deepEqual([...y.data()], numbers.map((n) => n % 4).reverse())
        if (!waiting) assert.deepEqual(subset.batch(order).x.data(), examples.x.values)
      },
    ),
    { numRuns: 60 },
  )
})

test('a random split has every example once, in the parts that were asked for; the seed decides', () => {
  const parts = randomSplit(counting(10), [0.7, 0.3], { seed: 4 })
  assert.deepEqual(
    parts.map(({ length }) => length),
    [7, 3],
  )
  const all = parts.flatMap(({ numbers }) => [...numbers])
  assert.deepEqual(
    all.toSorted((a, b) => a - b),
    [...Array(10).keys()],
  )
  assert.deepEqual(
    randomSplit(counting(10), [7, 3], { seed: 4 }).map(({ numbers }) => numbers),
    parts.map(({ numbers }) => numbers),
  )
  assert.notDeepEqual(randomSplit(counting(10), [7, 3], { seed: 5 })[0]?.numbers, parts[0]?.numbers)
  assert.throws(() => randomSplit(counting(10), [7, 2]), /counts that add up to 10; \[7, 2\] add up to 9/)
})

test('a stratified split has each class in the same share, and mixed', () => {
  const labels = Int32Array.from({ length: 400 }, (_, i) => (i < 300 ? 0 : 1))
  const dataset = new ArrayDataset(column(new Float32Array(400)), column(labels))
  const [train, test] = stratifiedSplit(dataset, [0.75, 0.25], { seed: 2 })
  const share = (part: Subset | undefined) => [part?.length, part?.labels().filter((label) => label === 1).length]
  assert.deepEqual(
    [share(train), share(test)],
    [
      [300, 75],
      [100, 25],
    ],
  )
  const changes =
    train?.labels().reduce((count, label, i, all) => count + Number(i > 0 && label !== all[i - 1]), 0) ?? 0
  assert.ok(changes > 50, `classes stand in blocks: ${changes} changes`)
  assert.throws(() => stratifiedSplit(later(4), [0.5, 0.5]), /does not say which class/)
  assert.equal(stratifiedSplit(later(4), [0.5, 0.5], { labels: [0, 0, 1, 1] })[0]?.length, 2)
})

test('weights decide how often an example comes', () => {
  const weights = [1, 0, 3, 6]
  const counts = [0, 0, 0, 0]
  const sampler = new WeightedRandomSampler(weights, { numSamples: 10_000 })
  for (const i of sampler.order(1, 0)) counts[i] = (counts[i] as number) + 1
  for (const [i, weight] of weights.entries())
    assert.ok(Math.abs((counts[i] as number) - 1000 * weight) < 200, `${counts}`)
  assert.equal(counts[1], 0)
  assert.notDeepEqual(sampler.order(1, 1), sampler.order(1, 0))
  assert.deepEqual(sampler.order(1, 1), sampler.order(1, 1))
})

test('without replacement nothing comes twice, and heavy examples come first', () => {
  let first = 0
  for (let seed = 0; seed < 300; seed++) {
    const order = new WeightedRandomSampler([1, 1, 8], { numSamples: 2, replacement: false }).order(seed, 0)
    assert.equal(new Set(order).size, 2)
    if (order[0] === 2) first++
  }
  assert.ok(Math.abs(first / 300 - 0.8) < 0.08, `${first}`)
  assert.throws(
    () => new WeightedRandomSampler([1, 0], { numSamples: 2, replacement: false }),
    /without replacement from 1/,
  )
  assert.throws(() => new WeightedRandomSampler([0, 0]), /all weights are zero/)
  assert.throws(() => new WeightedRandomSampler([1, -1]), /weight 1 is -1/)
})

test('a loader with balanced weights shows rare classes as often as the others', () => {
  const labels = Int32Array.from({ length: 1000 }, (_, i) => Number(i % 20 === 0))
  const dataset = new ArrayDataset(column(new Float32Array(1000)), column(labels))
  const loader = new DataLoader(dataset, {
    batchSize: 100,
    sampler: new WeightedRandomSampler(balancedWeights(labels)),
  })
  let rare = 0
  for (const { y } of loader) rare += y.sum().item()
  assert.ok(Math.abs(rare - 500) < 60, `${rare}`)
  assert.throws(
    () => new DataLoader(dataset, { shuffle: true, sampler: new WeightedRandomSampler([1]) }),
    /does not go with shuffle/,
  )
})

test('a transform of one’s own and a collate of one’s own change what comes', async () => {
  const collate = (examples: readonly { readonly x: unknown }[]): RawExamples => ({
    x: { shape: [examples.length], values: Float32Array.from(examples, ({ x }) => 10 * (x as number)) },
    y: { shape: [examples.length], values: new Int32Array(examples.length) },
  })
  const dataset = new MapDataset(4, (i) => ({ x: i, y: 0 }), { collate })
  const loader = new DataLoader(dataset, {
    batchSize: 4,
    transform: (batch) => ({ ...batch, x: { ...batch.x, values: batch.x.values.map((v) => v + 1) } }),
  })
  for (const { x } of loader) assert.deepEqual(x.toArray(), [1, 11, 21, 31])
  for await (const { x } of loader) assert.deepEqual(x.toArray(), [1, 11, 21, 31])
})

test('examples of different shapes do not make a batch', () => {
  const ragged = new MapDataset(2, (i) => ({ x: new Float32Array(i + 1), y: 0 }))
  assert.throws(() => ragged.batch(Int32Array.of(0, 1)), {
    name: 'ShapeError',
    message: /one is f32 \[1\], another f32 \[2\]/,
  })
  assert.throws(() => new Subset(counting(3), [3]), /example 3 does not exist: the dataset has 3/)
})
