import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LinearMemory } from './memory.ts'

test('blocks are aligned, apart from one another, and come back whole', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 300_000 }), fc.boolean()), { maxLength: 60 }),
      (requests) => {
        const memory = new LinearMemory()
        const blocks: { address: number; bytes: number }[] = []
        for (const [bytes, releaseOne] of requests) {
          if (releaseOne && blocks.length > 0)
            memory.release((blocks.splice(bytes % blocks.length, 1)[0] as { address: number }).address)
          const address = memory.allocate(bytes)
          assert.equal(address % 64, 0)
          assert.ok(address >= 64 && address + bytes + 16 <= memory.memory.buffer.byteLength)
          for (const other of blocks)
            assert.ok(address + bytes + 16 <= other.address || other.address + other.bytes + 16 <= address)
          blocks.push({ address, bytes })
        }
        for (const { address } of blocks) memory.release(address)
        const before = memory.memory.buffer.byteLength
        memory.allocate(before - 256)
        assert.equal(memory.memory.buffer.byteLength, before, 'all of it is one free span again')
      },
    ),
    { numRuns: 50 },
  )
})

test('a block is released once', () => {
  const memory = new LinearMemory()
  const address = memory.allocate(100)
  memory.release(address)
  assert.throws(() => memory.release(address), /no block of memory begins at/)
})
