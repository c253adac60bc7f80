/**
 * The way to what people look at and no training needs: the printed forms of the compiler's stages and the device
 * `reference`. Loaded when first asked for, which in Node can be at once; a page has to load it beforehand, with
 * `loadInspection`.
 */
type Parts = typeof import('./inspection-parts.ts')

let loaded: Parts | null = null

/** The parts. `what` is for the error where they cannot be had at once. */
export function inspection(what: string): Parts {
  const { process } = globalThis as { process?: NodeJS.Process }
  const node = process?.getBuiltinModule?.('node:module')
  if (!loaded && node) loaded = node.createRequire(import.meta.url)('./inspection-parts.ts') as Parts
  if (!loaded) throw new Error(`${what}: a page loads this only when asked to. Call \`await loadInspection()\` before.`)
  return loaded
}

/**
 * Loads what a page leaves out until it is wanted: the printed forms of compiled functions (`print`) and the device
 * 'reference' (`setDevice`). Node loads them by itself when they are first used.
 *
 * @example
 * ```ts
 * import { compile, loadInspection, tensor } from 'descent'
 * const double = compile((x) => x.mul(2))
 * double(tensor([1, 2]))
 * await loadInspection()
 * console.log(double.print('graph').includes('mul')) // → true
 * ```
 */
export async function loadInspection(): Promise<void> {
  loaded ??= await import('./inspection-parts.ts')
}
