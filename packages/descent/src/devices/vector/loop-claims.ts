/** What every device must do with loop kernels: tests that a device's own test file calls for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { binary, cast, type Expr, f32, indexValue, unary } from '../../kernel/expr.ts'
import { add, addConstant, div, type Index, mod, scale, variable } from '../../kernel/index-expr.ts'
import type { LoopKernel, Plan } from '../../kernel/kernel.ts'
import { printKernel } from '../../kernel/print.ts'
import type { Device, Values } from '../device.ts'
import { referenceDevice } from '../reference/device.ts'
import { Dice, KernelGenerator, planOf } from './random-kernel.ts'

/** What a plan leaves in its buffers, given what they held before. */
function run(device: Device, plan: Plan, inputs: readonly (Float32Array | Int32Array)[]): Values[] {
  const storages = plan.buffers.map(({ dtype }, i) =>
    device.adopt(dtype, (inputs[i] as Float32Array | Int32Array).slice()),
  )
  device.prepare(plan).run(storages)
  return storages.map((s) => device.read(s, 0, s.length))
}

function randomInputs(plan: Plan, dice: Dice, special: boolean): (Float32Array | Int32Array)[] {
  return plan.buffers.map(({ dtype, length }) => {
    if (dtype === 'bool') return Int32Array.from({ length }, () => dice.below(2))
    if (dtype === 'i32') return Int32Array.from({ length }, () => dice.below(31) - 15)
    return Float32Array.from({ length }, () => {
      const roll = special ? dice.below(40) : 40
      return roll < 3 ? ([NaN, Infinity, -Infinity][roll] as number) : dice.below(31) - 15
    })
  })
}

function agree(device: Device, kernel: Plan['kernels'][number], dice: Dice, special: boolean): void {
  const plan = planOf(kernel)
  const inputs = randomInputs(plan, dice, special)
  const want = run(referenceDevice(), plan, inputs)
  const got = run(device, plan, inputs)
  want.forEach((values, b) => {
    const other = got[b] as Values
    for (let i = 0; i < values.length; i++) {
      // Whole numbers below 2^24: exact on both.
      if (Math.fround(values[i] as number) !== other[i] && !(Number.isNaN(values[i]) && Number.isNaN(other[i]))) {
        assert.fail(`buffer ${b}, element ${i}: ${other[i]} for ${values[i]}\n${printKernel(kernel)}`)
      }
    }
  })
}

const usual = Number(process.env.KERNEL_RUNS ?? 150)

/** `label` says which device it is. */
export function testLoops(label: string, device: () => Device, runs = usual): void {
  test(`${label}: random kernels give what the reference device gives`, () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const generator = new KernelGenerator(seed, true)
        agree(device(), generator.kernel(), generator.dice, false)
      }),
      { numRuns: runs },
    )
  })

  test(`${label}: random kernels agree on NaN and infinities`, () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const generator = new KernelGenerator(seed, false)
        agree(device(), generator.kernel(), generator.dice, true)
      }),
      { numRuns: runs },
    )
  })

  test(`${label}: large reductions over few rows are cut into parts, and agree`, () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 3000, max: 40000 }),
        (seed, rows, size) => {
          const dice = new Dice(seed)
          const length = rows * size
          const byRow = dice.below(2) === 0
          const [r, i] = [variable(0, rows), variable(1, size)]
          const index = byRow
            ? { offset: 0, terms: [...r.terms.map((t) => ({ ...t, coefficient: size })), ...i.terms] }
            : { offset: 0, terms: [...r.terms, ...i.terms.map((t) => ({ ...t, coefficient: rows }))] }
          const load: Expr = { kind: 'load', dtype: 'f32', buffer: 0, index, guarded: false }
          const sum: Expr = { kind: 'result', dtype: 'f32', stage: 0, slot: 0 }
          const largest: Expr = { kind: 'result', dtype: 'f32', stage: 0, slot: 1 }
          const kernel: LoopKernel = {
            kind: 'loops',
            flat: false,
            buffers: [
              { dtype: 'f32', access: 'read', length },
              { dtype: 'f32', access: 'write', length },
              { dtype: 'f32', access: 'write', length: rows },
            ],
            rows: [{ id: 0, size: rows }],
            stages: [
              {
                axes: [{ id: 1, size }],
                reductions: [
                  { op: 'sum', value: unary('relu', load) },
                  { op: 'max', value: load },
                ],
                stores: [],
              },
              {
                axes: [{ id: 1, size }],
                reductions: [],
                stores: [{ buffer: 1, index, value: binary('sub', load, largest) }],
              },
              { axes: [], reductions: [], stores: [{ buffer: 2, index: r, value: sum }] },
            ],
          }
          agree(device(), kernel, dice, false)
        },
      ),
      { numRuns: Math.ceil(runs / 12) },
    )
  })

  test(`${label}: a sum along gathered rows reads the first row and the last`, () => {
    // Several vectors together, one alone, and a part of one; with a check of the positions, and without.
    for (const [columns, checked] of [
      [151, true],
      [151, false],
      [512, false],
    ] as const) {
      const [rows, table] = [3, 3]
      const [row, along] = [variable(0, rows), variable(1, columns)]
      const position: Expr = { kind: 'load', dtype: 'i32', buffer: 0, index: row, guarded: false }
      const gathered: Expr = {
        kind: 'gather',
        dtype: 'f32',
        buffer: 1,
        base: along,
        stride: columns,
        position: checked ? { kind: 'check', dtype: 'i32', x: position, size: table, id: 0 } : position,
      }
      const kernel: LoopKernel = {
        kind: 'loops',
        flat: false,
        buffers: [
          { dtype: 'i32', access: 'read', length: rows },
          { dtype: 'f32', access: 'read', length: table * columns },
          { dtype: 'f32', access: 'write', length: rows },
        ],
        rows: [{ id: 0, size: rows }],
        stages: [
          { axes: [{ id: 1, size: columns }], reductions: [{ op: 'sum', value: gathered }], stores: [] },
          {
            axes: [],
            reductions: [],
            stores: [{ buffer: 2, index: row, value: { kind: 'result', dtype: 'f32', stage: 0, slot: 0 } }],
          },
        ],
      }
      const inputs = [
        Int32Array.of(2, 0, 1),
        Float32Array.from({ length: table * columns }, (_, i) => 10 ** Math.floor(i / columns)),
        new Float32Array(rows),
      ]
      const sums = run(device(), planOf(kernel), inputs)[2] as Values
      assert.deepEqual(
        [...sums],
        [100, 1, 10].map((x) => x * columns),
      )
    }
  })

  test(`${label}: flat kernels run over any size`, () => {
    const v = variable(0, 0x7fffffff)
    const load = (buffer: number): Expr => ({ kind: 'load', dtype: 'f32', buffer, index: v, guarded: false })
    const scalar: Expr = { kind: 'load', dtype: 'f32', buffer: 2, index: { offset: 0, terms: [] }, guarded: false }
    const use = (access: 'read' | 'readwrite') => ({ dtype: 'f32' as const, access, length: 0 })
    const next = binary('add', binary('mul', load(0), f32(0.5)), binary('mul', load(1), scalar))
    const kernel: LoopKernel = {
      kind: 'loops',
      flat: true,
      buffers: [use('readwrite'), use('read'), use('read')],
      rows: [{ id: 0, size: 0 }],
      stages: [{ axes: [], reductions: [], stores: [{ buffer: 0, index: v, value: next }] }],
    }
    for (const size of [1, 2, 3, 4, 5, 7, 8, 9, 31, 1000, 100_003]) {
      const plan = planOf(kernel, size, [size, size, 1])
      const inputs = [
        Float32Array.from({ length: size }, (_, i) => i % 64),
        Float32Array.from({ length: size }, (_, i) => i % 7),
        Float32Array.of(3),
      ]
      const [got] = run(device(), plan, inputs) as [Values]
      for (let i = 0; i < size; i++) assert.equal(got[i], (i % 64) * 0.5 + (i % 7) * 3)
    }
  })

  test(`${label}: elements that change places by quotients and remainders`, () => {
    for (const [a, b] of [
      [3, 7],
      [5, 40],
      [11, 11],
      [6, 29],
    ] as const) {
      const size = a * b
      const v = variable(0, size)
      const turned = add(div(v, a), scale(mod(v, a), b))
      // Numbers below zero are divided, too.
      const before = addConstant(div(addConstant(v, -2), a), 1)
      const load = (buffer: number, index: Index): Expr => ({
        kind: 'load',
        dtype: 'f32',
        buffer,
        index,
        guarded: false,
      })
      const kernel: LoopKernel = {
        kind: 'loops',
        flat: false,
        buffers: [
          { dtype: 'f32', access: 'read', length: size },
          { dtype: 'f32', access: 'read', length: b + 1 },
          { dtype: 'f32', access: 'write', length: size },
        ],
        rows: [{ id: 0, size }],
        stages: [
          {
            axes: [],
            reductions: [],
            stores: [
              {
                buffer: 2,
                index: turned,
                value: binary('add', binary('mul', load(0, v), load(1, before)), cast('f32', indexValue(before))),
              },
            ],
          },
        ],
      }
      agree(device(), kernel, new Dice(size), false)
    }
  })
}

/** The first buffer of the kernel is walked backwards: it should be the first of its device, too. */
export function testBackwards(label: string, device: () => Device): void {
  test(`${label}: rows read and written backwards where memory begins`, () => {
    // 7 is no multiple of any number of lanes: a lane that does not count would lie far before the buffer.
    const [rows, columns] = [7, 5000]
    const length = rows * columns
    const row = variable(0, rows)
    const backwards = addConstant(scale(row, -columns), (rows - 1) * columns)
    for (const access of ['read', 'write'] as const) {
      const [from, to] = access === 'read' ? [backwards, row] : [row, backwards]
      const [read, written] = access === 'read' ? [0, 1] : [1, 0]
      const value: Expr = { kind: 'load', dtype: 'f32', guarded: false, buffer: read, index: from }
      const kernel: LoopKernel = {
        kind: 'loops',
        flat: false,
        buffers: [
          { dtype: 'f32', access, length },
          { dtype: 'f32', access: access === 'read' ? 'write' : 'read', length },
        ],
        rows: [{ id: 0, size: rows }],
        stages: [{ axes: [], reductions: [], stores: [{ buffer: written, index: to, value }] }],
      }
      const numbers = Float32Array.from({ length }, (_, i) => i)
      const result = run(device(), planOf(kernel), [numbers, numbers])[written] as Values
      for (let i = 0; i < rows; i++) {
        const far = (rows - 1 - i) * columns
        assert.equal(result[access === 'read' ? i : far], access === 'read' ? far : i)
      }
    }
  })
}
