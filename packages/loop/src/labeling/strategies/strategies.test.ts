import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../../random.ts'
import { nearestDistances } from './distance.ts'
import { type Pool, type StrategyName, selectBatch, strategyNames } from './index.ts'

/** A pool of random probabilities, dropout passes, and points, with everything a strategy may ask for. */
function randomPool(count: number, seed: number, { classes = 3, width = 4, labelled = 3, passes = 4 } = {}) {
  const random = seeded(seed)
  const normals = (length: number) => Float32Array.from({ length }, random.normal)
  const rows = (n: number) => {
    const values = normals(n * classes).map(Math.exp)
    for (let at = 0; at < values.length; at += classes) {
      const row = values.subarray(at, at + classes)
      const sum = row.reduce((a, b) => a + b)
      for (let c = 0; c < classes; c++) row[c] = (row[c] as number) / sum
    }
    return values
  }
  return {
    count,
    classes: Array.from({ length: classes }, (_, c) => `c${c}`),
    probabilities: rows(count),
    samples: rows(passes * count),
    embedding: normals(count * width),
    labelledEmbedding: normals(labelled * width),
    features: normals(count * 2),
    labelledFeatures: normals(labelled * 2),
  } satisfies Pool
}

const names = fc.constantFrom(...strategyNames)
const squared = (x: Float32Array, i: number, y: Float32Array, j: number, width: number) => {
  let sum = 0
  for (let d = 0; d < width; d++) sum += ((x[i * width + d] as number) - (y[j * width + d] as number)) ** 2
  return sum
}
const indices = (pool: Pool, strategy: StrategyName, count: number, diversity = 1, seed = 1) =>
  selectBatch(pool, { strategy, count, seed, diversity }).suggestions.map(({ index }) => index)

test('every strategy gives each example at most once, as many as asked for, with reasons, and the same for a seed', () => {
  fc.assert(
    fc.property(
      names,
      fc.nat(30),
      fc.nat(40),
      fc.nat(99),
      fc.integer({ min: 1, max: 4 }),
      (strategy, n, k, seed, diversity) => {
        const pool = randomPool(n, seed)
        const options = { strategy, count: k, seed, diversity }
        const batch = selectBatch(pool, options)
        assert.equal(batch.strategy, n === 0 ? batch.strategy : strategy)
        const picked = batch.suggestions.map(({ index }) => index)
        assert.equal(picked.length, Math.min(n, k))
        assert.equal(new Set(picked).size, picked.length)
        for (const { index, score, reason } of batch.suggestions) {
          assert.ok(index >= 0 && index < n && Number.isFinite(score) && reason.length > 5)
        }
        assert.deepEqual(selectBatch(pool, options), batch)
      },
    ),
  )
})

test('without diversity, uncertainty strategies pick those of the highest scores, best first', () => {
  const formula: Partial<Record<StrategyName, (p: number[]) => number>> = {
    leastConfidence: (p) => 1 - Math.max(...p),
    margin: (p) => {
      const [a = 0, b = 0] = p.toSorted((x, y) => y - x)
      return 1 - (a - b)
    },
    entropy: (p) => -p.reduce((sum, x) => sum + x * Math.log(x), 0) / Math.log(3),
  }
  for (const [strategy, score] of Object.entries(formula)) {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(99), (n, seed) => {
        const pool = randomPool(n, seed)
        const all = Array.from({ length: n }, (_, i) => score([...pool.probabilities.subarray(i * 3, i * 3 + 3)]))
        const { suggestions } = selectBatch(pool, { strategy: strategy as StrategyName, count: 5, seed, diversity: 1 })
        const want = all.toSorted((a, b) => b - a).slice(0, 5)
        for (const [rank, suggestion] of suggestions.entries()) {
          assert.ok(Math.abs(suggestion.score - (want[rank] as number)) < 1e-6)
          assert.equal(suggestion.score.toFixed(6), (all[suggestion.index] as number).toFixed(6))
        }
      }),
      { numRuns: 30 },
    )
  }
})

test('for two classes least confidence, margin and entropy agree on the order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(99), (n, seed) => {
      const pool = randomPool(n, seed, { classes: 2 })
      const order = indices(pool, 'margin', n)
      assert.deepEqual(indices(pool, 'leastConfidence', n), order)
      assert.deepEqual(indices(pool, 'entropy', n), order)
    }),
  )
})

test('BALD asks for what the passes contradict each other on, not for what all are unsure of', () => {
  const classes = ['a', 'b']
  // Passes [2, 3, 2]: example 0 unsure each time, 1 sure each time of another, 2 sure of the same.
  const samples = Float32Array.of(0.5, 0.5, 1, 0, 1, 0, 0.5, 0.5, 0, 1, 1, 0)
  const { suggestions } = selectBatch({ count: 3, classes, samples }, { strategy: 'bald', count: 3, seed: 1 })
  assert.equal(suggestions[0]?.index, 1)
  assert.ok(Math.abs((suggestions[0]?.score ?? 0) - 1) < 1e-12)
  assert.ok(suggestions.slice(1).every(({ score }) => score === 0))
})

test('core-set takes the farthest from all labelled and picked, and covers within twice the best radius', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 1, max: 3 }), fc.nat(999), (n, k, seed) => {
      const { embedding, labelledEmbedding } = randomPool(n, seed, { width: 2 })
      const picked = indices({ count: n, embedding, labelledEmbedding }, 'coreSet', k)
      const toLabelled = (i: number) =>
        Math.min(...[0, 1, 2].map((j) => squared(embedding, i, labelledEmbedding, j, 2)))
      const radius = (centres: readonly number[]) =>
        Math.sqrt(
          Math.max(
            ...Array.from({ length: n }, (_, i) =>
              Math.min(toLabelled(i), ...centres.map((c) => squared(embedding, i, embedding, c, 2))),
            ),
          ),
        )
      let best = Infinity
      const subsets = (from: number, chosen: number[]): void => {
        if (chosen.length === Math.min(k, n)) best = Math.min(best, radius(chosen))
        else for (let i = from; i < n; i++) subsets(i + 1, [...chosen, i])
      }
      subsets(0, [])
      assert.ok(radius(picked) <= 2 * best + 1e-5, `${radius(picked)} against ${best}`)
      for (let step = 0; step < picked.length; step++) {
        const own = radius(picked.slice(0, step))
        const index = picked[step] as number
        const distance = Math.min(
          toLabelled(index),
          ...picked.slice(0, step).map((c) => squared(embedding, index, embedding, c, 2)),
        )
        assert.ok(Math.abs(Math.sqrt(distance) - own) < 1e-5)
      }
    }),
    { numRuns: 60 },
  )
})

test('distances to many centres at once are those to each', () => {
  for (const [count, centres] of [
    [5000, 40],
    [30, 1500],
    [7, 3],
  ] as const) {
    const pool = randomPool(count, 4, { width: 6, labelled: centres })
    const nearest = nearestDistances(pool.embedding, pool.labelledEmbedding, 6)
    for (let i = 0; i < count; i += 13) {
      let want = Infinity
      for (let c = 0; c < centres; c++) want = Math.min(want, squared(pool.embedding, i, pool.labelledEmbedding, c, 6))
      assert.ok(Math.abs((nearest[i] as number) - want) < 1e-4 * (1 + want))
    }
  }
})

test('BADGE seeds as k-means++ on the gradients of the last layer would, written out in full', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(999), (n, seed) => {
      const pool = randomPool(n, seed)
      const gradients = Array.from({ length: n }, (_, i) => {
        const a = [...pool.probabilities.subarray(i * 3, i * 3 + 3)]
        const guess = a.indexOf(Math.max(...a))
        a[guess] = (a[guess] as number) - 1
        return Float64Array.from(a.flatMap((x) => [...pool.embedding.subarray(i * 4, i * 4 + 4)].map((h) => x * h)))
      })
      const between = (x: Float64Array, y?: Float64Array) => x.reduce((sum, v, d) => sum + (v - (y?.[d] ?? 0)) ** 2, 0)
      const { suggestions } = selectBatch(pool, { strategy: 'badge', count: 6, seed })
      const picked: number[] = []
      for (const { index, score } of suggestions) {
        const own = gradients[index] as Float64Array
        // The score is the distance at the time of the pick: to the nearest picked, or to 0.
        const want = Math.min(between(own), ...picked.map((j) => between(own, gradients[j])))
        assert.ok(Math.abs(score ** 2 - want) < 1e-4 * (1 + want), `${score ** 2} is not ${want}`)
        if (picked.length === 0) for (const other of gradients) assert.ok(between(other) <= between(own) * (1 + 1e-6))
        picked.push(index)
      }
    }),
  )
})

test('BADGE passes over copies of what it has picked while anything else is left', () => {
  const pool = {
    count: 6,
    probabilities: Float32Array.of(0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.6, 0.4, 0.4, 0.6),
    embedding: Float32Array.of(9, 0, 9, 0, 9, 0, 9, 0, 0, 3, 3, 3),
  }
  for (let seed = 0; seed < 20; seed++) {
    const picked = indices(pool, 'badge', 3, 1, seed)
    assert.equal(picked.filter((i) => i < 4).length, 1, `${picked}`)
  }
})

test('diversity keeps copies of one doubt out of a batch, and still asks for the most uncertain first', () => {
  const probabilities = Float32Array.from([0.5, 0.51, 0.52, 0.53, 0.6, 0.62, 0.99].flatMap((p) => [p, 1 - p]))
  const embedding = Float32Array.of(1, 1, 1, 1, 5, -5, 9)
  const pool = { count: 7, probabilities, embedding }
  assert.deepEqual(indices(pool, 'margin', 3, 1), [0, 1, 2])
  const diverse = indices(pool, 'margin', 3, 2)
  assert.equal(diverse[0], 0)
  assert.deepEqual(diverse.slice(1).toSorted(), [4, 5])
  assert.deepEqual(indices({ count: 7, probabilities }, 'margin', 3, 2), [0, 1, 2])
})

test('every strategy works before there is a model: core-set on features, or by lot, and says so', () => {
  const { features } = randomPool(20, 1)
  for (const strategy of strategyNames) {
    for (const pool of [{ count: 20 }, { count: 20, features }] as Pool[]) {
      const batch = selectBatch(pool, { strategy, count: 5, seed: 1 })
      assert.equal(batch.suggestions.length, 5)
      assert.equal(batch.strategy, pool.features && strategy !== 'random' ? 'coreSet' : 'random')
      if (batch.strategy !== strategy) assert.match(batch.note ?? '', /there is no (model|embedding)/)
    }
  }
  const { probabilities } = randomPool(20, 1)
  const batch = selectBatch({ count: 20, probabilities }, { strategy: 'badge', count: 5, seed: 1 })
  assert.equal(batch.strategy, 'margin')
  assert.equal(batch.note, 'BADGE cannot choose, as there is no embedding: margin chooses instead')
})

test('equal scores are ordered by lot, so that an untrained model does not ask for the first examples', () => {
  const pool = { count: 50, probabilities: new Float32Array(100).fill(0.5) }
  assert.notDeepEqual(indices(pool, 'entropy', 10, 1, 1), indices(pool, 'entropy', 10, 1, 2))
})

test('a pool that contradicts itself is an error that says where', () => {
  const options = { strategy: 'margin', count: 1, seed: 1 } as const
  const probabilities = Float32Array.of(0.5, 0.5, 0.7, 0.7)
  assert.throws(() => selectBatch({ count: 2, probabilities }, options), /probabilities: row 1 holds no probabilities/)
  assert.throws(() => selectBatch({ count: 3, probabilities }, options), /4 values do not fit 3 examples/)
  const classes = ['a', 'b', 'c']
  assert.throws(() => selectBatch({ count: 2, classes, probabilities }, options), /not 2 × 3 classes/)
  const embedding = Float32Array.of(1, Number.NaN)
  assert.throws(() => selectBatch({ count: 2, embedding }, options), /embedding: row 1 holds NaN/)
  assert.throws(() => selectBatch({ count: 2 }, { ...options, strategy: 'best' as StrategyName }), /There are: random/)
  assert.throws(() => selectBatch({ count: 2 }, { ...options, count: -1 }), /count is a whole number/)
})
