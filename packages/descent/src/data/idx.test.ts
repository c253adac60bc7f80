import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { FormatError } from '../errors.ts'
import { parseIdx, readIdx } from './idx.ts'

const pair = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255)

test('bytes are read with their shape, plain and gzip, from memory and from a file', async () => {
  const want = { shape: [2, 3], values: Uint8Array.of(1, 2, 3, 4, 5, 255) }
  assert.deepEqual(parseIdx(pair), want)
  assert.deepEqual(await readIdx(pair), want)
  assert.deepEqual(await readIdx(new Uint8Array(gzipSync(pair))), want)
  const folder = await mkdtemp(join(tmpdir(), 'idx-'))
  try {
    await writeFile(join(folder, 'a'), pair)
    await writeFile(join(folder, 'b'), gzipSync(pair))
    for (const file of ['a', 'b']) {
      const { shape, values } = await readIdx(join(folder, file))
      assert.deepEqual([shape, [...values]], [want.shape, [...want.values]])
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('every type of value is read, big end first', () => {
  assert.deepEqual(parseIdx(Uint8Array.of(0, 0, 9, 1, 0, 0, 0, 1, 0xfe)).values, Int8Array.of(-2))
  assert.deepEqual(parseIdx(Uint8Array.of(0, 0, 11, 1, 0, 0, 0, 1, 1, 2)).values, Int16Array.of(258))
  assert.deepEqual(parseIdx(Uint8Array.of(0, 0, 12, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfd)).values, Int32Array.of(-3))
  assert.deepEqual(parseIdx(Uint8Array.of(0, 0, 13, 0, 0x3f, 0x80, 0, 0)), { shape: [], values: Float32Array.of(1) })
  assert.deepEqual(parseIdx(Uint8Array.of(0, 0, 14, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0)).values, Float64Array.of(-2))
})

test('a file that is damaged or none of its kind is a FormatError that says what is wrong', async () => {
  const throws = (bytes: Uint8Array, message: RegExp) =>
    assert.throws(() => parseIdx(bytes), { name: 'FormatError', message })
  throws(new Uint8Array(0), /ends after 0 bytes/)
  throws(pair.subarray(0, 10), /before the header of 2 dimensions/)
  throws(pair.subarray(0, 17), /says \[2,3\], which takes 18 bytes, but has 17: it is truncated/)
  throws(Uint8Array.of(...pair, 9), /has 19: something follows/)
  throws(Uint8Array.of(0, 0, 7, 0), /begins with 00 00 07 00, not as an IDX file/)
  throws(new TextEncoder().encode('<html>'), /begins with 3c 68 74 6d/)
  throws(Uint8Array.of(0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1), /it is truncated/)
  await assert.rejects(readIdx(new Uint8Array(gzipSync(pair)).subarray(0, 20)), /gzip data is damaged or truncated/)
})

test('damaged bytes give a FormatError or as many values as the shape says', () => {
  fc.assert(
    fc.property(fc.nat(pair.length), fc.nat(pair.length - 1), fc.nat(255), (cut, at, byte) => {
      const bytes = pair.slice()
      bytes[at] = byte
      try {
        const { shape, values } = parseIdx(bytes.subarray(0, cut))
        assert.equal(
          values.length,
          shape.reduce((a, b) => a * b, 1),
        )
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error))
      }
    }),
    { numRuns: 1000 },
  )
})
