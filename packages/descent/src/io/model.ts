/**
 * A model as one folder: `model.json` with the architecture, to be read by people too, and `model.safetensors` with the
 * weights, which PyTorch reads as well, and with the architecture once more: so that files of two models are found out.
 */
import * as functions from '../nn/functional.ts'
import * as nn from '../nn/index.ts'
import type { AnyModule, Module } from '../nn/module.ts'
import type { Registry } from './architecture.ts'
import { loadModelWith } from './model-with.ts'

export interface ModelOptions {
  /** Your own classes of modules, and functions among the arguments, by the names that stand in the file. */
  readonly classes?: Registry
}

/**
 * Writes a network into a folder, in Node: `model.json` and `model.safetensors`, each to a temporary name first, then
 * renamed. Classes of the library are known; give your own in `classes`, and let their constructors call `record` with
 * what they are given. Random generators are left out. Throws TypeError for what cannot be written down.
 *
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { loadModel, nn, ones, saveModel, type Tensor } from 'descent'
 * class Residual extends nn.Module {
 *   readonly inner: nn.Linear
 *   constructor(width: number) {
 *     super()
 *     this.inner = new nn.Linear(width, width)
 *     this.record(Residual, [width])
 *   }
 *   override forward(x: Tensor) {
 *     return x.add(this.inner.forward(x))
 *   }
 * }
 * const folder = await mkdtemp(`${tmpdir()}/model-`)
 * const net = new nn.Sequential(new Residual(3), new nn.Linear(3, 1))
 * await saveModel(net, folder, { classes: { Residual } })
 * const again = await loadModel(folder, { classes: { Residual } })
 * console.log(again.forward(ones([1, 3])).item() === net.forward(ones([1, 3])).item()) // → true
 * ```
 */
export async function saveModel(net: AnyModule, folder: string, options: ModelOptions = {}): Promise<void> {
  const { writeModel } = await import('./model-folder.ts')
  await writeModel(net, folder, registry(options))
}

/**
 * The network of a folder that `saveModel` wrote, in eval mode: from a path in Node, from an address that can be
 * fetched in the browser. The default generator's state stays. Throws FormatError, naming the folder, where files are
 * missing, damaged, or not of one model, and for classes that are not known; StateDictError, listing the keys, where the
 * weights do not fit the architecture. A bundle with `loadModel` has every layer; see `loadModelWith`.
 */
export async function loadModel<M extends AnyModule = Module>(
  folder: string | URL,
  options: ModelOptions = {},
): Promise<M> {
  return loadModelWith<M>(folder, registry(options))
}

function registry({ classes = {} }: ModelOptions): Registry {
  const library = Object.entries({ ...functions, ...nn }).filter(([, value]) => typeof value === 'function')
  const known: Registry = Object.fromEntries(library)
  for (const [name, value] of Object.entries(classes)) {
    if (Object.hasOwn(known, name) && known[name] !== value)
      throw new TypeError(`classes: ${name} is a name of the library; give yours another.`)
    if (typeof value !== 'function') throw new TypeError(`classes: ${name} is neither a class nor a function.`)
  }
  return { ...known, ...classes }
}
