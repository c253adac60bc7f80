/**
 * What an example is: a row, a text or an image; its canonical bytes, and its id, which is a hash of them. The same content
 * has the same id on any machine and from any source.
 */
import { hash } from 'node:crypto'

/** Content beyond this many bytes lies in a file of its own, not in the database. */
export const mostInline = 1 << 16

/** A cell of a row. Dates are kept as they were written. */
export type Cell = string | number | boolean | null

export type Content =
  | { readonly kind: 'row'; readonly values: Readonly<Record<string, Cell>> }
  | { readonly kind: 'text'; readonly text: string }
  | ImageContent

export interface ImageContent {
  readonly kind: 'image'
  /** `image/png` or `image/jpeg`: bytes of such a file; `image/raw`: pixels, row by row, channel by channel within a pixel. */
  readonly media: 'image/png' | 'image/jpeg' | 'image/raw'
  readonly bytes: Uint8Array
  /** Pixels; needed for `image/raw`. */
  readonly width?: number
  readonly height?: number
  readonly channels?: number
}

/** How content is stored: a media type with what is needed to read it, and bytes. */
export interface Stored {
  readonly media: string
  readonly body: Uint8Array
}

export function encodeContent(content: Content): Stored {
  switch (content.kind) {
    case 'row':
      return { media: 'row', body: Buffer.from(canonicalRow(content.values)) }
    case 'text':
      return { media: 'text', body: Buffer.from(content.text) }
    case 'image': {
      const { media, bytes, width, height, channels } = content
      const size = media === 'image/raw' ? `;width=${width};height=${height};channels=${channels ?? 1}` : ''
      return { media: media + size, body: bytes }
    }
    default:
      return content satisfies never
  }
}

export function decodeContent({ media, body }: Stored): Content {
  if (media === 'row') return { kind: 'row', values: JSON.parse(Buffer.from(body).toString()) as Record<string, Cell> }
  if (media === 'text') return { kind: 'text', text: Buffer.from(body).toString() }
  const [type, ...parameters] = media.split(';')
  const numbers = Object.fromEntries(
    parameters.map((parameter) => parameter.split('=')).map(([k, v]) => [k, Number(v)]),
  )
  return { kind: 'image', media: type as ImageContent['media'], bytes: body, ...numbers }
}

/** A row as JSON with its columns in alphabetical order; missing values are left out, so that they are the same as no column. */
export function canonicalRow(values: Readonly<Record<string, Cell>>): string {
  const present = Object.keys(values).filter((name) => values[name] !== null && values[name] !== undefined)
  return JSON.stringify(Object.fromEntries(present.sort().map((name) => [name, values[name]])))
}

/** 32 hexadecimal characters: the first half of the SHA-256 of media type and bytes. */
export function exampleId({ media, body }: Stored): string {
  const name = Buffer.from(`${media}\n`)
  return hash('sha256', Buffer.concat([name, body]), 'hex').slice(0, 32)
}
