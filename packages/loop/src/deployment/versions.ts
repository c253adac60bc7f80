/**
 * The versions that answer: the champion, the challenger in its shadow, and those that were asked for by number. Aliases are looked up
 * again and again; a new champion is loaded and made ready beside the old one, which answers until then.
 */
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import { currentVersion } from '../registry/aliases.ts'
import type { ServedModel } from '../registry/served-model.ts'
import type { Content } from '../store/content.ts'
import { Batcher, type BatcherOptions } from './batcher.ts'
import { RequestError } from './request-error.ts'
import { Shadow } from './shadow.ts'

export interface VersionsOptions {
  readonly batcher: BatcherOptions
  readonly challenger: string | null
  readonly load: (version: number) => Promise<ServedModel>
  readonly onSwap: (from: number, to: number) => void
  readonly onTrouble: (sentence: string) => void
}

/** Versions asked for by number that are kept ready. */
const asked = 3

export class Versions {
  readonly champion: Batcher
  readonly #project: Project
  readonly #options: VersionsOptions
  /** The latest asked for last. */
  readonly #asked = new Map<number, Promise<Batcher>>()
  readonly shadow: Shadow
  /** The champion before this one, kept ready: a rollback takes effect at once. */
  #before: ServedModel | null = null
  /** An alias whose version could not be loaded: it is tried again when the alias points elsewhere. */
  readonly #broken = new Map<string, number>()

  private constructor(project: Project, model: ServedModel, options: VersionsOptions) {
    this.#project = project
    this.#options = options
    this.champion = new Batcher(model, options.batcher)
    this.shadow = new Shadow(() => this.champion.idle)
  }

  /** @throws {UserError} where there is no champion */
  static async open(project: Project, options: VersionsOptions): Promise<Versions> {
    const number = await currentVersion(project, 'champion')
    if (number === null) {
      throw new UserError(
        'There is no champion to serve: `descent register RUN` makes a version of a run, `descent promote VERSION` the champion.',
      )
    }
    const model = await options.load(number)
    await warmUp(model, options.batcher.limit)
    const versions = new Versions(project, model, options)
    await versions.#pollChallenger()
    return versions
  }

  /** Looks whether the aliases point elsewhere, and follows them. */
  async poll(): Promise<void> {
    const number = await currentVersion(this.#project, 'champion')
    const before = this.champion.model.version
    if (number !== null && number !== before) {
      const kept = this.#before?.version === number ? this.#before : null
      const model = kept ?? (await this.#load('champion', number))
      if (model) {
        this.#before = this.champion.model
        this.champion.swap(model)
        this.#options.onSwap(before, number)
      }
    }
    await this.#pollChallenger()
  }

  async #pollChallenger(): Promise<void> {
    const { challenger } = this.#options
    if (challenger === null) return
    const number = await currentVersion(this.#project, challenger)
    if (number === (this.shadow.model?.version ?? null)) return
    if (number === null) this.shadow.model = null
    else this.shadow.model = (await this.#load(challenger, number)) ?? this.shadow.model
  }

  async #load(alias: string, number: number): Promise<ServedModel | null> {
    if (this.#broken.get(alias) === number) return null
    try {
      const model = await this.#options.load(number)
      await warmUp(model, this.#options.batcher.limit)
      this.#broken.delete(alias)
      return model
    } catch (error) {
      this.#broken.set(alias, number)
      this.#options.onTrouble(
        `Version ${number}, the new ${alias}, cannot be loaded; ${alias === 'champion' ? `version ${this.champion.model.version} goes on answering` : 'it is left out'}: ${(error as Error).message}`,
      )
      return null
    }
  }

  /**
   * The version of this number.
   * @throws {RequestError} 404 where there is none
   */
  async find(number: number): Promise<Batcher> {
    if (number === this.champion.model.version) return this.champion
    let found = this.#asked.get(number)
    this.#asked.delete(number)
    found ??= this.#open(number)
    this.#asked.set(number, found)
    found.catch(() => this.#asked.delete(number))
    const [oldest] = this.#asked.keys()
    if (this.#asked.size > asked && oldest !== undefined) this.#asked.delete(oldest)
    return found
  }

  async #open(number: number): Promise<Batcher> {
    const { db } = this.#project.store
    const row = await db.selectFrom('version').select('number').where('number', '=', number).executeTakeFirst()
    if (!row)
      throw new RequestError(404, `There is no version ${number}; the champion is ${this.champion.model.version}.`)
    return new Batcher(await this.#options.load(number), this.#options.batcher)
  }

  async numbers(): Promise<number[]> {
    const rows = await this.#project.store.db.selectFrom('version').select('number').orderBy('number').execute()
    return rows.map(({ number }) => number)
  }
}

/** Has the model compute a batch of every size once, so that plans are compiled before someone waits for them. */
async function warmUp(model: ServedModel, limit: number): Promise<void> {
  const content = exampleOf(model)
  for (let size = 1; ; size *= 2) {
    await model.predict(Array.from({ length: Math.min(size, limit) }, () => content))
    if (size >= limit) return
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function exampleOf({ signature: { input } }: ServedModel): Content {
  switch (input.kind) {
    case 'row':
      return { kind: 'row', values: {} }
    case 'text':
      return { kind: 'text', text: 'a' }
    case 'image': {
      const { width, height, channels } = input
      const bytes = new Uint8Array(width * height * channels)
      return { kind: 'image', media: 'image/raw', bytes, width, height, channels }
    }
    default:
      return input satisfies never
  }
}
