/** A dataset that a module makes: here and, the same, in a worker. */
import type { Dataset } from './dataset.ts'
import type { RawExamples, Source, Transform } from './raw.ts'
import { rawExamples } from './raw-tensors.ts'
import { SourceDataset } from './source-dataset.ts'

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
  const module = (await import(/* @vite-ignore */ String(url))) as Partial<DatasetModule>
  if (typeof module.default !== 'function')
    throw new TypeError(`fromModule: ${url} must export by default a function that makes a dataset.`)
  return new ModuleDataset(await module.default(args), module.transform, { kind: 'module', url: String(url), args })
}

/** What `fromModule` gives. */
export class ModuleDataset extends SourceDataset {
  readonly dataset: Dataset | Source
  readonly length: number
  readonly transform?: Transform
  readonly #spec: unknown

  constructor(dataset: Dataset | Source, transform: Transform | undefined, spec: unknown) {
    super()
    this.dataset = dataset
    this.length = dataset.length
    if (transform) this.transform = transform
    this.#spec = spec
  }

  read(numbers: Int32Array): RawExamples | Promise<RawExamples> {
    return rawExamples(this.dataset, numbers)
  }

  /** The class of every example. Throws TypeError where the module's dataset does not say it. */
  labels(): Int32Array {
    if ('labels' in this.dataset && this.dataset.labels) return this.dataset.labels()
    throw new TypeError('The module’s dataset does not say which class each example has.')
  }

  /** What a worker must know to read the same. */
  spec(): unknown {
    return this.#spec
  }
}
