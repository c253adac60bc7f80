import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Rows } from '../training/model.ts'
import { answersOf } from './answers.ts'
import { ensembleAnswers } from './ensemble.ts'

const classes = { task: 'class', classes: ['a', 'b', 'c'] } as const
const rows = (width: number, ...values: number[]): Rows => ({
  count: values.length / width,
  width,
  values: Float32Array.from(values),
})

const distribution = fc
  .tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }))
  .map((weights) => weights.map((weight) => weight / weights.reduce((a, b) => a + b)))

test('members that agree answer as one of them would, at any temperature', () => {
  fc.assert(
    fc.property(
      distribution,
      fc.double({ min: 0.5, max: 3, noNaN: true }),
      fc.integer({ min: 2, max: 6 }),
      (p, t, n) => {
        const member = rows(3, ...p)
        const [one] = answersOf(member, classes, t)
        const [many] = ensembleAnswers(Array(n).fill(member), classes, t)
        assert.ok(one && many && 'label' in one && 'label' in many)
        for (const [k, value] of one.probabilities.entries())
          assert.ok(Math.abs(value - (many.probabilities[k] as number)) < 1e-5)
        assert.ok(Math.abs(one.uncertainty - many.uncertainty) < 1e-5)
      },
    ),
  )
})

test('members that differ are less certain together than they are on average', () => {
  fc.assert(
    fc.property(fc.array(distribution, { minLength: 2, maxLength: 6 }), (members) => {
      const [together] = ensembleAnswers(
        members.map((p) => rows(3, ...p)),
        classes,
        1,
      )
      const alone = members.map((p) => answersOf(rows(3, ...p), classes, 1)[0]?.uncertainty as number)
      assert.ok((together?.uncertainty as number) >= alone.reduce((a, b) => a + b) / alone.length - 1e-5)
    }),
  )
})

test('numbers: the mean of the members, and their standard deviation', () => {
  const answers = ensembleAnswers([rows(1, 1, 10), rows(1, 2, 10), rows(1, 6, 10)], { task: 'number' }, 1)
  // (4 + 1 + 9) / 2 = 7
  assert.deepEqual(
    answers.map((answer) => 'value' in answer && [answer.value, (answer.uncertainty as number).toFixed(5)]),
    [
      [3, Math.sqrt(7).toFixed(5)],
      [10, '0.00000'],
    ],
  )
})
