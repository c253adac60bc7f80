/**
 * The design matrix of a linear model, seen only through its products: by double numbers where it is small, by the
 * library's compiled matrix product where it is large, by its stored values where it is sparse.
 */
import { compile, type Tensor, tensor } from 'descent'
import type { Pace } from './pace.ts'
import type { SparseRows, Table } from './rows.ts'
import { type Scaling, scaleInto } from './scaling.ts'

/** X [rows, columns], and the relative error of its products. */
export interface Design {
  readonly rows: number
  readonly columns: number
  readonly precision: number
  /** X W [rows, outputs], for W [columns, outputs]. */
  times(weights: Float64Array, outputs: number, pace: Pace): Promise<Float64Array>
  /** Xᵀ R [columns, outputs], for R [rows, outputs]. */
  transposed(residuals: Float64Array, outputs: number, pace: Pace): Promise<Float64Array>
}

/** A dense design, which also has its Gram matrix. */
export interface DenseDesign extends Design {
  /** Xᵀ X [columns, columns]. */
  gram(pace: Pace): Promise<Float64Array>
}

/** Above so many values the compiled product is faster than what it costs to compile. */
const LARGE = 400_000

/** The scaled columns of a table. */
export function denseDesign(x: Table, scaling: Scaling): DenseDesign {
  return x.values.length > LARGE ? compiledDesign(x, scaling) : exactDesign(x, scaling)
}

export function exactDesign(x: Table, scaling: Scaling): DenseDesign {
  const { rows, columns } = x
  const values = new Float64Array(rows * columns)
  scaleInto(values, x, 0, rows, scaling)
  return {
    rows,
    columns,
    precision: 2 ** -52,
    async times(weights, outputs, pace) {
      const out = new Float64Array(rows * outputs)
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          const value = values[i * columns + j] as number
          for (let k = 0; k < outputs; k++) {
            const at = i * outputs + k
            out[at] = (out[at] as number) + value * (weights[j * outputs + k] as number)
          }
        }
        if (i % 64 === 0 && pace.due()) await pace.rest()
      }
      return out
    },
    async transposed(residuals, outputs, pace) {
      const out = new Float64Array(columns * outputs)
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          const value = values[i * columns + j] as number
          for (let k = 0; k < outputs; k++) {
            const at = j * outputs + k
            out[at] = (out[at] as number) + value * (residuals[i * outputs + k] as number)
          }
        }
        if (i % 64 === 0 && pace.due()) await pace.rest()
      }
      return out
    },
    async gram(pace) {
      const out = new Float64Array(columns * columns)
      for (let i = 0; i < rows; i++) {
        const row = values.subarray(i * columns, (i + 1) * columns)
        for (let a = 0; a < columns; a++) {
          const value = row[a] as number
          for (let b = 0; b < columns; b++) {
            out[a * columns + b] = (out[a * columns + b] as number) + value * (row[b] as number)
          }
        }
        if (pace.due()) await pace.rest()
      }
      return out
    },
  }
}

/** Rows in one compiled product: about 20 ms of work, so that others get their turn. */
const BLOCK = 4096

export function compiledDesign(x: Table, scaling: Scaling): DenseDesign {
  const { rows, columns } = x
  const blocks: Tensor[] = []
  for (let from = 0; from < rows; from += BLOCK) {
    const to = Math.min(from + BLOCK, rows)
    const values = new Float32Array((to - from) * columns)
    scaleInto(values, x, from, to, scaling)
    blocks.push(tensor(values, { shape: [to - from, columns] }))
  }
  const product = compile((a: Tensor, b: Tensor) => a.matmul(b))
  const transposedProduct = compile((a: Tensor, b: Tensor) => a.t().matmul(b))
  const square = compile((a: Tensor) => a.t().matmul(a))
  return {
    rows,
    columns,
    // Sums of float32 products: rounding errors of some 2⁻²⁴ each partly cancel.
    precision: 2 ** -22,
    async times(weights, outputs, pace) {
      const out = new Float64Array(rows * outputs)
      const w = tensor(Float32Array.from(weights), { shape: [columns, outputs] })
      for (let b = 0; b < blocks.length; b++) {
        out.set(product(blocks[b] as Tensor, w).data(), b * BLOCK * outputs)
        if (pace.due()) await pace.rest()
      }
      return out
    },
    async transposed(residuals, outputs, pace) {
      const out = new Float64Array(columns * outputs)
      for (let b = 0; b < blocks.length; b++) {
        const block = blocks[b] as Tensor
        const count = block.shape[0] as number
        const part = residuals.subarray(b * BLOCK * outputs, (b * BLOCK + count) * outputs)
        addTo(out, transposedProduct(block, tensor(Float32Array.from(part), { shape: [count, outputs] })).data())
        if (pace.due()) await pace.rest()
      }
      return out
    },
    async gram(pace) {
      const out = new Float64Array(columns * columns)
      for (const block of blocks) {
        addTo(out, square(block).data())
        if (pace.due()) await pace.rest()
      }
      return out
    },
  }
}

function addTo(sum: Float64Array, part: ArrayLike<number>): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (part[i] as number)
}

/** Sparse rows as they are: centring them would fill them. */
export function sparseDesign({ rows, columns, starts, indices, values }: SparseRows): Design {
  return {
    rows,
    columns,
    precision: 2 ** -52,
    async times(weights, outputs, pace) {
      const out = new Float64Array(rows * outputs)
      for (let i = 0; i < rows; i++) {
        for (let at = starts[i] as number; at < (starts[i + 1] as number); at++) {
          const from = (indices[at] as number) * outputs
          const value = values[at] as number
          for (let k = 0; k < outputs; k++) {
            const into = i * outputs + k
            out[into] = (out[into] as number) + value * (weights[from + k] as number)
          }
        }
        if (i % 64 === 0 && pace.due()) await pace.rest()
      }
      return out
    },
    async transposed(residuals, outputs, pace) {
      const out = new Float64Array(columns * outputs)
      for (let i = 0; i < rows; i++) {
        for (let at = starts[i] as number; at < (starts[i + 1] as number); at++) {
          const into = (indices[at] as number) * outputs
          const value = values[at] as number
          for (let k = 0; k < outputs; k++) {
            out[into + k] = (out[into + k] as number) + value * (residuals[i * outputs + k] as number)
          }
        }
        if (i % 64 === 0 && pace.due()) await pace.rest()
      }
      return out
    },
  }
}
