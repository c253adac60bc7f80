/**
 * ZIP archives (PKWARE's APPNOTE 6.3.10), as .npz files are: entries stored or deflated, found by the directory at the
 * end. In: bytes; out: entries by name, and back. Sizes and checksums are checked; an entry is unpacked no further than
 * the size that it announces.
 */
import { FormatError } from '../errors.ts'

const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
const LOCATOR64 = 0x07064b50
const END64 = 0x06064b50
const LIMIT = 0xffffffff

/** The entries of an archive. Throws FormatError where it is damaged. */
export async function readZip(bytes: Uint8Array): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries = new Map<string, Uint8Array<ArrayBuffer>>()
  for (const entry of directory(bytes, view)) {
    if (entries.has(entry.name)) throw new FormatError(`zip: '${entry.name}' stands twice in the archive.`)
    entries.set(entry.name, await unpack(bytes, view, entry))
  }
  return entries
}

interface Entry {
  readonly name: string
  readonly method: number
  readonly crc: number
  readonly packed: number
  readonly size: number
  readonly at: number
}

function directory(bytes: Uint8Array, view: DataView): Entry[] {
  let end = bytes.length - 22
  const first = Math.max(0, end - 0xffff)
  while (end >= first && view.getUint32(end, true) !== END) end--
  if (end < first)
    throw new FormatError('zip: there is no directory at the end: the file is truncated, or no ZIP archive.')
  let count = view.getUint16(end + 10, true)
  let at = view.getUint32(end + 16, true)
  if ((count === 0xffff || at === LIMIT) && end >= 20 && view.getUint32(end - 20, true) === LOCATOR64) {
    const record = Number(view.getBigUint64(end - 12, true))
    if (record + 56 > bytes.length || view.getUint32(record, true) !== END64)
      throw new FormatError('zip: the directory of a large archive is not where it should be.')
    count = Number(view.getBigUint64(record + 32, true))
    at = Number(view.getBigUint64(record + 48, true))
  }
  const entries: Entry[] = []
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== CENTRAL)
      throw new FormatError(`zip: the directory announces ${count} entries, but ends after ${i}.`)
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((o) => view.getUint16(at + o, true)) as [
      number,
      number,
      number,
    ]
    const next = at + 46 + nameLength + extraLength + commentLength
    if (next > bytes.length) throw new FormatError(`zip: entry ${i} of the directory runs over the end of the file.`)
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength))
    if (view.getUint16(at + 8, true) & 1) throw new FormatError(`zip: '${name}' is encrypted.`)
    const sizes = [24, 20, 42].map((o) => view.getUint32(at + o, true))
    const [size, packed, place] = longSizes(view, at + 46 + nameLength, extraLength, sizes) as [number, number, number]
    entries.push({
      name,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed,
      size,
      at: place,
    })
    at = next
  }
  return entries
}

/** Numbers of 32 bits that are full stand as 64 bits in an extra field, in the same order. */
function longSizes(view: DataView, from: number, length: number, sizes: readonly number[]): number[] {
  let extra = from
  while (extra + 4 <= from + length && view.getUint16(extra, true) !== 1) extra += 4 + view.getUint16(extra + 2, true)
  let at = extra + 4
  return sizes.map((size) => {
    if (size !== LIMIT) return size
    if (at + 8 > from + length) throw new FormatError('zip: the sizes of a large entry are missing.')
    at += 8
    return Number(view.getBigUint64(at - 8, true))
  })
}

async function unpack(bytes: Uint8Array, view: DataView, entry: Entry): Promise<Uint8Array<ArrayBuffer>> {
  const { name, method, crc, packed, size, at } = entry
  const fail = (what: string): never => {
    throw new FormatError(`zip: '${name}' ${what}.`)
  }
  if (at + 30 > bytes.length || view.getUint32(at, true) !== LOCAL) return fail('is not where the directory says')
  const begin = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true)
  if (begin + packed > bytes.length) return fail(`of ${packed} bytes runs over the end of the file`)
  const stored = bytes.slice(begin, begin + packed) as Uint8Array<ArrayBuffer>
  if (method !== 0 && method !== 8) return fail(`is packed by method ${method}; only stored and deflated are known`)
  let content: Uint8Array<ArrayBuffer> = new Uint8Array(stored)
  if (method === 8) {
    try {
      content = await drain(stored, new DecompressionStream('deflate-raw'), size)
    } catch (error) {
      return fail(`cannot be unpacked (${(error as Error).message})`)
    }
  }
  if (content.length !== size) return fail(`has ${content.length} bytes where ${size} are announced`)
  if (crc32(content) !== crc) return fail('is damaged: its checksum differs')
  return content
}

/** The bytes of an archive. Throws RangeError where it would be larger than 4 GiB. */
export async function writeZip(
  entries: Iterable<readonly [name: string, content: Uint8Array<ArrayBuffer>]>,
  compressed: boolean,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  const central: Uint8Array<ArrayBuffer>[] = []
  let at = 0
  for (const [name, content] of entries) {
    const packed = compressed ? await drain(content, new CompressionStream('deflate-raw'), Infinity) : content
    const text = new TextEncoder().encode(name)
    // Version 2.0, names in UTF-8, the first of January 1980.
    const common = [20, 0x800, compressed ? 8 : 0, 0, 0x21]
    const sizes = [crc32(content), packed.length, content.length]
    const local = record([LOCAL], common, sizes, [text.length, 0], [])
    central.push(record([CENTRAL], [20, ...common], sizes, [text.length, 0, 0, 0, 0], [0, at]), text)
    parts.push(local, text, packed)
    at += local.length + text.length + packed.length
  }
  const length = central.reduce((sum, part) => sum + part.length, 0)
  if (at + length > LIMIT)
    throw new RangeError(`npz: ${at + length} bytes are more than an archive without ZIP64 holds.`)
  const count = central.length / 2
  const end = record([END], [0, 0, count, count], [length, at], [0], [])
  return joined([...parts, ...central, end])
}

/** Numbers of 32 and 16 bits in turn, little-endian. */
function record(...fields: [number[], number[], number[], number[], number[]]): Uint8Array<ArrayBuffer> {
  const widths = [4, 2, 4, 2, 4]
  const bytes = new Uint8Array(fields.reduce((sum, list, i) => sum + list.length * (widths[i] as number), 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const [i, list] of fields.entries()) {
    for (const value of list) {
      if (widths[i] === 4) view.setUint32(at, value, true)
      else view.setUint16(at, value, true)
      at += widths[i] as number
    }
  }
  return bytes
}

/** What a stream makes of bytes, up to `most` of them and a little more. */
async function drain(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  let length = 0
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return joined(parts)
    parts.push(value)
    length += value.length
    if (length > most) {
      await reader.cancel()
      return joined(parts)
    }
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

let table: Uint32Array | null = null

/** CRC-32 of ISO 3309. */
export function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    return crc >>> 0
  })
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] as number)
  return (crc ^ 0xffffffff) >>> 0
}
