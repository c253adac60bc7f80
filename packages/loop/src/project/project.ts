/**
 * A project: a folder with `descent.config.ts` and `.descent/` (the store). `openProject` finds and opens it, `initProject`
 * makes one.
 */
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UserError } from '../errors.ts'
import { writeWhole } from '../store/files.ts'
import { Store } from '../store/store.ts'
import { type Config, checkConfig, type Kind } from './config.ts'
import { configTemplate } from './template.ts'

export interface Project {
  /** Where `descent.config.ts` lies. */
  readonly folder: string
  readonly name: string
  readonly config: Config
  readonly store: Store
  close(): Promise<void>
}

const configName = 'descent.config.ts'
const storeName = '.descent'

/**
 * Opens the project in this folder, or in the nearest folder above that has one.
 * @example
 * ```ts
 * import { openProject } from '@descent/loop'
 * const project = await openProject('penguins')
 * console.log(project.name, project.config.kind) // → penguins tabular
 * await project.close()
 * ```
 * @throws {UserError} where there is none, or its config or database is wrong
 */
export async function openProject(dir = '.'): Promise<Project> {
  const folder = await findProject(resolve(dir))
  if (!folder) {
    throw new UserError(
      `There is no project in ${resolve(dir)} or above it: make one with \`descent init\`, or go to its folder.`,
    )
  }
  const config = await readConfig(join(folder, configName))
  const store = await Store.open(join(folder, storeName))
  try {
    await requireKind(store, config)
  } catch (error) {
    await store.close()
    throw error
  }
  return { folder, name: basename(folder), config, store, close: () => store.close() }
}

/**
 * Makes a project: the folder, where it does not exist, a config with comments, and an empty store.
 * @throws {UserError} where the folder has a project already
 */
export async function initProject(dir: string, kind: Kind): Promise<Project> {
  const folder = resolve(dir)
  if (await isThere(join(folder, configName))) {
    throw new UserError(`${folder} is a project already: ${configName} is there. Nothing was changed.`)
  }
  await mkdir(folder, { recursive: true })
  if (!(await stat(folder)).isDirectory()) throw new UserError(`${folder} is no folder.`)
  await writeWhole(join(folder, configName), configTemplate(kind))
  const ignore = join(folder, '.gitignore')
  const ignored = await readFile(ignore, 'utf8').catch(() => '')
  if (!ignored.split('\n').includes(`${storeName}/`)) {
    await writeWhole(ignore, `${ignored}${ignored === '' || ignored.endsWith('\n') ? '' : '\n'}${storeName}/\n`)
  }
  return openProject(folder)
}

async function findProject(from: string): Promise<string | null> {
  for (let folder = from; ; folder = dirname(folder)) {
    const names = await readdir(folder).catch((): string[] => [])
    if (names.includes(configName)) return folder
    if (names.includes(storeName) && (await isThere(join(folder, storeName, 'project.db')))) {
      throw new UserError(
        `${folder} has a store but no ${configName}: put it back, for example \`export default { kind: 'tabular' }\`.`,
      )
    }
    if (folder === dirname(folder)) return null
  }
}

/** A config of another kind than the examples would train a network on what it cannot read. */
async function requireKind({ db }: Store, { kind }: Config): Promise<void> {
  const first = await db.selectFrom('example').select('media').orderBy('number').limit(1).executeTakeFirst()
  if (!first) return
  const there = kindOf(first.media)
  if (there !== kind)
    throw new UserError(
      `${configName} says kind: '${kind}', and the project's examples are of the kind '${there}': put that back, or make another project for the others with \`descent init\`.`,
    )
}

function kindOf(media: string): Kind {
  if (media === 'row') return 'tabular'
  return media === 'text' ? 'text' : 'image'
}

async function readConfig(path: string): Promise<Config> {
  // A changed file is read anew within one process: the time of its change is part of its address.
  const { mtimeMs } = await stat(path)
  let module: { default?: unknown }
  try {
    module = await import(`${pathToFileURL(path).href}?changed=${mtimeMs}`)
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${(error as Error).message}`)
  }
  return checkConfig(module.default, path)
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
