/** One number for height and width, or one for each: the sizes of kernels, strides and paddings over images. */
export type Pair = number | readonly [height: number, width: number]

export function pair(value: Pair): [number, number] {
  return typeof value === 'number' ? [value, value] : [value[0], value[1]]
}
