/**
 * A fitted baseline is a plain object of numbers and typed arrays, of one of these kinds: so its size is known, it can
 * be written as JSON and read again, and nothing about it is hidden.
 */
import { UserError } from '../errors.ts'
import type { Work } from '../progress.ts'
import { type BoostingModel, predictBoosting } from './boosting.ts'
import { type ForestModel, predictForest } from './forest.ts'
import { type LinearModel, predictLinear } from './linear.ts'
import { type MajorityModel, predictMajority } from './majority.ts'
import { type NaiveBayesModel, predictNaiveBayes } from './naive-bayes.ts'
import { type NeighborsModel, predictNeighbors } from './neighbors.ts'
import { Pace } from './pace.ts'
import { checkColumns, type Rows } from './rows.ts'

export type Model = MajorityModel | LinearModel | NaiveBayesModel | NeighborsModel | ForestModel | BoostingModel

/** Probabilities [rows, classes], each row adding up to 1, or values [rows]. Throws UserError on other columns. */
export async function predict(model: Model, x: Rows, options: Work = {}): Promise<Float64Array> {
  checkColumns(x, model.columns)
  const pace = new Pace(options, 'predicting')
  switch (model.kind) {
    case 'majority':
      return predictMajority(model, x.rows)
    case 'linear':
      return predictLinear(model, x, pace)
    case 'naive-bayes':
      return predictNaiveBayes(model, x, pace)
    case 'neighbors':
      return predictNeighbors(model, x, pace)
    case 'forest':
      return predictForest(model, x, pace)
    case 'boosting':
      return predictBoosting(model, x, pace)
  }
}

/** The bytes of all numbers in a model. */
export function bytesOf(model: unknown): number {
  if (ArrayBuffer.isView(model)) return model.byteLength
  if (typeof model === 'number') return 8
  if (typeof model !== 'object' || model === null) return 0
  return Object.values(model).reduce((sum: number, part) => sum + bytesOf(part), 0)
}

/** What JSON can hold: typed arrays as their name and their bytes, little-endian, in base 64. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

const ARRAYS = { Int32Array, Uint8Array, Float32Array, Float64Array }

export function encodeModel(model: Model): Json {
  return encode(model)
}

function encode(value: unknown): Json {
  if (value === null || typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean')
    return value
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return { array: value.constructor.name, base64: bytes.toString('base64') }
  }
  return Object.fromEntries(Object.entries(value as object).map(([key, part]) => [key, encode(part)]))
}

const KINDS: readonly Model['kind'][] = ['majority', 'linear', 'naive-bayes', 'neighbors', 'forest', 'boosting']

/** The model that `encodeModel` wrote. Throws UserError where it is not one. */
export function decodeModel(json: Json): Model {
  const model = decode(json)
  if (typeof model !== 'object' || model === null || !('kind' in model) || !KINDS.includes(model.kind as Model['kind']))
    throw new UserError(`This is no baseline: its kind must be one of ${KINDS.join(', ')}. Train it again.`)
  return model as Model
}

function decode(json: Json): unknown {
  if (typeof json !== 'object' || json === null) return json
  if ('array' in json && 'base64' in json) {
    const type = ARRAYS[json.array as keyof typeof ARRAYS]
    if (!type) throw new UserError(`A baseline holds no arrays of type ${json.array}. Train it again.`)
    const bytes = Uint8Array.from(Buffer.from(json.base64 as string, 'base64'))
    return new type(bytes.buffer)
  }
  return Object.fromEntries(Object.entries(json).map(([key, part]) => [key, decode(part)]))
}
