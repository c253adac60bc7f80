import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { reciprocal } from './vector-division.ts'

test('the reciprocal divides every whole number below 2³¹', () => {
  const divides = (x: number, by: number): void => {
    const { factor, shift } = reciprocal(by)
    const high = Number((BigInt(x) * BigInt(factor >>> 0)) >> 32n)
    assert.equal(high >>> shift, Math.floor(x / by), `${x} / ${by}`)
  }
  const most = 2 ** 31 - 1
  const notPower = (by: number): boolean => (by & (by - 1)) !== 0
  fc.assert(
    fc.property(fc.integer({ min: 3, max: most }).filter(notPower), fc.integer({ min: 0, max: most }), (by, x) => {
      for (const near of [x, most, 0, by - 1, by, Math.floor(most / by) * by, Math.floor(most / by) * by - 1]) {
        divides(near, by)
      }
    }),
    { numRuns: 2000 },
  )
})
