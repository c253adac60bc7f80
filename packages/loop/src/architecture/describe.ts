/** A recipe on a snapshot before anything is trained: the network's layers, and what is likely to go wrong. */
import { manualSeed, nn, tensor } from 'descent'
import { UserError } from '../errors.ts'
import type { Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import { readExamples } from '../store/examples.ts'
import { contentsOf } from '../training/examples.ts'
import { encodeTargets, outputsOf, targetOf } from '../training/target.ts'
import { readSnapshot, type Snapshot } from '../versioning/snapshot.ts'
import { fitFeatures } from './features.ts'
import type { Layout } from './input.ts'
import { loadRecipe } from './load-recipe.ts'
import { outputFault } from './output-fault.ts'
import { profileOf } from './profile.ts'
import type { Recipe } from './recipe.ts'
import { makeLoss } from './settings.ts'
import { recipeWarnings, requireLoss } from './warnings.ts'

export interface Architecture {
  readonly recipe: Recipe
  readonly snapshot: Snapshot
  readonly layout: Layout
  readonly layers: nn.Summary
  /** Columns that were left out, and such. */
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}

export interface ArchitectureOptions extends Work {
  /** A file of the project, or a recipe. Default: the config's, else the default for the kind. */
  readonly recipe?: string | Recipe | undefined
  readonly snapshot?: string | number | undefined
}

/** Training examples that warnings look at. */
const CONSIDERED = 64

/**
 * Makes the recipe's network for a snapshot, without training it.
 *
 * @example
 * ```ts
 * import { describeArchitecture, makeSnapshot, openProject } from '@descent/loop'
 * const project = await openProject('penguins')
 * await makeSnapshot(project)
 * const { warnings } = await describeArchitecture(project)
 * console.log(warnings.length) // → 0
 * await project.close()
 * ```
 * @throws {UserError} where the recipe cannot be trained on this snapshot at all
 */
export async function describeArchitecture(project: Project, options: ArchitectureOptions = {}): Promise<Architecture> {
  const { store, config, folder } = project
  const { snapshot, entries } = await readSnapshot(project, options.snapshot)
  const profile = await profileOf(store, config, snapshot, entries)
  const loaded = await loadRecipe(folder, profile, options.recipe ?? config.recipe)
  const { recipe } = loaded
  requireLoss(recipe, profile.task)
  const train = entries.filter(({ split }) => split === 'train')
  const target = targetOf(snapshot.task, snapshot.classes, train)
  const contents = contentsOf(store, train, { ...options, what: 'learning features' })
  const features = await fitFeatures(recipe.preprocess, contents, { columns: snapshot.columns, config })
  const input = { layout: features.layout, outputs: outputsOf(target), task: target.task }

  const some = train.slice(0, CONSIDERED)
  const shown = await Array.fromAsync(
    readExamples(
      store,
      some.map(({ number }) => number),
    ),
    ({ content }) => content,
  )
  const batch = { x: await features.encode(shown), y: encodeTargets(target, some) }
  manualSeed(1)
  const net = loaded.build(input)
  const fault = outputFault(net, input, batch.x)
  if (fault) throw new UserError(`The network of the recipe '${recipe.name}' ${fault}`)
  const loss = makeLoss(recipe.loss, profile.counts)
  const first = await features.encode(shown.slice(0, 1))
  return {
    recipe,
    snapshot,
    layout: features.layout,
    layers: nn.summary(net, tensor(first.values, { shape: first.shape })),
    notes: features.notes,
    warnings: recipeWarnings({ recipe, profile, net, loss, batch }),
  }
}
