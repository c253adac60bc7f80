/** Tensors in NumPy's files: .npy holds one array, .npz several by name. */
import { tensor } from '../create.ts'
import { FormatError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { named, readBytes, writeBytes } from './file.ts'
import { decodeNpyArray, encodeNpyArray, type NpyArray } from './npy-format.ts'
import type { Tensors } from './safetensors.ts'

/**
 * The bytes of a .npy file: f32 as '<f4', i32 as '<i4', bool as '|b1'.
 *
 * @example
 * ```ts
 * import { decodeNpy, encodeNpy, tensor } from 'descent'
 * console.log(decodeNpy(encodeNpy(tensor([[1, 2], [3, 4]]))).toArray()) // → [ [ 1, 2 ], [ 3, 4 ] ]
 * ```
 */
export function encodeNpy(x: Tensor): Uint8Array<ArrayBuffer> {
  return encodeNpyArray({ dtype: x.dtype, shape: x.shape, values: x.data() })
}

/**
 * The tensor in a .npy file, of either byte order, in C's or Fortran's order: f2, f4 and f8 become f32, which rounds
 * f8; i1 to i8 and u1 to u8 become i32, b1 bool. Throws FormatError where the bytes are damaged, for other dtypes, and
 * for whole numbers beyond 32 bits.
 */
export function decodeNpy(bytes: Uint8Array): Tensor {
  return tensorOf(decodeNpyArray(bytes))
}

function tensorOf({ dtype, shape, values, fortran }: NpyArray): Tensor {
  if (!fortran || shape.length < 2) return tensor(values, { dtype, shape })
  const turned = tensor(values, { dtype, shape: shape.toReversed() })
  return turned.permute(shape.map((_, d) => shape.length - 1 - d)).clone()
}

/** Writes a tensor to a .npy file, in Node: to a temporary name, then renamed. */
export async function saveNpy(path: string, x: Tensor): Promise<void> {
  await writeBytes(path, encodeNpy(x))
}

/** The tensor of a .npy file, in Node. Throws FormatError, naming the file, as `decodeNpy`. */
export async function loadNpy(path: string | URL): Promise<Tensor> {
  const bytes = await readBytes(path)
  return named(path, () => decodeNpy(bytes))
}

export interface NpzOptions {
  /** Deflate the arrays, as numpy.savez_compressed does. Default false. */
  readonly compressed?: boolean
}

/**
 * The bytes of a .npz file with these tensors. Throws RangeError above 4 GiB.
 *
 * @example
 * ```ts
 * import { decodeNpz, encodeNpz, tensor } from 'descent'
 * const { x, y } = await decodeNpz(await encodeNpz({ x: tensor([1, 2]), y: tensor([true]) }, { compressed: true }))
 * console.log(x.toArray(), y.toArray()) // → [ 1, 2 ] [ true ]
 * ```
 */
export async function encodeNpz(tensors: Tensors, options: NpzOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const entries = Object.entries(tensors).map(([name, x]) => [`${name}.npy`, encodeNpy(x)] as const)
  const { writeZip } = await import('./zip.ts')
  return writeZip(entries, options.compressed ?? false)
}

/** The tensors of a .npz file by name, each as `decodeNpy` reads it. Throws FormatError where it is damaged. */
export async function decodeNpz(bytes: Uint8Array): Promise<Record<string, Tensor>> {
  const { readZip } = await import('./zip.ts')
  const tensors: [string, Tensor][] = []
  for (const [file, content] of await readZip(bytes)) {
    if (!file.endsWith('.npy')) throw new FormatError(`npz: '${file}' is no array.`)
    const name = file.slice(0, -4)
    if (name === '__proto__') throw new FormatError(`npz: an array cannot be named '${name}'.`)
    tensors.push([name, tensorOf(decodeNpyArray(content, `npz: '${name}'`))])
  }
  return Object.fromEntries(tensors)
}

/** Writes tensors to a .npz file, in Node: to a temporary name, then renamed. */
export async function saveNpz(path: string, tensors: Tensors, options: NpzOptions = {}): Promise<void> {
  await writeBytes(path, await encodeNpz(tensors, options))
}

/** The tensors of a .npz file, in Node. Throws FormatError, naming the file, as `decodeNpz`. */
export async function loadNpz(path: string | URL): Promise<Record<string, Tensor>> {
  const bytes = await readBytes(path)
  return named(path, () => decodeNpz(bytes))
}
