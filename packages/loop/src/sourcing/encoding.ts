/**
 * What a file's bytes mean: UTF-8 with or without a byte order mark, UTF-16 by its mark or its zero bytes, Windows-1252
 * (Latin-1 where it needs no more) where UTF-8 it is not. Everything is decoded to UTF-8; what cannot be is named.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { byteStream } from 'descent/cells'
import { UserError } from '../errors.ts'

/** `utf-8 with faults`: UTF-8 but for some bytes; rows that hold them are bad rows. */
export type Encoding = 'utf-8' | 'utf-8 with faults' | 'utf-16le' | 'utf-16be' | 'windows-1252' | 'latin-1'

/** What is known of a file's bytes when it was read through once. */
export interface Examined {
  readonly encoding: Encoding
  /** SHA-256 of the bytes, unpacked. */
  readonly hash: string
  readonly bytes: number
}

/** Says what the bytes are where they are no text; null where they may be one. */
function binaryKind(head: Uint8Array): string | null {
  const begins = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte)
  if (begins(0x50, 0x4b, 3, 4)) return 'a ZIP archive or an Excel workbook (save it as CSV)'
  if (begins(0xd0, 0xcf, 0x11, 0xe0)) return 'an old Excel or Word file (save it as CSV)'
  if (begins(0x25, 0x50, 0x44, 0x46)) return 'a PDF'
  if (begins(0x50, 0x41, 0x52, 0x31)) return 'Parquet (give --format parquet)'
  if (begins(0x89, 0x50, 0x4e, 0x47)) return 'a PNG image'
  if (begins(0xff, 0xd8, 0xff)) return 'a JPEG image'
  if (begins(0xff, 0xfe, 0, 0) || begins(0, 0, 0xfe, 0xff)) return 'UTF-32 (save it as UTF-8)'
  if (Buffer.from(head.subarray(0, 15)).toString('latin1') === 'SQLite format 3') return 'an SQLite database'
  return null
}

interface Guess {
  readonly encoding: Encoding | null
  /** Why there is none. */
  readonly binary: string
}

/** UTF-16 by mark or zero bytes; what is no text; null where the bytes look like one byte a character, or UTF-8. */
function guess(head: Uint8Array): Guess {
  const binary = binaryKind(head)
  if (binary) return { encoding: null, binary }
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', binary: '' }
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', binary: '' }
  let even = 0
  let odd = 0
  const half = Math.max(1, head.length >> 1)
  for (let i = 0; i + 1 < head.length; i += 2) {
    if (head[i] === 0) even++
    if (head[i + 1] === 0) odd++
  }
  if (odd > 0.3 * half && even < 0.05 * half) return { encoding: 'utf-16le', binary: '' }
  if (even > 0.3 * half && odd < 0.05 * half) return { encoding: 'utf-16be', binary: '' }
  if (even + odd > 0) return { encoding: null, binary: 'binary data: it holds zero bytes' }
  return { encoding: 'utf-8', binary: '' }
}

/** How many characters beyond ASCII are UTF-8, how many bytes are not, and whether some are of Windows-1252 alone. */
class Faults {
  valid = 0
  invalid = 0
  windows = false
  count(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; ) {
      const first = bytes[i] as number
      if (first < 0x80) {
        i++
        continue
      }
      const length =
        first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0
      if (length > 0 && i + length <= bytes.length && isUtf8(bytes.subarray(i, i + length))) {
        this.valid++
        i += length
      } else {
        this.invalid++
        if (first < 0xa0) this.windows = true
        i++
      }
    }
  }
  get encoding(): Encoding {
    if (this.invalid === 0) return 'utf-8'
    if (this.valid > this.invalid) return 'utf-8 with faults'
    return this.windows ? 'windows-1252' : 'latin-1'
  }
}

/** How many bytes at the end belong to a character that is not complete. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] as number
    if (byte >= 0xc0) return back
    if (byte < 0x80) return 0
  }
  return 0
}

/**
 * Reads the file once (gzip unpacked), to know its hash and encoding before anything is kept of it.
 * @throws {UserError} where it is empty, or no text
 */
export async function examineText(
  path: string,
  name: string,
  watch: (bytes: number) => void = () => {},
): Promise<Examined> {
  const hash = createHash('sha256')
  const faults = new Faults()
  let bytes = 0
  let encoding: Encoding | null = null
  let carried: Uint8Array = new Uint8Array(0)
  for await (const piece of byteStream(path, name)) {
    watch(bytes)
    hash.update(piece)
    bytes += piece.length
    if (encoding === null) {
      const { encoding: guessed, binary } = guess(piece.subarray(0, 1 << 16))
      if (guessed === null) throw new UserError(`${name} is no text but ${binary}. Nothing was imported.`)
      encoding = guessed
    }
    if (encoding !== 'utf-8') continue
    const whole = carried.length === 0 ? piece : Buffer.concat([carried, piece])
    const rest = unfinished(whole)
    const checked = whole.subarray(0, whole.length - rest)
    carried = whole.slice(whole.length - rest)
    if (faults.invalid > 0 || !isUtf8(checked)) faults.count(checked)
    else if (!isAscii(checked)) faults.valid++
  }
  if (encoding === 'utf-8') faults.count(carried)
  if (encoding === null || bytes === 0) throw new UserError(`${name} is empty. Nothing was imported.`)
  return { encoding: encoding === 'utf-8' ? faults.encoding : encoding, hash: hash.digest('hex'), bytes }
}

/** The file's bytes as UTF-8, without a byte order mark; not decoded where they are that already. */
export async function* utf8Pieces(path: string, name: string, encoding: Encoding): AsyncGenerator<Uint8Array> {
  if (encoding === 'utf-8' || encoding === 'utf-8 with faults') {
    let first = true
    for await (const piece of byteStream(path, name)) {
      const marked = first && piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf
      first = false
      yield marked ? piece.subarray(3) : piece
    }
    return
  }
  const decoder = decoderOf(encoding)
  for await (const piece of byteStream(path, name)) yield Buffer.from(decoder.decode(piece, { stream: true }))
  yield Buffer.from(decoder.decode())
}

// The Encoding Standard reads Latin-1 as Windows-1252, which holds it.
function decoderOf(encoding: Encoding): TextDecoder {
  return new TextDecoder(
    encoding === 'latin-1' ? 'windows-1252' : encoding === 'utf-8 with faults' ? 'utf-8' : encoding,
  )
}

/** The text in a file's bytes and how they were written; a sentence where they are no text. */
export function decodeText(bytes: Uint8Array): { readonly text: string; readonly encoding: Encoding } | string {
  const { encoding, binary } = guess(bytes.subarray(0, 1 << 16))
  if (encoding === null) return `it is no text but ${binary}`
  if (encoding !== 'utf-8') return { text: decoderOf(encoding).decode(bytes), encoding }
  if (isUtf8(bytes)) return { text: decoderOf('utf-8').decode(bytes), encoding }
  const faults = new Faults()
  faults.count(bytes)
  // One text is of one encoding: where not all is UTF-8, none of it is.
  const single = faults.windows ? 'windows-1252' : 'latin-1'
  return { text: decoderOf(single).decode(bytes), encoding: single }
}

/** What people call it. */
export function encodingName(encoding: Encoding): string {
  switch (encoding) {
    case 'utf-8':
      return 'UTF-8'
    case 'utf-8 with faults':
      return 'UTF-8 with bytes that are none'
    case 'utf-16le':
      return 'UTF-16 (little-endian)'
    case 'utf-16be':
      return 'UTF-16 (big-endian)'
    case 'windows-1252':
      return 'Windows-1252'
    case 'latin-1':
      return 'Latin-1'
    default:
      return encoding satisfies never
  }
}
