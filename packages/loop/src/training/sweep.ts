/**
 * A search over recipes: random ones near a first, by successive halving, several at once in processes of their own. Every
 * training is recorded as a run of the sweep. The same settings and seed try the same recipes, so a sweep that was stopped
 * goes on: what is done is not done again.
 */
import { availableParallelism } from 'node:os'
import { loadRecipe } from '../architecture/load-recipe.ts'
import { profileOf } from '../architecture/profile.ts'
import { type Recipe, recipeHash } from '../architecture/recipe.ts'
import { sampleRecipe } from '../architecture/sample-recipe.ts'
import { requireLoss } from '../architecture/warnings.ts'
import { UserError } from '../errors.ts'
import { StoppedError, type Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import { seeded } from '../random.ts'
import { readSnapshot } from '../versioning/snapshot.ts'
import type { Metrics } from './metrics.ts'
import { findRun, type Run, runOf } from './run.ts'
import { type Rung, rungs } from './successive-halving.ts'
import type { Order } from './sweep-worker.ts'
import { SweepWorkers } from './sweep-workers.ts'

export interface SweepOptions extends Work {
  /** What the trials are near: a file of the project, or a recipe. It is the first trial itself. */
  readonly recipe?: string | Recipe | undefined
  readonly snapshot?: string | number | undefined
  /** Recipes that are tried. Default 18. */
  readonly trials?: number | undefined
  /** In each round one of so many trials is kept. Default 3. */
  readonly factor?: number | undefined
  /** Of the last round. Default: the recipe's. */
  readonly epochs?: number | undefined
  /** Chooses the recipes, and is the seed of their runs. Default 1. */
  readonly seed?: number | undefined
  /** Runs at once. Default: one a core. */
  readonly workers?: number | undefined
  /** Goes on with this sweep, or the latest that was stopped (`true`). Other settings are then the sweep's own. */
  readonly resume?: number | true | undefined
  /** Hears which sweep it is, before anything is trained. */
  readonly onStart?: ((sweep: StartedSweep) => void) | undefined
  /** Hears of each run that has ended. */
  readonly onRun?: ((news: SweepNews) => void) | undefined
}

export interface StartedSweep {
  readonly number: number
  readonly settings: SweepSettings
  readonly rungs: readonly Rung[]
  readonly workers: number
  readonly resumed: boolean
}

export interface SweepNews {
  readonly run: Run
  /** From 1. */
  readonly round: number
  readonly rounds: number
}

/** What decides which recipes are tried. */
export interface SweepSettings {
  readonly recipe: Recipe
  readonly trials: number
  readonly factor: number
  readonly epochs: number
}

export interface Sweep {
  readonly number: number
  readonly settings: SweepSettings
  /** The runs of each round, the best first. */
  readonly rounds: readonly (readonly Run[])[]
  /** The best of the last round. */
  readonly best: Run
}

/**
 * Searches for a better recipe.
 *
 * @example
 * ```ts
 * import { makeSnapshot, openProject, sweepRecipes } from '@descent/loop'
 * const project = await openProject('penguins')
 * await makeSnapshot(project)
 * const { best, rounds } = await sweepRecipes(project, { trials: 2, epochs: 4, seed: 4 })
 * console.log(best.status, rounds.length) // → done 1
 * await project.close()
 * ```
 * @throws {UserError} where there is nothing to choose by, or no trial can be trained; {StoppedError} where it was asked to
 * stop: the runs that are done are kept
 */
export async function sweepRecipes(project: Project, options: SweepOptions = {}): Promise<Sweep> {
  const started = await start(project, options)
  const { number, snapshot, seed, settings } = started
  const cores = availableParallelism()
  const workers = Math.min(options.workers ?? cores, settings.trials)
  const threads = Math.max(1, Math.floor(cores / workers))
  const plan = rungs(settings.trials, settings.factor, settings.epochs)
  options.onStart?.({ number, settings, rungs: plan, workers, resumed: options.resume !== undefined })

  const pool = new SweepWorkers(project.folder, workers)
  const rounds: Run[][] = []
  try {
    let trials: readonly { readonly recipe: Recipe; readonly before: Run | null }[] = draw(settings, seed)
    for (const [at, { trials: size, epochs }] of plan.entries()) {
      const orders = trials.slice(0, size).map(({ recipe, before }): Order => {
        const parent = before?.number ?? null
        return { recipe: { ...recipe, epochs }, snapshot, seed, threads, sweep: number, parent }
      })
      const tell = (run: Run) => options.onRun?.({ run, round: at + 1, rounds: plan.length })
      const ended = await round(project, pool, orders, tell, options)
      const done = ended.filter(({ status }) => status === 'done').sort(byScore)
      if (done.length === 0)
        throw new UserError(`No trial of sweep ${number} could be trained: ${ended[0]?.error ?? 'all were stopped'}`)
      rounds.push(done)
      trials = done.map((run) => ({ recipe: run.recipe, before: run }))
    }
    await finish(project, number, 'done')
  } catch (error) {
    await finish(project, number, 'stopped')
    throw error
  } finally {
    await pool.close()
  }
  return { number, settings, rounds, best: rounds.at(-1)?.[0] as Run }
}

/** All runs of a round, those of before too. */
async function round(
  project: Project,
  pool: SweepWorkers,
  orders: readonly Order[],
  tell: (run: Run) => void,
  work: Work,
): Promise<Run[]> {
  const ended = new Map<Order, Run>()
  const waiting: Order[] = []
  for (const order of orders) {
    const run = await endedRun(project, order)
    if (run) ended.set(order, run)
    else waiting.push(order)
  }
  await pool.run(
    waiting,
    async (order, outcome) => {
      switch (outcome.type) {
        case 'done':
          ended.set(order, await findRun(project, outcome.run))
          break
        case 'failed': {
          const run = await endedRun(project, order)
          if (!run) throw new UserError(outcome.message)
          ended.set(order, run)
          break
        }
        case 'stopped':
          return
        default:
          outcome satisfies never
      }
      tell(ended.get(order) as Run)
    },
    work,
  )
  if (work.signal?.aborted) {
    const sweep = orders[0]?.sweep
    throw new StoppedError(
      `Stopped sweep ${sweep}; every run that ended is kept. \`descent sweep --resume ${sweep}\` goes on.`,
    )
  }
  return orders.map((order) => ended.get(order) as Run)
}

/** The run that this order made before, where it has ended. */
async function endedRun({ store }: Project, { recipe, seed, sweep }: Order): Promise<Run | null> {
  const row = await store.db
    .selectFrom('run')
    .selectAll()
    .where('sweep', '=', sweep)
    .where('recipe_hash', '=', recipeHash(recipe))
    .where('seed', '=', seed)
    .where('status', 'in', ['done', 'failed'])
    .executeTakeFirst()
  return row ? runOf(row) : null
}

/** Accuracy and then log loss, or the error of numbers; on the validation split. Negative: `a` is better. */
export function byScore(a: Pick<Run, 'metrics'>, b: Pick<Run, 'metrics'>): number {
  const [x, y] = [a, b].map(({ metrics }) => metrics?.validation) as [Metrics | undefined, Metrics | undefined]
  return difference(y?.accuracy, x?.accuracy) || difference(x?.logLoss, y?.logLoss) || difference(x?.rmse, y?.rmse)
}

/** What is no number comes last. */
function difference(x: number | undefined, y: number | undefined): number {
  if (x === undefined || y === undefined) return 0
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y))
  return x - y
}

/** Different recipes: the first itself, and others near it. */
function draw({ recipe, trials }: SweepSettings, seed: number): { recipe: Recipe; before: null }[] {
  const random = seeded(seed)
  const drawn = new Map([[recipeHash(recipe), recipe]])
  for (let attempt = 0; drawn.size < trials && attempt < 100 * trials; attempt++) {
    const other = sampleRecipe(recipe, random)
    drawn.set(recipeHash(other), other)
  }
  return [...drawn.values()].map((recipe) => ({ recipe, before: null }))
}

interface Recorded {
  readonly number: number
  readonly snapshot: string
  readonly seed: number
  readonly settings: SweepSettings
}

async function start(project: Project, options: SweepOptions): Promise<Recorded> {
  const { store, config, folder } = project
  if (options.resume !== undefined) return take(project, options.resume)
  const { trials = 18, factor = 3, seed = 1 } = options
  if (!Number.isInteger(trials) || trials < 2) throw new UserError(`A sweep needs 2 trials or more, not ${trials}.`)
  if (!Number.isInteger(factor) || factor < 2) throw new UserError(`The factor must be 2 or more, not ${factor}.`)
  const { snapshot, entries } = await readSnapshot(project, options.snapshot)
  const profile = await profileOf(store, config, snapshot, entries)
  if (profile.validation === 0) {
    throw new UserError(
      `Snapshot ${snapshot.number} has no validation split to choose recipes by: give it a share in 'split', or label more.`,
    )
  }
  const { recipe } = await loadRecipe(folder, profile, options.recipe ?? config.recipe)
  requireLoss(recipe, profile.task)
  const settings = { recipe, trials, factor, epochs: options.epochs ?? recipe.epochs }
  const row = await store.db
    .insertInto('sweep')
    .values({
      snapshot: snapshot.hash,
      settings: JSON.stringify(settings),
      seed,
      status: 'running',
      created_at: new Date().toISOString(),
    })
    .returning('number')
    .executeTakeFirstOrThrow()
  return { number: row.number, snapshot: snapshot.hash, seed, settings }
}

/** A sweep that was stopped: this one, or the latest. */
async function take({ store }: Project, number: number | true): Promise<Recorded> {
  return store.transaction(async (db) => {
    const query = db.selectFrom('sweep').selectAll()
    const row = await (number === true
      ? query.where('status', '!=', 'done').orderBy('number', 'desc').limit(1)
      : query.where('number', '=', number)
    ).executeTakeFirst()
    if (!row) {
      throw new UserError(
        number === true ? 'No sweep was stopped: there is nothing to go on with.' : `There is no sweep ${number}.`,
      )
    }
    if (row.status === 'done')
      throw new UserError(`Sweep ${row.number} is done: \`descent runs --sweep ${row.number}\`.`)
    await db.updateTable('sweep').set({ status: 'running' }).where('number', '=', row.number).execute()
    const settings = JSON.parse(row.settings) as SweepSettings
    return { number: row.number, snapshot: row.snapshot, seed: row.seed, settings }
  })
}

async function finish({ store }: Project, number: number, status: 'done' | 'stopped'): Promise<void> {
  await store.db.updateTable('sweep').set({ status }).where('number', '=', number).execute()
}
