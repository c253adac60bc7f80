import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IndexError } from '../../errors.ts'
import { binary, cast, type Expr, f32, i32, indexValue, select, unary } from '../../kernel/expr.ts'
import { add, addConstant, dot, type Index, scale, variable } from '../../kernel/index-expr.ts'
import type { Check, Kernel, LoopKernel, Plan, PlanBuffer } from '../../kernel/kernel.ts'
import type { Values } from '../device.ts'
import { referenceDevice } from './device.ts'

const device = referenceDevice()
type Given = Float32Array | Int32Array
const load = (dtype: 'f32' | 'i32', buffer: number, index: Index, guarded = false): Expr => ({
  kind: 'load',
  dtype,
  buffer,
  index,
  guarded,
})
const result = (stage: number, slot: number, dtype: 'f32' | 'i32' = 'f32'): Expr => ({
  kind: 'result',
  dtype,
  stage,
  slot,
})

/** Runs one kernel over the given arrays (their lengths replace those that it names); gives what they hold then. */
function run(kernel: Kernel, arrays: readonly Given[], size: number | null = null, checks: Check[] = []): Values[] {
  const buffers = arrays.map((array, position): PlanBuffer => {
    const use = kernel.buffers[position] as Kernel['buffers'][number]
    return {
      dtype: use.dtype,
      length: array.length,
      place: { kind: 'argument', position, access: use.access, resident: false },
    }
  })
  const lengths = kernel.buffers.map((use, i) => ({ ...use, length: size === null ? (arrays[i] as Given).length : 0 }))
  const plan: Plan = {
    kernels: [{ ...kernel, buffers: lengths }],
    buffers,
    steps: [[{ kernel: 0, buffers: arrays.map((_, i) => i), size }]],
    arenaBytes: 0,
    checks,
  }
  const storages = arrays.map((array, i) => device.adopt(buffers[i]?.dtype ?? 'f32', array))
  device.prepare(plan).run(storages)
  return storages.map((storage) => device.read(storage, 0, storage.length))
}

/** A kernel that stores value(load of buffer 0) in buffer 1, element by element. */
function map(length: number, value: (x: Expr) => Expr, from: 'f32' | 'i32', to: 'f32' | 'i32' | 'bool'): LoopKernel {
  const i = variable(0, length)
  return {
    kind: 'loops',
    flat: false,
    buffers: [
      { dtype: from, access: 'read', length },
      { dtype: to, access: 'write', length },
    ],
    rows: [{ id: 0, size: length }],
    stages: [{ axes: [], reductions: [], stores: [{ buffer: 1, index: i, value: value(load(from, 0, i)) }] }],
  }
}

function softmax(rows: number, columns: number): LoopKernel {
  const at = (column: number): Index => dot([variable(0, rows), variable(column, columns)], [columns, 1])
  const shifted = (column: number): Expr => unary('exp', binary('sub', load('f32', 0, at(column)), result(0, 0)))
  return {
    kind: 'loops',
    flat: false,
    buffers: [
      { dtype: 'f32', access: 'read', length: 0 },
      { dtype: 'f32', access: 'write', length: 0 },
    ],
    rows: [{ id: 0, size: rows }],
    stages: [
      { axes: [{ id: 1, size: columns }], reductions: [{ op: 'max', value: load('f32', 0, at(1)) }], stores: [] },
      { axes: [{ id: 2, size: columns }], reductions: [{ op: 'sum', value: shifted(2) }], stores: [] },
      {
        axes: [{ id: 3, size: columns }],
        reductions: [],
        stores: [{ buffer: 1, index: at(3), value: binary('div', shifted(3), result(1, 0)) }],
      },
    ],
  }
}

test('a softmax of three stages gives the softmax of every row', () => {
  const x = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i) * 3)
  const [, y] = run(softmax(3, 4), [x, new Float32Array(12)]) as [Values, Values]
  for (let r = 0; r < 3; r++) {
    const e = Array.from(x.slice(4 * r, 4 * r + 4), Math.exp)
    const sum = e.reduce((a, b) => a + b)
    for (let c = 0; c < 4; c++) assert.ok(Math.abs((y[4 * r + c] as number) - (e[c] as number) / sum) < 1e-15)
  }
})

test('max and min give NaN where there is one, argmax and argmin its first place', () => {
  const columns = 4
  const at = dot([variable(0, 2), variable(1, columns)], [columns, 1])
  const kernel: LoopKernel = {
    kind: 'loops',
    flat: false,
    rows: [{ id: 0, size: 2 }],
    buffers: [
      { dtype: 'f32', access: 'read', length: 0 },
      { dtype: 'f32', access: 'write', length: 0 },
      { dtype: 'i32', access: 'write', length: 0 },
    ],
    stages: [
      {
        axes: [{ id: 1, size: columns }],
        stores: [],
        reductions: (['max', 'min', 'argmax', 'argmin'] as const).map((op) => ({ op, value: load('f32', 0, at) })),
      },
      {
        axes: [],
        reductions: [],
        stores: [
          { buffer: 1, index: scale(variable(0, 2), 2), value: result(0, 0) },
          { buffer: 1, index: addConstant(scale(variable(0, 2), 2), 1), value: result(0, 1) },
          { buffer: 2, index: scale(variable(0, 2), 2), value: result(0, 2, 'i32') },
          { buffer: 2, index: addConstant(scale(variable(0, 2), 2), 1), value: result(0, 3, 'i32') },
        ],
      },
    ],
  }
  const x = Float32Array.of(1, 3, 3, 1, 5, Number.NaN, 7, Number.NaN)
  const [, values, places] = run(kernel, [x, new Float32Array(4), new Int32Array(4)])
  assert.deepEqual([...(values as Values)], [3, 1, Number.NaN, Number.NaN])
  assert.deepEqual([...(places as Values)], [1, 0, 1, 1])
})

test('a flat kernel runs over as many elements as its launch says', () => {
  const kernel: LoopKernel = { ...map(2, (x) => binary('mul', x, f32(2)), 'f32', 'f32'), flat: true }
  const [, y] = run(kernel, [Float32Array.of(1, 2, 3, 4), new Float32Array(4)], 3)
  assert.deepEqual([...(y as Values)], [2, 4, 6, 0])
})

test('a gemm multiplies batches and sends the sums through its epilogue', () => {
  const [B, M, N, K] = [2, 3, 4, 5]
  const [b, m, n, k] = [variable(0, B), variable(1, M), variable(2, N), variable(3, K)]
  const out = dot([b, m, n], [M * N, N, 1])
  const kernel: Kernel = {
    kind: 'gemm',
    batch: [{ id: 0, size: B }],
    m: { id: 1, size: M },
    n: { id: 2, size: N },
    k: { id: 3, size: K },
    buffers: [
      { dtype: 'f32', access: 'read', length: 0 },
      { dtype: 'f32', access: 'read', length: 0 },
      { dtype: 'f32', access: 'read', length: 0 },
      { dtype: 'f32', access: 'write', length: 0 },
    ],
    a: load('f32', 0, dot([b, m, k], [M * K, K, 1])),
    b: load('f32', 1, dot([k, n], [N, 1])),
    stores: [
      { buffer: 3, index: out, value: unary('relu', binary('add', { kind: 'tile', dtype: 'f32' }, load('f32', 2, n))) },
    ],
  }
  const x = Float32Array.from({ length: B * M * K }, (_, i) => (i % 7) - 3)
  const y = Float32Array.from({ length: K * N }, (_, i) => (i % 5) - 2)
  const bias = Float32Array.of(1, -1, 2, 0)
  const got = run(kernel, [x, y, bias, new Float32Array(B * M * N)])[3] as Values
  const want = Array.from(got, (_, i) => {
    let sum = bias[i % N] as number
    for (let j = 0; j < K; j++) sum += (x[Math.floor(i / N) * K + j] as number) * (y[j * N + (i % N)] as number)
    return Math.max(sum, 0)
  })
  assert.deepEqual([...got], want)
})

test('a scan stores every partial sum, also backwards', () => {
  const [r, j] = [variable(0, 2), variable(1, 3)]
  const at = addConstant(add(scale(r, 3), scale(j, -1)), 2)
  const kernel: Kernel = {
    kind: 'scan',
    op: 'sum',
    rows: [{ id: 0, size: 2 }],
    axis: { id: 1, size: 3 },
    buffers: [
      { dtype: 'f32', access: 'read', length: 0 },
      { dtype: 'f32', access: 'write', length: 0 },
    ],
    value: load('f32', 0, at),
    buffer: 1,
    index: at,
  }
  const [, y] = run(kernel, [Float32Array.of(1, 2, 3, 4, 5, 6), new Float32Array(6)])
  assert.deepEqual([...(y as Values)], [6, 5, 3, 15, 11, 6])
})

function scatter(size: number): Kernel {
  const j = variable(2, 4)
  const position: Expr = { kind: 'check', dtype: 'i32', x: load('i32', 1, j), size, id: 0 }
  return {
    kind: 'scatter',
    buffer: 2,
    rows: [{ id: 0, size: 2 }],
    buffers: [
      { dtype: 'f32', access: 'read', length: 0 },
      { dtype: 'i32', access: 'read', length: 0 },
      { dtype: 'f32', access: 'readwrite', length: 0 },
    ],
    fill: { id: 1, size: 3 },
    index: dot([variable(1, 3), variable(0, 2)], [2, 1]),
    initial: f32(10),
    source: { id: 2, size: 4 },
    base: variable(0, 2),
    stride: 2,
    position,
    value: load('f32', 0, dot([j, variable(0, 2)], [2, 1])),
  }
}

test('a scatter fills a row, then adds in order', () => {
  const x = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  const y = run(scatter(3), [x, Int32Array.of(2, 0, 2, 2), new Float32Array(6)], null, [{ label: 'rows', size: 3 }])[2]
  assert.deepEqual([...(y as Values)], [13, 14, 10, 10, 23, 26])
})

test('a failed check throws an IndexError with the first index and the range, and ends the run', () => {
  const kernel = scatter(3)
  const arrays = [new Float32Array(8), Int32Array.of(2, -7, 3, 2), new Float32Array(6)]
  assert.throws(
    () => run(kernel, arrays, null, [{ label: 'crossEntropy: class', size: 3 }]),
    (error) => {
      assert.ok(error instanceof IndexError)
      assert.equal(error.index, -7)
      assert.equal(error.size, 3)
      assert.match(error.message, /crossEntropy: class.* -7 /)
      return true
    },
  )
})

test('a sort is stable in both directions and puts NaN above all numbers', () => {
  const x = Float32Array.of(2, Number.NaN, 1, 2, -Infinity, Infinity)
  const buffers = [
    { dtype: 'f32', access: 'read', length: 0 },
    { dtype: 'f32', access: 'write', length: 0 },
    { dtype: 'i32', access: 'write', length: 0 },
  ] as const
  const sorted = (descending: boolean): Values[] =>
    run({ kind: 'sort', buffers, rows: 1, length: 6, descending }, [x, new Float32Array(6), new Int32Array(6)])
  assert.deepEqual([...(sorted(false)[1] as Values)], [-Infinity, 1, 2, 2, Infinity, Number.NaN])
  assert.deepEqual([...(sorted(false)[2] as Values)], [4, 2, 0, 3, 5, 1])
  assert.deepEqual([...(sorted(true)[2] as Values)], [1, 5, 0, 3, 2, 4])
})

test('a load outside of its buffer throws and names the place, unless it is guarded', () => {
  const i = variable(0, 4)
  const shifted = (guarded: boolean): LoopKernel => {
    const inside = binary('le', i32(1), indexValue(i))
    return map(4, () => select(inside, load('f32', 0, addConstant(i, -1), guarded), f32(9)), 'f32', 'f32')
  }
  const arrays = [Float32Array.of(1, 2, 3, 4), new Float32Array(4)]
  assert.deepEqual([...(run(shifted(true), arrays)[1] as Values)], [9, 1, 2, 3])
  assert.throws(
    () => run(shifted(false), arrays),
    /kernel 0 \(loops\): reads b0\[-1\], outside of its 4 elements \(v0=0\)/,
  )
})

test('two rows that write one element throw, as do operands of unequal types', () => {
  const kernel = map(2, (x) => x, 'f32', 'f32')
  const stages = [{ axes: [], reductions: [], stores: [{ buffer: 1, index: scale(variable(0, 2), 0), value: f32(1) }] }]
  assert.throws(() => run({ ...kernel, stages }, [new Float32Array(2), new Float32Array(2)]), /another row/)
  assert.throws(
    () =>
      run(
        map(2, (x) => binary('add', x, i32(1)), 'f32', 'f32'),
        [new Float32Array(2), new Float32Array(2)],
      ),
    /operands of type f32 and i32/,
  )
})

test('integers wrap at 32 bits and their products have an exact high word', () => {
  const x = Int32Array.of(2147483647, -1, -2147483648, 123456789)
  const of = (f: (x: Expr) => Expr): number[] => [
    ...(run(map(4, f, 'i32', 'i32'), [x, new Int32Array(4)])[1] as Values),
  ]
  assert.deepEqual(
    of((e) => binary('add', e, i32(1))),
    [-2147483648, 0, -2147483647, 123456790],
  )
  assert.deepEqual(
    of((e) => binary('mul', e, e)),
    [1, 1, 0, Math.imul(123456789, 123456789)],
  )
  const high = Array.from(x, (v) => Number(BigInt.asIntN(32, (BigInt(v >>> 0) * 0xd2511f53n) >> 32n)))
  assert.deepEqual(
    of((e) => binary('mulhi', e, i32(0xd2511f53 | 0))),
    high,
  )
  assert.deepEqual(
    of((e) => binary('shr', e, i32(28))),
    [7, 15, 8, 0],
  )
  assert.deepEqual(
    of((e) => unary('abs', e)),
    [2147483647, 1, -2147483648, 123456789],
  )
})

test('casts truncate and saturate, bitcasts keep the bits', () => {
  const x = Float32Array.of(-1.9, 1e20, Number.NaN, -Infinity)
  const as = (f: (x: Expr) => Expr): number[] => [
    ...(run(map(4, f, 'f32', 'i32'), [x, new Int32Array(4)])[1] as Values),
  ]
  assert.deepEqual(
    as((e) => cast('i32', e)),
    [-1, 2147483647, 0, -2147483648],
  )
  assert.deepEqual(
    as((e) => cast('i32', cast('bool', e))),
    [1, 1, 1, 1],
  )
  assert.equal(as((e) => ({ kind: 'bitcast', dtype: 'i32', x: e }))[3], 0xff800000 | 0)
})

test('functions are those of double precision, and round goes to the even neighbour', () => {
  const of = (x: number[], f: (x: Expr) => Expr): number[] => [
    ...(run(map(x.length, f, 'f32', 'f32'), [Float32Array.from(x), new Float32Array(x.length)])[1] as Values),
  ]
  assert.deepEqual(
    of([0.5, 1.5, 2.5, -0.5], (e) => unary('round', e)),
    [0, 2, 2, -0],
  )
  // From tables of erf to 16 digits (DLMF 7.23).
  const erf = [0.5204998778130465, 0.8427007929497149, 0.9953222650189527, 0.9999779095030014, -0.8427007929497149, 1]
  for (const [i, got] of of([0.5, 1, 2, 3, -1, 7], (e) => unary('erf', e)).entries()) {
    assert.ok(Math.abs(got - (erf[i] as number)) < 1e-15)
  }
  assert.deepEqual(
    of([1000, -1000], (e) => unary('sigmoid', e)),
    [1, 0],
  )
  assert.deepEqual(
    of([Number.NaN, -1, 2], (e) => unary('relu', e)),
    [Number.NaN, 0, 2],
  )
})

test('a plan reads nothing from its own memory that it has not written', () => {
  const kernel = map(2, (x) => x, 'f32', 'f32')
  const plan: Plan = {
    kernels: [kernel],
    checks: [],
    arenaBytes: 64,
    steps: [[{ kernel: 0, buffers: [0, 1], size: null }]],
    buffers: [
      { dtype: 'f32', length: 2, place: { kind: 'arena', offset: 0 } },
      { dtype: 'f32', length: 2, place: { kind: 'argument', position: 0, access: 'write', resident: false } },
    ],
  }
  const out = device.allocate('f32', 2)
  device.prepare(plan).run([out])
  assert.deepEqual([...device.read(out, 0, 2)], [Number.NaN, Number.NaN])
})

test('storage is copied in and out, and parts can be read and written', () => {
  const values = Float32Array.of(1, 2, 3)
  const storage = device.adopt('f32', values)
  device.write(storage, 1, [0.1])
  assert.deepEqual([...device.read(storage, 0, 3)], [1, 0.1, 3])
  assert.deepEqual([...values], [1, 2, 3])
  assert.throws(() => device.read(storage, 2, 2), RangeError)
})
