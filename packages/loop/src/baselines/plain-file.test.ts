import assert from 'node:assert/strict'
import test from 'node:test'
import { decodeSafetensors } from 'descent'
import fc from 'fast-check'
import { UserError } from '../errors.ts'
import { decodePlain, encodePlain } from './plain-file.ts'

const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x)),
    fc.boolean(),
    fc.constant(null),
    fc.float64Array({ maxLength: 5 }),
    fc.float32Array({ maxLength: 5 }),
    fc.int32Array({ maxLength: 5 }),
    fc.uint8Array({ maxLength: 5 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))

test('what is written is read again, to the last bit', () => {
  fc.assert(
    fc.property(plain.value, (value) => {
      assert.deepStrictEqual(decodePlain(Buffer.from(encodePlain({ value })), 'file'), { value })
    }),
    { numRuns: 200 },
  )
})

test("the library's own reader opens the file", () => {
  const { tensors } = decodeSafetensors(encodePlain({ a: { b: Float32Array.of(1, 2) }, c: Int32Array.of(3) }))
  assert.deepEqual(tensors['a.b']?.toArray(), [1, 2])
  assert.deepEqual(tensors.c?.toArray(), [3])
})

test('a damaged file is named, and nothing is made of it', () => {
  const bytes = encodePlain({ values: Float64Array.of(1, 2, 3) })
  for (const end of [0, 5, 20, bytes.length - 1]) {
    assert.throws(
      () => decodePlain(bytes.slice(0, end), 'model.safetensors'),
      (error: Error) => {
        return error instanceof UserError && /model\.safetensors is damaged/.test(error.message)
      },
    )
  }
})

test('what is not plain is refused', () => {
  assert.throws(() => encodePlain({ f: () => 1 }), /f cannot be written/)
  assert.throws(() => encodePlain({ list: [Number.NaN] }), /list\.0 cannot be written to a file: it is NaN/)
})
