/**
 * From the bytes of a cell to its bytes in canonical JSON, as `canonicalRow` would write it, without making a string of it
 * where that can be avoided: most cells are copied.
 */
import { booleanOf, dateOf, numberOf } from 'descent/cells'
import type { BatchBuilder } from './batch.ts'
import type { FieldType } from './layout.ts'

const quote = 34
const backslash = 92
const encoder = new TextEncoder()
const truth = [encoder.encode('false'), encoder.encode('true')] as const

/** Writes the cell bytes[start, end) behind what `out` holds; a sentence where it is not of this type. */
export function writeCell(
  out: BatchBuilder,
  type: FieldType,
  bytes: Uint8Array,
  start: number,
  end: number,
): string | null {
  switch (type) {
    case 'number':
      return writeNumber(out, bytes, start, end)
    case 'boolean': {
      const value = booleanOf(bytes, start, end, true)
      if (value < 0) return 'is neither true nor false'
      writeBytes(out, truth[value as 0 | 1])
      return null
    }
    case 'date':
      if (Number.isNaN(dateOf(textAt(bytes, start, end))))
        return 'is no date (as in 2024-03-01 or 2024-03-01T12:30:00Z)'
      writeText(out, bytes, start, end)
      return null
    case 'category':
    case 'text':
      writeText(out, bytes, start, end)
      return null
    default:
      return type satisfies never
  }
}

function writeNumber(out: BatchBuilder, bytes: Uint8Array, start: number, end: number): string | null {
  if (isShortest(bytes, start, end)) {
    out.reserve(end - start)
    for (let i = start; i < end; i++) out.bytes[out.at++] = bytes[i] as number
    return null
  }
  const value = numberOf(bytes, start, end)
  if (Number.isNaN(value)) return 'is no finite number'
  writeBytes(out, encoder.encode(JSON.stringify(value)))
  return null
}

/**
 * Whether the decimal is written as JavaScript writes the number: at most 15 digits, which a double always gives back, no
 * zeros or signs that it would leave out, and no exponent.
 */
export function isShortest(bytes: Uint8Array, start: number, end: number): boolean {
  let i = start
  if (bytes[i] === 45) i++
  const length = end - i
  if (length <= 0 || length > 16) return false
  const zero = bytes[i] === 48
  let point = -1
  for (let j = i; j < end; j++) {
    const byte = bytes[j] as number
    if (byte === 46) {
      if (point >= 0 || j === i) return false
      point = j
    } else if (byte < 48 || byte > 57) return false
  }
  if (point < 0) return length <= 15 && (!zero || (length === 1 && start === i))
  if (bytes[end - 1] === 48 || point === end - 1) return false
  // Below 0.000001 JavaScript writes an exponent.
  return !zero || (point === i + 1 && end - point <= 7)
}

/** A JSON string of UTF-8. */
function writeText(out: BatchBuilder, bytes: Uint8Array, start: number, end: number): void {
  out.reserve(6 * (end - start) + 2)
  const to = out.bytes
  let at = out.at
  to[at++] = quote
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number
    if (byte >= 32 && byte !== quote && byte !== backslash) {
      to[at++] = byte
      continue
    }
    to[at++] = backslash
    const short = byte === quote || byte === backslash ? byte : (shortEscapes[byte] as number)
    if (short !== 0) to[at++] = short
    else {
      to[at++] = 117
      to[at++] = 48
      to[at++] = 48
      to[at++] = hexDigits[byte >> 4] as number
      to[at++] = hexDigits[byte & 15] as number
    }
  }
  to[at++] = quote
  out.at = at
}

const hexDigits = encoder.encode('0123456789abcdef')
/** \b \t \n \f \r */
const shortEscapes = new Uint8Array(32)
for (const [code, letter] of [
  [8, 'b'],
  [9, 't'],
  [10, 'n'],
  [12, 'f'],
  [13, 'r'],
] as const)
  shortEscapes[code] = letter.charCodeAt(0)

export function writeBytes(out: BatchBuilder, bytes: Uint8Array): void {
  out.reserve(bytes.length)
  if (bytes.length > 32) out.bytes.set(bytes, out.at)
  else for (let i = 0; i < bytes.length; i++) out.bytes[out.at + i] = bytes[i] as number
  out.at += bytes.length
}

/** The text in bytes[start, end), which are UTF-8. */
export function textAt(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  if (end - start <= 16) {
    let i = start
    for (; i < end && (bytes[i] as number) < 128; i++) text += String.fromCharCode(bytes[i] as number)
    if (i === end) return text
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString()
}
