/**
 * Ids of predictions: UUIDs of version 7 (RFC 9562), so that they sort by time, with 74 random bits. The last 32 of these decide
 * whether a prediction belongs to the random slice: a uniform share of the traffic, known from the id alone.
 */
import { randomFillSync } from 'node:crypto'

const pool = new Uint8Array(16 * 256)
let at = pool.length
const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** A new id, such as `0199c1f2-7d1e-7a63-9b0c-5f6f1f0e9a11`. */
export function predictionId(now = Date.now()): string {
  if (at === pool.length) {
    randomFillSync(pool)
    at = 0
  }
  const b = pool.subarray(at, at + 16)
  at += 16
  const time = now.toString(16).padStart(12, '0')
  const h = (i: number) => hex[b[i] as number] as string
  const version = hex[0x70 | ((b[6] as number) & 0x0f)] as string
  const variant = hex[0x80 | ((b[8] as number) & 0x3f)] as string
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}${h(7)}-${variant}${h(9)}-${h(10)}${h(11)}${h(12)}${h(13)}${h(14)}${h(15)}`
}

/** Whether a text has the form of such an id. */
export function isPredictionId(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(text)
}

/** Whether this prediction is one of the `share` (from 0 to 1) of all that were drawn by lot. */
export function isInRandomSlice(id: string, share: number): boolean {
  return Number.parseInt(id.slice(-8), 16) < share * 2 ** 32
}
