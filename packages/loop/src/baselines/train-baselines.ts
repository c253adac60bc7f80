/**
 * Traditional machine learning on the same snapshot as the network: every baseline that suits is fitted to the training
 * split, predicts validation and test, is measured, and recorded. What is recorded is not done again; stopped at any moment,
 * those that are done are kept.
 */
import { join } from 'node:path'
import { setThreads } from 'descent'
import { StoppedError, type Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import type { Content } from '../store/content.ts'
import { readExamples } from '../store/examples.ts'
import { environmentOf } from '../training/environment.ts'
import { predictionsName } from '../training/files.ts'
import { metricsOf, type Predictions, savePredictions } from '../training/predictions.ts'
import { isAlive, type RunEnvironment, runFolder } from '../training/run.ts'
import { targetOf } from '../training/target.ts'
import { readSnapshot, type Snapshot } from '../versioning/snapshot.ts'
import { type Baseline, baselinesFor, type Fitted } from './baseline.ts'
import { type BaselineRun, baselineRecipe, findBaseline, listBaselines, writeBaseline } from './baseline-run.ts'
import { textColumns } from './features/text.ts'
import { type Importance, importances } from './importances.ts'
import { predictMajority } from './majority.ts'
import { columnGroups, describeFeatures, rowsOf, textsOf } from './row-features.ts'
import { MOST_EXAMPLES, type SnapshotRows, shareOf, snapshotRows } from './snapshot-rows.ts'

export interface BaselineOptions extends Work {
  /** Number or hash of the snapshot. Default: the latest. */
  readonly snapshot?: string | number | undefined
  /** Decides bootstraps, samples and held-out rows. Default 1. */
  readonly seed?: number | undefined
  readonly threads?: number | undefined
  /** Hears of each baseline that is done, `made` false where it was before. */
  readonly onBaseline?: ((run: BaselineRun, made: boolean) => void) | undefined
}

/** Contents with which the time of a prediction is measured, as for networks. */
const TIMED = 256
const MOST_IMPORTANCES = 20

/**
 * Trains all baselines that suit the snapshot, or finds that they are there; the simplest first.
 *
 * @example
 * ```ts
 * import { makeSnapshot, openProject, trainBaselines } from '@descent/loop'
 * const project = await openProject('penguins')
 * await makeSnapshot(project)
 * const [majority, ...others] = await trainBaselines(project)
 * console.log(majority.name, others.every(({ metrics }) => metrics.test.accuracy > 0.9)) // → majority class true
 * await project.close()
 * ```
 * @throws {UserError} where there is no snapshot; {StoppedError} where it was asked to stop
 */
export async function trainBaselines(project: Project, options: BaselineOptions = {}): Promise<BaselineRun[]> {
  const { seed = 1, onBaseline, threads } = options
  if (threads !== undefined) setThreads(threads)
  const { snapshot, entries } = await readSnapshot(project, options.snapshot)
  const done = await listBaselines(project, snapshot.hash, seed)
  for (const run of done) onBaseline?.(run, false)
  if (done.length === suitable(snapshot)) return done
  const all = entries.filter(({ split }) => split === 'train')
  const training = all.length > MOST_EXAMPLES ? shareOf(all, MOST_EXAMPLES / all.length, snapshot.task) : all
  const rows = await snapshotRows(project, snapshot, training, entries, options)
  const job: Job = { project, snapshot, rows, of: all.length, seed, options }
  const found = new Map(done.map((run) => [run.name, run]))
  const runs: BaselineRun[] = []
  for (const baseline of baselinesFor(rows.train.x, rows.train.y)) {
    const before = found.get(baseline.name)
    const run = before ?? (await record(job, baseline))
    if (!before) onBaseline?.(run, true)
    runs.push(run)
  }
  return runs
}

/** How many baselines there are for such a snapshot; naive Bayes is for words alone. */
function suitable({ kind, task }: Snapshot): number {
  const x = kind === 'text' ? { rows: 0, columns: 1, starts: new Int32Array(1), indices: new Int32Array(0) } : null
  const values = new Float32Array(0)
  const y =
    task === 'class'
      ? ({ kind: 'classes', classes: 2, labels: new Int32Array(0) } as const)
      : ({ kind: 'numbers', values: new Float64Array(0) } as const)
  return baselinesFor(x ? { ...x, values } : { rows: 0, columns: 1, values }, y).length
}

interface Job {
  readonly project: Project
  readonly snapshot: Snapshot
  readonly rows: SnapshotRows
  /** Training examples of the snapshot. */
  readonly of: number
  readonly seed: number
  readonly options: BaselineOptions
}

async function record(job: Job, baseline: Baseline): Promise<BaselineRun> {
  const { project, snapshot, rows, seed, options } = job
  const { db } = project.store
  const number = await claim(job, baseline.name)
  try {
    const began = performance.now()
    const work = { seed, signal: options.signal, onProgress: options.onProgress }
    const model = await baseline.fit(rows.train.x, rows.train.y, work)
    const seconds = (needsRows(model) ? rows.seconds : 0) + (performance.now() - began) / 1000
    const folder = runFolder(project, number)
    const about = {
      examples: rows.train.entries.length,
      of: job.of,
      features: needsRows(model) ? describeFeatures(rows.features, rows.train.x.columns) : 'none',
      importances: await namedImportances(project, model, rows),
    }
    await writeBaseline(folder, { features: rows.features, model: model.model, about })
    const predictions = await predictionsOf(model, rows, options)
    await savePredictions(join(folder, predictionsName), predictions)
    const target = targetOf(snapshot.task, snapshot.classes, rows.train.entries)
    await db
      .updateTable('run')
      .set({
        status: 'done',
        finished_at: new Date().toISOString(),
        seconds,
        metrics: JSON.stringify(metricsOf(predictions, target)),
        bytes: model.bytes + (needsRows(model) ? rows.featureBytes : 0),
        predict_microseconds: await predictTime(project, model, rows),
      })
      .where('number', '=', number)
      .execute()
  } catch (error) {
    const stopped = error instanceof StoppedError
    await db
      .updateTable('run')
      .set(stopped ? { status: 'stopped' } : { status: 'failed', error: String((error as Error).message ?? error) })
      .where('number', '=', number)
      .execute()
    throw error
  }
  return findBaseline(project, number)
}

/** A row for this baseline: a new one, or that of a training that was cut off. */
async function claim({ project, snapshot, seed, options }: Job, name: string): Promise<number> {
  const environment = JSON.stringify(await environmentOf(project.folder, options.threads))
  const { recipe, hash } = baselineRecipe(name)
  const began = { status: 'running' as const, error: null, started_at: new Date().toISOString(), environment }
  return project.store.transaction(async (db) => {
    const open = await db
      .selectFrom('run')
      .select(['number', 'status', 'environment'])
      .where('kind', '=', 'baseline')
      .where('recipe_hash', '=', hash)
      .where('snapshot', '=', snapshot.hash)
      .where('seed', '=', seed)
      .where('status', '!=', 'done')
      .execute()
    const free = open.find(({ status, environment: by }) => {
      const { process: owner } = JSON.parse(by) as RunEnvironment
      return status !== 'running' || owner.pid === process.pid || !isAlive(owner)
    })
    if (free) {
      await db.updateTable('run').set(began).where('number', '=', free.number).execute()
      return free.number
    }
    const row = { snapshot: snapshot.hash, kind: 'baseline' as const, name, recipe, recipe_hash: hash, seed }
    const { number } = await db
      .insertInto('run')
      .values({ ...row, ...began, device: 'cpu', seconds: 0 })
      .returning('number')
      .executeTakeFirstOrThrow()
    return number
  })
}

/** What counts most, by name: levels of a category, and directions of edges at one place, count together. */
async function namedImportances(project: Project, model: Fitted, rows: SnapshotRows): Promise<Importance[]> {
  const { features, train } = rows
  const groups = columnGroups(features)
  const numbered = Array.from({ length: train.x.columns }, (_, column) => groups?.[column] ?? String(column))
  const sums = new Map<string, number>()
  for (const { name, importance } of importances(model, numbered)) sums.set(name, (sums.get(name) ?? 0) + importance)
  const top = [...sums].sort((a, b) => b[1] - a[1]).slice(0, MOST_IMPORTANCES)
  const list = top.map(([name, importance]) => ({ name, importance })).filter(({ importance }) => importance > 0)
  if (features.type !== 'text' || list.length === 0) return list
  const contents = await contentsOf(project, train.entries.slice(0, 2000))
  const asked = list.map(({ name }) => Number(name))
  const words = textColumns(features.text, textsOf(contents), asked)
  return list.map(({ name, importance }) => ({ name: `“${words.get(Number(name))}”`, importance }))
}

/** Of validation and test: what a model says of what it has learned by heart proves nothing. */
async function predictionsOf(
  model: Fitted,
  { train, validation, test }: SnapshotRows,
  work: Work,
): Promise<Predictions> {
  const width = train.y.kind === 'classes' ? train.y.classes : 1
  const parts = [validation, test].filter((part) => part !== null)
  const predicted: number[] = []
  const labels: number[] = []
  for (const { x, y } of parts) {
    const values = await model.predict(x, { onProgress: work.onProgress, signal: work.signal })
    for (const value of values) predicted.push(value)
    for (const label of y.kind === 'classes' ? y.labels : y.values) labels.push(label)
  }
  const entries = parts.flatMap((part) => part.entries)
  return {
    predicted: { count: entries.length, width, values: Float32Array.from(predicted) },
    examples: Int32Array.from(entries, ({ number }) => number),
    splits: entries.map(({ split }) => split),
    labels: train.y.kind === 'classes' ? Int32Array.from(labels) : Float32Array.from(labels),
    embedding: null,
  }
}

/** The best of three passes from content to prediction, in a batch of 256, after one in which products are compiled. */
async function predictTime(project: Project, model: Fitted, { features, test, train }: SnapshotRows): Promise<number> {
  const contents = await contentsOf(project, (test ?? train).entries.slice(0, TIMED))
  const { model: plain } = model
  const predict = async () => {
    if (plain.kind === 'majority') return predictMajority(plain, contents.length)
    return model.predict(await rowsOf(features, contents))
  }
  const passes: number[] = []
  for (let pass = 0; pass < 4; pass++) {
    const began = performance.now()
    await predict()
    passes.push(((performance.now() - began) * 1000) / contents.length)
  }
  return Math.min(...passes.slice(1))
}

/** The majority looks at nothing: it owes nothing to the features. */
function needsRows({ model }: Fitted): boolean {
  return model.kind !== 'majority'
}

async function contentsOf({ store }: Project, entries: SnapshotRows['train']['entries']): Promise<Content[]> {
  const contents: Content[] = []
  const numbers = entries.map(({ number }) => number)
  for await (const { content } of readExamples(store, numbers)) contents.push(content)
  return contents
}
