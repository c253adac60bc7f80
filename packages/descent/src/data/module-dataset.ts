/** The dataset of a module. Loaded by `fromModule`. */
import type { Dataset } from './dataset.ts'
import type { DatasetModule } from './from-module.ts'
import type { RawExamples, Source, Transform } from './raw.ts'
import { rawExamples } from './raw-tensors.ts'
import { SourceDataset } from './source-dataset.ts'

/** See `fromModule`. */
export async function openModule(url: string | URL, args: unknown): Promise<ModuleDataset> {
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
