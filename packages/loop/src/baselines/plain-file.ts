/**
 * Plain objects of numbers, texts, lists and typed arrays as files in the safetensors format: each typed array is a tensor
 * named by its path, the rest stands as JSON in the metadata. Written and read without loss, F64 too, which the library's
 * own tensors do not have; NumPy and others open the files.
 */
import { UserError } from '../errors.ts'

type Numbers = Float64Array | Float32Array | Int32Array | Uint8Array

/** What a file can hold. */
export type Plain = null | boolean | number | string | Numbers | readonly Plain[] | { readonly [key: string]: Plain }

interface TensorEntry {
  readonly dtype: keyof typeof ARRAYS
  readonly shape: readonly number[]
  readonly data_offsets: readonly [number, number]
}

const ARRAYS = { F64: Float64Array, F32: Float32Array, I32: Int32Array, U8: Uint8Array }
const AT = '$tensor'

/** Throws TypeError for what is not plain: a function, a class's instance. */
export function encodePlain(value: object): Uint8Array {
  const arrays = new Map<string, Numbers>()
  const rest = JSON.stringify(withoutArrays(value, '', arrays))
  // Wider numbers first: each array then begins at a multiple of its element's size.
  const order = [...arrays].sort(([, a], [, b]) => b.BYTES_PER_ELEMENT - a.BYTES_PER_ELEMENT)
  let end = 0
  const header: Record<string, TensorEntry | Record<string, string>> = { __metadata__: { plain: rest } }
  for (const [path, array] of order) {
    header[path] = { dtype: dtypeOf(array), shape: [array.length], data_offsets: [end, end + array.byteLength] }
    end += array.byteLength
  }
  const text = Buffer.from(JSON.stringify(header))
  const room = Math.ceil(text.length / 8) * 8
  const bytes = new Uint8Array(8 + room + end)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(room), true)
  bytes.fill(0x20, 8, 8 + room).set(text, 8)
  let at = 8 + room
  for (const [, array] of order) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at)
    at += array.byteLength
  }
  return bytes
}

/** What `encodePlain` was given. Throws UserError, naming the file, where the bytes are no such file. */
export function decodePlain(bytes: Uint8Array, path: string): unknown {
  try {
    const room = Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true))
    const { __metadata__: metadata, ...entries } = JSON.parse(
      Buffer.from(bytes.subarray(8, 8 + room)).toString(),
    ) as Record<string, TensorEntry> & { __metadata__: { plain: string } }
    const read = (name: string) => {
      const { dtype, shape, data_offsets: offsets } = entries[name] as TensorEntry
      // A copy: bytes may be part of a larger buffer, and need not begin at a multiple of eight.
      const own = new Uint8Array(bytes.subarray(8 + room + offsets[0], 8 + room + offsets[1]))
      const array = new ARRAYS[dtype](own.buffer)
      if (array.length !== shape[0]) throw new RangeError(`'${name}' is cut off`)
      return array
    }
    return JSON.parse(metadata.plain, (_, value: unknown) => {
      return typeof value === 'object' && value !== null && AT in value ? read(String(value[AT])) : value
    })
  } catch (error) {
    throw new UserError(`${path} is damaged (${(error as Error).message}): put it back from a copy, or train again.`)
  }
}

function withoutArrays(value: unknown, path: string, arrays: Map<string, Numbers>): unknown {
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'function' || (typeof value === 'number' && !Number.isFinite(value)))
      throw new TypeError(`${path || 'The value'} cannot be written to a file: it is ${String(value)}.`)
    return value
  }
  if (ArrayBuffer.isView(value)) {
    arrays.set(path, value as Numbers)
    return { [AT]: path }
  }
  const below = (key: string | number, part: unknown) => withoutArrays(part, path ? `${path}.${key}` : `${key}`, arrays)
  if (Array.isArray(value)) return value.map((part, i) => below(i, part))
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, below(key, part)]))
}

function dtypeOf(array: Numbers): keyof typeof ARRAYS {
  if (array instanceof Float64Array) return 'F64'
  if (array instanceof Float32Array) return 'F32'
  return array instanceof Int32Array ? 'I32' : 'U8'
}
