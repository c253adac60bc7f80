/** The labels that may be given, and the key for each. */
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import { type LabelValue, presentLabels } from './events.ts'

export type LabelSet =
  | {
      readonly task: 'class'
      readonly classes: readonly string[] /** Whether other classes may be added. */
      readonly open: boolean
    }
  | { readonly task: 'number' }

/** What the config says, else what the labels so far show. */
export async function labelSet({ config, store }: Project): Promise<LabelSet> {
  if (config.task === 'number') return { task: 'number' }
  if (config.classes) return { task: 'class', classes: config.classes, open: false }
  const seen = [...new Set([...(await presentLabels(store)).values()].map(({ value }) => value))]
  const numbers =
    config.kind === 'tabular' &&
    config.task === undefined &&
    seen.length > 0 &&
    seen.every((v) => typeof v === 'number')
  if (numbers) return { task: 'number' }
  const classes = seen.map(String).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  return { task: 'class', classes, open: true }
}

/**
 * What a person typed, as a label.
 * @throws {UserError} where it is not one
 */
export function checkLabel(set: LabelSet, text: string): LabelValue {
  const trimmed = text.trim()
  if (set.task === 'number') {
    const number = Number(trimmed)
    if (trimmed === '' || !Number.isFinite(number)) throw new UserError(`'${text}' is no number.`)
    return number
  }
  if (trimmed === '') throw new UserError('A label needs a name.')
  if (!set.open && !set.classes.includes(trimmed)) {
    throw new UserError(`'${trimmed}' is not among the config's classes: ${set.classes.join(', ')}.`)
  }
  return trimmed
}

/** Keys that commands take. */
const reserved = new Set(['s', 'u', 'q', '+'])

/**
 * One key for each class: the config's, else the class itself where it is a digit, else 1 to 9 and 0, else letters.
 * @throws {UserError} where the config's keys do not fit
 */
export function keysFor(
  classes: readonly string[],
  chosen: Readonly<Record<string, string>> = {},
): Map<string, string> {
  const keys = new Map<string, string>()
  for (const [key, name] of Object.entries(chosen)) {
    if ([...key].length !== 1 || reserved.has(key)) {
      throw new UserError(
        `The config's key '${key}' for ${name} must be one character, and none of ${[...reserved].join(' ')}.`,
      )
    }
    if (!classes.includes(name))
      throw new UserError(`The config has a key '${key}' for '${name}', which is no class: ${classes.join(', ')}.`)
    keys.set(key, name)
  }
  const rest = classes.filter((name) => ![...keys.values()].includes(name))
  const digits = rest.every((name) => /^[0-9]$/.test(name) && !keys.has(name))
  const free = [...'1234567890abcdefghijklmnoprtvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter((key) => !keys.has(key))
  rest.forEach((name, i) => {
    const key = digits ? name : free[i]
    if (key) keys.set(key, name)
  })
  return keys
}
