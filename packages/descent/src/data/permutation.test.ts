import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { permutation, philox4x32 } from './permutation.ts'

test('Philox gives the known answers of its authors (Random123, kat_vectors)', () => {
  const known = [
    { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    {
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ]
  for (const { counter, key, words } of known) {
    const out = new Uint32Array(4)
    philox4x32(counter, key[0] as number, key[1] as number, out)
    assert.deepEqual([...out], words)
  }
})

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
