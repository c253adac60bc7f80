import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cohenKappa, fleissKappa, krippendorffAlpha, type Level, pairAgreement } from './agreement.ts'
import { votesFromTable } from './votes.ts'

const levels = ['nominal', 'ordinal', 'interval'] as const
const near = (got: number, want: number, tolerance: number) =>
  assert.ok(Math.abs(got - want) <= tolerance, `${got} is not ${want}`)
/** Counts of classes an example as votes of labelers whose names do not matter. */
const fromCounts = (counts: readonly (readonly number[])[]) =>
  votesFromTable(counts.map((row) => row.flatMap((n, c) => new Array<number>(n).fill(c))))

test('Krippendorff’s example of 2011 (four observers, twelve units, missing data): 0.743, 0.815, 0.849', () => {
  const o = null
  const observers = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, o, o, o],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, o, 3],
    [o, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, o],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, o],
  ]
  const votes = votesFromTable(Array.from({ length: 12 }, (_, unit) => observers.map((row) => row[unit] ?? null)))
  near(krippendorffAlpha(votes, 'nominal'), 0.743, 5e-4)
  near(krippendorffAlpha(votes, 'ordinal'), 0.815, 5e-4)
  near(krippendorffAlpha(votes, 'interval'), 0.849, 5e-4)
})

test('Fleiss’ example of 1971 (thirty patients, six psychiatrists, five diagnoses): 0.430', () => {
  const diagnoses = `00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
    00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006`
    .split(/\s+/)
    .map((row) => [...row].map(Number))
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((c) => diagnoses.reduce((sum, row) => sum + (row[c] as number), 0)),
    [26, 26, 30, 55, 43],
  )
  near(fleissKappa(fromCounts(diagnoses), 5), 0.43, 5e-4)
})

test('Cohen’s kappa of a table of 20, 5, 10, 15 is 0.4', () => {
  const table = [
    [20, 5],
    [10, 15],
  ]
  const pairs = table.flatMap((row, a) => row.flatMap((n, b) => new Array(n).fill([a, b]) as [number, number][]))
  const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)]
  near(cohenKappa(a, b), 0.4, 1e-12)
  // Two classes have one distance: the weights say the same.
  near(cohenKappa(a, b, { weights: 'quadratic' }), 0.4, 1e-12)
  near(cohenKappa([0, 1, 2, 2], [0, 1, 2, 0], { weights: 'linear' }), 1 - (2 * 4) / 16, 1e-12)
})

const tables = fc.tuple(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 2, max: 12 })).chain(([labelers, examples]) =>
  fc.array(fc.array(fc.option(fc.nat(3), { freq: 4 }), { minLength: labelers, maxLength: labelers }), {
    minLength: examples,
    maxLength: examples,
  }),
)

/** Alpha from its definition: all pairs, written out. */
function alphaByPairs(table: readonly (readonly (number | null)[])[], level: Level): number {
  const units = table.map((row) => row.filter((x) => x !== null)).filter((row) => row.length > 1)
  const all = units.flat()
  const difference = (x: number, y: number) => {
    if (level === 'nominal') return Number(x !== y)
    if (level === 'interval') return (x - y) ** 2
    const [low, high] = [Math.min(x, y), Math.max(x, y)]
    const n = (value: number) => all.filter((v) => v === value).length
    return (all.filter((v) => v >= low && v <= high).length - (n(low) + n(high)) / 2) ** 2
  }
  const pairs = (values: readonly number[]) =>
    values.reduce((sum, x, i) => sum + values.reduce((s, y, j) => s + (i === j ? 0 : difference(x, y)), 0), 0)
  const observed = units.reduce((sum, unit) => sum + pairs(unit) / (unit.length - 1), 0)
  return 1 - observed / (pairs(all) / (all.length - 1))
}

test('alpha in linear time is alpha from all pairs, at every level', () => {
  fc.assert(
    fc.property(tables, fc.constantFrom(...levels), (table, level) => {
      const [got, want] = [krippendorffAlpha(votesFromTable(table), level), alphaByPairs(table, level)]
      if (Number.isNaN(want)) assert.ok(Number.isNaN(got))
      else near(got, want, 1e-9)
    }),
  )
})

test('nothing changes when labelers change places; full agreement is 1; ordinal alpha sees only the order', () => {
  fc.assert(
    fc.property(tables, (table) => {
      const reversed = votesFromTable(table.map((row) => row.toReversed()))
      const votes = votesFromTable(table)
      const same = (x: number, y: number) => (Number.isNaN(x) ? assert.ok(Number.isNaN(y)) : near(y, x, 1e-9))
      same(fleissKappa(votes, 4), fleissKappa(reversed, 4))
      for (const level of levels) same(krippendorffAlpha(votes, level), krippendorffAlpha(reversed, level))
      const stretched = votesFromTable(table.map((row) => row.map((x) => (x === null ? null : x ** 3 + x))))
      same(krippendorffAlpha(votes, 'ordinal'), krippendorffAlpha(stretched, 'ordinal'))
      same(krippendorffAlpha(votes, 'nominal'), krippendorffAlpha(stretched, 'nominal'))
    }),
  )
  const agreed = votesFromTable([
    [0, 0],
    [2, 2],
    [1, 1],
  ])
  assert.equal(fleissKappa(agreed, 3), 1)
  for (const level of levels) assert.equal(krippendorffAlpha(agreed, level), 1)
})

test('who disagrees with whom: symmetric, with the kappa of each two, and 1 with oneself', () => {
  fc.assert(
    fc.property(tables, (table) => {
      const matrix = pairAgreement(votesFromTable(table), 4)
      for (const [a, row] of matrix.entries()) {
        for (const [b, pair] of row.entries()) {
          const shared = table.filter((values) => values[a] !== null && values[b] !== null)
          assert.equal(pair.shared, shared.length)
          if (shared.length === 0) continue
          near(pair.agreed, shared.filter((values) => values[a] === values[b]).length / shared.length, 1e-12)
          assert.deepEqual(pair, matrix[b]?.[a])
          const kappa = cohenKappa(
            table.map((values) => values[a] ?? null),
            table.map((values) => values[b] ?? null),
          )
          if (Number.isFinite(kappa) && Number.isFinite(pair.kappa)) near(pair.kappa, kappa, 1e-9)
          if (a === b) assert.equal(pair.agreed, 1)
        }
      }
    }),
  )
})

test('without anything shared the measures are NaN, and votes that cannot be are errors that say which', () => {
  const apart = votesFromTable([
    [0, null],
    [null, 1],
  ])
  assert.ok(Number.isNaN(fleissKappa(apart, 2)))
  assert.ok(Number.isNaN(krippendorffAlpha(apart, 'nominal')))
  assert.ok(Number.isNaN(cohenKappa([0, null], [null, 1])))
  assert.ok(Number.isNaN(pairAgreement(apart, 2)[0]?.[1]?.agreed))
  assert.throws(() => fleissKappa(votesFromTable([[0, 7]]), 2), /Vote 1 is for class 7, but there are 2 classes/)
  assert.throws(() => votesFromTable([[0, 1], [0]]), /Example 1 has 1 labelers/)
  const twice = { ...votesFromTable([[0, 1]]), labeler: Int32Array.of(1, 1) }
  assert.throws(() => krippendorffAlpha(twice, 'nominal'), /Labeler 1 has two votes on example 0/)
})
