/** A dataset that a module makes: here and, the same, in a worker. */
import type { Dataset } from './dataset.ts'
import type { ModuleDataset } from './module-dataset.ts'
import type { Source, Transform } from './raw.ts'

/** What such a module exports. */
export interface DatasetModule {
  /** Makes the dataset from the arguments, which must be data that can be sent to a worker. */
  readonly default: (args: unknown) => Dataset | Source | Promise<Dataset | Source>
  /** Changes batches; run by workers too, where there are some. */
  readonly transform?: Transform
}

/**
 * The dataset that a module's default export makes, with its export `transform`, if any. Loaders with workers load the
 * module there as well: so functions of one's own read and change examples in a worker.
 *
 * `const digits = await data.fromModule(new URL('./digits.ts', import.meta.url), { part: 'train' })`
 *
 * Throws TypeError where the module's default export is no function.
 */
export async function fromModule(url: string | URL, args?: unknown): Promise<ModuleDataset> {
  const { openModule } = await import('./on-demand.ts')
  return openModule(url, args)
}
