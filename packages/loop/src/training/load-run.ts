/** A run that is done, with its model, ready to predict. */
import { join } from 'node:path'
import { defaultGenerator, type nn } from 'descent'
import { type Features, type FeaturesState, featuresFrom } from '../architecture/features.ts'
import type { NetworkInput } from '../architecture/input.ts'
import { recallCode } from '../architecture/load-recipe.ts'
import type { Recipe } from '../architecture/recipe.ts'
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import type { Content } from '../store/content.ts'
import { codeName, loadWeights, predictionsName, readSignature, type Signature } from './files.ts'
import { Model, type Rows } from './model.ts'
import { loadPredictions, type Predictions } from './predictions.ts'
import { findRun, type Run, runFolder } from './run.ts'
import type { Target } from './target.ts'

export interface TrainedModel {
  readonly recipe: Recipe
  readonly features: Features
  readonly net: nn.Module
  readonly input: NetworkInput
  readonly target: Target
  readonly model: Model
  /** Probabilities in the order of the classes, or one number, of each content. */
  predict(contents: readonly Content[]): Promise<Rows>
  /** What the last linear layer is given. */
  embed(contents: readonly Content[]): Promise<Rows>
  /** Predictions with dropout on, so many times. */
  sample(contents: readonly Content[], times: number, options?: { readonly seed?: number }): Promise<Rows[]>
}

export interface LoadedRun extends TrainedModel {
  readonly run: Run
}

/**
 * Loads a run: the latest that is done, where no number is given.
 * @throws {UserError} where there is none, it is not done, or a file of it is missing or damaged
 */
export async function loadRun(project: Project, number?: number): Promise<LoadedRun> {
  const run = await findRun(project, number)
  requireDone(run)
  const folder = runFolder(project, run.number)
  const kept = await readSignature(folder)
  if (!kept) throw new UserError(`The folder of run ${run.number}, ${folder}, is gone: put it back, or train again.`)
  return { run, ...(await loadTrained(project, folder, kept.signature, kept.features)) }
}

/** The network in a folder that holds weights (and the network's code, where it has some), as its settings say. */
export async function loadTrained(
  project: Pick<Project, 'folder'>,
  folder: string,
  { recipe, input, target }: Signature,
  state: FeaturesState,
): Promise<TrainedModel> {
  const loaded = await recallCode(recipe, project.folder, join(folder, codeName))
  const { draws } = defaultGenerator()
  const drawn = draws.clone()
  const net = loaded.build(input).eval()
  draws.copy_(drawn)
  await loadWeights(folder, net)
  const features = featuresFrom(state)
  const model = new Model(net, features, target)
  return {
    recipe,
    features,
    net,
    input,
    target,
    model,
    predict: (contents) => model.predict(contents),
    embed: (contents) => model.embed(contents),
    sample: (contents, times, options) => model.sample(contents, times, options),
  }
}

/** What a run predicted for the examples of its snapshot. */
export async function runPredictions(
  project: Project,
  number?: number,
): Promise<{ run: Run; target: Target; predictions: Predictions }> {
  const run = await findRun(project, number)
  requireDone(run)
  const folder = runFolder(project, run.number)
  const kept = await readSignature(folder)
  if (!kept) throw new UserError(`The folder of run ${run.number}, ${folder}, is gone: put it back, or train again.`)
  return { run, target: kept.signature.target, predictions: await loadPredictions(join(folder, predictionsName)) }
}

function requireDone(run: Run): void {
  if (run.status !== 'done')
    throw new UserError(
      `Run ${run.number} is ${run.status}, not done: ${run.status === 'failed' ? run.error : `\`descent train --resume ${run.number}\` goes on with it`}.`,
    )
}
