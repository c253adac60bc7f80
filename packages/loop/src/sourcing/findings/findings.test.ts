import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../../random.ts'
import { examineColumn } from './column.ts'
import { predictors } from './predictors.ts'
import { outlierPositions, spreadOf } from './spread.ts'

const random = seeded(5)
const rows = 400
const labels = Array.from({ length: rows }, () => (random.uniform() < 0.3 ? 'yes' : 'no'))

test('columns that alone tell the class are found; noise and names of rows are not', () => {
  const found = predictors(
    [
      { name: 'code', values: labels.map((label) => (label === 'yes' ? 'A' : 'B')) },
      { name: 'score', values: labels.map((label) => (label === 'yes' ? 5 : 3) + random.uniform()) },
      { name: 'closed', values: labels.map((label) => (label === 'yes' ? '2024-05-01' : null)) },
      { name: 'noise', values: labels.map(() => random.uniform()) },
      { name: 'id', values: labels.map((_, i) => i) },
      { name: 'name', values: labels.map((_, i) => `row ${i}`) },
      { name: 'hint', values: labels.map((label) => (random.uniform() < 0.9 ? label : 'no')) },
    ],
    labels,
  )
  assert.deepEqual(found.map(({ column }) => column).sort(), ['closed', 'code', 'score'])
})

test('columns that alone tell a number are found', () => {
  const target = labels.map(() => 100 * random.uniform())
  const found = predictors(
    [
      { name: 'in cents', values: target.map((value) => Math.round(100 * value)) },
      { name: 'related', values: target.map((value) => value + 40 * random.normal()) },
    ],
    target,
  )
  assert.deepEqual(
    found.map(({ column }) => column),
    ['in cents'],
  )
})

test('quartiles lie between the least and the greatest, and order does not matter', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 }), (values) => {
      const spread = spreadOf(Float64Array.from(values))
      assert.ok(spread)
      const { least, lower, median, upper, greatest } = spread
      assert.ok(least <= lower && lower <= median && median <= upper && upper <= greatest)
      assert.deepEqual(spreadOf(Float64Array.from([...values].reverse())), spread)
    }),
    { seed: 1 },
  )
  assert.deepEqual(spreadOf(Float64Array.of(4, 1, 3, 2)), {
    least: 1,
    lower: 1.75,
    median: 2.5,
    upper: 3.25,
    greatest: 4,
  })
})

test('of ten thousand normal numbers none is far out; a planted one is', () => {
  const values = Float64Array.from({ length: 10_000 }, () => random.normal())
  values[17] = 30
  values[18] = -9
  const spread = spreadOf(values)
  assert.ok(spread)
  assert.deepEqual(outlierPositions(values, spread), [17, 18])
})

test('a column that only numbers or names the rows is told from one that says something', () => {
  const of = (values: (string | number)[]) =>
    examineColumn(typeof values[0] === 'number' ? 'number' : 'text', values).identifies
  const count = Array.from({ length: 50 }, (_, i) => i)
  assert.equal(of(count.map((i) => 1000 + 2 * i)), true)
  assert.equal(of(count.map((i) => `user-${i * 7919}`)), true)
  assert.equal(of(count.map((i) => (i * 7919) % 50)), false)
  assert.equal(of(count.map((i) => i + 0.5)), false)
  assert.equal(of(count.map((i) => `the user ${i}`)), false)
})
