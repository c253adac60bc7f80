/**
 * The three element types. In kernels every element takes four bytes, `bool` too (0 or 1 as i32):
 * so one lane is one element whatever the type.
 */
export type DType = 'f32' | 'i32' | 'bool'

/** How many elements along each dimension; [] for a single one. */
export type Shape = readonly number[]

/** What is known of a tensor before it has values. */
export interface Meta {
  readonly shape: Shape
  readonly dtype: DType
}

export function sizeOf(shape: Shape): number {
  let size = 1
  for (let d = 0; d < shape.length; d++) size *= shape[d] as number
  return size
}

/** Row-major strides, in elements. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = stride
    stride *= shape[d] as number
  }
  return strides
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false
  for (let d = 0; d < a.length; d++) if (a[d] !== b[d]) return false
  return true
}
