/** JSON out of a body, and values in words. */
import { isUtf8 } from 'node:buffer'
import { RequestError } from './request-error.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** @throws {RequestError} 400 where the body is no JSON */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) throw new RequestError(400, 'The body is empty: send JSON.')
  if (!isUtf8(body)) throw new RequestError(400, 'The body is no UTF-8, which JSON must be.')
  try {
    return JSON.parse(body.toString())
  } catch (error) {
    throw new RequestError(400, `The body is no JSON: ${shortened((error as Error).message, 200)}.`)
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value as JSON, cut where it is long. */
export function show(value: unknown): string {
  return shortened(typeof value === 'string' ? JSON.stringify(value.slice(0, 200)) : shape(value), 60)
}

/** Arrays and objects only by what they are: writing a large one would cost more than refusing it. */
function shape(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (isObject(value)) return 'an object'
  return String(value)
}

export function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}

/** Names in a sentence, not more than a few of them. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 12).map((name) => shortened(name, 40))
  return `${shown.join(', ')}${names.length > shown.length ? `, … (${names.length} in all)` : ''}`
}
