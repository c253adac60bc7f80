/** A plan for one matrix product, C = A·B: for those who look at a device from outside, the self-check and the doctor. */
import type { Expr } from '../kernel/expr.ts'
import { dot, type Index, variable } from '../kernel/index-expr.ts'
import type { GemmKernel, Plan, PlanBuffer } from '../kernel/kernel.ts'

/** Arguments: A [m, k], B [k, n], and C [m, n], which is written. */
export function productPlan(m: number, k: number, n: number): Plan {
  const kernel = productKernel(m, k, n)
  return {
    kernels: [kernel],
    buffers: kernel.buffers.map(
      ({ dtype, length, access }, position): PlanBuffer => ({
        dtype,
        length,
        place: { kind: 'argument', position, access, resident: true },
      }),
    ),
    steps: [[{ kernel: 0, buffers: [0, 1, 2], size: null }]],
    arenaBytes: 0,
    checks: [],
  }
}

export function productKernel(m: number, k: number, n: number): GemmKernel {
  const [row, column, depth] = [variable(0, m), variable(1, n), variable(2, k)]
  const load = (buffer: number, index: Index): Expr => ({ kind: 'load', dtype: 'f32', buffer, index, guarded: false })
  return {
    kind: 'gemm',
    buffers: [
      { dtype: 'f32', access: 'read', length: m * k },
      { dtype: 'f32', access: 'read', length: k * n },
      { dtype: 'f32', access: 'write', length: m * n },
    ],
    batch: [],
    m: { id: 0, size: m },
    n: { id: 1, size: n },
    k: { id: 2, size: k },
    a: load(0, dot([row, depth], [k, 1])),
    b: load(1, dot([depth, column], [n, 1])),
    stores: [{ buffer: 2, index: dot([row, column], [n, 1]), value: { kind: 'tile', dtype: 'f32' } }],
  }
}
