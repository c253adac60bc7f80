/** A saved model, made of classes that the caller names: what a page bundles that must stay small. */
import type { AnyModule, Module } from '../nn/module.ts'
import type { Registry } from './architecture.ts'

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
  const { readModel } = await import('./model-folder.ts')
  return (await readModel(folder, classes)) as AnyModule as M
}
