/**
 * Which run a training is: a new one, or one that was cut off and goes on. One process trains a run at a time: the row is
 * claimed in a transaction, in the name of the process.
 */
import { device } from 'descent'
import type { LoadedRecipe } from '../architecture/load-recipe.ts'
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import { isTrainedElsewhere, type Run, type RunEnvironment, runOf } from './run.ts'

export interface Wanted {
  readonly loaded: LoadedRecipe
  /** The snapshot's hash. */
  readonly snapshot: string
  readonly seed: number
  readonly environment: RunEnvironment
  readonly parent: number | null
  /** The run whose weights it begins with. */
  readonly start: number | null
  readonly sweep: number | null
}

/** A new run, or the one of the same recipe, snapshot and seed that was cut off. */
export async function claimRun({ store }: Project, wanted: Wanted): Promise<{ run: Run; resumed: boolean }> {
  const { loaded, snapshot, seed, environment, parent, start, sweep } = wanted
  return store.transaction(async (db) => {
    const open = await db
      .selectFrom('run')
      .selectAll()
      .where('kind', '=', 'network')
      .where('status', 'in', ['running', 'stopped'])
      .where('recipe_hash', '=', loaded.hash)
      .where('snapshot', '=', snapshot)
      .where('seed', '=', seed)
      .where('sweep', sweep === null ? 'is' : '=', sweep)
      .where('start', start === null ? 'is' : '=', start)
      .orderBy('number', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (open) {
      requireFree(runOf(open))
      const row = await take(db, open.number, environment)
      return { run: runOf(row), resumed: true }
    }
    const row = await db
      .insertInto('run')
      .values({
        snapshot,
        kind: 'network',
        name: loaded.recipe.name,
        recipe: JSON.stringify(loaded.recipe),
        recipe_hash: loaded.hash,
        seed,
        status: 'running',
        device: device(),
        environment: JSON.stringify(environment),
        started_at: new Date().toISOString(),
        seconds: 0,
        parent,
        start,
        sweep,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return { run: runOf(row), resumed: false }
  })
}

/** A run that was cut off: this one, or the latest. */
export async function claimUnfinished(
  { store }: Project,
  environment: RunEnvironment,
  number: number | null,
): Promise<Run> {
  return store.transaction(async (db) => {
    const query = db.selectFrom('run').selectAll().where('kind', '=', 'network')
    const row = await (number === null
      ? query
          .where('status', 'in', ['running', 'stopped'])
          .where('sweep', 'is', null)
          .orderBy('number', 'desc')
          .limit(1)
      : query.where('number', '=', number)
    ).executeTakeFirst()
    if (!row) {
      throw new UserError(
        number === null
          ? 'No run was cut off: there is nothing to go on with. Train with `descent train`.'
          : `There is no run ${number}: \`descent runs\` lists them.`,
      )
    }
    if (row.status === 'done') throw new UserError(`Run ${row.number} is done: there is nothing to go on with.`)
    requireFree(runOf(row))
    return runOf(await take(db, row.number, environment))
  })
}

function requireFree(run: Run): void {
  if (isTrainedElsewhere(run))
    throw new UserError(
      `Run ${run.number} is being trained by process ${run.environment.process.pid} on ${run.environment.process.host}. Wait for it, or stop it first; another --seed makes another run.`,
    )
}

type Database = Parameters<Parameters<Project['store']['transaction']>[0]>[0]

async function take(db: Database, number: number, environment: RunEnvironment) {
  return db
    .updateTable('run')
    .set({ status: 'running', error: null, finished_at: null, environment: JSON.stringify(environment) })
    .where('number', '=', number)
    .returningAll()
    .executeTakeFirstOrThrow()
}
