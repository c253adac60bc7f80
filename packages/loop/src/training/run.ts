/** Runs as they are recorded: found, listed, and told apart from what a killed process left as running. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Selectable } from 'kysely'
import type { Recipe } from '../architecture/recipe.ts'
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import type { Tables } from '../store/tables.ts'
import type { Split } from '../versioning/split.ts'
import type { Metrics } from './metrics.ts'

/** What a run ran in, and which process runs it. */
export interface RunEnvironment {
  readonly node: string
  readonly descent: string
  readonly platform: string
  readonly processor: string
  readonly cores: number
  readonly threads: number
  readonly gigabytes: number
  /** The commit of the project's folder; null outside of git. `+` after it: files had changed since. */
  readonly commit: string | null
  readonly process: ProcessName
}

/** A process, so that it is not taken for a later one of the same number. */
export interface ProcessName {
  readonly host: string
  readonly pid: number
  /** When it began, in the kernel's count; null where the system does not tell. */
  readonly began: string | null
}

export interface Run {
  readonly number: number
  /** The snapshot's hash. */
  readonly snapshot: string
  readonly name: string
  readonly recipe: Recipe
  readonly recipeHash: string
  readonly seed: number
  readonly status: 'running' | 'stopped' | 'done' | 'failed'
  readonly error: string | null
  readonly device: string
  readonly environment: RunEnvironment
  readonly startedAt: string
  readonly finishedAt: string | null
  /** Training time, over all continuations. */
  readonly seconds: number
  readonly joules: number | null
  readonly metrics: Readonly<Partial<Record<Split, Metrics>>> | null
  readonly parameters: number | null
  readonly bytes: number | null
  readonly predictMicroseconds: number | null
  readonly parent: number | null
  /** The run whose weights it began with; null: it began anew. */
  readonly start: number | null
  readonly sweep: number | null
}

/** Where a run keeps its files: `.descent/runs/12`. */
export function runFolder({ store }: Pick<Project, 'store'>, number: number): string {
  return join(store.folder, 'runs', String(number))
}

/** Where its evaluation is written, if nothing else is said. */
export function reportPath(project: Pick<Project, 'store'>, number: number): string {
  return join(runFolder(project, number), 'report.html')
}

/** All network runs, the oldest first. */
export async function listRuns({ store }: Pick<Project, 'store'>): Promise<Run[]> {
  const rows = await store.db.selectFrom('run').selectAll().where('kind', '=', 'network').orderBy('number').execute()
  return rows.map(runOf)
}

/**
 * A network run by its number; the latest that is done, where none is given.
 * @throws {UserError} where there is none
 */
export async function findRun({ store }: Pick<Project, 'store'>, number?: number): Promise<Run> {
  const query = store.db.selectFrom('run').selectAll().where('kind', '=', 'network')
  const row = await (number === undefined
    ? query.where('status', '=', 'done').where('sweep', 'is', null).orderBy('number', 'desc').limit(1)
    : query.where('number', '=', number)
  ).executeTakeFirst()
  if (row) return runOf(row)
  throw new UserError(
    number === undefined
      ? 'No run is done yet: train with `descent train`.'
      : `There is no run ${number}: \`descent runs\` lists them.`,
  )
}

/** What is recorded of an epoch. */
export interface EpochRecord extends Scores {
  readonly epoch: number
  readonly validation: Scores | null
  /** Of the epoch's last step. */
  readonly learningRate?: number
  readonly seconds: number
  readonly examplesPerSecond: number
}

/** Mean loss and metrics of an epoch. */
interface Scores {
  readonly loss: number
  readonly metrics: Metrics
}

/** The epochs of a run that are recorded, in order. */
export async function epochsOf({ store }: Pick<Project, 'store'>, run: number): Promise<EpochRecord[]> {
  const rows = await store.db.selectFrom('epoch').selectAll().where('run', '=', run).orderBy('epoch').execute()
  return rows.map(({ epoch, metrics }) => ({ epoch, ...(JSON.parse(metrics) as Omit<EpochRecord, 'epoch'>) }))
}

export function runOf(row: Selectable<Tables['run']>): Run {
  return {
    number: row.number,
    snapshot: row.snapshot,
    name: row.name,
    recipe: JSON.parse(row.recipe) as Recipe,
    recipeHash: row.recipe_hash,
    seed: row.seed,
    status: row.status,
    error: row.error,
    device: row.device,
    environment: JSON.parse(row.environment) as RunEnvironment,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    seconds: row.seconds,
    joules: row.joules,
    metrics: row.metrics === null ? null : (JSON.parse(row.metrics) as NonNullable<Run['metrics']>),
    parameters: row.parameters,
    bytes: row.bytes,
    predictMicroseconds: row.predict_microseconds,
    parent: row.parent,
    start: row.start,
    sweep: row.sweep,
  }
}

/** This process. */
export function thisProcess(): ProcessName {
  return { host: hostname(), pid: process.pid, began: beginOf(process.pid) }
}

/** Whether the process that a run names is still there. One on another host is taken to be. */
export function isAlive({ host, pid, began }: ProcessName): boolean {
  if (host !== hostname()) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return began === null || beginOf(pid) === began
}

/** Whether another process trains this run at present. */
export function isTrainedElsewhere({ status, environment }: Run): boolean {
  const { pid, host } = environment.process
  const here = pid === process.pid && host === hostname()
  return status === 'running' && !here && isAlive(environment.process)
}

/** Field 22 of /proc/PID/stat, after the name in parentheses, which may hold spaces. */
function beginOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
