/**
 * Whether a device computes what it should: small plans whose results are known without it. Sizes are odd, so that
 * there are rows that end within a vector; whole numbers make products and sums exact.
 *
 *   y = exp(x) + tanh(x);   C = A·B, then the sum of each row of C;   an index that is out of range
 */

import type { Device, Storage } from '../devices/device.ts'
import type { DType } from '../dtype.ts'
import { IndexError } from '../errors.ts'
import { binary, type Expr, unary } from '../kernel/expr.ts'
import { dot, type Index, variable } from '../kernel/index-expr.ts'
import type { BufferUse, Launch, LoopKernel, Plan, PlanBuffer, Stage } from '../kernel/kernel.ts'
import { productKernel } from './product.ts'

const length = 21
const [m, k, n] = [7, 5, 19]
const [outOfRange, size] = [13, 4]

/** What is wrong with the device, or null. */
export function checkDevice(device: Device): string | null {
  const x = Float32Array.from({ length }, (_, i) => (i - 10) / 4)
  const a = Float32Array.from({ length: m * k }, (_, i) => (i % 5) - 2)
  const b = Float32Array.from({ length: k * n }, (_, i) => (i % 7) - 3)
  const product = multiplied(a, b)
  const claims = [
    { what: 'exp(x) + tanh(x)', want: Array.from(x, (value) => Math.exp(value) + Math.tanh(value)) },
    { what: 'a matrix product', want: product },
    { what: 'sums of rows', want: Array.from({ length: m }, (_, row) => sum(product.slice(row * n, (row + 1) * n))) },
  ]
  const outputs = claims.map(({ want }) => device.allocate('f32', want.length))
  const inputs = [x, a, b].map((values) => device.adopt('f32', values))
  device.prepare(computing()).run([...inputs, ...outputs])
  for (const [i, { what, want }] of claims.entries()) {
    const got = device.read(outputs[i] as Storage, 0, want.length)
    const wrong = want.findIndex((value, at) => !(Math.abs((got[at] as number) - value) <= 1e-5 * Math.abs(value)))
    if (wrong >= 0) return `${what}: element ${wrong} is ${got[wrong]} instead of ${want[wrong]}`
  }
  return checkFails(device)
}

/** What is wrong with an index that is out of range, or null: it is reported, and as what it is. */
function checkFails(device: Device): string | null {
  const positions = Int32Array.from({ length }, (_, i) => (i === 17 ? outOfRange : i % size))
  try {
    device.prepare(checking()).run([device.adopt('i32', positions), device.allocate('i32', length)])
  } catch (error) {
    if (!(error instanceof IndexError)) throw error
    return error.index === outOfRange ? null : `the index ${outOfRange} is reported as ${error.index}`
  }
  return 'an index that is out of range goes unnoticed'
}

function multiplied(a: Float32Array, b: Float32Array): number[] {
  return Array.from({ length: m * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n]
    return sum(Array.from({ length: k }, (_, i) => (a[row * k + i] as number) * (b[i * n + column] as number)))
  })
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** Arguments: x, A, B; y, C, sums. */
function computing(): Plan {
  const [point, row, column] = [variable(0, length), variable(0, m), variable(1, n)]
  const value = load('f32', point)
  const element = load('f32', dot([row, column], [n, 1]))
  const result: Expr = { kind: 'result', dtype: 'f32', stage: 0, slot: 0 }
  return {
    kernels: [
      loops('f32', length, length, [storing(point, binary('add', unary('exp', value), unary('tanh', value)))]),
      productKernel(m, k, n),
      loops('f32', m * n, m, [
        { axes: [{ id: 1, size: n }], reductions: [{ op: 'sum', value: element }], stores: [] },
        storing(row, result),
      ]),
    ],
    buffers: [
      given(0, 'f32', length, 'read'),
      given(1, 'f32', m * k, 'read'),
      given(2, 'f32', k * n, 'read'),
      given(3, 'f32', length, 'write'),
      given(4, 'f32', m * n, 'readwrite'),
      given(5, 'f32', m, 'write'),
    ],
    steps: [[launch(0, [0, 3]), launch(1, [1, 2, 4])], [launch(2, [4, 5])]],
    arenaBytes: 0,
    checks: [],
  }
}

/** Arguments: positions, and where they are copied once they are checked. */
function checking(): Plan {
  const point = variable(0, length)
  const position: Expr = { kind: 'check', dtype: 'i32', x: load('i32', point), size, id: 0 }
  return {
    kernels: [loops('i32', length, length, [storing(point, position)])],
    buffers: [given(0, 'i32', length, 'read'), given(1, 'i32', length, 'write')],
    steps: [[launch(0, [0, 1])]],
    arenaBytes: 0,
    checks: [{ label: 'check', size }],
  }
}

function given(position: number, dtype: DType, length: number, access: BufferUse['access']): PlanBuffer {
  return { dtype, length, place: { kind: 'argument', position, access, resident: false } }
}

/** Reads buffer 0 and writes buffer 1, once for each row. */
function loops(dtype: DType, reads: number, rows: number, stages: readonly Stage[]): LoopKernel {
  const buffers: BufferUse[] = [
    { dtype, access: 'read', length: reads },
    { dtype, access: 'write', length: rows },
  ]
  return { kind: 'loops', flat: false, buffers, rows: [{ id: 0, size: rows }], stages }
}

function load(dtype: DType, index: Index): Expr {
  return { kind: 'load', dtype, buffer: 0, index, guarded: false }
}

function storing(index: Index, value: Expr): Stage {
  return { axes: [], reductions: [], stores: [{ buffer: 1, index, value }] }
}

function launch(kernel: number, buffers: readonly number[]): Launch {
  return { kernel, buffers, size: null }
}
