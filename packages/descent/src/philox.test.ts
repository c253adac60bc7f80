import assert from 'node:assert/strict'
import { test } from 'node:test'
import { philox4x32 } from './philox.ts'
import { Generator } from './random.ts'

test('Philox gives the known answers of its authors (Random123, kat_vectors)', () => {
  const ones = [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff]
  const pi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]
  const known = [
    { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    { counter: ones, key: ones, words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd] },
    { counter: pi, key: [0xa4093822, 0x299f31d0], words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1] },
  ]
  for (const { counter, key, words } of known) {
    const out = new Uint32Array(4)
    philox4x32(counter, key, out)
    assert.deepEqual([...out], words)
  }
})

test('the host draws the same words as the device', () => {
  const generator = new Generator(2 ** 40 + 7)
  generator.bits([1])
  const bits = generator.bits([50]).data()
  const out = new Int32Array(4)
  for (const [i, word] of bits.entries()) {
    philox4x32([Math.floor(i / 4), 1, 0, 0], generator.key.data(), out)
    assert.equal(out[i % 4], word)
  }
})
