import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../random.ts'
import { type AlarmSettings, nextAlarm, quiet, type Reading } from './alarm.ts'
import { chiSquareTail } from './chi-square.ts'
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts'
import { PointsReference } from './mean-discrepancy.ts'
import { columnDrift, columnReference } from './stability.ts'

const near = (got: number, want: number, relative = 1e-9) =>
  assert.ok(Math.abs(got - want) <= relative * Math.abs(want), `${got} is not ${want}`)

test('the chi-square tail: known values', () => {
  // scipy.stats.chi2.sf
  near(chiSquareTail(3.841458820694124, 1), 0.05)
  near(chiSquareTail(18.307038053275146, 10), 0.05)
  // Of 2n degrees it is e^(−x/2) Σ_{k<n} (x/2)^k / k!.
  near(chiSquareTail(100, 10), Math.exp(-50) * (1 + 50 + 1250 + 125_000 / 6 + 6_250_000 / 24))
  near(chiSquareTail(2, 2), Math.exp(-1))
  assert.equal(chiSquareTail(0, 3), 1)
  assert.throws(() => chiSquareTail(1, 0), RangeError)
})

test('Kolmogorov and Smirnov: the same sample has distance 0, separate ones 1, and order does not matter', () => {
  const numbers = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      const [x, y] = [Float64Array.from(a), Float64Array.from(b)]
      assert.equal(kolmogorovSmirnov(x, x).distance, 0)
      assert.equal(
        kolmogorovSmirnov(
          x,
          y.map((v) => v + 20),
        ).distance,
        1,
      )
      const there = kolmogorovSmirnov(x, y)
      assert.equal(there.distance, kolmogorovSmirnov(y, x).distance)
      assert.equal(there.distance, kolmogorovSmirnov(x.toReversed(), y).distance)
    }),
  )
})

/** The share of p-values below the level, over experiments in which nothing differs. */
function falseAlarms(pValue: (round: number) => number, level: number, rounds = 1000): number {
  return Array.from({ length: rounds }, (_, r) => pValue(r)).filter((p) => p < level).length / rounds
}

test('where nothing moved, p-values are below 0.05 in about one of twenty samples', () => {
  const normals = (seed: number, count: number) => {
    const random = seeded(seed)
    return Float64Array.from({ length: count }, () => random.normal())
  }
  const ks = falseAlarms((r) => kolmogorovSmirnov(normals(2 * r, 300), normals(2 * r + 1, 200)).pValue, 0.05)
  assert.ok(ks > 0.02 && ks < 0.07, `${ks}`)
  const psi = falseAlarms(
    (r) => columnDrift(columnReference('x', normals(2 * r, 300)), normals(2 * r + 1, 200)).pValue,
    0.05,
  )
  assert.ok(psi > 0.02 && psi < 0.08, `${psi}`)
  const points = (seed: number, count: number) => ({
    count,
    width: 4,
    values: Float32Array.from(normals(seed, 4 * count)),
  })
  const rate = falseAlarms(
    (r) => new PointsReference(points(2 * r, 120), { seed: r }).compare(points(2 * r + 1, 60)).pValue,
    0.05,
    150,
  )
  assert.ok(rate < 0.11, `${rate}`)
})

test('the stability index: 0 for the same shares, larger the farther they move; what moved is named', () => {
  const before = columnReference('colour', [...Array<string>(60).fill('red'), ...Array<string>(40).fill('blue')])
  const shifted = (red: number) =>
    columnDrift(before, [...Array<string>(red).fill('red'), ...Array<string>(100 - red).fill('blue')])
  assert.ok(shifted(60).stability < 1e-12)
  assert.ok(shifted(60).pValue > 0.99)
  const far = [50, 30, 10].map((red) => shifted(red).stability)
  assert.deepEqual(
    far,
    far.toSorted((a, b) => a - b),
  )
  assert.ok(shifted(10).pValue < 1e-9)
  const fresh = columnDrift(before, [...Array<string>(50).fill('green'), ...Array<null>(50).fill(null)])
  assert.deepEqual(new Set(fresh.moved.map(({ value }) => value)), new Set(['red', 'others', 'missing']))
  assert.throws(() => columnDrift(before, []), RangeError)
})

test('numbers are cut at quantiles: a shift of one standard deviation is much, a column of one value does not break', () => {
  const random = seeded(3)
  const draw = (shift: number) => Float64Array.from({ length: 2000 }, () => random.normal() + shift)
  const reference = columnReference('height', draw(0))
  assert.ok(columnDrift(reference, draw(0)).stability < 0.05)
  assert.ok(columnDrift(reference, draw(1)).stability > 0.25)
  const constant = columnReference('zero', new Float64Array(50))
  assert.equal(columnDrift(constant, new Float64Array(20)).pValue, 1)
  assert.ok(columnDrift(constant, new Float64Array(20).fill(Number.NaN)).pValue < 1e-6)
})

test('the mean discrepancy sees what column means do not: the same means and variances, another shape', () => {
  const random = seeded(5)
  const cloud = (count: number, tied: boolean) => ({
    count,
    width: 2,
    values: Float32Array.from(
      Array.from({ length: count }, () => {
        const x = random.normal()
        return [x, tied ? x : random.normal()]
      }).flat(),
    ),
  })
  const reference = new PointsReference(cloud(400, false))
  assert.ok(reference.compare(cloud(200, false)).pValue > 1e-4)
  assert.ok(reference.compare(cloud(200, true)).pValue < 1e-8)
  const far = { count: 1, width: 2, values: Float32Array.of(9, -9) }
  const middle = { count: 1, width: 2, values: Float32Array.of(0, 0) }
  assert.ok((reference.strangeness(far)[0] as number) > (reference.strangeness(middle)[0] as number))
  assert.throws(() => reference.compare({ count: 1, width: 3, values: new Float32Array(3) }), RangeError)
  assert.throws(() => new PointsReference({ count: 3, width: 1, values: new Float32Array(3) }), RangeError)
})

test('an alarm opens and closes only after enough checks in a row, and never wavers in between', () => {
  const settings: AlarmSettings = { opensAfter: 2, closesAfter: 3 }
  const reading = fc.constantFrom<Reading>('far', 'between', 'calm')
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 60 }), (readings) => {
      let state = quiet
      for (const [i, reading] of readings.entries()) {
        const { state: next, change } = nextAlarm(state, reading, settings)
        if (change === 'opened') assert.ok(!state.open && readings.slice(i - 1, i + 1).every((r) => r === 'far'))
        if (change === 'closed') assert.ok(state.open && readings.slice(i - 2, i + 1).every((r) => r === 'calm'))
        assert.equal(next.open !== state.open, change !== null)
        state = next
      }
    }),
  )
  const after = (...readings: Reading[]) =>
    readings.reduce((state, reading) => nextAlarm(state, reading, settings).state, quiet)
  assert.ok(after('far', 'far').open)
  assert.ok(!after('far', 'between', 'far').open)
  assert.ok(after('far', 'far', 'calm', 'calm', 'between', 'calm', 'calm').open)
  assert.ok(!after('far', 'far', 'calm', 'calm', 'calm').open)
  assert.throws(() => nextAlarm(quiet, 'far', { ...settings, opensAfter: 0 }), RangeError)
})
