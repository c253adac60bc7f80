/**
 * The safetensors file format (https://huggingface.co/docs/safetensors): eight bytes with the length of a JSON
 * header, the header, then the values of all tensors without gaps. In: bytes; out: arrays with shape and dtype, and
 * back. Every size in the header is checked against the file before a value is read.
 */
import { type DType, sizeOf } from '../dtype.ts'
import { FormatError } from '../errors.ts'
import { duplicateKey } from './json-keys.ts'
import { bfloatsToFloats, halfToNumber, narrow, requireBits } from './numbers.ts'

/** One tensor's values as they stand in a file; `bool` as 0 or 1. */
export interface ArrayEntry {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly values: Float32Array | Int32Array | Uint8Array
}

export interface ArrayFile {
  readonly entries: ReadonlyMap<string, ArrayEntry>
  readonly metadata: Readonly<Record<string, string>>
}

/** The reference implementation's limit, against a header that only wants to fill the memory. */
const MAX_HEADER_BYTES = 100_000_000

const written = { f32: { name: 'F32', bytes: 4 }, i32: { name: 'I32', bytes: 4 }, bool: { name: 'BOOL', bytes: 1 } }

interface Stored {
  readonly bytes: number
  read(bytes: Uint8Array<ArrayBuffer>, name: string): { dtype: DType; values: ArrayEntry['values'] }
}

const place = (name: string): string => `safetensors: tensor '${name}'`
const floats = (values: Float32Array): { dtype: DType; values: Float32Array } => ({ dtype: 'f32', values })
const integers = (values: Int32Array): { dtype: DType; values: Int32Array } => ({ dtype: 'i32', values })

/** What can be read, and as what: the nearest of the three dtypes. */
const stored: Readonly<Record<string, Stored>> = {
  F32: { bytes: 4, read: (b) => floats(new Float32Array(b.buffer)) },
  F64: { bytes: 8, read: (b) => floats(Float32Array.from(new Float64Array(b.buffer))) },
  F16: { bytes: 2, read: (b) => floats(Float32Array.from(new Uint16Array(b.buffer), halfToNumber)) },
  BF16: { bytes: 2, read: (b) => floats(bfloatsToFloats(new Uint16Array(b.buffer))) },
  I32: { bytes: 4, read: (b) => integers(new Int32Array(b.buffer)) },
  I64: {
    bytes: 8,
    read: (b, name) => integers(Int32Array.from(new BigInt64Array(b.buffer), (x) => narrow(x, place(name)))),
  },
  U64: {
    bytes: 8,
    read: (b, name) => integers(Int32Array.from(new BigUint64Array(b.buffer), (x) => narrow(x, place(name)))),
  },
  U32: {
    bytes: 4,
    read: (b, name) => integers(Int32Array.from(new Uint32Array(b.buffer), (x) => narrow(x, place(name)))),
  },
  U16: { bytes: 2, read: (b) => integers(Int32Array.from(new Uint16Array(b.buffer))) },
  I16: { bytes: 2, read: (b) => integers(Int32Array.from(new Int16Array(b.buffer))) },
  I8: { bytes: 1, read: (b) => integers(Int32Array.from(new Int8Array(b.buffer))) },
  U8: { bytes: 1, read: (b) => integers(Int32Array.from(b)) },
  BOOL: { bytes: 1, read: (b, name) => ({ dtype: 'bool', values: requireBits(b, place(name)) }) },
}

/** The bytes of a safetensors file. Tensors stand in the order of alignment, then of name, as in the reference. */
export function encodeArrays(
  entries: Iterable<readonly [string, ArrayEntry]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const sorted = [...entries].sort(
    ([a, x], [b, y]) => written[y.dtype].bytes - written[x.dtype].bytes || (a < b ? -1 : 1),
  )
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : []
  let offset = 0
  for (const [name, { dtype, shape, values }] of sorted) {
    requireName(name)
    if (values.length !== sizeOf(shape)) {
      throw new RangeError(
        `safetensors: '${name}' has ${values.length} values, its shape [${shape}] has ${sizeOf(shape)}.`,
      )
    }
    const end = offset + values.length * written[dtype].bytes
    header.push([name, { dtype: written[dtype].name, shape, data_offsets: [offset, end] }])
    offset = end
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)))
  const headerBytes = Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(8 + headerBytes + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true)
  bytes.fill(0x20, 8, 8 + headerBytes)
  bytes.set(json, 8)
  let at = 8 + headerBytes
  for (const [, { dtype, values }] of sorted) {
    const plain =
      dtype === 'f32' ? Float32Array.from(values) : dtype === 'i32' ? Int32Array.from(values) : Uint8Array.from(values)
    bytes.set(new Uint8Array(plain.buffer), at)
    at += plain.byteLength
  }
  return bytes
}

/** The tensors and metadata in the bytes of a safetensors file. Throws FormatError where they are not one. */
export function decodeArrays(bytes: Uint8Array): ArrayFile {
  const { header, data } = splitHeader(bytes)
  const entries = new Map<string, ArrayEntry>()
  const ranges: { name: string; begin: number; end: number }[] = []
  let metadata: Record<string, string> = {}
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') {
      metadata = requireTexts(value)
      continue
    }
    requireName(name)
    const { type, shape, begin, end } = requireEntry(name, value, data.length)
    ranges.push({ name, begin, end })
    entries.set(name, { shape, ...type.read(data.slice(begin, end) as Uint8Array<ArrayBuffer>, name) })
  }
  requireNoGaps(ranges, data.length)
  return { entries, metadata }
}

function splitHeader(bytes: Uint8Array): { header: object; data: Uint8Array } {
  if (bytes.length < 8)
    throw new FormatError(`safetensors: the file ends after ${bytes.length} bytes, before its header.`)
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)
  if (length > BigInt(MAX_HEADER_BYTES) || Number(length) > bytes.length - 8) {
    throw new FormatError(
      `safetensors: a header of ${length} bytes is announced, but the file has ${bytes.length - 8} left: it is truncated, or no safetensors file.`,
    )
  }
  const end = 8 + Number(length)
  let header: unknown
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, end))
    header = JSON.parse(text)
    const twice = duplicateKey(text)
    if (twice !== null) throw new FormatError(`safetensors: the header has '${twice}' twice.`)
  } catch (error) {
    if (error instanceof FormatError) throw error
    throw new FormatError(`safetensors: the header is not JSON (${(error as Error).message}).`)
  }
  if (!isObject(header)) throw new FormatError('safetensors: the header is not a JSON object.')
  // Not `bytes.subarray`: a Node Buffer's `slice` would share its memory.
  return { header, data: new Uint8Array(bytes.buffer, bytes.byteOffset + end, bytes.length - end) }
}

function requireEntry(name: string, value: unknown, dataBytes: number) {
  const fail = (what: string): never => {
    throw new FormatError(`safetensors: tensor '${name}': ${what}.`)
  }
  if (!isObject(value)) return fail('its description is not an object')
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>
  const type = typeof dtype === 'string' && Object.hasOwn(stored, dtype) ? stored[dtype] : undefined
  if (!type) return fail(`dtype ${JSON.stringify(dtype)} is not one of ${Object.keys(stored).join(', ')}`)
  if (!isSizes(shape)) return fail(`shape ${JSON.stringify(shape)} is not a list of sizes`)
  if (!isSizes(offsets) || offsets.length !== 2)
    return fail(`data_offsets ${JSON.stringify(offsets)} are not two offsets`)
  const [begin, end] = offsets as [number, number]
  if (begin > end || end > dataBytes)
    return fail(`offsets ${begin} to ${end} lie outside of the file's ${dataBytes} bytes of values`)
  const needed = sizeOf(shape) * type.bytes
  if (end - begin !== needed) return fail(`${dtype} [${shape}] takes ${needed} bytes, its offsets span ${end - begin}`)
  return { type, shape, begin, end }
}

function requireNoGaps(ranges: { name: string; begin: number; end: number }[], dataBytes: number): void {
  let reached = 0
  for (const { name, begin, end } of ranges.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== reached) {
      throw new FormatError(
        `safetensors: tensor '${name}' begins at ${begin}, ${begin < reached ? 'inside of the one before' : 'after a gap'}, which ends at ${reached}.`,
      )
    }
    reached = end
  }
  if (reached !== dataBytes) {
    throw new FormatError(
      `safetensors: the tensors take ${reached} bytes, but the file has ${dataBytes} bytes of values.`,
    )
  }
}

/** These would mean something else as keys of an object. */
function requireName(name: string): void {
  if (name === '__metadata__' || name === '__proto__' || name.split('.').includes('__proto__')) {
    throw new FormatError(`safetensors: a tensor cannot be named '${name}'.`)
  }
}

function requireTexts(value: unknown): Record<string, string> {
  if (!isObject(value) || Object.values(value).some((text) => typeof text !== 'string')) {
    throw new FormatError('safetensors: __metadata__ is not an object of texts.')
  }
  if (Object.hasOwn(value, '__proto__')) throw new FormatError("safetensors: __metadata__ has the key '__proto__'.")
  return { ...(value as Record<string, string>) }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSizes(value: unknown): value is number[] {
  return (
    Array.isArray(value) && value.every((x) => Number.isSafeInteger(x) && x >= 0) && Number.isSafeInteger(sizeOf(value))
  )
}
