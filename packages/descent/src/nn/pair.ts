/** One number for height and width, or one for each: the sizes of kernels, strides and paddings over images. */
import { ShapeError } from '../errors.ts'

/** One number for height and width, or both: [height, width]. */
export type Pair = number | readonly number[]

export function pair(value: Pair): [height: number, width: number] {
  const [height, width, ...more] = typeof value === 'number' ? [value, value] : value
  if (height === undefined || width === undefined || more.length > 0) {
    throw new ShapeError(`A size over images is one number or [height, width], not [${String(value)}].`)
  }
  return [height, width]
}
