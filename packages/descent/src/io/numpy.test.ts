import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { tensor } from '../create.ts'
import { sizeOf } from '../dtype.ts'
import { FormatError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { decodeNpyArray, encodeNpyArray } from './npy-format.ts'
import { decodeNpy, decodeNpz, encodeNpz, loadNpy, loadNpz, saveNpy, saveNpz } from './numpy.ts'
import type { ArrayEntry } from './safetensors-format.ts'
import { crc32, readZip, writeZip } from './zip.ts'

interface Stored {
  readonly bytes: string
  readonly arrays: Readonly<Record<string, { dtype: string; shape: number[]; data: number[] }>>
}

/** Files that NumPy 2 wrote, and what they hold. */
const files = JSON.parse(readFileSync(new URL('numpy-files.json', import.meta.url), 'utf8')) as Record<string, Stored>
const bytesOf = (file: string) => new Uint8Array(Buffer.from((files[file] as Stored).bytes, 'base64'))

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'numpy-'))
})
after(() => rm(folder, { recursive: true }))

for (const [file, { arrays }] of Object.entries(files)) {
  test(`NumPy's file "${file}" is read`, async () => {
    const bytes = bytesOf(file)
    const found: Record<string, Tensor> = file.endsWith('.npz')
      ? await decodeNpz(bytes)
      : { [file.slice(0, -4)]: decodeNpy(bytes) }
    const plain = Object.entries(found).map(([name, x]) => [
      name,
      { dtype: x.dtype, shape: x.shape, data: [...x.data()] },
    ])
    assert.deepEqual(Object.fromEntries(plain), arrays)
  })
}

test('what is encoded is decoded, for any shape, dtype and values, and values begin at a multiple of 64', () => {
  const shape = fc.array(fc.nat(4), { maxLength: 4 })
  const dtype = fc.constantFrom('f32', 'i32', 'bool')
  fc.assert(
    fc.property(shape, dtype, fc.infiniteStream(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })), (s, d, stream) => {
      const numbers = Array.from({ length: sizeOf(s) }, () => stream.next().value as number)
      const values =
        d === 'f32'
          ? Float32Array.from(numbers, (x) => x / 1000)
          : d === 'i32'
            ? Int32Array.from(numbers)
            : Uint8Array.from(numbers, (x) => x & 1)
      const entry = { dtype: d, shape: s, values } as ArrayEntry
      const bytes = encodeNpyArray(entry)
      assert.deepEqual(decodeNpyArray(bytes), { ...entry, fortran: false })
      assert.equal((bytes.length - values.byteLength) % 64, 0)
    }),
    { numRuns: 100 },
  )
})

test('files are written and read again, packed or not', async () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])
  await saveNpy(join(folder, 'x.npy'), x.t())
  assert.deepEqual((await loadNpy(join(folder, 'x.npy'))).toArray(), x.t().toArray())
  for (const compressed of [false, true]) {
    await saveNpz(join(folder, 'all.npz'), { x, mask: tensor([true, false]) }, { compressed })
    const { x: read, mask } = await loadNpz(join(folder, 'all.npz'))
    assert.deepEqual([read?.toArray(), mask?.toArray()], [x.toArray(), [true, false]])
  }
  const zeros = tensor(new Float32Array(10_000))
  assert.ok((await encodeNpz({ zeros }, { compressed: true })).length < 1000)
})

/** A .npy file with this header and so many bytes of values. */
function fileWith(header: string, dataBytes: number): Uint8Array {
  const bytes = new Uint8Array(10 + header.length + dataBytes)
  bytes.set([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length % 256, header.length >> 8])
  bytes.set(Buffer.from(header), 10)
  return bytes
}
const header = (descr: string, shape: string) => `{'descr': ${descr}, 'fortran_order': False, 'shape': (${shape}), }`

const lies: [string, Uint8Array, RegExp][] = [
  ['an empty file', new Uint8Array(0), /does not begin as \.npy files do/],
  ['another file', new Uint8Array(100), /no \.npy file/],
  [
    'a header beyond the end',
    fileWith(header("'<f4'", '1,'), 4).subarray(0, 30),
    /is announced, but the file has 20 left/,
  ],
  ['a header without a shape', fileWith("{'descr': '<f4'}", 4), /does not give one dtype, order and shape/],
  ['records', fileWith(header("[('a', '<f4')]", '1,'), 4), /does not give one dtype/],
  ['complex numbers', fileWith(header("'<c8'", '1,'), 8), /dtype '<c8' is not one of f2, f4/],
  ['objects', fileWith(header("'|O'", '1,'), 8), /dtype '\|O' is not one of/],
  ['too few values', fileWith(header("'<f4'", '2, 2'), 12), /\(2, 2\) takes 16 bytes, the file has 12/],
  ['too many values', fileWith(header("'<f4'", '1,'), 8), /takes 4 bytes, the file has 8/],
  ['a shape that overflows', fileWith(header("'<f4'", '99999999999, 99999999999'), 4), /the file has 4/],
  ['a version of the future', Uint8Array.of(0x93, 78, 85, 77, 80, 89, 9, 0, 0, 0), /version 9/],
  ['a large whole number', fileWith(header("'<u4'", '1,'), 4).fill(255, -4), /4294967295 does not fit into 32 bits/],
  ['a boolean of 7', fileWith(header("'|b1'", '1,'), 1).fill(7, -1), /7 is not a boolean/],
]
for (const [what, bytes, message] of lies) {
  test(`${what} is a FormatError`, () => {
    assert.throws(() => decodeNpy(bytes), { name: 'FormatError', message })
  })
}

test('a damaged .npz file is a FormatError, and never something else than was written', async () => {
  for (const file of ['stored.npz', 'deflated.npz']) {
    const good = bytesOf(file)
    const damage = fc.record({
      cut: fc.integer({ min: good.length - 30, max: good.length }),
      changes: fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(damage, async ({ cut, changes }) => {
        const bytes = good.slice()
        for (const [at, byte] of changes) bytes[at] = byte
        try {
          const { x } = await decodeNpz(bytes.subarray(0, cut))
          if (x) assert.deepEqual([...x.data()], (files[file] as Stored).arrays.x?.data)
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error))
        }
      }),
      { numRuns: 300 },
    )
  }
})

test('an archive that lies about sizes is not unpacked beyond them', async () => {
  const bytes = await writeZip([['a', new Uint8Array(1_000_000)]], true)
  const view = new DataView(bytes.buffer)
  const central = bytes.length - 22 - 47
  view.setUint32(central + 24, 10, true)
  await assert.rejects(readZip(bytes), { name: 'FormatError', message: /'a' has \d+ bytes where 10 are announced/ })
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926, "the standard's check value")
  await assert.rejects(decodeNpz(await writeZip([['notes.txt', new Uint8Array(1)]], false)), /'notes\.txt' is no array/)
})

test('errors name the file', async () => {
  const path = join(folder, 'short.npz')
  await writeFile(path, bytesOf('stored.npz').subarray(0, 100))
  await assert.rejects(loadNpz(path), {
    name: 'FormatError',
    message: /short\.npz: zip: there is no directory at the end/,
  })
  await writeFile(path, 'x')
  await assert.rejects(loadNpy(path), { name: 'FormatError', message: /short\.npz: npy: / })
})
