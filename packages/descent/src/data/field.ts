/**
 * From the bytes of one field to its value. Numbers are read without making a string of them: up to 15 digits and a
 * the powers of ten up to 22 are exact in a double, so that one quotient rounds correctly (Clinger, "How to read
 * floating point numbers accurately", PLDI 1990); the others go the long way.
 */

const powers = /* @__PURE__ */ Float64Array.from({ length: 16 }, (_, i) => 10 ** i)
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The decimal number in bytes[start, end), blanks around it ignored; NaN where there is none, or it overflows. */
export function numberOf(bytes: Uint8Array, start: number, end: number): number {
  let i = start
  const negative = bytes[i] === 45
  if (negative) i++
  const from = i
  let mantissa = 0
  for (; i < end; i++) {
    const digit = (bytes[i] as number) - 48
    if (digit < 0 || digit > 9) break
    mantissa = mantissa * 10 + digit
  }
  let decimals = 0
  if (i < end && bytes[i] === 46) {
    const point = i++
    for (; i < end; i++) {
      const digit = (bytes[i] as number) - 48
      if (digit < 0 || digit > 9) break
      mantissa = mantissa * 10 + digit
    }
    decimals = i - point - 1
  }
  const digits = i - from - (decimals > 0 ? 1 : 0)
  if (i !== end || digits === 0 || digits > 15 || bytes[end - 1] === 46) return unusualNumber(bytes, start, end)
  const value = decimals === 0 ? mantissa : mantissa / (powers[decimals] as number)
  return negative ? -value : value
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** Numbers with exponents, many digits, a plus, blanks around them. */
function unusualNumber(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 400) return Number.NaN
  let text = ''
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i] as number)
  text = text.replace(/^ +| +$/g, '')
  const value = decimal.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? value : Number.NaN
}

/** Bytes that are not UTF-8. */
export class EncodingError extends Error {}

/** The text in bytes[start, end). Throws EncodingError where it is not UTF-8. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  // V8 makes longer sums of strings into trees, which cost more than the decoder.
  let plain = end - start <= 12
  for (let i = start; plain && i < end; i++) plain = (bytes[i] as number) < 128
  if (plain) return ascii(bytes, start, end)
  try {
    return decoder.decode(bytes.subarray(start, end))
  } catch {
    throw new EncodingError()
  }
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i] as number)
  return text
}

const truths: ReadonlyMap<number, boolean> = /* @__PURE__ */ new Map(
  /* @__PURE__ */ ['true', 'yes', 't', 'y', 'false', 'no', 'f', 'n'].map((text, i) => [packed(text), i < 4]),
)

/** Up to five characters as one whole number, letters in lower case. */
function packed(text: string): number {
  let number = 0
  for (let i = 0; i < text.length; i++) number = number * 256 + text.charCodeAt(i)
  return number
}

/** 1 or 0 for true, false, yes, no and their first letters, in any case; else −1. '1' and '0' too where `numeric`. */
export function booleanOf(bytes: Uint8Array, start: number, end: number, numeric: boolean): number {
  if (end - start > 5) return -1
  let number = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number
    number = number * 256 + (byte >= 65 && byte <= 90 ? byte + 32 : byte)
  }
  if (numeric && (number === 48 || number === 49)) return number - 48
  return Number(truths.get(number) ?? -1)
}

const iso = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?)?$/

/** Milliseconds since 1970 of an ISO 8601 date or time (UTC where no zone is given); NaN where the text is none. */
export function dateOf(text: string): number {
  const parts = iso.exec(text)
  if (!parts) return Number.NaN
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part ?? 0)) as number[]
  const time = Date.UTC(year as number, (month as number) - 1, day, hour, minute, second)
  const whole = new Date(time)
  // Date.UTC carries the 31st of April over into May, and reads years below 100 as of the last century.
  const same = whole.getUTCDate() === day && whole.getUTCMonth() + 1 === month && whole.getUTCFullYear() === year
  if (!same || (hour as number) > 23 || (minute as number) > 59 || (second as number) > 59) return Number.NaN
  const zone = /([+-])(\d\d):?(\d\d)/.exec(parts[8] ?? '')
  const offset = zone ? (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) : 0
  return time + Number(`0.${parts[7] ?? 0}`) * 1000 - offset * 60_000
}
