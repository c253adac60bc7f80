import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FormatError } from '../errors.ts'
import { duplicateKey } from './json-keys.ts'
import { type ArrayEntry, decodeArrays, encodeArrays } from './safetensors-format.ts'

const example: [string, ArrayEntry][] = [
  ['mask', { dtype: 'bool', shape: [3], values: Uint8Array.of(1, 0, 1) }],
  ['0.weight', { dtype: 'f32', shape: [2, 2], values: Float32Array.of(1.5, -2, Number.NaN, Infinity) }],
  ['0.bias', { dtype: 'f32', shape: [2], values: Float32Array.of(0.25, -0) }],
  ['steps', { dtype: 'i32', shape: [], values: Int32Array.of(-7) }],
  ['nothing', { dtype: 'f32', shape: [0, 4], values: new Float32Array(0) }],
]

/** A file with this header, written as it stands, and so many bytes of values. */
function fileWith(header: string | object, dataBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + json.length + dataBytes)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  return bytes
}

const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
})

test('what is encoded is decoded, for any names, shapes and values', () => {
  const { entries, metadata } = decodeArrays(encodeArrays(example, { made: 'today' }))
  assert.deepEqual(new Map([...entries].sort()), new Map([...example].sort()))
  assert.deepEqual(metadata, { made: 'today' })
  const arbitrary = fc.uniqueArray(
    fc.tuple(
      fc.string({ unit: 'grapheme', maxLength: 12 }).filter((name) => !name.includes('__')),
      fc.float32Array({ maxLength: 9 }),
    ),
    { selector: ([name]) => name, maxLength: 6 },
  )
  fc.assert(
    fc.property(arbitrary, (arrays) => {
      const named = arrays.map(([name, values]): [string, ArrayEntry] => [
        name,
        { dtype: 'f32', shape: [values.length], values },
      ])
      assert.deepEqual(new Map([...decodeArrays(encodeArrays(named)).entries].sort()), new Map(named.sort()))
    }),
    { numRuns: 60 },
  )
})

test('the header is padded so that values are aligned, and wide values come first', () => {
  const bytes = encodeArrays(example)
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
  assert.equal(length % 8, 0)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))
  assert.deepEqual(Object.keys(header), ['0.bias', '0.weight', 'nothing', 'steps', 'mask'])
})

test('a view into a larger buffer is read at its own place', () => {
  const bytes = encodeArrays(example)
  const larger = new Uint8Array(bytes.length + 3)
  larger.set(bytes, 3)
  assert.deepEqual(decodeArrays(larger.subarray(3)).entries.get('steps')?.values, Int32Array.of(-7))
  assert.deepEqual(decodeArrays(Buffer.from(bytes)).entries.get('steps')?.values, Int32Array.of(-7))
})

test('other number types are read as the nearest dtype', () => {
  const read = (dtype: string, values: ArrayLike<number> & { buffer: ArrayBufferLike; byteLength: number }) => {
    const bytes = fileWith({ a: entry(dtype, [values.length], 0, values.byteLength) }, values.byteLength)
    bytes.set(new Uint8Array(values.buffer), bytes.length - values.byteLength)
    return decodeArrays(bytes).entries.get('a')
  }
  assert.deepEqual(read('F64', Float64Array.of(0.5, -3))?.values, Float32Array.of(0.5, -3))
  assert.deepEqual(
    read('F16', Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0xfc00, 0x3555))?.values,
    Float32Array.of(1, -2, 2 ** -24, Infinity, -Infinity, 0.333251953125),
  )
  assert.deepEqual(read('BF16', Uint16Array.of(0x3f80, 0xc000))?.values, Float32Array.of(1, -2))
  assert.deepEqual(read('I16', Int16Array.of(-5, 300))?.values, Int32Array.of(-5, 300))
  assert.deepEqual(read('I8', Int8Array.of(-5))?.values, Int32Array.of(-5))
  assert.deepEqual(read('U8', Uint8Array.of(200))?.values, Int32Array.of(200))
  assert.deepEqual(read('U16', Uint16Array.of(65535))?.values, Int32Array.of(65535))
  assert.deepEqual(read('U32', Uint32Array.of(7))?.values, Int32Array.of(7))
  assert.throws(() => read('U32', Uint32Array.of(2 ** 31)), /2147483648 does not fit/)
  const wide = (x: bigint) => {
    const bytes = fileWith({ a: entry('I64', [1], 0, 8) }, 8)
    new DataView(bytes.buffer).setBigInt64(bytes.length - 8, x, true)
    return decodeArrays(bytes).entries.get('a')?.values
  }
  assert.deepEqual(wide(-9n), Int32Array.of(-9))
  assert.throws(() => wide(2n ** 40n), /1099511627776 does not fit/)
})

const lies: [string, Uint8Array, RegExp][] = [
  ['an empty file', new Uint8Array(0), /ends after 0 bytes/],
  ['a header beyond the end', fileWith('{}').subarray(0, 9), /2 bytes is announced, but the file has 1 left/],
  [
    'a huge header',
    Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 123),
    /18446744073709551615 bytes is announced/,
  ],
  ['a header that is not JSON', fileWith('{"a": '), /not JSON/],
  [
    'a header that is not UTF-8',
    fileWith('').length ? Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0xff) : new Uint8Array(0),
    /not JSON/,
  ],
  ['a header that is a list', fileWith('[]'), /not a JSON object/],
  ['a name twice', fileWith('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{}}'), /'a' twice/],
  ['a field twice', fileWith('{"a":{"dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0]}}'), /'dtype' twice/],
  ['__proto__', fileWith('{"__proto__":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'), /named '__proto__'/],
  ['a description that is no object', fileWith({ a: 1 }), /not an object/],
  ['an unknown dtype', fileWith({ a: entry('toString', [1], 0, 4) }, 4), /dtype "toString"/],
  ['a negative size', fileWith({ a: entry('F32', [-1], 0, 4) }, 4), /not a list of sizes/],
  ['a size that overflows', fileWith({ a: entry('F32', [2 ** 40, 2 ** 40], 0, 4) }, 4), /not a list of sizes/],
  ['one offset', fileWith({ a: { dtype: 'F32', shape: [1], data_offsets: [0] } }, 4), /not two offsets/],
  ['offsets beyond the end', fileWith({ a: entry('F32', [2], 0, 8) }, 4), /lie outside of the file's 4 bytes/],
  ['offsets that run backwards', fileWith({ a: entry('F32', [1], 4, 0) }, 4), /4 to 0 lie outside/],
  ['a shape that needs more', fileWith({ a: entry('F32', [3], 0, 8) }, 8), /takes 12 bytes, its offsets span 8/],
  [
    'overlapping tensors',
    fileWith({ a: entry('F32', [2], 0, 8), b: entry('F32', [1], 4, 8) }, 8),
    /inside of the one before/,
  ],
  ['a gap', fileWith({ a: entry('F32', [1], 4, 8) }, 8), /after a gap/],
  ['values that belong to nothing', fileWith({}, 4), /take 0 bytes, but the file has 4/],
  ['metadata that are not texts', fileWith({ __metadata__: { a: 1 } }), /not an object of texts/],
  [
    'booleans other than 0 and 1',
    (() => {
      const bytes = fileWith({ a: entry('BOOL', [1], 0, 1) }, 1)
      bytes[bytes.length - 1] = 7
      return bytes
    })(),
    /7 is not a boolean/,
  ],
]

for (const [what, bytes, message] of lies) {
  test(`${what} is a FormatError`, () => {
    assert.throws(() => decodeArrays(bytes), { name: 'FormatError', message })
  })
}

test('damaged bytes give a FormatError or arrays of the sizes that they claim', () => {
  const good = encodeArrays(example, { made: 'today' })
  const damage = fc.record({
    cut: fc.nat(good.length),
    changes: fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }),
  })
  fc.assert(
    fc.property(damage, ({ cut, changes }) => {
      const bytes = good.slice()
      for (const [at, byte] of changes) bytes[at] = byte
      try {
        for (const { shape, values } of decodeArrays(bytes.subarray(0, cut)).entries.values()) {
          assert.equal(
            values.length,
            shape.reduce((a, b) => a * b, 1),
          )
        }
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error))
      }
    }),
    { numRuns: 2000 },
  )
})

test('a tensor cannot be written under a name that means something else', () => {
  assert.throws(
    () => encodeArrays([['__metadata__', { dtype: 'f32', shape: [0], values: new Float32Array() }]]),
    FormatError,
  )
})

test('a key that stands twice is found wherever it stands, and only in one object', () => {
  assert.equal(duplicateKey('{"a":{"b":1},"c":{"b":"a"}}'), null)
  assert.equal(duplicateKey('{"a":[{"b":1,"\\u0062":2}]}'), 'b')
  assert.equal(duplicateKey('{"a":"\\"a\\":","b":"{"}'), null)
})
