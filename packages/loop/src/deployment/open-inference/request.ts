/** An inference request of the Open Inference Protocol, as contents. */
import type { Cell, Content } from '../../store/content.ts'
import { cellOf, fileContent, type InputSchema, type OtherField, textContent } from '../inputs.ts'
import { isObject, listed, parseJson, shortened, show } from '../json.ts'
import { RequestError } from '../request-error.ts'
import { datatypes, flatten, type InferTensor, readBinary, unknownDatatype } from './tensors.ts'

export interface InferRequest {
  readonly id: string | null
  readonly contents: readonly Content[]
  /** Outputs that were asked for, and whether in binary; null: all of them. */
  readonly outputs: readonly { readonly name: string; readonly binary: boolean }[] | null
  /** Whether outputs are binary where none was asked for by name. */
  readonly binary: boolean
}

/**
 * @param headerLength the header `Inference-Header-Content-Length`: so many bytes are JSON, the rest binary tensors
 * @param limit inputs in one request
 */
export function readInferRequest(
  schema: InputSchema,
  body: Buffer,
  headerLength: string | undefined,
  limit: number,
): InferRequest {
  const length = headerLength === undefined ? body.length : Number(headerLength)
  if (!Number.isInteger(length) || length < 0 || length > body.length)
    throw new RequestError(400, `Inference-Header-Content-Length must be a whole number up to ${body.length}.`)
  const json = parseJson(body.subarray(0, length))
  if (!isObject(json)) throw new RequestError(400, `An inference request is a JSON object, not ${show(json)}.`)
  const { id = null, inputs, outputs, parameters } = json
  if (id !== null && (typeof id !== 'string' || id.length > 256))
    throw new RequestError(400, `'id' must be a text of at most 256 characters, not ${show(id)}.`)
  if (!Array.isArray(inputs) || inputs.length === 0)
    throw new RequestError(400, `'inputs' must be a list of tensors, not ${show(inputs)}.`)
  const tensors = readTensors(inputs, body.subarray(length))
  return {
    id,
    contents: contentsOf(schema, tensors, limit),
    outputs: outputs === undefined ? null : readOutputs(outputs),
    binary: isObject(parameters) && parameters.binary_data_output === true,
  }
}

function readTensors(inputs: readonly unknown[], binary: Buffer): InferTensor[] {
  let at = 0
  const seen = new Set<string>()
  const tensors = inputs.map((input): InferTensor => {
    if (!isObject(input)) throw new RequestError(400, `An input must be an object with name, datatype, shape and data.`)
    const { name, datatype, data, parameters } = input
    if (typeof name !== 'string') throw new RequestError(400, `An input's 'name' must be a text, not ${show(name)}.`)
    if (seen.has(name)) throw new RequestError(400, `Input '${shortened(name, 60)}' is there twice.`)
    seen.add(name)
    if (typeof datatype !== 'string' || !datatypes.includes(datatype)) throw unknownDatatype(name, datatype)
    const [shape, count] = readShape(name, input.shape)
    const size = isObject(parameters) ? parameters.binary_data_size : undefined
    if (size === undefined) return { name, datatype, shape, values: flatten(name, data, count), binary: false }
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || at + size > binary.length)
      throw new RequestError(
        400,
        `Input '${name}': binary_data_size says ${show(size)}, but ${binary.length - at} bytes are left.`,
      )
    const bytes = binary.subarray(at, at + size)
    at += size
    return { name, datatype, shape, values: readBinary(name, datatype, count, bytes), binary: true }
  })
  if (at !== binary.length)
    throw new RequestError(400, `${binary.length - at} bytes after the last tensor belong to none.`)
  return tensors
}

function readShape(name: string, shape: unknown): readonly [readonly number[], number] {
  const good =
    Array.isArray(shape) &&
    shape.length > 0 &&
    shape.length <= 4 &&
    shape.every((size) => Number.isInteger(size) && size >= 0 && size <= 2 ** 31)
  if (!good)
    throw new RequestError(
      400,
      `Input '${shortened(name, 60)}': 'shape' must be a list of one to four whole numbers, not ${show(shape)}.`,
    )
  return [shape as number[], (shape as number[]).reduce((a, b) => a * b, 1)]
}

function readOutputs(outputs: unknown): { name: string; binary: boolean }[] {
  if (!Array.isArray(outputs)) throw new RequestError(400, `'outputs' must be a list, not ${show(outputs)}.`)
  return outputs.map((output: unknown) => {
    if (!isObject(output) || typeof output.name !== 'string')
      throw new RequestError(400, "An output must be an object with a 'name'.")
    return { name: output.name, binary: isObject(output.parameters) && output.parameters.binary_data === true }
  })
}

function contentsOf({ input, others }: InputSchema, tensors: readonly InferTensor[], limit: number): Content[] {
  const [first] = tensors as readonly [InferTensor]
  const count = first.shape[0] as number
  if (count === 0) throw new RequestError(400, `Input '${first.name}' has no elements: there is nothing to predict.`)
  if (count > limit) throw new RequestError(400, `The request has ${count} inputs; it may have ${limit}.`)
  switch (input.kind) {
    case 'row':
      return rowsOf([...input.fields, ...others], tensors, count)
    case 'text':
      return stringsOf(single(tensors, 'text'), count).map(textContent)
    case 'image':
      return imagesOf(single(tensors, 'image'), count)
    default:
      return input satisfies never
  }
}

function single(tensors: readonly InferTensor[], name: string): InferTensor {
  const [tensor] = tensors
  if (tensors.length !== 1 || tensor?.name !== name)
    throw new RequestError(400, `This model takes one input, '${name}', not ${listed(tensors.map((t) => t.name))}.`)
  return tensor
}

function column({ name, shape }: InferTensor, count: number): void {
  if (shape[0] !== count || (shape.length > 1 && (shape.length > 2 || shape[1] !== 1)))
    throw new RequestError(
      400,
      `Input '${name}' must have the shape [${count}], as the first one has, not [${shape.join(', ')}].`,
    )
}

function rowsOf(fields: readonly OtherField[], tensors: readonly InferTensor[], count: number): Content[] {
  const rows = Array.from({ length: count }, (): Record<string, Cell> => ({}))
  for (const tensor of tensors) {
    const field = fields.find(({ name }) => name === tensor.name)
    if (!field)
      throw new RequestError(
        400,
        `There is no input '${shortened(tensor.name, 60)}'; there are: ${listed(fields.map(({ name }) => name))}.`,
      )
    column(tensor, count)
    const values = tensor.datatype === 'BYTES' ? stringsOf(tensor, count, true) : tensor.values
    for (const [i, row] of rows.entries()) row[field.name] = cellOf(field, valueAt(tensor, values, i), `Row ${i + 1}: `)
  }
  return rows.map((values) => ({ kind: 'row', values }))
}

/** In binary, where there is no null, NaN stands for a missing number. */
function valueAt({ binary }: InferTensor, values: ArrayLike<unknown>, i: number): unknown {
  const value = values[i]
  return binary && typeof value === 'number' && Number.isNaN(value) ? null : value
}

function stringsOf(tensor: InferTensor, count: number): string[]
function stringsOf(tensor: InferTensor, count: number, orNull: true): (string | null)[]
function stringsOf(tensor: InferTensor, count: number, orNull = false): (string | null)[] {
  const { name, datatype, values } = tensor
  if (datatype !== 'BYTES') throw new RequestError(400, `Input '${name}' must be BYTES, not ${datatype}.`)
  column(tensor, count)
  return Array.from({ length: count }, (_, i) => {
    const value = values[i]
    if (Buffer.isBuffer(value)) return value.toString()
    if (typeof value === 'string' || (orNull && value === null)) return value
    throw new RequestError(400, `Input '${name}': element ${i} must be a text, not ${show(value)}.`)
  })
}

function imagesOf(tensor: InferTensor, count: number): Content[] {
  const { name, datatype, shape, values } = tensor
  if (datatype === 'BYTES') {
    column(tensor, count)
    return Array.from({ length: count }, (_, i) => {
      const value = values[i]
      const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value), 'base64')
      return fileContent(bytes, `Image ${i + 1}: `)
    })
  }
  const [, height = 0, width = 0, channels = 0] = shape
  if (datatype !== 'UINT8' || shape.length !== 4 || (channels !== 1 && channels !== 3) || height * width === 0) {
    throw new RequestError(
      400,
      `Input '${name}' must be UINT8 of shape [N, height, width, 1 or 3], or BYTES of shape [N] with PNG or JPEG files, not ${datatype} [${shape.join(', ')}].`,
    )
  }
  const size = height * width * channels
  return Array.from({ length: count }, (_, i) => {
    const bytes = pixelBytes(name, values, i * size, size)
    return { kind: 'image', media: 'image/raw', bytes, width, height, channels }
  })
}

function pixelBytes(name: string, values: ArrayLike<unknown>, from: number, size: number): Uint8Array {
  if (Buffer.isBuffer(values)) return values.subarray(from, from + size)
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) {
    const value = values[from + i]
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 255)
      throw new RequestError(
        400,
        `Input '${name}': element ${from + i} must be a whole number from 0 to 255, not ${show(value)}.`,
      )
    bytes[i] = value
  }
  return bytes
}
