/** One number for every spatial dimension, or one for each: the sizes of kernels, strides and paddings. */
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'

/** One number for all spatial dimensions, or one for each: of images [height, width]. */
export type Sizes = number | readonly number[]

const names = ['length', 'height, width', 'depth, height, width']

/** One number for each of `n` spatial dimensions, none below `least`: 1 for kernels and strides, 0 for paddings. */
export function sizes(layer: string, value: Sizes, n: number, least = 0): number[] {
  const list = typeof value === 'number' ? new Array<number>(n).fill(value) : [...value]
  if (list.length !== n || list.some((size) => !Number.isInteger(size) || size < least)) {
    throw new ShapeError(
      `${layer}: a size is one whole number of at least ${least} or [${names[n - 1]}], not [${String(value)}].`,
    )
  }
  return list
}

/** Throws ShapeError for anything but [N, C, …n]. */
export function requireImages(layer: string, x: Tensor, n: number, channels?: number): void {
  if (x.ndim === n + 2 && (channels === undefined || x.shape[1] === channels)) return
  const wanted = ['L', 'H, W', 'D, H, W'][n - 1]
  throw new ShapeError(`${layer}: takes [N, ${channels ?? 'C'}, ${wanted}], got [${x.shape.join(', ')}].`)
}
