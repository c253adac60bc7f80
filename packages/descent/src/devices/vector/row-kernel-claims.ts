/** What every device must do with scans, scatters, sorts and checks: tests that a device's own test file calls for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { contiguousStrides } from '../../dtype.ts'
import { IndexError } from '../../errors.ts'
import { cast, type Expr } from '../../kernel/expr.ts'
import { add, addConstant, dot, type Index, scale, variable } from '../../kernel/index-expr.ts'
import type { Axis, Kernel, ScanKernel, ScatterKernel, SortKernel } from '../../kernel/kernel.ts'
import type { Device, Values } from '../device.ts'
import { referenceDevice } from '../reference/device.ts'
import { Dice, planOf } from './random-kernel.ts'

function run(device: Device, kernel: Kernel, inputs: readonly (Float32Array | Int32Array)[]): Values[] {
  const plan = planOf(kernel)
  const storages = plan.buffers.map(({ dtype }, i) => device.adopt(dtype, (inputs[i] as Float32Array).slice()))
  device.prepare(plan).run(storages)
  return storages.map((s) => device.read(s, 0, s.length))
}

function inputsOf(kernel: Kernel, dice: Dice, special = false): (Float32Array | Int32Array)[] {
  return kernel.buffers.map(({ dtype, length }) => {
    if (dtype !== 'f32') return Int32Array.from({ length }, () => dice.below(31) - 15)
    return Float32Array.from({ length }, () => {
      const roll = special ? dice.below(12) : 12
      return roll < 5 ? ([NaN, Infinity, -Infinity, -0, 0][roll] as number) : dice.below(31) - 15
    })
  })
}

function agree(device: Device, kernel: Kernel, dice: Dice, special = false): void {
  const inputs = inputsOf(kernel, dice, special)
  const got = run(device, kernel, inputs)
  run(referenceDevice(), kernel, inputs).forEach((want, b) => {
    assert.deepEqual(
      Array.from(got[b] as Values, (x) => x + 0),
      Array.from(want, (x) => x + 0),
      `buffer ${b}`,
    )
  })
}

/** Row-major over the axes in another order. */
function layout(axes: readonly Axis[], dice: Dice) {
  const order = dice.shuffled(axes)
  const parts = order.map((a) => variable(a.id, a.size))
  return {
    index: dot(parts, contiguousStrides(order.map((a) => a.size))),
    length: order.reduce((n, a) => n * a.size, 1),
  }
}

const seeds = fc.integer()

/** `label` says which device it is. */
export function testRowKernels(label: string, device: () => Device, numRuns = 60): void {
  test(`${label}: scans agree with the reference device`, () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const dice = new Dice(seed)
        const rows = Array.from({ length: dice.below(3) }, (_, id) => ({ id, size: 1 + dice.below(7) }))
        const axis = { id: 5, size: 1 + dice.below(9) }
        const source = layout([...rows, axis], dice)
        const target = layout([...rows, axis], dice)
        const dtype = dice.pick(['f32', 'i32'] as const)
        const kernel: ScanKernel = {
          kind: 'scan',
          buffers: [
            { dtype, access: 'read', length: source.length },
            { dtype, access: 'write', length: target.length },
          ],
          rows,
          axis,
          op: 'sum',
          value: { kind: 'load', dtype, buffer: 0, index: source.index, guarded: false },
          buffer: 1,
          index: target.index,
        }
        agree(device(), kernel, dice)
      }),
      { numRuns },
    )
  })

  test(`${label}: scatters agree with the reference device`, () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const dice = new Dice(seed)
        const rows = Array.from({ length: dice.below(3) }, (_, id) => ({ id, size: 1 + dice.below(5) }))
        const fill = { id: 5, size: 1 + dice.below(9) }
        const source = { id: 6, size: 1 + dice.below(9) }
        const before = layout([...rows, fill], dice)
        const values = layout([...rows, source], dice)
        const rowStrides = contiguousStrides(rows.map((r) => r.size))
        const row = dot(
          rows.map((a) => variable(a.id, a.size)),
          rowStrides,
        )
        const count = rows.reduce((n, a) => n * a.size, 1)
        const inRow = dice.below(2) === 0
        const stride = inRow ? 1 : count
        const base = inRow ? scale(row, fill.size) : row
        const raw: Expr = { kind: 'load', dtype: 'i32', buffer: 1, index: values.index, guarded: false }
        // Whole numbers with the lowest bits alone: 0 or 1, …
        const mask = fill.size >= 8 ? 7 : fill.size >= 4 ? 3 : fill.size >= 2 ? 1 : 0
        const kernel: ScatterKernel = {
          kind: 'scatter',
          buffers: [
            { dtype: 'f32', access: 'read', length: before.length },
            { dtype: 'i32', access: 'read', length: values.length },
            { dtype: 'f32', access: 'readwrite', length: count * fill.size },
          ],
          rows,
          buffer: 2,
          fill,
          index: add(base, scale(variable(fill.id, fill.size), stride)),
          initial: { kind: 'load', dtype: 'f32', buffer: 0, index: before.index, guarded: false },
          source,
          base,
          stride,
          position: {
            kind: 'binary',
            dtype: 'i32',
            op: 'and',
            a: raw,
            b: { kind: 'const', dtype: 'i32', value: mask },
          },
          value: cast('f32', raw),
        }
        agree(device(), kernel, dice)
      }),
      { numRuns },
    )
  })

  test(`${label}: rows next to one another that scatter to the same places go many at once`, () => {
    for (const width of [2, 5, 8, 13, 16, 17, 31, 48, 50, 64, 100, 131]) {
      const [outer, row, fill, source] = [3, width, 11, 19].map((size, id) => ({ id, size })) as [
        Axis,
        Axis,
        Axis,
        Axis,
      ]
      const v = ({ id, size }: Axis): Index => variable(id, size)
      const place: Expr = { kind: 'load', dtype: 'i32', buffer: 1, index: v(source), guarded: false }
      const at = (axis: Axis): Index => dot([v(outer), v(axis), v(row)], [axis.size * width, width, 1])
      const kernel: ScatterKernel = {
        kind: 'scatter',
        buffers: [
          { dtype: 'f32', access: 'read', length: 3 * 11 * width },
          { dtype: 'i32', access: 'read', length: 19 },
          { dtype: 'f32', access: 'read', length: 3 * 19 * width },
          { dtype: 'f32', access: 'write', length: 3 * 11 * width },
        ],
        rows: [outer, row],
        buffer: 3,
        fill,
        index: at(fill),
        initial: { kind: 'load', dtype: 'f32', buffer: 0, index: at(fill), guarded: false },
        source,
        base: dot([v(outer), v(row)], [11 * width, 1]),
        stride: width,
        position: { kind: 'binary', dtype: 'i32', op: 'and', a: place, b: { kind: 'const', dtype: 'i32', value: 7 } },
        value: { kind: 'load', dtype: 'f32', buffer: 2, index: at(source), guarded: false },
      }
      agree(device(), kernel, new Dice(width))
    }
  })

  test(`${label}: sorts agree with the reference device, NaN, infinities and zeros too`, () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const dice = new Dice(seed)
        const rows = 1 + dice.below(5)
        const length = 1 + dice.below(40)
        const dtype = dice.pick(['f32', 'i32'] as const)
        const kernel: SortKernel = {
          kind: 'sort',
          buffers: [
            { dtype, access: 'read', length: rows * length },
            { dtype, access: 'write', length: rows * length },
            { dtype: 'i32', access: 'write', length: rows * length },
          ],
          rows,
          length,
          descending: dice.below(2) === 0,
        }
        agree(device(), kernel, dice, true)
      }),
      { numRuns },
    )
  })

  test(`${label}: an index out of range is an error that names it, and reads nothing outside`, () => {
    for (const bad of [5, -1, 0x7fffffff, -0x80000000]) {
      for (const at of [0, 3, 9, 10]) {
        const i = variable(0, 11)
        const position: Expr = { kind: 'load', dtype: 'i32', buffer: 0, index: i, guarded: false }
        const kernel: Kernel = {
          kind: 'loops',
          flat: false,
          buffers: [
            { dtype: 'i32', access: 'read', length: 11 },
            { dtype: 'f32', access: 'read', length: 5 },
            { dtype: 'f32', access: 'write', length: 11 },
          ],
          rows: [{ id: 0, size: 11 }],
          stages: [
            {
              axes: [],
              reductions: [],
              stores: [
                {
                  buffer: 2,
                  index: i,
                  value: {
                    kind: 'gather',
                    dtype: 'f32',
                    buffer: 1,
                    base: addConstant(variable(0, 1), 0),
                    stride: 1,
                    position: { kind: 'check', dtype: 'i32', x: position, size: 5, id: 0 },
                  },
                },
              ],
            },
          ],
        }
        const positions = new Int32Array(11).fill(2)
        const inputs = [positions, Float32Array.of(1, 2, 3, 4, 5), new Float32Array(11)]
        assert.deepEqual([...(run(device(), kernel, inputs)[2] as Values)], new Array(11).fill(3))
        positions[at] = bad
        assert.throws(
          () => run(device(), kernel, inputs),
          (error) => error instanceof IndexError && error.index === bad && error.size === 5,
        )
        // And the next run is not disturbed.
        positions[at] = 0
        run(device(), kernel, inputs)
      }
    }
  })
}
