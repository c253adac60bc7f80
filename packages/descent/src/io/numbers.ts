/** Number types of files that are not those of tensors. */
import { FormatError } from '../errors.ts'

/** IEEE 754 binary16. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** bfloat16 is the upper half of a float32. */
export function bfloatsToFloats(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (bits) => bits * 65536).buffer)
}

/** A whole number as i32. Throws FormatError, which begins with `where`, for one that does not fit. */
export function narrow(x: bigint | number, where: string): number {
  const number = Number(x)
  if (number < -(2 ** 31) || number >= 2 ** 31) throw new FormatError(`${where}: ${x} does not fit into 32 bits.`)
  return number
}

/** The bytes themselves, where each is 0 or 1. */
export function requireBits(bytes: Uint8Array, where: string): Uint8Array {
  for (const byte of bytes) if (byte > 1) throw new FormatError(`${where}: ${byte} is not a boolean.`)
  return bytes
}
