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
  throw new ShapeError(`${layer}: takes ${batchText(n, channels)}, got [${x.shape.join(', ')}].`)
}

/** What `run` makes of [N, C, …n]; one example [C, …n] is a batch of one, and so is its result. Throws ShapeError for others. */
export function onBatch(layer: string, x: Tensor, n: number, run: (x: Tensor) => Tensor, channels?: number): Tensor {
  const single = x.ndim === n + 1
  const batch = single ? x.unsqueeze(0) : x
  if (batch.ndim !== n + 2 || (channels !== undefined && batch.shape[1] !== channels)) {
    const text = batchText(n, channels)
    throw new ShapeError(`${layer}: takes ${text} or ${text.replace('N, ', '')}, got [${x.shape.join(', ')}].`)
  }
  return single ? run(batch).squeeze(0) : run(batch)
}

function batchText(n: number, channels?: number): string {
  return `[N, ${channels ?? 'C'}, ${['L', 'H, W', 'D, H, W'][n - 1]}]`
}
