/**
 * Baselines as they are recorded: rows of the table of runs (kind `baseline`), each with a folder like a network's:
 * `baseline.safetensors` (features and model), `about.json` (what it was trained on, what it looks at), and
 * `predictions.safetensors` for validation and test, in the order of the snapshot, so that comparisons are paired.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Selectable } from 'kysely'
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import type { Content } from '../store/content.ts'
import { writeWhole } from '../store/files.ts'
import type { Tables } from '../store/tables.ts'
import { predictionsName } from '../training/files.ts'
import type { Metrics } from '../training/metrics.ts'
import { loadPredictions, type Predictions } from '../training/predictions.ts'
import { runFolder } from '../training/run.ts'
import type { Split } from '../versioning/split.ts'
import { type Fitted, fitted } from './baseline.ts'
import type { Importance } from './importances.ts'
import type { Model } from './model.ts'
import { decodePlain, encodePlain } from './plain-file.ts'
import { type RowFeatures, rowsOf } from './row-features.ts'

export interface BaselineRun {
  readonly number: number
  /** The snapshot's hash. */
  readonly snapshot: string
  readonly name: string
  readonly seed: number
  /** Making the features and fitting, choice of settings included. */
  readonly seconds: number
  /** One example from content to prediction, in batches of 256. */
  readonly predictMicroseconds: number
  /** Of model and features. */
  readonly bytes: number
  readonly metrics: Readonly<Partial<Record<Split, Metrics>>>
  readonly about: AboutBaseline
}

export interface AboutBaseline {
  /** Training examples, and how many of them there were. */
  readonly examples: number
  readonly of: number
  /** What was made by hand, in a few words. */
  readonly features: string
  /** The columns that count most; none where the model has no such measure. */
  readonly importances: readonly Importance[]
}

const modelName = 'baseline.safetensors'
const aboutName = 'about.json'

/** Another number where baselines become others: those of before are then trained again. */
const VERSION = 1

/** What stands in a row's `recipe`, and what its hash is of. */
export function baselineRecipe(name: string): { readonly recipe: string; readonly hash: string } {
  const recipe = JSON.stringify({ baseline: name, version: VERSION })
  return { recipe, hash: createHash('sha256').update(recipe).digest('hex') }
}

/** The baselines of this snapshot (its hash) and seed that are done, the simplest first. */
export async function listBaselines(project: Project, snapshot: string, seed = 1): Promise<BaselineRun[]> {
  const rows = await project.store.db
    .selectFrom('run')
    .selectAll()
    .where('kind', '=', 'baseline')
    .where('status', '=', 'done')
    .where('snapshot', '=', snapshot)
    .where('seed', '=', seed)
    .orderBy('number')
    .execute()
  const current = rows.filter(({ name, recipe_hash }) => recipe_hash === baselineRecipe(name).hash)
  return Promise.all(current.map((row) => baselineOf(project, row)))
}

/** A baseline by its run's number. Throws UserError where there is none. */
export async function findBaseline(project: Project, number: number): Promise<BaselineRun> {
  const row = await project.store.db
    .selectFrom('run')
    .selectAll()
    .where('kind', '=', 'baseline')
    .where('number', '=', number)
    .where('status', '=', 'done')
    .executeTakeFirst()
  if (!row) throw new UserError(`There is no baseline ${number}: \`descent baselines\` lists them.`)
  return baselineOf(project, row)
}

export async function baselinePredictions(project: Project, number: number): Promise<Predictions> {
  return loadPredictions(join(runFolder(project, number), predictionsName))
}

export interface LoadedBaseline {
  readonly run: BaselineRun
  readonly features: RowFeatures
  readonly fitted: Fitted
  /** Probabilities [contents, classes], or values [contents]. */
  predict(contents: readonly Content[]): Promise<Float64Array>
}

/**
 * A baseline, ready to predict.
 *
 * @example
 * ```ts
 * import { loadBaseline, makeSnapshot, openProject, trainBaselines } from '@descent/loop'
 * const project = await openProject('penguins')
 * const { snapshot } = await makeSnapshot(project)
 * const runs = await trainBaselines(project)
 * const { predict } = await loadBaseline(project, runs.at(-1).number)
 * const values = { 'Beak Length (mm)': 50, 'Beak Depth (mm)': 15, 'Flipper Length (mm)': 220, 'Body Mass (g)': 5400 }
 * const [adelie, chinstrap, gentoo] = await predict([{ kind: 'row', values: { ...values, Island: 'Biscoe' } }])
 * console.log(snapshot.classes[2], gentoo > 0.9) // → Gentoo true
 * await project.close()
 * ```
 * @throws {UserError} where there is none, or its file is missing or damaged
 */
export async function loadBaseline(project: Project, number: number): Promise<LoadedBaseline> {
  const run = await findBaseline(project, number)
  const path = join(runFolder(project, number), modelName)
  const bytes = await readFile(path).catch((error: Error) => {
    throw new UserError(`The baseline ${number} cannot be read: ${error.message}. Train it again.`)
  })
  const { features, model } = decodePlain(bytes, path) as { features: RowFeatures; model: Model }
  const loaded = fitted(run.name, model)
  return {
    run,
    features,
    fitted: loaded,
    predict: async (contents) => loaded.predict(await rowsOf(features, contents)),
  }
}

/** Writes what belongs to a baseline but its predictions. */
export async function writeBaseline(
  folder: string,
  { features, model, about }: { features: RowFeatures; model: Model; about: AboutBaseline },
): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeWhole(join(folder, modelName), encodePlain({ features, model }))
  await writeWhole(join(folder, aboutName), `${JSON.stringify(about, null, 2)}\n`)
}

async function baselineOf(project: Project, row: Selectable<Tables['run']>): Promise<BaselineRun> {
  const path = join(runFolder(project, row.number), aboutName)
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new UserError(`The baseline ${row.number} (${row.name}) is incomplete: ${error.message}. Put ${path} back.`)
  })
  return {
    number: row.number,
    snapshot: row.snapshot,
    name: row.name,
    seed: row.seed,
    seconds: row.seconds,
    predictMicroseconds: row.predict_microseconds as number,
    bytes: row.bytes as number,
    metrics: JSON.parse(row.metrics as string) as BaselineRun['metrics'],
    about: JSON.parse(text) as AboutBaseline,
  }
}
