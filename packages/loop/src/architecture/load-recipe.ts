/**
 * Where recipes come from: the default for the data, a JSON file with what differs from it, or a TypeScript file that
 * exports the same with a network of one's own. What goes wrong in such a file is one sentence that names it.
 */
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { isAbsolute, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { nn } from 'descent'
import { UserError } from '../errors.ts'
import { defaultRecipe, partDefaults, preprocessFor } from './defaults.ts'
import type { NetworkInput } from './input.ts'
import { makeNetwork } from './networks/index.ts'
import type { DataProfile } from './profile.ts'
import { type Recipe, recipeHash } from './recipe.ts'
import { checkRecipe } from './recipe-check.ts'

/** What a TypeScript recipe exports as default: settings that differ from the default ones, and a network. */
export type RecipeFile = Omit<Partial<Recipe>, 'network'> & {
  readonly network?: Recipe['network'] | ((input: NetworkInput) => nn.Module)
}

/** A recipe that can be trained. */
export interface LoadedRecipe {
  readonly recipe: Recipe
  readonly hash: string
  /** The text of the file with the network's code; null where the recipe is plain data. */
  readonly source: string | null
  /** Makes the network, with first values from the default generator. */
  readonly build: (input: NetworkInput) => nn.Module
}

/**
 * The recipe in a file (relative to the project's folder), or one that is given, completed by the defaults for this data;
 * those alone without any.
 * @throws {UserError} where the file cannot be read, throws, or holds no recipe
 */
export async function loadRecipe(
  folder: string,
  profile: DataProfile,
  given?: string | Recipe | undefined,
): Promise<LoadedRecipe> {
  if (given === undefined) return fromRecipe(defaultRecipe(profile))
  if (typeof given !== 'string') {
    const recipe = checkRecipe(completeRecipe(given, profile, 'The recipe'), 'The recipe')
    return recipe.network.type === 'code' ? recallCode(recipe, folder) : fromRecipe(recipe)
  }
  return fromFile(folder, profile, given)
}

async function fromFile(folder: string, profile: DataProfile, path: string): Promise<LoadedRecipe> {
  const file = isAbsolute(path) ? path : resolve(folder, path)
  const name = relative(folder, file) || path
  const source = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      `The recipe ${name} cannot be read: ${error.code === 'ENOENT' ? `there is no file ${file}` : error.message}.`,
    )
  })
  if (/\.json$/i.test(file)) {
    let value: unknown
    try {
      value = JSON.parse(source)
    } catch (error) {
      throw new UserError(`The recipe ${name} is no JSON: ${(error as Error).message}.`)
    }
    return fromRecipe(checkRecipe(completeRecipe(value, profile, name), name))
  }
  const value = await importRecipe(file, name)
  const { network, ...settings } = isRecord(value) ? value : {}
  if (typeof network !== 'function') return fromRecipe(checkRecipe(completeRecipe(value, profile, name), name))
  const hash = createHash('sha256').update(source).digest('hex')
  const code = { type: 'code', file: name, source: hash }
  const recipe = checkRecipe(completeRecipe({ name, ...settings, network: code }, profile, name), name)
  return fromCode(recipe, source, network as (input: NetworkInput) => unknown)
}

/** A recipe that is plain data. */
export function fromRecipe(recipe: Recipe): LoadedRecipe {
  const { network } = recipe
  if (network.type === 'code')
    throw new UserError(`The recipe '${recipe.name}' has its network in ${network.file}: train from that file.`)
  return { recipe, hash: recipeHash(recipe), source: null, build: (input) => makeNetwork(network, input) }
}

/** The recipe of a run whose network is code: the project's file where it is as it was, else the run's copy of it. */
export async function recallCode(recipe: Recipe, folder: string, copy?: string): Promise<LoadedRecipe> {
  const { network } = recipe
  if (network.type !== 'code') return fromRecipe(recipe)
  const own = resolve(folder, network.file)
  for (const file of copy === undefined ? [own] : [own, copy]) {
    const source = await readFile(file, 'utf8').catch(() => null)
    if (source === null || createHash('sha256').update(source).digest('hex') !== network.source) continue
    const value = await importRecipe(file, network.file)
    const make = isRecord(value) ? value.network : undefined
    if (typeof make === 'function') return fromCode(recipe, source, make as (input: NetworkInput) => unknown)
  }
  throw new UserError(
    `The network of the recipe '${recipe.name}' is code in ${network.file}, which has changed since or is gone${copy === undefined ? '' : `, and so is the run's copy ${copy}`}: put it back.`,
  )
}

/**
 * What was given, completed by the defaults: of a setting whose `type` is the default's, single values may be left out
 * too. What is wrong in it is left for `checkRecipe`.
 */
export function completeRecipe(given: unknown, profile: DataProfile, where: string): unknown {
  if (!isRecord(given)) return given
  if (given.kind !== undefined && given.kind !== profile.kind)
    throw new UserError(`${where}: this recipe is for ${String(given.kind)} projects, this one is ${profile.kind}.`)
  const own: Record<string, unknown> = { ...defaultRecipe(profile) }
  if (isRecord(given.network) && given.preprocess === undefined)
    own.preprocess = preprocessFor(String(given.network.type)) ?? own.preprocess
  const complete: Record<string, unknown> = { ...own }
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    const before = own[name]
    if (!isRecord(value) || !Object.hasOwn(partDefaults, name)) complete[name] = value
    else if (isRecord(before) && (value.type === undefined || value.type === before.type))
      complete[name] = { ...before, ...value }
    else complete[name] = { ...(partDefaults[name]?.[String(value.type)] ?? {}), ...value }
  }
  return complete
}

function fromCode(recipe: Recipe, source: string, make: (input: NetworkInput) => unknown): LoadedRecipe {
  const file = recipe.network.type === 'code' ? recipe.network.file : recipe.name
  const build = (input: NetworkInput): nn.Module => {
    let net: unknown
    try {
      net = make(input)
    } catch (error) {
      throw new UserError(`The recipe ${file} throws when it makes its network: ${(error as Error).message}`)
    }
    if (net instanceof nn.Module) return net as nn.Module
    throw new UserError(`The recipe ${file}: its network function must give an nn.Module, and gave ${nameOf(net)}.`)
  }
  return { recipe, hash: recipeHash(recipe), source, build }
}

async function importRecipe(file: string, name: string): Promise<unknown> {
  // A changed file is read anew within one process: the time of its change is part of its address.
  const { mtimeMs } = await stat(file)
  let module: { default?: unknown }
  try {
    module = (await import(`${pathToFileURL(file).href}?changed=${mtimeMs}`)) as { default?: unknown }
  } catch (error) {
    throw new UserError(`The recipe ${name} throws: ${(error as Error).message}`)
  }
  if (module.default === undefined)
    throw new UserError(`The recipe ${name} exports nothing: it must end in \`export default { … }\`.`)
  return module.default
}

function nameOf(value: unknown): string {
  return value instanceof Promise ? 'a promise' : value === null ? 'null' : `a ${typeof value}`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
