import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Lifetime, planMemory } from './memory.ts'

const lifetime: fc.Arbitrary<Lifetime> = fc
  .tuple(fc.integer({ min: 0, max: 500 }), fc.nat(12), fc.nat(6))
  .map(([bytes, first, length]) => ({ bytes, first, last: first + length }))

test('buffers that live at the same time do not overlap, and stay inside', () => {
  fc.assert(
    fc.property(fc.array(lifetime, { maxLength: 30 }), (lives) => {
      const { offsets, bytes } = planMemory(lives)
      lives.forEach((a, i) => {
        const start = offsets[i] as number
        assert.ok(start % 64 === 0 && start >= 64 && start + a.bytes + 16 <= bytes)
        lives.forEach((b, j) => {
          if (i === j || a.first > b.last || b.first > a.last) return
          const other = offsets[j] as number
          assert.ok(start + a.bytes + 16 <= other || other + b.bytes + 16 <= start, `${i} and ${j} overlap`)
        })
      })
    }),
  )
})

test('buffers that live one after the other share their place', () => {
  const { bytes } = planMemory(Array.from({ length: 50 }, (_, i) => ({ bytes: 1000, first: i, last: i + 1 })))
  assert.ok(bytes <= 64 + 2 * 1088)
})
