/** One number for every spatial dimension, or one for each: the sizes of kernels, strides and paddings. */
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'

/** One number for all spatial dimensions, or one for each: of images [height, width]. */
export type Sizes = number | readonly number[]

const names = ['length', 'height, width', 'depth, height, width']

/** One number for each of `n` spatial dimensions. */
export function sizes(layer: string, value: Sizes, n: number): number[] {
  const list = typeof value === 'number' ? new Array<number>(n).fill(value) : [...value]
  if (list.length !== n || list.some((size) => !Number.isInteger(size) || size < 0)) {
    throw new ShapeError(`${layer}: a size is one whole number or [${names[n - 1]}], not [${String(value)}].`)
  }
  return list
}

/** Throws ShapeError for anything but [N, C, …n]. */
export function requireImages(layer: string, x: Tensor, n: number, channels?: number): void {
  if (x.ndim === n + 2 && (channels === undefined || x.shape[1] === channels)) return
  const wanted = ['L', 'H, W', 'D, H, W'][n - 1]
  throw new ShapeError(`${layer}: takes [N, ${channels ?? 'C'}, ${wanted}], got [${x.shape.join(', ')}].`)
}
