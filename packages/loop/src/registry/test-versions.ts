/** For tests: projects on real data with a trained run, as quickly as they can be had. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Kind } from '../project/config.ts'
import type { Project } from '../project/project.ts'
import { addColumns, addExamples, type TestExample } from '../test-examples.ts'
import { testProject } from '../test-project.ts'
import type { Run } from '../training/run.ts'
import { cars, mnist, penguins, spamAssassin } from '../training/test-data.ts'
import { trainRun } from '../training/train-run.ts'
import type { SnapshotColumn } from '../versioning/manifest.ts'
import { makeSnapshot } from '../versioning/snapshot.ts'

export interface TrainedProject {
  readonly project: Project
  readonly run: Run
  readonly examples: readonly TestExample[]
}

interface Settings {
  /** What differs from the default recipe. */
  readonly recipe?: object
  readonly epochs?: number
  readonly config?: string
}

/** Penguins by species. */
export function penguinProject(t: TestContext, { epochs = 8, ...settings }: Settings = {}): Promise<TrainedProject> {
  const { examples, columns } = penguins()
  return trained(t, 'tabular', examples, columns, { epochs, ...settings })
}

/** Cars by miles a gallon. */
export function carProject(t: TestContext, { epochs = 8, ...settings }: Settings = {}): Promise<TrainedProject> {
  const { examples, columns } = cars()
  return trained(t, 'tabular', examples, columns, { epochs, ...settings })
}

/** 300 digits of MNIST to train with and 100 to test with. */
export function digitProject(t: TestContext, { epochs = 4, recipe = mlp, ...settings }: Settings = {}) {
  return trained(t, 'image', [...mnist(300, 100)], [], { epochs, recipe, ...settings })
}

/** Mails, spam or ham. */
export function mailProject(t: TestContext, { epochs = 3, ...settings }: Settings = {}): Promise<TrainedProject> {
  return trained(t, 'text', spamAssassin(40), [], { epochs, ...settings })
}

const mlp = { name: 'small', network: { type: 'mlp', hidden: [32], dropout: 0 }, augmentation: [] }

/** A project of these examples, their snapshot and a run. */
export async function trained(
  t: TestContext,
  kind: Kind,
  examples: readonly TestExample[],
  columns: readonly SnapshotColumn[],
  settings: Settings,
): Promise<TrainedProject> {
  const project = await testProject(t, kind, settings.config)
  await addColumns(project, columns)
  await addExamples(project, examples)
  await makeSnapshot(project, { freeze: true })
  return { project, run: await train(project, settings), examples }
}

/** Another run in the project. */
export async function train(
  project: Project,
  { recipe, epochs = 4, seed = 1 }: Settings & { readonly seed?: number } = {},
): Promise<Run> {
  const name = 'small.json'
  if (recipe) await writeFile(join(project.folder, name), JSON.stringify(recipe))
  return trainRun(project, { ...(recipe ? { recipe: name } : {}), epochs, seed, threads: 1 })
}
