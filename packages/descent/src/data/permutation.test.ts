import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { permutation } from './permutation.ts'

test('a permutation holds every number once, whatever the seed and epoch', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.maxSafeNat(), fc.nat(1000), (count, seed, epoch) => {
      assert.deepEqual(
        [...permutation(count, seed, epoch)].sort((a, b) => a - b),
        Array.from({ length: count }, (_, i) => i),
      )
    }),
    { numRuns: 100 },
  )
})

test('the same seed and epoch give the same order, other ones another', () => {
  assert.deepEqual(permutation(100, 7, 3), permutation(100, 7, 3))
  assert.notDeepEqual(permutation(100, 7, 3), permutation(100, 7, 4))
  assert.notDeepEqual(permutation(100, 7, 3), permutation(100, 8, 3))
})

test('every place is about equally likely for the first number', () => {
  const counts = new Array<number>(5).fill(0)
  for (let seed = 0; seed < 5000; seed++) {
    const at = permutation(5, seed, 0).indexOf(0)
    counts[at] = (counts[at] as number) + 1
  }
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 120, `${counts}`)
})
