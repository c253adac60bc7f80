/**
 * IDX, the file format of MNIST (http://yann.lecun.com/exdb/mnist): two zero bytes, a type, the number of
 * dimensions, each extent as a big-endian word, then the values. Read plain or compressed with gzip.
 */
import { FormatError } from '../errors.ts'
import { readBytes } from '../io/file.ts'

/** Values in row-major order with the shape that the file states. */
export interface IdxArray {
  readonly shape: readonly number[]
  readonly values: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array
}

interface Kind {
  readonly bytes: number
  read(view: DataView, count: number): IdxArray['values']
}

const kinds: Readonly<Record<number, Kind>> = {
  8: { bytes: 1, read: (v, n) => new Uint8Array(v.buffer, v.byteOffset, n) },
  9: { bytes: 1, read: (v, n) => new Int8Array(v.buffer, v.byteOffset, n) },
  11: { bytes: 2, read: (v, n) => Int16Array.from({ length: n }, (_, i) => v.getInt16(2 * i)) },
  12: { bytes: 4, read: (v, n) => Int32Array.from({ length: n }, (_, i) => v.getInt32(4 * i)) },
  13: { bytes: 4, read: (v, n) => Float32Array.from({ length: n }, (_, i) => v.getFloat32(4 * i)) },
  14: { bytes: 8, read: (v, n) => Float64Array.from({ length: n }, (_, i) => v.getFloat64(8 * i)) },
}

/**
 * The array in the bytes of an uncompressed IDX file; bytes are not copied. Throws FormatError where they are not
 * one, or more or fewer than its header says.
 */
export function parseIdx(bytes: Uint8Array, name = 'IDX data'): IdxArray {
  const fail = (what: string): never => {
    throw new FormatError(`${name}: ${what}.`)
  }
  if (bytes.length < 4) fail(`ends after ${bytes.length} bytes, before the header is complete`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const kind = kinds[view.getUint8(2)]
  if (view.getUint16(0) !== 0 || !kind) {
    return fail(
      `begins with ${hex(bytes.subarray(0, 4))}, not as an IDX file (00 00, a type, the number of dimensions)`,
    )
  }
  const ndim = view.getUint8(3)
  const start = 4 + 4 * ndim
  if (bytes.length < start)
    fail(`ends after ${bytes.length} bytes, before the header of ${ndim} dimensions is complete`)
  const shape = Array.from({ length: ndim }, (_, d) => view.getUint32(4 + 4 * d))
  const count = shape.reduce((product, extent) => product * extent, 1)
  const expected = start + count * kind.bytes
  if (bytes.length !== expected) {
    const what = bytes.length < expected ? 'it is truncated' : 'something follows the values'
    fail(`says [${shape}], which takes ${expected} bytes, but has ${bytes.length}: ${what}`)
  }
  return { shape, values: kind.read(new DataView(bytes.buffer, bytes.byteOffset + start), count) }
}

/**
 * Reads an IDX file, plain or gzip: from a path (in Node) or from its bytes. Throws FormatError where it is damaged.
 *
 * @example
 * ```ts
 * import { data } from 'descent'
 * const { shape, values } = await data.readIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 5, 7))
 * console.log(shape, values) // → [ 2 ] Uint8Array(2) [ 5, 7 ]
 * ```
 */
export async function readIdx(source: string | URL | Uint8Array): Promise<IdxArray> {
  const bytes = source instanceof Uint8Array ? source : await readBytes(source)
  const name = source instanceof Uint8Array ? 'IDX data' : String(source)
  const compressed = bytes[0] === 0x1f && bytes[1] === 0x8b
  return parseIdx(compressed ? await gunzip(bytes, name) : bytes, name)
}

async function gunzip(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
  try {
    return new Uint8Array(await new Response(source.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer())
  } catch (error) {
    throw new FormatError(`${name}: the gzip data is damaged or truncated (${(error as Error).message}).`)
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
}
