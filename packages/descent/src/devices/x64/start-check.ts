/**
 * A look at whether generated code computes what it should on this machine, taken whenever the device is opened. It is so
 * small that a program's start does not feel it: the 15 ms that it takes are those in which JavaScript's engine reads the
 * compiler for the first time, and the program's first plan is faster by as much. `doctor()` looks at more.
 *
 * sums[row] = Σ exp(table[positions[row, column]]), with rows that end within a vector; and again with a position that is
 * out of range.
 */
import { IndexError } from '../../errors.ts'
import { type Expr, unary } from '../../kernel/expr.ts'
import { constant, dot, variable } from '../../kernel/index-expr.ts'
import type { LoopKernel, Plan, PlanBuffer } from '../../kernel/kernel.ts'
import type { Device } from '../device.ts'

const [rows, columns, size] = [3, 21, 8]
const outOfRange = 13

/** What is wrong, or null. */
export function startCheck(device: Device): string | null {
  const table = Float32Array.from({ length: size }, (_, i) => (i - 3) / 2)
  const positions = Int32Array.from({ length: rows * columns }, (_, i) => (i * 3 + (i >> 3)) % size)
  const want = [0, 0, 0]
  for (const [i, position] of positions.entries()) {
    const row = Math.floor(i / columns)
    want[row] = (want[row] as number) + Math.exp(table[position] as number)
  }
  const runner = device.prepare(plan())
  const given = device.adopt('i32', positions)
  const sums = device.allocate('f32', rows)
  const args = [given, device.adopt('f32', table), sums]
  runner.run(args)
  for (const [row, got] of device.read(sums, 0, rows).entries()) {
    const right = want[row] as number
    if (!(Math.abs(got - right) <= 1e-5 * right)) return `a sum of exponentials is ${got} instead of ${right}`
  }
  device.write(given, columns, [outOfRange])
  try {
    runner.run(args)
  } catch (error) {
    if (error instanceof IndexError && error.index === outOfRange) return null
    throw error
  }
  return 'an index that is out of range goes unnoticed'
}

function plan(): Plan {
  const [row, column] = [variable(0, rows), variable(1, columns)]
  const index = dot([row, column], [columns, 1])
  const given: Expr = { kind: 'load', dtype: 'i32', buffer: 0, index, guarded: false }
  const position: Expr = { kind: 'check', dtype: 'i32', x: given, size, id: 0 }
  const value: Expr = { kind: 'gather', dtype: 'f32', buffer: 1, base: constant(0), stride: 1, position }
  const sum: Expr = { kind: 'result', dtype: 'f32', stage: 0, slot: 0 }
  const kernel: LoopKernel = {
    kind: 'loops',
    flat: false,
    buffers: [
      { dtype: 'i32', access: 'read', length: rows * columns },
      { dtype: 'f32', access: 'read', length: size },
      { dtype: 'f32', access: 'write', length: rows },
    ],
    rows: [{ id: 0, size: rows }],
    stages: [
      { axes: [{ id: 1, size: columns }], reductions: [{ op: 'sum', value: unary('exp', value) }], stores: [] },
      { axes: [], reductions: [], stores: [{ buffer: 2, index: row, value: sum }] },
    ],
  }
  return {
    kernels: [kernel],
    buffers: kernel.buffers.map(
      ({ dtype, length, access }, position): PlanBuffer => ({
        dtype,
        length,
        place: { kind: 'argument', position, access, resident: false },
      }),
    ),
    steps: [[{ kernel: 0, buffers: [0, 1, 2], size: null }]],
    arenaBytes: 0,
    checks: [{ label: 'start check', size }],
  }
}
