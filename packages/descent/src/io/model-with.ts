/** A saved model, made of classes that the caller names: what a page bundles that must stay small. */
import { FormatError } from '../errors.ts'
import type { AnyModule, Module } from '../nn/module.ts'
import { defaultGenerator } from '../random.ts'
import { construct, type Registry } from './architecture.ts'
import { bytesAt, named } from './file.ts'
import { decodeSafetensors } from './safetensors.ts'

export const FORMAT = 'descent model'
export const VERSION = 1

/**
 * As `loadModel`, with these classes and no others, by their names in the file: a bundler then leaves out all layers
 * that the model does not have.
 *
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { loadModelWith, nn, ones, saveModel } from 'descent'
 * const folder = await mkdtemp(`${tmpdir()}/model-`)
 * await saveModel(new nn.Sequential(new nn.Linear(4, 2), new nn.ReLU()), folder)
 * const { Linear, ReLU, Sequential } = nn
 * const net = await loadModelWith(folder, { Linear, ReLU, Sequential })
 * console.log(net.forward(ones([1, 4])).shape) // → [ 1, 2 ]
 * ```
 */
export async function loadModelWith<M extends AnyModule = Module>(folder: string | URL, classes: Registry): Promise<M> {
  const [weights, described] = await Promise.all([
    bytesAt(inside(folder, 'model.safetensors')),
    architectureText(folder),
  ])
  return named(folder, () => {
    const { tensors, metadata } = decodeSafetensors(weights)
    const text = described ?? metadata.architecture
    if (text === undefined)
      throw new FormatError('there is no model.json, and the weights do not tell what they are of.')
    if (metadata.architecture !== undefined && metadata.architecture !== text) {
      throw new FormatError(
        'model.json and model.safetensors are of two models: saving was interrupted, or a file was replaced. Save again, or delete model.json: the weights hold the architecture that they are of.',
      )
    }
    // Making modules draws first values, which those of the file replace.
    const { draws } = defaultGenerator()
    const before = draws.clone()
    const net = construct(JSON.parse(text), classes, tensors)
    draws.copy_(before)
    const state = Object.entries(tensors).filter(([name]) => !name.startsWith('__settings__.'))
    net.loadStateDict(Object.fromEntries(state))
    return net.eval() as AnyModule as M
  })
}

/** The architecture in model.json, in the form that it has in the weights' file; null where there is no model.json. */
async function architectureText(folder: string | URL): Promise<string | null> {
  const place = inside(folder, 'model.json')
  let bytes: Uint8Array
  try {
    bytes = await bytesAt(place)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return null
    throw error
  }
  return named(place, () => {
    let content: unknown
    try {
      content = JSON.parse(new TextDecoder().decode(bytes))
    } catch (error) {
      throw new FormatError(`it is not JSON (${(error as Error).message}).`)
    }
    const { format, version, architecture } = Object(content) as Record<string, unknown>
    if (format !== FORMAT) throw new FormatError('it does not describe a model that saveModel wrote.')
    if (version !== VERSION) throw new FormatError(`version ${JSON.stringify(version)} is newer than this library.`)
    return JSON.stringify(architecture)
  })
}

function inside(folder: string | URL, file: string): string | URL {
  if (typeof folder === 'string') return `${folder.replace(/[/\\]+$/, '')}/${file}`
  const base = new URL(folder)
  if (!base.pathname.endsWith('/')) base.pathname += '/'
  return new URL(file, base)
}
