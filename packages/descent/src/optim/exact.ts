/** JavaScript's numbers in f32 tensors without a loss: each is the sum of three f32, for 3 · 24 bits hold its 53. */
import { tensor } from '../create.ts'
import type { Tensor } from '../tensor.ts'

/** [rows, columns, 3], or [rows, 3] for a single column. Exact for magnitudes of about 1e-25 to 1e38. */
export function exactly(rows: readonly (readonly number[])[]): Tensor {
  const columns = rows[0]?.length ?? 1
  const values = rows.flat().flatMap((value) => {
    const first = Math.fround(value)
    if (!Number.isFinite(first)) return [first, 0, 0]
    const second = Math.fround(value - first)
    return [first, second, value - first - second]
  })
  const shape = columns === 1 ? [rows.length, 3] : [rows.length, columns, 3]
  return tensor(Float32Array.from(values), { shape })
}

/** The rows of numbers again. */
export function fromExact(x: Tensor): number[][] {
  const values = x.data()
  const columns = x.ndim === 2 ? 1 : (x.shape[1] as number)
  return Array.from({ length: x.shape[0] as number }, (_, row) =>
    Array.from({ length: columns }, (_, column) => {
      const at = 3 * (row * columns + column)
      return (values[at] as number) + ((values[at + 1] as number) + (values[at + 2] as number))
    }),
  )
}
