/** Tensors in safetensors files: what `safetensors-format.ts` reads and writes, as tensors and on disk. */
import { tensor } from '../create.ts'
import type { Tensor } from '../tensor.ts'
import { named, readBytes, writeBytes } from './file.ts'
import { type ArrayEntry, decodeArrays, encodeArrays } from './safetensors-format.ts'

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>

/** What a safetensors file holds. */
export interface SafetensorsContent {
  readonly tensors: Tensors
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * The bytes of a safetensors file with these tensors: f32 as F32, i32 as I32, bool as BOOL.
 *
 * @example
 * ```ts
 * import { decodeSafetensors, encodeSafetensors, tensor } from 'descent'
 * const bytes = encodeSafetensors({ bias: tensor([1, 2]) }, { made: 'by hand' })
 * const { tensors, metadata } = decodeSafetensors(bytes)
 * console.log(tensors.bias?.toArray(), metadata.made) // → [ 1, 2 ] by hand
 * ```
 */
export function encodeSafetensors(
  tensors: Tensors,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(tensors).map(([name, x]): [string, ArrayEntry] => [
    name,
    { dtype: x.dtype, shape: x.shape, values: x.data() },
  ])
  return encodeArrays(entries, metadata)
}

/**
 * The tensors and metadata of a safetensors file. F64 (rounded), F16 and BF16 become f32; whole numbers of 8 to 64 bits
 * become i32. Throws FormatError where the bytes are damaged, truncated or lie about sizes, and for whole numbers beyond
 * 32 bits; nothing outside of the bytes is read.
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsContent {
  const { entries, metadata } = decodeArrays(bytes)
  const tensors = Array.from(
    entries,
    ([name, { dtype, shape, values }]) => [name, tensor(values, { dtype, shape })] as const,
  )
  return { tensors: Object.fromEntries(tensors), metadata }
}

/**
 * Writes tensors to a safetensors file, in Node: to a temporary name, then renamed, so that the path holds the old file
 * or the whole new one at every moment.
 *
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { loadSafetensors, nn, saveSafetensors } from 'descent'
 * const path = join(await mkdtemp(join(tmpdir(), 'net-')), 'net.safetensors')
 * const net = new nn.Linear(3, 1)
 * await saveSafetensors(path, net.stateDict())
 * new nn.Linear(3, 1).loadStateDict(await loadSafetensors(path))
 * ```
 */
export async function saveSafetensors(
  path: string,
  tensors: Tensors,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeBytes(path, encodeSafetensors(tensors, metadata))
}

/** The tensors of a safetensors file, in Node. Throws FormatError, naming the file, where it is damaged. */
export async function loadSafetensors(path: string | URL): Promise<Tensors> {
  const bytes = await readBytes(path)
  return named(path, () => decodeSafetensors(bytes).tensors)
}
