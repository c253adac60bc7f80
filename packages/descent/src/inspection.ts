/**
 * The way to what people look at and no training needs: the printed forms of the compiler's stages and the device
 * `reference`. Loaded when first asked for, which in Node can be at once; a page has to load it beforehand, with
 * `loadInspection`.
 */
type Parts = typeof import('./inspection-parts.ts')

let loaded: Parts | null = null

/** The parts. `what` is for the error where they cannot be had at once: in a page, and where a bundler has moved them. */
export function inspection(what: string): Parts {
  try {
    loaded ??= fromDisk()
    return loaded
  } catch (cause) {
    throw new Error(`${what}: this is loaded only when asked for. Call \`await loadInspection()\` before.`, { cause })
  }
}

function fromDisk(): Parts {
  const { createRequire } = process.getBuiltinModule('node:module')
  return createRequire(import.meta.url)('./inspection-parts.ts') as Parts
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
