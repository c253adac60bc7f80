/** The files of a saved model. Loaded by `saveModel`, `loadModel` and `loadModelWith`. */
import { FormatError } from '../errors.ts'
import type { AnyModule } from '../nn/module.ts'
import { defaultGenerator } from '../random.ts'
import { version } from '../version.ts'
import { construct, describe, type Registry } from './architecture.ts'
import { bytesAt, makeFolder, named, writeBytes } from './file.ts'
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts'

const FORMAT = 'descent model'
const VERSION = 1

/** See `saveModel`. */
export async function writeModel(net: AnyModule, folder: string, classes: Registry): Promise<void> {
  const { architecture, tensors } = describe(net, classes)
  const described = { format: FORMAT, version: VERSION, descent: version, architecture }
  const weights = encodeSafetensors({ ...net.stateDict(), ...tensors }, { architecture: JSON.stringify(architecture) })
  await makeFolder(folder)
  await writeBytes(`${folder}/model.safetensors`, weights)
  await writeBytes(`${folder}/model.json`, new TextEncoder().encode(`${JSON.stringify(described, null, 2)}\n`))
}

/** See `loadModelWith`. */
export async function readModel(folder: string | URL, classes: Registry): Promise<AnyModule> {
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
    return net.eval()
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
