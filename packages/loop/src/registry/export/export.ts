/**
 * `descent export`: a folder that runs a version anywhere: weights, a typed `predict.ts` for Node and bundlers, and a page
 * that runs in a browser from the disk. Nothing in it needs Descent.
 */
import { randomUUID } from 'node:crypto'
import { copyFile, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { exportProgram, type Tensor, tensor } from 'descent'
import { inputShape } from '../../architecture/input.ts'
import { UserError } from '../../errors.ts'
import type { Project } from '../../project/project.ts'
import { writeWhole } from '../../store/files.ts'
import { cardName } from '../files.ts'
import { type LoadedVersion, loadVersion } from '../load-version.ts'
import { versionFolder } from '../version.ts'
import { bundle } from './bundle.ts'
import { exportedPage } from './page.ts'
import { predictSource, runtimeTypes } from './predict-source.ts'
import type { ExportedSettings } from './runtime/model.ts'

export interface ExportOptions {
  /** The folder; it must be empty, or not there yet. */
  readonly to: string
}

export interface Exported {
  readonly version: number
  readonly folder: string
  /** Names of the files in it. */
  readonly files: readonly string[]
  /** Of the program, weights in it. */
  readonly programBytes: number
}

/**
 * Writes the folder, whole or not at all.
 * @throws {UserError} where there is no such version, it is damaged, or the folder holds something
 */
export async function exportVersion(
  project: Project,
  reference: number | string,
  { to }: ExportOptions,
): Promise<Exported> {
  const folder = resolve(to)
  await requireFree(folder)
  const model = await loadVersion(project, reference)
  const program = programOf(model)
  const settings: ExportedSettings = {
    project: project.name,
    version: model.version,
    features: model.trained.features.state,
    output: model.signature.output,
    temperature: model.temperature,
  }
  const runtime = await runtimeOf(settings.features.type)
  const texts: Readonly<Record<string, string | Uint8Array>> = {
    'model.wasm': program,
    'settings.json': `${JSON.stringify(settings)}\n`,
    'runtime.js': `${runtime}export { loadModel }\n`,
    'runtime.d.ts': runtimeTypes,
    'predict.ts': predictSource(project.name, model.version, model.signature),
    'index.html': exportedPage({ settings, signature: model.signature, program, runtime }),
    'package.json': `${JSON.stringify({ type: 'module', private: true }, null, 2)}\n`,
  }
  await mkdir(dirname(folder), { recursive: true })
  const draft = join(dirname(folder), `.${basename(folder)}-${randomUUID()}`)
  await mkdir(draft)
  try {
    for (const [name, content] of Object.entries(texts)) await writeWhole(join(draft, name), content)
    const from = versionFolder(project, model.version)
    for (const name of ['model.safetensors', 'model.json', cardName])
      await copyFile(join(from, name), join(draft, name)).catch((error: NodeJS.ErrnoException) => {
        // Not every network can be written down, and the card is people's: without them the folder runs as well.
        if (error.code !== 'ENOENT') throw error
      })
    const files = (await readdir(draft)).sort()
    // Only an empty folder gives way.
    await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw new UserError(`${folder} cannot be replaced: ${error.message}.`)
    })
    await rename(draft, folder)
    return { version: model.version, folder, files, programBytes: program.length }
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function requireFree(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new UserError(`${folder} is no folder to export to: ${error.message}.`)
  })
  if (names.length > 0) throw new UserError(`${folder} is not empty: export to a new folder, or remove what is there.`)
}

/** The network with what belongs behind it, for one input. */
function programOf({ version, trained: { net, model, input } }: LoadedVersion): Uint8Array {
  const { layout } = input
  const shape = [1, ...inputShape(layout)]
  const size = shape.reduce((a, b) => a * b)
  const example = tensor(layout.type === 'tokens' ? new Int32Array(size) : new Float32Array(size), { shape })
  net.eval()
  try {
    return exportProgram((x: Tensor) => model.answer(net.forward(x)), [example])
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'TraceError') throw error
    throw new UserError(`The network of version ${version} cannot be exported: ${error.message}`)
  }
}

const runtimes = {
  table: './runtime/rows.ts',
  pixels: './runtime/pixels.ts',
  words: './runtime/words.ts',
  bytePairs: './runtime/tokens.ts',
} as const

/** JavaScript that defines `loadModel` for inputs of this kind. */
function runtimeOf(features: keyof typeof runtimes): Promise<string> {
  const library = new URL('./io/program.ts', import.meta.resolve('descent'))
  return bundle(new URL(runtimes[features], import.meta.url), { descent: library })
}
