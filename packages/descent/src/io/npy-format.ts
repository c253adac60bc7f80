/**
 * NumPy's .npy format (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): the bytes "\x93NUMPY",
 * a version, the header's length, a Python dictionary with dtype, order and shape, then the values. In: bytes; out: an
 * array, and back. Every size is checked against the file before a value is read.
 */
import { sizeOf } from '../dtype.ts'
import { FormatError } from '../errors.ts'
import { halfToNumber, narrow, requireBits } from './numbers.ts'
import type { ArrayEntry } from './safetensors-format.ts'

/** An array as it stands in the file; `fortran`: its first axis runs fastest. */
export interface NpyArray extends ArrayEntry {
  readonly fortran: boolean
}

const MAGIC = '\x93NUMPY'
const written = { f32: '<f4', i32: '<i4', bool: '|b1' }

/** The bytes of a .npy file, version 1.0 as NumPy writes it: the values begin at a multiple of 64. */
export function encodeNpyArray({ dtype, shape, values }: ArrayEntry): Uint8Array<ArrayBuffer> {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const header = `{'descr': '${written[dtype]}', 'fortran_order': False, 'shape': (${tuple}), }`
  const padded = Math.ceil((10 + header.length + 1) / 64) * 64 - 10
  const plain =
    dtype === 'f32' ? Float32Array.from(values) : dtype === 'i32' ? Int32Array.from(values) : Uint8Array.from(values)
  const bytes = new Uint8Array(10 + padded + plain.byteLength)
  bytes.set(Uint8Array.from(`${MAGIC}\x01\x00`, (c) => c.charCodeAt(0)))
  new DataView(bytes.buffer).setUint16(8, padded, true)
  bytes.set(new TextEncoder().encode(`${header.padEnd(padded - 1)}\n`), 10)
  bytes.set(new Uint8Array(plain.buffer), 10 + padded)
  return bytes
}

/**
 * The array in the bytes of a .npy file: f2, f4 and f8 as f32 (f8 rounded), whole numbers as i32, b1 as bool. Throws
 * FormatError, beginning with `where`, for damaged bytes, other dtypes and whole numbers beyond 32 bits.
 */
export function decodeNpyArray(bytes: Uint8Array, where = 'npy'): NpyArray {
  const fail = (what: string): never => {
    throw new FormatError(`${where}: ${what}.`)
  }
  if (bytes.length < 10 || String.fromCharCode(...bytes.subarray(0, 6)) !== MAGIC)
    return fail('the file does not begin as .npy files do: it is truncated, or no .npy file')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = bytes[6] as number
  if (version < 1 || version > 3 || (version > 1 && bytes.length < 12)) return fail(`version ${version} is not known`)
  const begin = version === 1 ? 10 : 12
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > bytes.length - begin)
    return fail(`a header of ${length} bytes is announced, but the file has ${bytes.length - begin} left`)
  const header = new TextDecoder().decode(bytes.subarray(begin, begin + length))
  const descr = /['"]descr['"]\s*:\s*(['"])(.*?)\1/.exec(header)?.[2]
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(header)?.[1]
  const tuple = /['"]shape['"]\s*:\s*\(([\d\s,]*)\)/.exec(header)?.[1]
  if (descr === undefined || order === undefined || tuple === undefined)
    return fail(`the header ${JSON.stringify(header.trim().slice(0, 200))} does not give one dtype, order and shape`)
  const shape = [...tuple.matchAll(/\d+/g)].map(([digits]) => Number(digits))
  const [, endian, kind, width] = /^([<>|=]?)([a-zA-Z])(\d+)$/.exec(descr) ?? []
  const read = kind && width && Object.hasOwn(readers, kind + width) ? readers[kind + width] : undefined
  if (!read) return fail(`dtype '${descr}' is not one of ${Object.keys(readers).join(', ')}`)
  const size = sizeOf(shape)
  const needed = size * Number(width)
  const data = bytes.slice(begin + length)
  if (!Number.isSafeInteger(needed) || data.length !== needed)
    return fail(`'${descr}' (${shape.join(', ')}) takes ${needed} bytes, the file has ${data.length}`)
  if (endian === '>') swapBytes(data, Number(width))
  return { ...read(new Uint8Array(data).buffer, where), shape, fortran: order === 'True' }
}

type Values = Pick<ArrayEntry, 'dtype' | 'values'>

const floats = (values: Float32Array): Values => ({ dtype: 'f32', values })
const integers = (values: ArrayLike<number>): Values => ({ dtype: 'i32', values: Int32Array.from(values) })
const checked = (values: BigInt64Array | BigUint64Array | Uint32Array, where: string): Values => ({
  dtype: 'i32',
  values: Int32Array.from(values as ArrayLike<bigint | number>, (x) => narrow(x, where)),
})

const readers: Readonly<Record<string, (b: ArrayBuffer, where: string) => Values>> = {
  f2: (b) => floats(Float32Array.from(new Uint16Array(b), halfToNumber)),
  f4: (b) => floats(new Float32Array(b)),
  f8: (b) => floats(Float32Array.from(new Float64Array(b))),
  i1: (b) => integers(new Int8Array(b)),
  i2: (b) => integers(new Int16Array(b)),
  i4: (b) => integers(new Int32Array(b)),
  i8: (b, where) => checked(new BigInt64Array(b), where),
  u1: (b) => integers(new Uint8Array(b)),
  u2: (b) => integers(new Uint16Array(b)),
  u4: (b, where) => checked(new Uint32Array(b), where),
  u8: (b, where) => checked(new BigUint64Array(b), where),
  b1: (b, where) => ({ dtype: 'bool', values: requireBits(new Uint8Array(b), where) }),
}

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse()
}
