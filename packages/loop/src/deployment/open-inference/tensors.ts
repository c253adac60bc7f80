/**
 * Tensors of the Open Inference Protocol, as JSON (flat or nested lists) and in its binary extension (little-endian, row by row; BYTES
 * with four bytes of length before each element).
 */
import { listed, shortened, show } from '../json.ts'
import { RequestError } from '../request-error.ts'

export interface InferTensor {
  readonly name: string
  readonly datatype: string
  readonly shape: readonly number[]
  /** In JSON: numbers, booleans, texts or null, flat. In binary: numbers or byte strings. */
  readonly values: ArrayLike<unknown>
  readonly binary: boolean
}

const readers: Readonly<Record<string, { readonly size: number; read(view: DataView, at: number): number | boolean }>> =
  {
    BOOL: { size: 1, read: (view, at) => view.getUint8(at) !== 0 },
    UINT8: { size: 1, read: (view, at) => view.getUint8(at) },
    UINT16: { size: 2, read: (view, at) => view.getUint16(at, true) },
    UINT32: { size: 4, read: (view, at) => view.getUint32(at, true) },
    UINT64: { size: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
    INT8: { size: 1, read: (view, at) => view.getInt8(at) },
    INT16: { size: 2, read: (view, at) => view.getInt16(at, true) },
    INT32: { size: 4, read: (view, at) => view.getInt32(at, true) },
    INT64: { size: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
    FP32: { size: 4, read: (view, at) => view.getFloat32(at, true) },
    FP64: { size: 8, read: (view, at) => view.getFloat64(at, true) },
  }

export const datatypes = [...Object.keys(readers), 'BYTES']

/** Binary tensor data of `count` elements. */
export function readBinary(name: string, datatype: string, count: number, bytes: Buffer): ArrayLike<unknown> {
  if (datatype === 'BYTES') return readByteStrings(name, count, bytes)
  if (datatype === 'UINT8' && bytes.length === count) return bytes
  const reader = readers[datatype]
  if (!reader) throw unknownDatatype(name, datatype)
  if (bytes.length !== count * reader.size) {
    throw new RequestError(
      400,
      `Input '${name}': ${count} elements of ${datatype} are ${count * reader.size} bytes, not ${bytes.length}.`,
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: count }, (_, i) => reader.read(view, i * reader.size))
}

function readByteStrings(name: string, count: number, bytes: Buffer): Buffer[] {
  const values: Buffer[] = []
  let at = 0
  while (at + 4 <= bytes.length && values.length < count) {
    const end = at + 4 + bytes.readUInt32LE(at)
    if (end > bytes.length) break
    values.push(bytes.subarray(at + 4, end))
    at = end
  }
  if (values.length !== count || at !== bytes.length)
    throw new RequestError(
      400,
      `Input '${name}': its bytes do not hold ${count} elements with their lengths before them.`,
    )
  return values
}

export function unknownDatatype(name: string, datatype: unknown): RequestError {
  return new RequestError(
    400,
    `Input '${shortened(name, 60)}': datatype ${show(datatype)} is not known here; there are: ${listed(datatypes)}.`,
  )
}

/** Lists within lists as one list, of `count` elements. */
export function flatten(name: string, data: unknown, count: number): unknown[] {
  if (!Array.isArray(data)) throw new RequestError(400, `Input '${name}': 'data' must be a list, not ${show(data)}.`)
  const values: unknown[] = []
  const add = (item: unknown, depth: number): void => {
    if (!Array.isArray(item)) values.push(item)
    else if (depth > 4) throw new RequestError(400, `Input '${name}': its data are nested deeper than its shape.`)
    else for (const inner of item) add(inner, depth + 1)
  }
  add(data, 0)
  if (values.length !== count)
    throw new RequestError(400, `Input '${name}': its shape has ${count} elements, its data ${values.length}.`)
  return values
}

/** An output tensor's values in binary. */
export function writeBinary(datatype: 'BYTES' | 'FP32' | 'FP64', values: readonly (string | number)[]): Buffer {
  switch (datatype) {
    case 'FP32':
      return Buffer.from(Float32Array.from(values as number[]).buffer)
    case 'FP64':
      return Buffer.from(Float64Array.from(values as number[]).buffer)
    case 'BYTES':
      return Buffer.concat(
        values.flatMap((value) => {
          const text = Buffer.from(String(value))
          const length = Buffer.alloc(4)
          length.writeUInt32LE(text.length)
          return [length, text]
        }),
      )
    default:
      return datatype satisfies never
  }
}
