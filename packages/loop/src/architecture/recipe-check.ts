/** Checks that a value is a recipe: the first thing that is wrong is named, with its place and what may stand there. */
import { UserError } from '../errors.ts'
import type { Recipe } from './recipe.ts'

/** Null, or what the value must be: 'must be …'. */
type Check = (value: unknown) => string | null
interface Fields {
  readonly [name: string]: Shape
}
/** One check, a list, or an object whose fields depend on its `type`. */
type Shape = Check | { readonly variants: Readonly<Record<string, Fields>> } | ListShape
interface ListShape {
  readonly list: Shape
}

const within =
  (low: number, high: number): Check =>
  (value) =>
    typeof value === 'number' && value >= low && value <= high ? null : `must be a number from ${low} to ${high}`
const above =
  (low: number): Check =>
  (value) =>
    typeof value === 'number' && value > low && Number.isFinite(value) ? null : `must be a number above ${low}`
const notBelow =
  (low: number): Check =>
  (value) =>
    typeof value === 'number' && value >= low && Number.isFinite(value) ? null : `must be a number from ${low} up`
const whole =
  (low: number, high = 2 ** 24): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high
      ? null
      : `must be a whole number from ${low} to ${high}`
const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    values.includes(value as string) ? null : `must be one of ${values.map((v) => `'${v}'`).join(', ')}`
const text: Check = (value) => (typeof value === 'string' && value !== '' ? null : 'must be a text')
const flag: Check = (value) => (typeof value === 'boolean' ? null : 'must be true or false')
const share = within(0, 0.99)
const list = (item: Shape): ListShape => ({ list: item })
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null ? null : check(value)?.concat(', or null') || null
const widths = list(whole(1, 65536))

const recipe: Record<keyof Recipe, Shape> = {
  name: text,
  kind: oneOf('tabular', 'image', 'text'),
  preprocess: {
    variants: {
      table: { numbers: oneOf('standardize', 'minMax', 'none'), rareBelow: whole(1), maxLevels: whole(2) },
      pixels: { normalize: flag },
      words: { buckets: whole(16), ngrams: whole(1, 5), weighting: oneOf('tfidf', 'counts') },
      bytePairs: { vocabulary: whole(260, 65536), length: whole(4, 4096) },
    },
  },
  network: {
    variants: {
      mlp: {
        hidden: widths,
        activation: oneOf('relu', 'gelu', 'silu', 'tanh'),
        norm: oneOf('none', 'batch', 'layer'),
        dropout: share,
      },
      convolution: { channels: widths, hidden: whole(1, 65536), dropout: share },
      resnet: { channels: widths, blocks: whole(1, 32), dropout: share },
      bagOfWords: { hidden: widths, dropout: share },
      textConvolution: { width: whole(1, 4096), channels: whole(1, 4096), kernels: list(whole(1, 32)), dropout: share },
      textTransformer: { width: whole(2, 4096), heads: whole(1, 64), layers: whole(1, 48), dropout: share },
      code: { file: text, source: text },
    },
  },
  loss: {
    variants: {
      crossEntropy: { labelSmoothing: within(0, 0.99), classWeights: oneOf('none', 'balanced') },
      mse: {},
      l1: {},
      huber: { delta: above(0) },
    },
  },
  optimizer: {
    variants: {
      adam: { lr: above(0), weightDecay: notBelow(0) },
      adamw: { lr: above(0), weightDecay: notBelow(0) },
      sgd: { lr: above(0), weightDecay: notBelow(0), momentum: share },
    },
  },
  schedule: {
    variants: {
      constant: {},
      cosine: { warmUp: within(0, 0.9) },
      oneCycle: { warmUp: within(0.01, 0.9) },
      plateau: { factor: within(0.01, 0.99), patience: whole(1) },
    },
  },
  augmentation: list({
    variants: {
      shift: { max: whole(0, 1024) },
      rotate: { degrees: within(0, 180) },
      flip: { direction: oneOf('horizontal', 'vertical') },
      crop: { padding: whole(0, 1024) },
      cutOut: { size: whole(1, 1024) },
      brightness: { max: notBelow(0) },
      contrast: { max: notBelow(0) },
      noise: { std: notBelow(0) },
      mixUp: { alpha: above(0) },
    },
  }),
  batchSize: whole(1, 65536),
  epochs: whole(1, 100_000),
  earlyStopping: (value) => {
    if (value === null) return null
    const { patience, ...rest } = isRecord(value) ? value : {}
    return Number.isInteger(patience) && (patience as number) > 0 && Object.keys(rest).length === 0
      ? null
      : 'must be { patience: a whole number above 0 }, or null'
  },
  clipNorm: orNull(above(0)),
}

/** Settings that go together. */
const fits: Readonly<Record<Recipe['preprocess']['type'], { kind: Recipe['kind']; networks: readonly string[] }>> = {
  table: { kind: 'tabular', networks: ['mlp', 'code'] },
  pixels: { kind: 'image', networks: ['mlp', 'convolution', 'resnet', 'code'] },
  words: { kind: 'text', networks: ['bagOfWords', 'mlp', 'code'] },
  bytePairs: { kind: 'text', networks: ['textConvolution', 'textTransformer', 'code'] },
}

/**
 * Checks a whole recipe.
 * @param where the file that it is from, for messages
 * @throws {UserError} names the first thing that is wrong
 */
export function checkRecipe(value: unknown, where: string): Recipe {
  if (!isRecord(value)) throw new UserError(`${where} holds no recipe: it must be an object, such as { "epochs": 20 }.`)
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(recipe, name))
      throw new UserError(
        `${where}: '${name}' is no setting of a recipe. There are: ${Object.keys(recipe).join(', ')}.`,
      )
  }
  for (const [name, shape] of Object.entries(recipe)) {
    if (value[name] === undefined) throw new UserError(`${where}: '${name}' is missing from the recipe.`)
    check(value[name], shape, where, name)
  }
  const checked = value as unknown as Recipe
  const { preprocess, network, kind, augmentation } = checked
  const { kind: fitting, networks } = fits[preprocess.type]
  if (fitting !== kind)
    throw new UserError(`${where}: the preprocessing '${preprocess.type}' is for ${fitting} projects, this is ${kind}.`)
  if (!networks.includes(network.type)) {
    throw new UserError(
      `${where}: the network '${network.type}' does not take what the preprocessing '${preprocess.type}' gives. Networks that do: ${networks.join(', ')}.`,
    )
  }
  const strange = augmentation.find(({ type }) => (type === 'noise' ? kind !== 'tabular' : kind !== 'image'))
  if (strange) throw new UserError(`${where}: the augmentation '${strange.type}' does not go with ${kind} projects.`)
  if (network.type === 'textTransformer' && network.width % network.heads !== 0) {
    throw new UserError(
      `${where}: network.width ${network.width} cannot be divided among ${network.heads} heads: choose a multiple.`,
    )
  }
  return checked
}

function check(value: unknown, shape: Shape, where: string, at: string): void {
  const wrong = (must: string) =>
    new UserError(`${where}: '${at}' ${must}, not ${JSON.stringify(value) ?? String(value)}.`)
  if (typeof shape === 'function') {
    const must = shape(value)
    if (must) throw wrong(must)
    return
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) throw wrong('must be a list')
    for (const [i, item] of value.entries()) check(item, shape.list, where, `${at}[${i}]`)
    return
  }
  if (!isRecord(value)) throw wrong('must be an object')
  const { type, ...rest } = value
  const variant = typeof type === 'string' && Object.hasOwn(shape.variants, type) ? shape.variants[type] : undefined
  if (!variant) {
    const known = Object.keys(shape.variants)
      .filter((name) => name !== 'code')
      .join(', ')
    throw new UserError(`${where}: '${at}.type' must be one of ${known}, not ${JSON.stringify(type) ?? 'missing'}.`)
  }
  checkFields(rest, variant, where, at)
}

function checkFields(value: Record<string, unknown>, fields: Fields, where: string, at: string): void {
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(fields, name)) {
      const known = ['type', ...Object.keys(fields)].join(', ')
      throw new UserError(`${where}: '${at}.${name}' is no setting here. There are: ${known}.`)
    }
  }
  for (const [name, shape] of Object.entries(fields)) {
    if (value[name] === undefined) throw new UserError(`${where}: '${at}.${name}' is missing.`)
    check(value[name], shape, where, `${at}.${name}`)
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
