/**
 * One training from snapshot to tested model, recorded as a run. Cut off at any moment, the same call (or `resume`) goes on,
 * and ends with the same bits as if nothing had happened: everything that a step depends on is in the checkpoint, and all
 * else follows from recipe, snapshot and seed.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type EpochReport, manualSeed, NonFiniteLossError, type nn, setThreads } from 'descent'
import { type Features, featuresFrom, fitFeatures } from '../architecture/features.ts'
import type { NetworkInput } from '../architecture/input.ts'
import { type LoadedRecipe, loadRecipe, recallCode } from '../architecture/load-recipe.ts'
import { outputFault } from '../architecture/output-fault.ts'
import { type DataProfile, profileOf } from '../architecture/profile.ts'
import { type Recipe, recipeHash } from '../architecture/recipe.ts'
import { makeLoss } from '../architecture/settings.ts'
import { recipeWarnings, requireLoss } from '../architecture/warnings.ts'
import { UserError } from '../errors.ts'
import { StoppedError, type Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import type { Content } from '../store/content.ts'
import { readExamples } from '../store/examples.ts'
import { readSnapshot, type Snapshot, type SnapshotEntry } from '../versioning/snapshot.ts'
import type { Split } from '../versioning/split.ts'
import { claimRun, claimUnfinished } from './claim.ts'
import { EnergyMeter, environmentOf } from './environment.ts'
import { contentsOf, loadSplit } from './examples.ts'
import {
  checkpointsName,
  codeName,
  loadWeights,
  predictionsName,
  readSignature,
  saveWeights,
  writeSignature,
} from './files.ts'
import { fitNetwork } from './fit.ts'
import { Model } from './model.ts'
import { metricsOf, predictSplits, type Splits, savePredictions } from './predictions.ts'
import { findRun, type Run, runFolder } from './run.ts'
import { outputsOf, type Target, targetOf } from './target.ts'
import { saveTrace, traceEpochs } from './traces.ts'

export interface TrainOptions extends Work {
  /** A file of the project, or a recipe. Default: the config's, else the default for the kind. */
  readonly recipe?: string | Recipe | undefined
  /** A snapshot's number, or the beginning of its hash. Default: the latest. */
  readonly snapshot?: string | number | undefined
  /** Decides first values, order, augmentation and dropout. Default 1. */
  readonly seed?: number | undefined
  /** In place of the recipe's. */
  readonly epochs?: number | undefined
  /** Goes on with a run that was cut off: this one, or the latest (`true`). Other settings are then the run's own. */
  readonly resume?: number | boolean | undefined
  /** How many threads may compute. Default: all cores. */
  readonly threads?: number | undefined
  /** The sweep that this run is a trial of. */
  readonly sweep?: number | undefined
  readonly parent?: number | undefined
  /** Begins with this run's weights, features and recipe, where the classes are still the same. Default: anew. */
  readonly from?: number | undefined
  /** Hears which run it is, and whether it goes on from a checkpoint; waited for, where it gives a promise. */
  readonly onStart?: ((run: Run, resumed: boolean) => unknown) | undefined
  /** Hears of each epoch. */
  readonly onEpoch?: ((report: EpochNews) => void) | undefined
  /** Hears what may be wrong: over-fitting, a validation split that is empty. */
  readonly onNote?: ((note: string) => void) | undefined
}

/** An epoch, and how far the training is. */
export interface EpochNews extends EpochReport {
  readonly epochs: number
  /** At the pace of this epoch. */
  readonly secondsLeft: number
}

/**
 * Trains a network and records it.
 *
 * @example
 * ```ts
 * import { makeSnapshot, openProject, trainRun } from '@descent/loop'
 * const project = await openProject('penguins')
 * await makeSnapshot(project)
 * const run = await trainRun(project, { seed: 7, epochs: 3 })
 * console.log(run.status) // → done
 * await project.close()
 * ```
 * @throws {UserError} where snapshot or recipe do not do; {StoppedError} where it was asked to stop: what was learned is kept
 */
export async function trainRun(project: Project, options: TrainOptions = {}): Promise<Run> {
  const { threads } = options
  if (threads !== undefined) setThreads(threads)
  const environment = await environmentOf(project.folder, threads)
  const started = await start(project, options, environment)
  const { run, resumed } = started
  try {
    await options.onStart?.(run, resumed)
    await new Training(project, started, options).run()
  } catch (error) {
    const stopped = error instanceof StoppedError
    const message = error instanceof Error ? error.message : String(error)
    await project.store.db
      .updateTable('run')
      .set(stopped ? { status: 'stopped' } : { status: 'failed', error: message, finished_at: now() })
      .where('number', '=', run.number)
      .execute()
    throw error instanceof NonFiniteLossError ? new UserError(`Run ${run.number}: ${message}`) : error
  }
  return findRun(project, run.number)
}

interface Started {
  readonly run: Run
  readonly resumed: boolean
  readonly profile: DataProfile
  readonly loaded: LoadedRecipe
  readonly snapshot: Snapshot
  readonly entries: readonly SnapshotEntry[]
}

async function start(project: Project, options: TrainOptions, environment: Run['environment']): Promise<Started> {
  const { resume = false } = options
  const { store, config, folder } = project
  if (resume !== false) {
    const run = await claimUnfinished(project, environment, resume === true ? null : resume)
    const loaded = await recallCode(run.recipe, folder, join(runFolder(project, run.number), codeName))
    const { snapshot, entries } = await readSnapshot(project, run.snapshot)
    return { run, resumed: true, loaded, snapshot, entries, profile: await profileOf(store, config, snapshot, entries) }
  }
  const { seed = 1, sweep = null, parent = null, from } = options
  if (!Number.isSafeInteger(seed) || seed < 0) throw new UserError(`A seed is a whole number from 0, not ${seed}.`)
  const { snapshot, entries } = await readSnapshot(project, options.snapshot)
  const profile = await profileOf(store, config, snapshot, entries)
  const recipe =
    from === undefined
      ? await loadRecipe(folder, profile, options.recipe ?? config.recipe)
      : await recipeOf(project, from, snapshot, options)
  const loaded = withEpochs(recipe, options.epochs)
  requireLoss(loaded.recipe, profile.task)
  const wanted = { loaded, snapshot: snapshot.hash, seed, environment, sweep, parent, start: from ?? null }
  return { ...(await claimRun(project, wanted)), loaded, snapshot, entries, profile }
}

/** The recipe of the run whose weights are to be begun with. */
async function recipeOf(
  project: Project,
  from: number,
  { classes, task }: Snapshot,
  { recipe }: TrainOptions,
): Promise<LoadedRecipe> {
  if (recipe !== undefined)
    throw new UserError(`Weights of run ${from} fit its own recipe alone: give a recipe, or a run to begin with.`)
  const { run, target } = await beginning(project, from)
  const same = target.task === task && (target.task === 'number' || target.classes.join('\n') === classes.join('\n'))
  if (!same)
    throw new UserError(
      `Run ${from} was trained for ${target.task === 'class' ? target.classes.join(', ') : 'numbers'}, and the snapshot has ${task === 'class' ? classes.join(', ') : 'numbers'}: train anew.`,
    )
  return recallCode(run.recipe, project.folder, join(runFolder(project, from), codeName))
}

/** A run to begin with, and what it made of contents and labels. */
async function beginning(project: Project, number: number): Promise<{ run: Run; target: Target; features: Features }> {
  const run = await findRun(project, number)
  if (run.status !== 'done') throw new UserError(`Run ${number} is ${run.status}, not done: it cannot be begun with.`)
  const folder = runFolder(project, number)
  const kept = await readSignature(folder)
  if (!kept) throw new UserError(`The folder of run ${number}, ${folder}, is gone: put it back, or train anew.`)
  return { run, target: kept.signature.target, features: featuresFrom(kept.features) }
}

function withEpochs(loaded: LoadedRecipe, epochs: number | undefined): LoadedRecipe {
  if (epochs === undefined) return loaded
  if (!Number.isInteger(epochs) || epochs < 1) throw new UserError(`Epochs are a whole number above 0, not ${epochs}.`)
  const recipe = { ...loaded.recipe, epochs }
  return { ...loaded, recipe, hash: recipeHash(recipe) }
}

/** Contents with which the time of a prediction is measured. */
const TIMED = 256
/** Training examples that warnings look at. */
const CONSIDERED = 64

class Training {
  readonly #project: Project
  readonly #started: Started
  readonly #options: TrainOptions
  readonly #folder: string
  /** Runs of a sweep share the machine: what each used cannot be told. */
  readonly #energy: EnergyMeter | null

  constructor(project: Project, started: Started, options: TrainOptions) {
    this.#project = project
    this.#started = started
    this.#options = options
    this.#folder = runFolder(project, started.run.number)
    this.#energy = started.run.sweep === null ? new EnergyMeter() : null
  }

  async run(): Promise<void> {
    const { run, loaded, snapshot, entries } = this.#started
    const bySplit = (split: Split) => entries.filter((entry) => entry.split === split)
    const [train, validation, test] = [bySplit('train'), bySplit('validation'), bySplit('test')]
    const begun = run.start === null ? null : await beginning(this.#project, run.start)
    const target = begun?.target ?? targetOf(snapshot.task, snapshot.classes, train)
    const features = begun?.features ?? (await this.#features(train))
    const input: NetworkInput = { layout: features.layout, outputs: outputsOf(target), task: target.task }
    await writeSignature(this.#folder, { recipe: loaded.recipe, input, target }, features.state, loaded.source)

    const { store } = this.#project
    const load = (name: string, split: readonly SnapshotEntry[]) =>
      loadSplit(store, features, target, split, {
        ...this.#options,
        what: `run ${run.number}: reading the ${name} split`,
      })
    const splits: Splits = {
      train: await load('training', train),
      validation: await load('validation', validation),
      test: await load('test', test),
    }
    manualSeed(run.seed)
    const net = loaded.build(input)
    if (begun) await loadWeights(runFolder(this.#project, begun.run.number), net)
    requireOutput(net, input, splits, loaded.recipe)
    this.#warn(net, splits, features)
    await this.#fit(net, input, target, splits, features)

    const model = new Model(net, features, target)
    const bytes = await saveWeights(this.#folder, net)
    const predictions = predictSplits(model, splits)
    await savePredictions(join(this.#folder, predictionsName), predictions)
    const microseconds = await this.#predictTime(model, test.length > 0 ? test : train)
    await store.db
      .updateTable('run')
      .set({
        status: 'done',
        finished_at: now(),
        metrics: JSON.stringify(metricsOf(predictions, target)),
        parameters: net.parameters().reduce((sum, p) => sum + p.size, 0),
        bytes,
        predict_microseconds: microseconds,
      })
      .where('number', '=', run.number)
      .execute()
    await rm(join(this.#folder, checkpointsName), { recursive: true, force: true })
  }

  /** What the features left out, and what is likely to go wrong. */
  #warn(net: nn.Module, { train }: Splits, { notes }: Features): void {
    const { loaded, profile } = this.#started
    const { x, y } = train.read(Int32Array.from({ length: Math.min(CONSIDERED, train.length) }, (_, i) => i))
    const loss = makeLoss(loaded.recipe.loss, profile.counts)
    const warnings = recipeWarnings({ recipe: loaded.recipe, profile, net, loss, batch: { x, y } })
    for (const note of [...notes, ...warnings]) this.#options.onNote?.(note)
  }

  /** Those of before, where the run goes on. */
  async #features(train: readonly SnapshotEntry[]): Promise<Features> {
    const kept = await readSignature(this.#folder)
    if (kept) return featuresFrom(kept.features)
    const { loaded, snapshot, run } = this.#started
    const { store, config } = this.#project
    const what = `run ${run.number}: learning features`
    const contents = contentsOf(store, train, { ...this.#options, what })
    return fitFeatures(loaded.recipe.preprocess, contents, { columns: snapshot.columns, config })
  }

  async #fit(net: nn.Module, input: NetworkInput, target: Target, splits: Splits, features: Features): Promise<void> {
    const { run, loaded, profile } = this.#started
    const { onProgress, onEpoch, onNote, signal } = this.#options
    const { recipe } = loaded
    const { epochs } = recipe
    const { history, interrupted, overfitting } = await fitNetwork(net, {
      recipe,
      input,
      features,
      train: splits.train,
      validation: splits.validation,
      counts: profile.counts,
      target,
      seed: run.seed,
      signal,
      checkpoints: join(this.#folder, checkpointsName),
      onStep: ({ step, epoch, steps }) =>
        onProgress?.({ what: `run ${run.number}, epoch ${epoch}`, done: step, total: steps, unit: 'steps' }),
      onEpoch: async (report) => {
        await this.#record(report)
        if (traceEpochs(epochs).includes(report.epoch)) await saveTrace(this.#folder, report.epoch, net)
        onEpoch?.({ ...report, epochs, secondsLeft: report.seconds * (epochs - report.epoch) })
      },
    })
    if (interrupted) {
      throw new StoppedError(
        `Stopped run ${run.number} in epoch ${history.length + 1} of ${epochs}. \`descent train --resume ${run.number}\` goes on there.`,
      )
    }
    if (overfitting) onNote?.(overfitting.message)
  }

  /** Before the checkpoint of the same epoch: an epoch that is done again is recorded again. */
  async #record({
    epoch,
    loss,
    metrics,
    validation,
    learningRate,
    seconds,
    examplesPerSecond,
  }: EpochReport): Promise<void> {
    const { number } = this.#started.run
    const text = JSON.stringify({ loss, metrics, validation, learningRate, seconds, examplesPerSecond })
    const joules = this.#energy?.take() ?? null
    await this.#project.store.transaction(async (db) => {
      await db
        .insertInto('epoch')
        .values({ run: number, epoch, metrics: text })
        .onConflict((conflict) => conflict.columns(['run', 'epoch']).doUpdateSet({ metrics: text }))
        .execute()
      const epochs = await db.selectFrom('epoch').select('metrics').where('run', '=', number).execute()
      const total = epochs.reduce((sum, row) => sum + (JSON.parse(row.metrics) as { seconds: number }).seconds, 0)
      const { joules: before } = await db
        .selectFrom('run')
        .select('joules')
        .where('number', '=', number)
        .executeTakeFirstOrThrow()
      await db
        .updateTable('run')
        .set({ seconds: total, joules: joules === null ? before : (before ?? 0) + joules })
        .where('number', '=', number)
        .execute()
    })
  }

  /** From content to prediction, in batches, the first batch, in which plans are compiled, not counted. */
  async #predictTime(model: Model, entries: readonly SnapshotEntry[]): Promise<number> {
    const contents: Content[] = []
    const numbers = entries.slice(0, TIMED).map(({ number }) => number)
    for await (const { content } of readExamples(this.#project.store, numbers)) contents.push(content)
    await model.predict(contents)
    const began = performance.now()
    await model.predict(contents)
    return ((performance.now() - began) * 1000) / contents.length
  }
}

/** @throws {UserError} where the network cannot take the examples, or does not give one number an output */
function requireOutput(net: nn.Module, input: NetworkInput, splits: Splits, recipe: Recipe): void {
  const places = Int32Array.of(0, Math.min(1, splits.train.length - 1))
  const wrong = outputFault(net, input, splits.train.read(places).x)
  if (wrong) throw new UserError(`The network of the recipe '${recipe.name}' ${wrong}`)
}

function now(): string {
  return new Date().toISOString()
}
