/**
 * From the body of `POST /predict` to contents, checked against the model's signature: named fields of a row, a text, or an
 * image (a PNG or JPEG file as it is or in base64, or raw pixels). What is wrong is said in one sentence.
 */
import type { FieldSignature, InputSignature } from '../registry/served-model.ts'
import type { Cell, Content, ImageContent } from '../store/content.ts'
import { isObject, type JsonObject, listed, parseJson, shortened, show } from './json.ts'
import { RequestError } from './request-error.ts'

/** What may be sent: the model's inputs, and columns of the project that the model leaves out but that belong to a row. */
export interface InputSchema {
  readonly input: InputSignature
  readonly others: readonly OtherField[]
}

export interface OtherField {
  readonly name: string
  readonly type: FieldSignature['type'] | 'text'
}

/** The contents of a request, and whether it asked for a list of answers. */
export interface Inputs {
  readonly contents: readonly Content[]
  readonly many: boolean
}

/** A picture of more pixels is refused before it is decoded. */
export const largestPicture = 2 ** 24

export function readInputs(schema: InputSchema, body: Buffer, contentType: string, limit: number): Inputs {
  const { input } = schema
  const type = (contentType.split(';', 1)[0] as string).trim().toLowerCase()
  switch (type) {
    case 'image/png':
    case 'image/jpeg':
    case 'application/octet-stream':
      return one(imageOfBytes(expect(input, 'image', type), type, body))
    case 'text/plain':
      expect(input, 'text', type)
      return one(textContent(utf8(body)))
    case 'application/json':
    case '': {
      const value = parseJson(body)
      if (!Array.isArray(value)) return one(contentOf(schema, value, ''))
      if (value.length === 0) throw new RequestError(400, 'The list is empty: there is nothing to predict.')
      if (value.length > limit)
        throw new RequestError(400, `The list has ${value.length} inputs; a request may have ${limit}.`)
      return { contents: value.map((item, i) => contentOf(schema, item, `Input ${i + 1}: `)), many: true }
    }
    default:
      throw new RequestError(
        415,
        `Content-Type ${shortened(type, 60)} is not known here: send application/json${input.kind === 'image' ? ', image/png, image/jpeg or application/octet-stream (raw pixels)' : input.kind === 'text' ? ' or text/plain' : ''}.`,
      )
  }
}

const one = (content: Content): Inputs => ({ contents: [content], many: false })

function expect<K extends InputSignature['kind']>(input: InputSignature, kind: K, type: string) {
  if (input.kind === kind) return input as Extract<InputSignature, { kind: K }>
  throw new RequestError(415, `This model takes ${takes(input)}, not ${type}.`)
}

/** What the model takes, in words. */
function takes(input: InputSignature): string {
  switch (input.kind) {
    case 'row':
      return `a JSON object with the fields ${listed(input.fields.map(({ name }) => name))}`
    case 'text':
      return 'a text: {"text": "…"}'
    case 'image':
      return 'an image: a PNG or JPEG, {"image": "…base64…"} or {"pixels": […]}'
    default:
      return input satisfies never
  }
}

/** One item of JSON as content. `where` begins a sentence about it. */
function contentOf({ input, others }: InputSchema, value: unknown, where: string): Content {
  if (!isObject(value))
    throw new RequestError(400, `${where}This model takes ${takes(input)}; ${show(value)} was sent.`)
  switch (input.kind) {
    case 'row':
      return { kind: 'row', values: rowOf(input.fields, others, value, where) }
    case 'text':
      only(value, ['text'], where)
      if (typeof value.text !== 'string')
        throw new RequestError(400, `${where}'text' must be a text, not ${show(value.text)}.`)
      return textContent(value.text)
    case 'image':
      return imageOf(input, value, where)
    default:
      return input satisfies never
  }
}

function only(value: JsonObject, names: readonly string[], where: string): void {
  for (const name of Object.keys(value))
    if (!names.includes(name))
      throw new RequestError(400, `${where}There is no field ${show(name)}; there are: ${listed(names)}.`)
}

function rowOf(
  fields: readonly FieldSignature[],
  others: readonly OtherField[],
  value: JsonObject,
  where: string,
): Record<string, Cell> {
  const cells: Record<string, Cell> = {}
  let present = 0
  const take = (field: OtherField): boolean => {
    if (!Object.hasOwn(value, field.name)) return false
    cells[field.name] = cellOf(field, value[field.name], where)
    present++
    return true
  }
  let inputs = 0
  for (const field of fields) if (take(field)) inputs++
  for (const field of others) take(field)
  // A misspelled field must not pass for a missing one.
  if (present < Object.keys(value).length) {
    only(
      value,
      [...fields, ...others].map(({ name }) => name),
      where,
    )
  }
  if (inputs === 0)
    throw new RequestError(400, `${where}No field is given; there are: ${listed(fields.map(({ name }) => name))}.`)
  return cells
}

/** @throws {RequestError} where the value is not of the field's type */
export function cellOf({ name, type }: OtherField, cell: unknown, where: string): Cell {
  if (cell === null || cell === undefined) return null
  switch (type) {
    case 'number':
      if (typeof cell === 'number' && Number.isFinite(cell)) return cell
      break
    case 'boolean':
      if (typeof cell === 'boolean') return cell
      break
    case 'date':
      if (typeof cell === 'string' && !Number.isNaN(Date.parse(cell))) return cell
      break
    case 'category':
    case 'text':
      if (typeof cell === 'string') return cell
      if (typeof cell === 'number' || typeof cell === 'boolean') return String(cell)
      break
    default:
      return type satisfies never
  }
  const wanted = {
    number: 'a finite number',
    boolean: 'true or false',
    date: 'a date such as "2024-03-01"',
    category: 'a text',
    text: 'a text',
  }
  throw new RequestError(400, `${where}'${shortened(name, 60)}' must be ${wanted[type]} or null, not ${show(cell)}.`)
}

export function textContent(text: string): Content {
  if (text.trim() === '') throw new RequestError(400, 'The text is empty.')
  return { kind: 'text', text }
}

function utf8(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    throw new RequestError(400, 'The text is no UTF-8.')
  }
}

type ImageSignature = Extract<InputSignature, { kind: 'image' }>

function imageOf(input: ImageSignature, value: JsonObject, where: string): Content {
  if (value.image !== undefined) {
    only(value, ['image'], where)
    if (typeof value.image !== 'string')
      throw new RequestError(400, `${where}'image' must be a text in base64, not ${show(value.image)}.`)
    return fileContent(base64(value.image, where), where)
  }
  only(value, ['pixels', 'width', 'height', 'channels'], where)
  const { pixels, width = input.width, height = input.height, channels = input.channels } = value
  if (!Array.isArray(pixels))
    throw new RequestError(
      400,
      `${where}'pixels' must be a list of numbers from 0 to 255, or 'image' a file in base64.`,
    )
  if (!isSide(width) || !isSide(height) || (channels !== 1 && channels !== 3)) {
    throw new RequestError(400, `${where}'width' and 'height' must be whole numbers from 1 to 4096, 'channels' 1 or 3.`)
  }
  if (pixels.length !== width * height * channels) {
    throw new RequestError(
      400,
      `${where}${width} × ${height} pixels with ${channels === 1 ? '1 channel' : '3 channels'} are ${width * height * channels} numbers, not ${pixels.length}.`,
    )
  }
  const bytes = new Uint8Array(pixels.length)
  for (let i = 0; i < bytes.length; i++) {
    const pixel: unknown = pixels[i]
    if (typeof pixel !== 'number' || !Number.isInteger(pixel) || pixel < 0 || pixel > 255)
      throw new RequestError(400, `${where}Pixel ${i} must be a whole number from 0 to 255, not ${show(pixel)}.`)
    bytes[i] = pixel
  }
  return { kind: 'image', media: 'image/raw', bytes, width, height, channels }
}

function isSide(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= 4096
}

function base64(text: string, where: string): Buffer {
  const data = text.replace(/^data:image\/(?:png|jpeg);base64,/, '')
  // Buffer.from skips what is no base64; a cut or mangled file must not look like another one.
  const bytes = Buffer.from(data, 'base64')
  if (bytes.length === 0 || Math.abs(data.replace(/=+$/, '').length - Math.ceil((bytes.length * 4) / 3)) > 1)
    throw new RequestError(400, `${where}'image' is no base64.`)
  return bytes
}

function imageOfBytes(input: ImageSignature, type: string, body: Buffer): Content {
  if (type !== 'application/octet-stream') return fileContent(body, '', type)
  const { width, height, channels } = input
  if (body.length !== width * height * channels) {
    throw new RequestError(
      400,
      `Raw pixels are ${width} × ${height} × ${channels} = ${width * height * channels} bytes here, not ${body.length}.`,
    )
  }
  return { kind: 'image', media: 'image/raw', bytes: body, width, height, channels }
}

/** A PNG or JPEG by its first bytes. What it says of its size is checked before anything is decoded. */
export function fileContent(bytes: Buffer, where: string, type?: string): ImageContent {
  const media = mediaOf(bytes)
  if (!media || (type !== undefined && media !== type))
    throw new RequestError(
      400,
      `${where}The body is no ${type === 'image/png' ? 'PNG' : type === 'image/jpeg' ? 'JPEG' : 'PNG or JPEG'} file.`,
    )
  const [width, height] = media === 'image/png' ? pngSize(bytes) : jpegSize(bytes)
  if (width * height === 0) throw new RequestError(400, `${where}The picture is damaged: its size cannot be read.`)
  if (width * height > largestPicture)
    throw new RequestError(
      400,
      `${where}The picture has ${width} × ${height} pixels; ${largestPicture.toLocaleString('en')} are allowed.`,
    )
  return { kind: 'image', media, bytes }
}

function mediaOf(bytes: Buffer): 'image/png' | 'image/jpeg' | null {
  if (bytes.length > 24 && bytes.readUInt32BE(0) === 0x89504e47) return 'image/png'
  if (bytes.length > 4 && bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'image/jpeg'
  return null
}

/** Width and height in the header chunk (PNG, 11.2.1). */
function pngSize(bytes: Buffer): [number, number] {
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
}

/** Width and height in the frame header, markers 0xC0 to 0xCF but DHT, JPG and DAC (ITU T.81, B.2.2). */
function jpegSize(bytes: Buffer): [number, number] {
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1] as number
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)]
  }
  return [0, 0]
}
