/**
 * What a run keeps in its folder beside checkpoints: `signature.json` (recipe, target, layout), `features.json`, the network's
 * code where it has some, `model.safetensors` with the weights (and `model.json` with the architecture where its modules
 * can be written down), `predictions.safetensors`. Each file is there whole or not at all.
 */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadSafetensors, type nn, saveModel, saveSafetensors } from 'descent'
import type { FeaturesState } from '../architecture/features.ts'
import type { NetworkInput } from '../architecture/input.ts'
import { networkClasses } from '../architecture/networks/index.ts'
import type { Recipe } from '../architecture/recipe.ts'
import { UserError } from '../errors.ts'
import { writeWhole } from '../store/files.ts'
import type { Target } from './target.ts'

/** What the model takes and gives. */
export interface Signature {
  readonly recipe: Recipe
  readonly input: NetworkInput
  readonly target: Target
}

export const codeName = 'recipe.ts'
export const predictionsName = 'predictions.safetensors'
export const checkpointsName = 'checkpoints'
const weightsName = 'model.safetensors'

export async function writeSignature(
  folder: string,
  signature: Signature,
  features: FeaturesState,
  code: string | null,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  if (code !== null) await writeWhole(join(folder, codeName), code)
  await writeWhole(join(folder, 'features.json'), JSON.stringify(features))
  await writeWhole(join(folder, 'signature.json'), `${JSON.stringify(signature, null, 2)}\n`)
}

/** Null where the run has not come so far. */
export async function readSignature(folder: string): Promise<{ signature: Signature; features: FeaturesState } | null> {
  const signature = await readJson<Signature>(join(folder, 'signature.json'))
  const features = await readJson<FeaturesState>(join(folder, 'features.json'))
  return signature && features && { signature, features }
}

async function readJson<T>(path: string): Promise<T | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  try {
    return JSON.parse(text) as T
  } catch {
    throw new UserError(`${path} is damaged: put it back from a copy, or train again.`)
  }
}

/** The bytes of the weights' file. */
export async function saveWeights(folder: string, net: nn.Module): Promise<number> {
  try {
    await saveModel(net, folder, { classes: networkClasses })
  } catch (error) {
    // A network of someone's own need not be able to describe itself: its code is kept.
    if (!(error instanceof TypeError)) throw error
    await saveSafetensors(join(folder, weightsName), net.stateDict())
  }
  return (await readFile(join(folder, weightsName))).length
}

export async function loadWeights(folder: string, net: nn.Module): Promise<void> {
  const path = join(folder, weightsName)
  const tensors = await loadSafetensors(path).catch((error: Error) => {
    throw new UserError(`The weights ${path} cannot be read: ${error.message}`)
  })
  const state = Object.entries(tensors).filter(([name]) => !name.startsWith('__settings__.'))
  net.loadStateDict(Object.fromEntries(state))
}
