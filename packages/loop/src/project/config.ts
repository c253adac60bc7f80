/**
 * `descent.config.ts`: what a person says about the project. All of it is optional but `kind`; everything is checked when
 * it is read, and what is wrong is named.
 */
import { UserError } from '../errors.ts'
import type { Cell } from '../store/content.ts'

export type Kind = 'tabular' | 'image' | 'text'

export type ColumnType = 'number' | 'category' | 'text' | 'date' | 'boolean' | 'ignore'

/** What a labeling function looks at. */
export type RuleInput =
  | { readonly kind: 'row'; readonly values: Readonly<Record<string, Cell>> }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'image'; readonly width: number; readonly height: number; readonly pixels: Uint8Array }

/** A crisp rule written by a person: a label, or null where it has nothing to say. */
export type Rule = (example: RuleInput) => string | number | null

export interface SplitConfig {
  /** Share of examples to validate with. Default 0.15. */
  readonly validation?: number
  /** Share of examples to test with. Default 0.15. */
  readonly test?: number
  /** Keeps each class's share in each split. Default true where labels are classes. */
  readonly stratify?: boolean
  /** A column whose values stay together (a patient, a user). */
  readonly group?: string
  /** A column by which the newest examples become the test set, those before them the validation set. */
  readonly time?: string
  /** Another number deals the examples anew. Default 1. */
  readonly seed?: number
}

/** How `descent serve` behaves. All of it may be left out. */
export interface ServeConfig {
  /** The address that is listened at. Default 127.0.0.1: this machine alone. Any other needs tokens. */
  readonly host?: string | undefined
  /** Default 8080; 0: any that is free. */
  readonly port?: number | undefined
  /** The longest that a request waits for others to share its batch, in milliseconds. Default 2. */
  readonly window?: number | undefined
  /** Inputs in a batch, and in one request. Default 64. */
  readonly maxBatch?: number | undefined
  /** Inputs that may wait; beyond them, requests are refused with 503. Default 4096. */
  readonly queue?: number | undefined
  /** Default 8. */
  readonly maxBodyMegabytes?: number | undefined
  /** A request must have come, and must have been answered, in so many seconds each. Default 10. */
  readonly timeoutSeconds?: number | undefined
  /** Whether a token is needed on a loopback address too. Default false. */
  readonly requireToken?: boolean | undefined
  /** The share of predictions that are marked as the random slice. Default 0.05. */
  readonly randomShare?: number | undefined
  /** The alias of a version that answers beside the champion, unseen. */
  readonly challenger?: string | undefined
  /** Whether predictions and their inputs are kept. Default true. */
  readonly log?: boolean | undefined
  /** Predictions are removed after so many days. Default 90. */
  readonly keepDays?: number | undefined
  /** The oldest are removed where they need more than this. Default 2048. */
  readonly keepMegabytes?: number | undefined
}

/** What a model version must hold to become champion. */
export interface GateConfig {
  /**
   * By how much it may be below the champion: accuracy by this share (0.02: two points), mean absolute error by this share
   * of the champion's. Default 0.02.
   */
  readonly margin?: number
  /** The same for each slice of the test set, where it is also more than chance explains. Default 0.05. */
  readonly sliceMargin?: number
  /** The longest median time of one answer, in milliseconds. Default: no limit. */
  readonly latency?: number
  /** The most bytes of all its files. Default: no limit. */
  readonly bytes?: number
  /** Whether `descent loop` may promote what passes, without asking a person. Default false. */
  readonly autoPromote?: boolean
}

export interface Config {
  readonly kind: Kind
  /** What is predicted: a class or a number. Where not given, it follows from the labels. */
  readonly task?: 'class' | 'number'
  /** The column of imported rows that holds the label. */
  readonly target?: string
  /** The label set: labels outside of it are refused. Where not given, every label seen is a class. */
  readonly classes?: readonly string[]
  /** What each digit key gives in `descent label` follows this order; `keys` names others. */
  readonly keys?: Readonly<Record<string, string>>
  /** Types that were inferred wrongly, or columns to leave out. */
  readonly columns?: Readonly<Record<string, ColumnType>>
  /** All images are brought to this size, in pixels. */
  readonly image?: { readonly width: number; readonly height: number; readonly channels?: 1 | 3 }
  readonly split?: SplitConfig
  /** An import stops where more than this share of its rows is bad. Default 0.05. */
  readonly maxBadShare?: number
  /** Labeling functions by name. */
  readonly rules?: Readonly<Record<string, Rule>>
  /** The recipe of `descent train`: a file (`recipes/wide.ts` or `.json`) in the project. Where not given, the kind's default. */
  readonly recipe?: string
  readonly serve?: ServeConfig
  readonly gate?: GateConfig
}

/** For configs in plain JavaScript, or without `satisfies`: gives back what it is given, checked by its type. */
export function defineConfig(config: Config): Config {
  return config
}

type Check = (value: unknown) => string | null

const kinds = ['tabular', 'image', 'text'] as const
const columnTypes = ['number', 'category', 'text', 'date', 'boolean', 'ignore'] as const

const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value) ? null : `must be one of ${values.map((v) => JSON.stringify(v)).join(', ')}`
const text: Check = (value) => (typeof value === 'string' && value !== '' ? null : 'must be a text')
const flag: Check = (value) => (typeof value === 'boolean' ? null : 'must be true or false')
const share: Check = (value) =>
  typeof value === 'number' && value >= 0 && value < 1 ? null : 'must be a share from 0 to below 1'
const whole: Check = (value) => (Number.isInteger(value) ? null : 'must be a whole number')
const size: Check = (value) =>
  Number.isInteger(value) && (value as number) > 0 ? null : 'must be a whole number of pixels above 0'
const above: Check = (value) => (typeof value === 'number' && value > 0 ? null : 'must be a number above 0')
const list: Check = (value) =>
  Array.isArray(value) &&
  value.length > 1 &&
  value.every((item) => typeof item === 'string') &&
  new Set(value).size === value.length
    ? null
    : 'must be a list of two or more different texts'
const records =
  (check: Check): Check =>
  (value) => {
    if (!isRecord(value)) return 'must be an object'
    for (const [key, item] of Object.entries(value)) {
      const wrong = check(item)
      if (wrong) return `: ${key} ${wrong}`
    }
    return null
  }
const callable: Check = (value) => (typeof value === 'function' ? null : 'must be a function')

const atLeast =
  (minimum: number): Check =>
  (value) =>
    typeof value === 'number' && Number.isFinite(value) && value >= minimum
      ? null
      : `must be a number, ${minimum} or more`
const wholeFrom =
  (minimum: number, maximum = Number.MAX_SAFE_INTEGER): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum
      ? null
      : `must be a whole number from ${minimum}${maximum === Number.MAX_SAFE_INTEGER ? '' : ` to ${maximum}`}`

const shape: Record<keyof Config, Check | Record<string, Check>> = {
  kind: oneOf(...kinds),
  task: oneOf('class', 'number'),
  target: text,
  classes: list,
  keys: records(text),
  columns: records(oneOf(...columnTypes)),
  image: { width: size, height: size, channels: oneOf(1, 3) },
  split: { validation: share, test: share, stratify: flag, group: text, time: text, seed: whole },
  maxBadShare: (value) =>
    typeof value === 'number' && value >= 0 && value <= 1 ? null : 'must be a share from 0 to 1',
  rules: records(callable),
  recipe: text,
  serve: {
    host: text,
    port: wholeFrom(0, 65_535),
    window: atLeast(0),
    maxBatch: wholeFrom(1, 256),
    queue: wholeFrom(1),
    maxBodyMegabytes: atLeast(0.001),
    timeoutSeconds: atLeast(0.1),
    requireToken: flag,
    randomShare: (value) =>
      typeof value === 'number' && value >= 0 && value <= 1 ? null : 'must be a share from 0 to 1',
    challenger: text,
    log: flag,
    keepDays: atLeast(0),
    keepMegabytes: atLeast(1),
  } satisfies Record<keyof ServeConfig, Check>,
  gate: { margin: share, sliceMargin: share, latency: above, bytes: above, autoPromote: flag },
}

/**
 * Checks what a config file exports.
 * @throws {UserError} names the first thing that is wrong, and where
 */
export function checkConfig(value: unknown, path: string): Config {
  if (!isRecord(value)) {
    throw new UserError(
      `${path} exports no config: it must end in \`export default { kind: 'tabular' } satisfies Config\`.`,
    )
  }
  checkKeys(value, shape, path, '')
  if (value.kind === undefined) throw new UserError(`${path}: 'kind' is missing: ${kinds.join(', ')}.`)
  const config = value as unknown as Config
  const { validation = 0.15, test = 0.15 } = config.split ?? {}
  if (validation + test >= 1) {
    throw new UserError(
      `${path}: split.validation + split.test is ${validation + test}: nothing would be left to train on.`,
    )
  }
  return config
}

function checkKeys(
  value: Record<string, unknown>,
  shape: Record<string, Check | Record<string, Check>>,
  path: string,
  at: string,
) {
  for (const [key, item] of Object.entries(value)) {
    const check = Object.hasOwn(shape, key) ? shape[key] : undefined
    if (!check)
      throw new UserError(`${path}: '${at}${key}' is no setting. There are: ${Object.keys(shape).join(', ')}.`)
    if (item === undefined) continue
    if (typeof check !== 'function') {
      if (!isRecord(item)) throw new UserError(`${path}: '${at}${key}' must be an object.`)
      checkKeys(item, check, path, `${key}.`)
      continue
    }
    const wrong = check(item)
    if (wrong)
      throw new UserError(`${path}: '${at}${key}'${wrong.startsWith(':') ? '' : ' '}${wrong}, not ${show(item)}.`)
  }
}

function show(value: unknown): string {
  return typeof value === 'function' ? 'a function' : (JSON.stringify(value) ?? String(value))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
