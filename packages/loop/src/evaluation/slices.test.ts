import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../random.ts'
import { sliceColumn } from './columns.ts'
import { holm, hypergeometricTail, permutationTail } from './significance.ts'
import { sliceScores } from './slices.ts'

const near = (got: number, want: number, tolerance: number) =>
  assert.ok(Math.abs(got - want) <= tolerance, `${got} is not ${want}`)

test('every example lies in one slice of a column; quantiles are of nearly equal size, equal values stay together', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: -5, max: 20 }), fc.constant(Number.NaN)), { minLength: 1, maxLength: 80 }),
      fc.integer({ min: 2, max: 6 }),
      (values, quantiles) => {
        const slices = sliceColumn({ name: 'x', values: Float64Array.from(values) }, quantiles)
        const rows = slices.flatMap((slice) => [...slice.rows]).sort((a, b) => a - b)
        assert.deepEqual(rows, [...values.keys()])
        assert.ok(slices.filter(({ name }) => name !== 'missing').length <= quantiles)
        for (const value of new Set(values))
          assert.equal(slices.filter((slice) => [...slice.rows].some((row) => Object.is(values[row], value))).length, 1)
      },
    ),
  )
  const values = Float64Array.from({ length: 100 }, (_, i) => i / 10)
  assert.deepEqual(
    sliceColumn({ name: 'x', values }).map(({ name, rows }) => [name, rows.length]),
    [
      ['up to 2.4', 25],
      ['above 2.4, up to 4.9', 25],
      ['above 4.9, up to 7.4', 25],
      ['above 7.4', 25],
    ],
  )
  const close = Float64Array.of(1, 1 + 1e-9)
  assert.deepEqual(
    sliceColumn({ name: 'x', values: close }).map(({ name }) => name),
    ['1', '1.000000001'],
  )
  assert.deepEqual(
    sliceColumn({ name: 'x', values: ['a', null, 'a'] }).map(({ name, rows }) => [name, ...rows]),
    [
      ['a', 0, 2],
      ['missing', 1],
    ],
  )
})

test('Fisher’s test: the lady tasting tea, tails that add up, and large tables without underflow', () => {
  near(hypergeometricTail(4, 4, 4, 8), 1 / 70, 1e-12)
  near(hypergeometricTail(3, 4, 4, 8), 17 / 70, 1e-12)
  near(hypergeometricTail(0, 30_000, 30_000, 60_000), 1, 1e-6)
  near(hypergeometricTail(15_000, 30_000, 30_000, 60_000), 0.5, 0.01)
  fc.assert(
    fc.property(fc.nat(12), fc.nat(12), fc.nat(12), (seen, count, failures) => {
      const total = 12
      const choose = (n: number, k: number): number =>
        k < 0 || k > n ? 0 : k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k
      let want = 0
      for (let x = seen; x <= count; x++) want += choose(failures, x) * choose(total - failures, count - x)
      near(hypergeometricTail(seen, count, failures, total), want / choose(total, count), 1e-9)
    }),
  )
})

test('the permutation test of 0 and 1 is Fisher’s; drawing the rest instead, and many rows, say the same', () => {
  const random = seeded(1)
  for (const [n, count] of [
    [60, 12],
    [60, 50],
    [900, 300],
  ] as const) {
    const values = Float64Array.from({ length: n }, () => Number(random.uniform() < 0.3))
    const rows = Int32Array.from({ length: count }, (_, i) => i)
    const own = values.subarray(0, count).reduce((a, b) => a + b)
    const failures = values.reduce((a, b) => a + b)
    near(permutationTail(values, rows, seeded(2)), hypergeometricTail(own, count, failures, n), 0.04)
  }
})

test('Holm’s correction: a worked example, never smaller, in the same order', () => {
  for (const [i, p] of holm([0.01, 0.04, 0.03, 0.005]).entries()) near(p, [0.03, 0.06, 0.06, 0.02][i] as number, 1e-12)
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }), (pValues) => {
      const corrected = holm(pValues)
      for (const [i, p] of pValues.entries()) {
        assert.ok((corrected[i] as number) >= p && (corrected[i] as number) <= 1)
        for (const [j, q] of pValues.entries())
          if (p < q) assert.ok((corrected[i] as number) <= (corrected[j] as number))
      }
    }),
  )
})

/** Scores of 1,200 examples with columns of which one value is bad, the others say nothing. */
function planted(seed: number, score: (bad: boolean, uniform: number) => number) {
  const random = seeded(seed)
  const pick = (names: readonly string[]) =>
    Array.from({ length: 1200 }, () => names[random.below(names.length)] as string)
  const colour = pick(['red', 'green', 'blue', 'grey', 'pink'])
  const columns = [
    { name: 'colour', values: colour },
    { name: 'shape', values: pick(['round', 'flat', 'long']) },
    { name: 'size', values: Float64Array.from({ length: 1200 }, random.normal) },
  ]
  return { columns, scores: Float64Array.from(colour, (name) => score(name === 'pink', random.uniform())) }
}

test('a slice in which the model is worse is found, first and alone, for accuracy and for losses', () => {
  const accuracy = planted(1, (bad, u) => Number(u < (bad ? 0.75 : 0.92)))
  const losses = planted(2, (bad, u) => u ** 2 + (bad ? 0.2 : 0))
  for (const [{ scores, columns }, higherIsBetter] of [
    [accuracy, true],
    [losses, false],
  ] as const) {
    const { slices, leftOut } = sliceScores(scores, columns, { seed: 1, higherIsBetter })
    assert.equal(slices.length, 12)
    assert.deepEqual(leftOut, [])
    const [first, ...others] = slices
    assert.ok(first?.slice === 'pink' && first.worse && first.pValue < 0.001)
    assert.ok(others.every(({ worse }) => !worse))
    for (const { score, low, high } of slices) assert.ok(low <= score && score <= high)
    const pink = [...scores].filter((_, i) => columns[0]?.values[i] === 'pink')
    near(first.score, pink.reduce((a, b) => a + b) / pink.length, 1e-12)
    const rest = [...scores].filter((_, i) => columns[0]?.values[i] !== 'pink')
    near(first.rest, rest.reduce((a, b) => a + b) / rest.length, 1e-9)
  }
})

test('where no slice is worse, a report calls one so in about one of twenty cases at most', () => {
  let alarms = 0
  for (let seed = 0; seed < 100; seed++) {
    const { scores, columns } = planted(seed, (_, u) => Number(u < 0.85))
    alarms += Number(sliceScores(scores, columns, { seed, higherIsBetter: true }).slices.some(({ worse }) => worse))
  }
  assert.ok(alarms <= 11, `${alarms} of 100`)
})

test('small slices and those without a rest are left out by name; what does not fit is an error', () => {
  const scores = new Float64Array(30).fill(1)
  const columns = [
    { name: 'kind', values: Array.from(scores, (_, i) => (i < 3 ? 'rare' : 'usual')) },
    { name: 'same', values: Array.from(scores, () => 'x') },
  ]
  const options = { seed: 1, higherIsBetter: true }
  const { slices, leftOut } = sliceScores(scores, columns, options)
  assert.deepEqual(
    slices.map(({ slice, worse }) => [slice, worse]),
    [['usual', false]],
  )
  assert.deepEqual(
    leftOut.map(({ name }) => name),
    ['rare', 'x'],
  )
  assert.throws(() => sliceScores(scores, [{ name: 'k', values: ['a'] }], options), /'k' has 1 values for 30 examples/)
  assert.throws(() => sliceScores(Float64Array.of(Number.NaN), [], options), /score of example 0 is NaN/)
})
