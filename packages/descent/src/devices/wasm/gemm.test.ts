import assert from 'node:assert/strict'
import { test } from 'node:test'
import { binary, cast, type Expr, f32, indexValue, select, unary } from '../../kernel/expr.ts'
import { add, addConstant, div, dot, type Index, mod, scale, variable } from '../../kernel/index-expr.ts'
import type { Axis, BufferUse, GemmKernel, Kernel, Plan, Store } from '../../kernel/kernel.ts'
import type { Device } from '../device.ts'
import { referenceDevice } from '../reference/device.ts'
import { WasmDevice } from './device.ts'

const reference = referenceDevice()
const wasm = new WasmDevice(1)

function run(device: Device, kernel: Kernel, arrays: readonly Float32Array[]): Float64Array[] {
  const plan: Plan = {
    kernels: [
      { ...kernel, buffers: kernel.buffers.map((use, i) => ({ ...use, length: (arrays[i] as Float32Array).length })) },
    ],
    buffers: kernel.buffers.map((use, position) => ({
      dtype: use.dtype,
      length: (arrays[position] as Float32Array).length,
      place: { kind: 'argument', position, access: use.access, resident: false },
    })),
    steps: [[{ kernel: 0, buffers: kernel.buffers.map((_, i) => i), size: null }]],
    arenaBytes: 0,
    checks: [],
  }
  const storages = arrays.map((array, i) => {
    const { dtype } = kernel.buffers[i] as BufferUse
    return device.adopt(dtype, dtype === 'f32' ? array.slice() : Int32Array.from(array, (x) => (x > 0 ? 1 : 0)))
  })
  device.prepare(plan).run(storages)
  return storages.map((storage) => Float64Array.from(device.read(storage, 0, storage.length)))
}

let state = 1
function random(length: number): Float32Array {
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32 - 0.5
  })
}

/** Both devices must agree in all buffers, those that are read included. */
function agree(kernel: GemmKernel, sizes: readonly number[], label: string): void {
  const arrays = sizes.map((size, i) =>
    kernel.buffers[i]?.access === 'read' ? random(size) : new Float32Array(size).fill(7),
  )
  const expected = run(reference, kernel, arrays)
  const actual = run(wasm, kernel, arrays)
  const tolerance = 2e-6 * Math.sqrt(kernel.k.size) + 1e-6
  expected.forEach((values, b) => {
    values.forEach((value, i) => {
      const got = actual[b]?.[i] as number
      if (!(Math.abs(got - value) <= tolerance * Math.max(1, Math.abs(value)))) {
        assert.fail(`${label}: buffer ${b}[${i}] is ${got}, expected ${value}`)
      }
    })
  })
}

const load = (buffer: number, index: Index, guarded = false): Expr => ({
  kind: 'load',
  dtype: 'f32',
  buffer,
  index,
  guarded,
})
const tile: Expr = { kind: 'tile', dtype: 'f32' }
const [M, N, K, B] = [0, 1, 2, 3]
const uses = (...access: ('read' | 'write')[]) => access.map((a) => ({ dtype: 'f32' as const, access: a, length: 0 }))

interface Shape {
  m: number
  n: number
  k: number
  batch?: number
  turnA?: boolean
  turnB?: boolean
  /** b is the same for the whole batch. */
  sharedB?: boolean
}
function variables({ m, n, k, batch = 1 }: Shape) {
  return { i: variable(M, m), j: variable(N, n), l: variable(K, k), image: variable(B, batch) }
}
function product(shape: Shape, change: Partial<GemmKernel> = {}): GemmKernel {
  const { m, n, k, batch = 1, turnA, turnB, sharedB } = shape
  const { i, j, l, image } = variables(shape)
  const axes: Axis[] = batch > 1 ? [{ id: B, size: batch }] : []
  return {
    kind: 'gemm',
    buffers: uses('read', 'read', 'write'),
    batch: axes,
    m: { id: M, size: m },
    n: { id: N, size: n },
    k: { id: K, size: k },
    a: load(0, turnA ? dot([image, l, i], [m * k, m, 1]) : dot([image, i, l], [m * k, k, 1])),
    b: load(
      1,
      turnB ? dot([image, j, l], [sharedB ? 0 : n * k, k, 1]) : dot([image, l, j], [sharedB ? 0 : n * k, n, 1]),
    ),
    stores: [{ buffer: 2, index: dot([image, i, j], [m * n, n, 1]), value: tile }],
    ...change,
  }
}
function sizesOf({ m, n, k, batch = 1 }: Shape): number[] {
  return [batch * m * k, batch * n * k, batch * m * n]
}

test('matrix products of all small sizes, turned or not, equal the reference', () => {
  for (let round = 0; round < 250; round++) {
    const up = (most: number) => 1 + (Math.floor((random(1)[0] as number) * most + most / 2) % most)
    const shape = {
      m: up(40),
      n: up(40),
      k: up(40),
      batch: up(3),
      turnA: up(2) === 1,
      turnB: up(2) === 1,
      sharedB: up(2) === 1,
    }
    agree(product(shape), sizesOf(shape), JSON.stringify(shape))
  }
})

test('large products: blocks of k, blocks of columns, split sums', () => {
  for (const turned of [false, true]) {
    for (const [m, n, k] of [
      [13, 200, 1100],
      [64, 72, 2050],
      [300, 33, 600],
      [37, 450, 520],
      [7, 7, 3000],
    ] as const) {
      const shape = { m, n, k, turnA: turned, turnB: !turned }
      agree(product(shape), sizesOf(shape), JSON.stringify(shape))
    }
  }
})

test('one, two or three rows or columns', () => {
  for (const thin of [1, 2, 3]) {
    for (const wide of [1, 5, 33, 130]) {
      for (const k of [1, 3, 4, 10, 67]) {
        for (const turned of [false, true]) {
          const wideN = { m: thin, n: wide, k, turnA: turned, turnB: turned, batch: 2 }
          agree(product(wideN), sizesOf(wideN), JSON.stringify(wideN))
          const wideM = { m: wide, n: thin, k, turnA: turned, turnB: !turned }
          agree(product(wideM), sizesOf(wideM), JSON.stringify(wideM))
        }
      }
    }
  }
})

test('an epilogue with bias, activation and a second store', () => {
  for (const [m, n, k] of [
    [9, 21, 8],
    [64, 8, 8],
    [33, 70, 40],
    [2, 30, 12],
    [30, 2, 12],
    [50, 60, 1500],
  ] as const) {
    const shape = { m, n, k }
    const { i, j } = variables(shape)
    const biased = binary('add', tile, load(3, j))
    const stores: Store[] = [
      { buffer: 2, index: dot([i, j], [n, 1]), value: unary('relu', biased) },
      { buffer: 4, index: dot([j, i], [m, 1]), value: binary('mul', biased, load(5, i)) },
    ]
    const kernel = product(shape, { buffers: uses('read', 'read', 'write', 'read', 'write', 'read'), stores })
    agree(kernel, [...sizesOf(shape), n, m * n, m], JSON.stringify(shape))
  }
})

test('operands that are computed while packing', () => {
  for (const turnA of [false, true]) {
    for (const turnB of [false, true]) {
      const shape = { m: 23, n: 37, k: 41, turnA, turnB }
      const { i, l } = variables(shape)
      const plain = product(shape)
      const masked = select(binary('lt', f32(0), plain.a), binary('mul', plain.a, load(3, i)), f32(0))
      const scaled = binary('sub', unary('exp', plain.b), load(4, l))
      const kernel = product(shape, { a: masked, b: scaled, buffers: uses('read', 'read', 'write', 'read', 'read') })
      agree(kernel, [...sizesOf(shape), shape.m, shape.k], JSON.stringify(shape))
    }
  }
})

test('an operand of truth values', () => {
  const shape = { m: 16, n: 19, k: 33 }
  const kernel = product(shape)
  const buffers = [{ dtype: 'bool', access: 'read', length: 0 } as const, ...kernel.buffers.slice(1)]
  const a = cast('f32', { ...kernel.a, dtype: 'bool' } as Expr)
  agree({ ...kernel, buffers, a }, sizesOf(shape), 'truth values')
})

test('operands that no table describes', () => {
  for (const [m, n, k] of [
    [13, 22, 19],
    [2, 9, 7],
    [40, 3, 5],
    [8, 8, 8],
  ] as const) {
    const shape = { m, n, k }
    const { i, j, l } = variables(shape)
    const diagonal = select(binary('eq', indexValue(i), indexValue(l)), load(0, dot([i, l], [k, 1])), f32(2))
    const skewed = load(1, mod(add(scale(l, 3), scale(j, 5)), n * k))
    agree(product(shape, { a: diagonal, b: skewed }), sizesOf(shape), JSON.stringify(shape))
  }
})

interface Convolution {
  images: number
  channels: number
  outputs: number
  size: number
  kernel: number
  stride: number
}
function convolution({ images, channels, outputs, size, kernel, stride }: Convolution) {
  const places = Math.floor((size - kernel) / stride) + 1
  const window = (image: Index, channel: Index, place: Index, tap: Index) => {
    const row = add(scale(div(place, places), stride), div(tap, kernel))
    const column = add(scale(mod(place, places), stride), mod(tap, kernel))
    return { row, column, index: dot([image, channel, row, column], [channels * size * size, size * size, size, 1]) }
  }
  return { places, taps: kernel * kernel, window, images, channels, outputs, size }
}
const convolutions: Convolution[] = [
  { images: 3, channels: 4, outputs: 7, size: 14, kernel: 3, stride: 1 },
  { images: 2, channels: 1, outputs: 9, size: 28, kernel: 3, stride: 1 },
  { images: 2, channels: 3, outputs: 5, size: 11, kernel: 3, stride: 2 },
  { images: 3, channels: 16, outputs: 6, size: 5, kernel: 5, stride: 1 },
]

test('convolution reads its windows while packing', () => {
  for (const c of convolutions) {
    const { places, taps, window, images, channels, outputs, size } = convolution(c)
    const shape = { m: outputs, n: places * places, k: channels * taps, batch: images }
    const { i, j, l, image } = variables(shape)
    const kernel = product(shape, {
      a: load(0, dot([i, l], [shape.k, 1])),
      b: load(1, window(image, div(l, taps), j, mod(l, taps)).index),
    })
    agree(kernel, [outputs * shape.k, images * channels * size * size, images * outputs * shape.n], JSON.stringify(c))
  }
})

test('the gradient of a convolution’s weights sums over images and places', () => {
  for (const c of convolutions) {
    const { places, taps, window, images, channels, outputs, size } = convolution(c)
    const area = places * places
    const shape = { m: outputs, n: channels * taps, k: images * area }
    const { i, j, l } = variables(shape)
    const kernel = product(shape, {
      a: load(0, dot([div(l, area), i, mod(l, area)], [outputs * area, area, 1])),
      b: load(1, window(div(l, area), div(j, taps), mod(l, area), mod(j, taps)).index),
    })
    agree(kernel, [images * outputs * area, images * channels * size * size, outputs * shape.n], JSON.stringify(c))
  }
})

test('windows that reach outside are padded by a select around a guarded load', () => {
  for (const [size, pad] of [
    [8, 1],
    [7, 2],
  ] as const) {
    const [images, channels, outputs, taps] = [2, 3, 5, 9]
    const places = size + 2 * pad - 2
    const shape = { m: outputs, n: places * places, k: channels * taps, batch: images }
    const { i, j, l, image } = variables(shape)
    const tap = mod(l, taps)
    const row = addConstant(add(div(j, places), div(tap, 3)), -pad)
    const column = addConstant(add(mod(j, places), mod(tap, 3)), -pad)
    const inside = [row, column]
      .map((x) =>
        binary(
          'and',
          binary('le', { kind: 'const', dtype: 'i32', value: 0 }, indexValue(x)),
          binary('lt', indexValue(x), { kind: 'const', dtype: 'i32', value: size }),
        ),
      )
      .reduce((x, y) => binary('and', x, y))
    const at = dot([image, div(l, taps), row, column], [channels * size * size, size * size, size, 1])
    const kernel = product(shape, {
      a: load(0, dot([i, l], [shape.k, 1])),
      b: select(inside, load(1, at, true), f32(0)),
    })
    agree(kernel, [outputs * shape.k, images * channels * size * size, images * outputs * shape.n], `pad ${pad}`)
  }
})

test('not-a-number in one row or column stays there', () => {
  const shape = { m: 11, n: 13, k: 17 }
  const [a, b, c] = sizesOf(shape).map(random) as [Float32Array, Float32Array, Float32Array]
  a[4 * 17 + 16] = Number.NaN
  b[3 * 13 + 12] = Number.POSITIVE_INFINITY
  const [, , sums] = run(wasm, product(shape), [a, b, c]) as [Float64Array, Float64Array, Float64Array]
  sums.forEach((value, i) => {
    const [row, column] = [Math.floor(i / 13), i % 13]
    assert.equal(Number.isFinite(value), row !== 4 && column !== 12, `row ${row}, column ${column}`)
  })
})
