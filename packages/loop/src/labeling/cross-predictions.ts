/**
 * What a network says of every example of a snapshot without having seen it: one network a fold, trained by the recipe on
 * all other folds, of all splits alike, as wrong labels in the test set do the most harm.
 */
import { manualSeed, Trainer } from 'descent'
import { fitFeatures } from '../architecture/features.ts'
import type { NetworkInput } from '../architecture/input.ts'
import { fromRecipe, type LoadedRecipe, loadRecipe } from '../architecture/load-recipe.ts'
import { profileOf } from '../architecture/profile.ts'
import type { Recipe } from '../architecture/recipe.ts'
import { makeAugmentation, makeLoss, makeOptimizer, makeSchedule } from '../architecture/settings.ts'
import { UserError } from '../errors.ts'
import { StoppedError, type Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import { contentsOf, loadSplit } from '../training/examples.ts'
import { Model } from '../training/model.ts'
import { outputsOf, type Target } from '../training/target.ts'
import { readSnapshot, type Snapshot, type SnapshotEntry } from '../versioning/snapshot.ts'
import { outOfSampleProbabilities } from './folds.ts'

export interface CrossOptions extends Work {
  /** A snapshot's number, or the beginning of its hash. Default: the latest. */
  readonly snapshot?: string | number | undefined
  /** A file of the project, or a recipe. Default: the config's, else the default for the kind. */
  readonly recipe?: string | Recipe | undefined
  /** In place of the recipe's. */
  readonly epochs?: number | undefined
  /** Default 4. */
  readonly folds?: number | undefined
  /** Default 1. */
  readonly seed?: number | undefined
}

export interface CrossPredictions {
  readonly snapshot: Snapshot
  readonly entries: readonly SnapshotEntry[]
  readonly labels: Int32Array
  /** [N, K] */
  readonly probabilities: Float32Array
}

/** @throws {UserError} for numbers, and for too few examples; {StoppedError} where it was asked to stop */
export async function crossPredictions(project: Project, options: CrossOptions = {}): Promise<CrossPredictions> {
  const { folds = 4, seed = 1, recipe: given = project.config.recipe, onProgress, signal } = options
  const { snapshot, entries } = await readSnapshot(project, options.snapshot)
  if (snapshot.task === 'number')
    throw new UserError('Label errors are found among classes, and the labels of this snapshot are numbers.')
  if (entries.length < 2 * folds)
    throw new UserError(
      `${entries.length} labelled examples are too few for ${folds} folds: label more, or take fewer.`,
    )
  const profile = await profileOf(project.store, project.config, snapshot, entries)
  const loaded =
    given !== undefined && typeof given !== 'string'
      ? fromRecipe(given)
      : await loadRecipe(project.folder, profile, given)
  const numbers = new Map(snapshot.classes.map((name, c) => [name, c]))
  const labels = Int32Array.from(entries, ({ label }) => numbers.get(String(label)) as number)
  const some = (which: Int32Array) => Array.from(which, (i) => entries[i] as SnapshotEntry)
  const probabilities = await outOfSampleProbabilities({
    labels,
    classes: snapshot.classes.length,
    folds,
    seed,
    predict: (train, held, fold) =>
      predictFold(project, snapshot, loaded, {
        train: some(train),
        held: some(held),
        what: `fold ${fold + 1} of ${folds}`,
        epochs: options.epochs ?? loaded.recipe.epochs,
        seed,
        onProgress,
        signal,
      }),
  })
  return { snapshot, entries, labels, probabilities }
}

interface Fold extends Work {
  readonly train: readonly SnapshotEntry[]
  readonly held: readonly SnapshotEntry[]
  readonly what: string
  readonly epochs: number
  readonly seed: number
}

async function predictFold(
  { store, config }: Project,
  { classes, columns }: Snapshot,
  { recipe, build }: LoadedRecipe,
  { train, held, what, epochs, seed, onProgress, signal }: Fold,
): Promise<Float32Array> {
  const work = { onProgress, signal, what: `${what}: reading examples` }
  const target: Target = { task: 'class', classes }
  const features = await fitFeatures(recipe.preprocess, contentsOf(store, train, work), { columns, config })
  const input: NetworkInput = { layout: features.layout, outputs: outputsOf(target), task: 'class' }
  const data = await loadSplit(store, features, target, train, work)
  manualSeed(seed)
  const net = build(input)
  const optimizer = makeOptimizer(recipe.optimizer, net)
  const { batchSize, clipNorm } = recipe
  const dropLast = train.length > batchSize && train.length % batchSize === 1
  const steps = dropLast ? Math.floor(train.length / batchSize) : Math.ceil(train.length / batchSize)
  // A plateau is seen on a validation split, and a fold has none.
  const planned = recipe.schedule.type === 'plateau' ? ({ type: 'cosine', warmUp: 0.1 } as const) : recipe.schedule
  const schedule = makeSchedule(planned, optimizer, { epochs, steps, lr: recipe.optimizer.lr })
  const black = features.state.type === 'pixels' ? -features.state.mean / features.state.deviation : 0
  const transform = makeAugmentation(recipe, input.layout, { black, classes: input.outputs })
  const trainer = new Trainer(net, {
    train: data,
    loss: makeLoss(recipe.loss, countsOf(data.labels(), classes.length)),
    optimizer,
    epochs,
    batchSize,
    dropLast,
    seed,
    progress: false,
    ...(schedule ? { schedule } : {}),
    ...(transform ? { transform } : {}),
    ...(clipNorm === null ? {} : { clipNorm }),
    ...(signal ? { signal } : {}),
    callbacks: [{ onStep: ({ step }) => onProgress?.({ what, done: step, total: epochs * steps, unit: 'steps' }) }],
  })
  const { interrupted } = await trainer.fit()
  if (interrupted)
    throw new StoppedError('Stopped: no label was judged. What waited to be looked at before still waits.')
  const inputs = (await loadSplit(store, features, target, held, work)).inputs
  return new Model(net, features, target).predictEncoded((places) => inputs.read(places), held.length).values
}

function countsOf(labels: Int32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0)
  for (const label of labels) counts[label] = (counts[label] as number) + 1
  return counts
}
