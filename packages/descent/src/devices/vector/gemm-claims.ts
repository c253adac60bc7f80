/**
 * What every device must do with matrix products: tests that a device's own test file calls for. Numbers are small and
 * whole, so that sums are exact in any order: a device must give what the reference device gives, to the bit.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { binary, cast, type Expr, f32, i32, indexValue, select, unary } from '../../kernel/expr.ts'
import { add, addConstant, div, dot, type Index, mod, scale, variable } from '../../kernel/index-expr.ts'
import type { BufferUse, GemmKernel, Store } from '../../kernel/kernel.ts'
import type { Device, Values } from '../device.ts'
import { referenceDevice } from '../reference/device.ts'
import { Dice, planOf } from './random-kernel.ts'

const [M, N, K, B] = [0, 1, 2, 3]
const tile: Expr = { kind: 'tile', dtype: 'f32' }
const load = (buffer: number, index: Index, dtype: 'f32' | 'bool' = 'f32', guarded = false): Expr => ({
  kind: 'load',
  dtype,
  buffer,
  index,
  guarded,
})

interface Shape {
  m: number
  n: number
  k: number
  batch?: number
  turnA?: boolean
  turnB?: boolean
  /** Both are the same for the whole batch. */
  sharedA?: boolean
  sharedB?: boolean
}
function variables({ m, n, k, batch = 1 }: Shape) {
  return { i: variable(M, m), j: variable(N, n), l: variable(K, k), image: variable(B, batch) }
}
/** The product of buffers 0 and 1 in buffer 2; `more`: the lengths of the buffers that a changed kernel also has. */
function product(shape: Shape, change: Partial<GemmKernel> = {}, more: readonly number[] = []): GemmKernel {
  const { m, n, k, batch = 1, turnA, turnB, sharedA, sharedB } = shape
  const { i, j, l, image } = variables(shape)
  const [stepA, stepB] = [sharedA ? 0 : m * k, sharedB ? 0 : n * k]
  const written = new Set([2, ...(change.stores ?? []).map((store) => store.buffer)])
  const lengths = [batch * m * k, batch * n * k, batch * m * n, ...more]
  return {
    kind: 'gemm',
    buffers: lengths.map((length, b) => ({ dtype: 'f32', access: written.has(b) ? 'write' : 'read', length })),
    batch: batch > 1 ? [{ id: B, size: batch }] : [],
    m: { id: M, size: m },
    n: { id: N, size: n },
    k: { id: K, size: k },
    a: load(0, turnA ? dot([image, l, i], [stepA, m, 1]) : dot([image, i, l], [stepA, k, 1])),
    b: load(1, turnB ? dot([image, j, l], [stepB, k, 1]) : dot([image, l, j], [stepB, n, 1])),
    stores: [{ buffer: 2, index: dot([image, i, j], [m * n, n, 1]), value: tile }],
    ...change,
  }
}

function run(device: Device, kernel: GemmKernel, inputs: readonly (Float32Array | Int32Array)[]): Values[] {
  const plan = planOf(kernel)
  const storages = plan.buffers.map(({ dtype }, i) => device.adopt(dtype, (inputs[i] as Float32Array).slice()))
  device.prepare(plan).run(storages)
  return storages.map((s) => device.read(s, 0, s.length))
}

/** The first difference in any buffer, those that are read included, or null. */
function difference(device: Device, kernel: GemmKernel, allowed = 0): string | null {
  const dice = new Dice(kernel.k.size)
  const inputs = kernel.buffers.map(({ dtype, access, length }) => {
    if (dtype === 'bool') return Int32Array.from({ length }, () => dice.below(2))
    return Float32Array.from({ length }, () => (access === 'write' ? 7 : dice.below(9) - 4))
  })
  const want = run(referenceDevice(), kernel, inputs)
  const got = run(device, kernel, inputs)
  for (const [b, values] of want.entries()) {
    for (const [i, value] of values.entries()) {
      const other = got[b]?.[i] as number
      if (!(Math.abs(other - value) <= allowed * Math.max(1, Math.abs(value)))) {
        return `buffer ${b}, element ${i}: ${other} for ${value}`
      }
    }
  }
  return null
}

/** A kernel in a few words. */
function title({ batch, m, n, k }: GemmKernel): string {
  return [...batch, m, n, k].map((axis) => axis.size).join(' × ')
}

export interface GemmScale {
  readonly runs: number
  /** Products of more multiply-adds are left out. */
  readonly most: number
}
const usual: GemmScale = { runs: Number(process.env.KERNEL_RUNS ?? 150), most: Infinity }

/** `label` says which device it is. */
export function testGemms(label: string, device: () => Device, { runs, most }: GemmScale = usual): void {
  const agree = (kernel: GemmKernel, about = title(kernel), allowed = 0): void => {
    const { batch, m, n, k } = kernel
    if ([...batch, m, n, k].reduce((product, axis) => product * axis.size, 1) > most) return
    const found = difference(device(), kernel, allowed)
    if (found) assert.fail(`${about}: ${found}`)
  }
  const turns = [false, true].flatMap((turnA) => [false, true].map((turnB) => ({ turnA, turnB })))

  test(`${label}: matrix products of all small sizes, turned or not`, () => {
    const size = fc.integer({ min: 1, max: 70 })
    const flag = fc.boolean()
    const shapes = fc.record({
      m: size,
      n: size,
      k: fc.integer({ min: 1, max: 40 }),
      batch: fc.integer({ min: 1, max: 3 }),
      turnA: flag,
      turnB: flag,
      sharedA: flag,
      sharedB: flag,
    })
    fc.assert(
      fc.property(shapes, (shape) => agree(product(shape))),
      { numRuns: runs },
    )
  })

  test(`${label}: products with a little less or more than whole panels`, () => {
    const edges = [11, 12, 13, 14, 15, 16, 17, 27, 28, 29, 31, 32, 33]
    const depths = [1, 13, 16, 27, 31, 33, 64]
    let which = 0
    for (const m of edges) {
      for (const n of edges) {
        const k = depths[which % depths.length] as number
        const shape = { m, n, k, ...turns[which++ % 4] }
        agree(product(shape), JSON.stringify(shape))
      }
    }
    for (const k of [255, 256, 257, 513]) {
      for (const [m, n] of [
        [13, 33],
        [29, 15],
        [5, 65],
        [30, 7],
      ] as const) {
        for (const turn of turns) agree(product({ m, n, k, ...turn }), `${m} × ${n} × ${k}, ${JSON.stringify(turn)}`)
      }
    }
    for (const [m, n] of [
      [255, 33],
      [256, 13],
      [257, 31],
      [15, 255],
      [14, 257],
      [28, 256],
    ] as const) {
      for (const turn of turns) agree(product({ m, n, k: 29, ...turn }))
    }
  })

  test(`${label}: large products: blocks of rows, columns and k`, () => {
    for (const turned of [false, true]) {
      for (const [m, n, k, batch] of [
        [300, 33, 600, 1],
        [37, 450, 520, 1],
        [129, 300, 257, 1],
        [65, 70, 300, 3],
        // The last block of rows has 7 and 1, fewer than a panel.
        [295, 64, 400, 1],
        [337, 64, 400, 1],
        [169, 50, 9, 1],
        [49, 40, 50, 1],
        [50, 130, 5, 2],
        [25, 14, 70, 3],
      ] as const) {
        agree(product({ m, n, k, batch, turnA: turned, turnB: !turned }))
        agree(product({ m, n, k, batch, sharedA: true, turnA: turned, turnB: turned }))
      }
    }
  })

  test(`${label}: sums of many products, in parts`, () => {
    for (const turn of turns) {
      for (const [m, n, k, batch] of [
        [13, 200, 1100, 1],
        [64, 72, 2050, 1],
        [7, 7, 3000, 1],
        [5, 33, 1025, 2],
        [15, 17, 1500, 3],
        [1, 9, 1031, 1],
      ] as const) {
        agree(product({ m, n, k, batch, ...turn }))
      }
    }
  })

  test(`${label}: one, two or three rows or columns`, () => {
    for (const thin of [1, 2, 3]) {
      for (const wide of [1, 3, 17, 130, 1025]) {
        for (const k of [1, 3, 7, 16, 33, 257]) {
          for (const turned of [false, true]) {
            agree(product({ m: thin, n: wide, k, turnA: turned, turnB: turned, batch: 2 }))
            agree(product({ m: wide, n: thin, k, turnA: turned, turnB: !turned }))
          }
        }
      }
    }
  })

  test(`${label}: an epilogue with bias, activation, a second store and one of truth values`, () => {
    for (const [m, n, k] of [
      [9, 21, 8],
      [64, 8, 8],
      [33, 70, 40],
      [2, 30, 12],
      [30, 2, 12],
      [29, 47, 13],
      [50, 60, 1500],
    ] as const) {
      const shape = { m, n, k }
      const { i, j } = variables(shape)
      const biased = binary('add', tile, load(3, j))
      const stores: Store[] = [
        { buffer: 2, index: dot([i, j], [n, 1]), value: unary('relu', biased) },
        { buffer: 4, index: dot([j, i], [m, 1]), value: binary('mul', biased, load(5, i)) },
        { buffer: 6, index: dot([i, j], [n, 1]), value: binary('lt', f32(0), biased) },
      ]
      const kernel = product(shape, { stores }, [n, m * n, m, m * n])
      const buffers = kernel.buffers.map((use, b) => (b === 6 ? { ...use, dtype: 'bool' as const } : use))
      agree({ ...kernel, buffers })
    }
  })

  test(`${label}: operands that are computed while packing`, () => {
    for (const turn of turns) {
      for (const [m, n, k] of [
        [23, 37, 41],
        [14, 32, 16],
        [2, 19, 9],
        [40, 3, 15],
      ] as const) {
        const shape = { m, n, k, ...turn }
        const { i, j, l } = variables(shape)
        const plain = product(shape)
        const masked = select(binary('lt', f32(0), plain.a), binary('mul', plain.a, load(3, i)), f32(0))
        const scaled = binary('sub', unary('relu', plain.b), binary('mul', load(4, l), load(5, j)))
        agree(product(shape, { a: masked, b: scaled }, [m, k, n]))
        const curved = binary('sub', unary('exp', plain.b), load(4, l))
        agree(product(shape, { a: masked, b: curved }, [m, k]), 'exp', 2e-6 * k)
      }
    }
  })

  test(`${label}: operands of truth values`, () => {
    for (const turn of turns) {
      for (const [m, n, k] of [
        [16, 19, 33],
        [13, 40, 7],
        [3, 20, 11],
      ] as const) {
        const kernel = product({ m, n, k, ...turn })
        const as01 = (e: Expr) => cast('f32', { ...e, dtype: 'bool' } as Expr)
        const buffersWith = (b: number) =>
          kernel.buffers.map((use, at): BufferUse => (at === b ? { ...use, dtype: 'bool' } : use))
        agree({ ...kernel, buffers: buffersWith(0), a: as01(kernel.a) })
        agree({ ...kernel, buffers: buffersWith(1), b: as01(kernel.b) })
      }
    }
  })

  test(`${label}: operands that no table describes`, () => {
    for (const [m, n, k] of [
      [13, 22, 19],
      [2, 9, 7],
      [40, 3, 5],
      [8, 8, 8],
      [17, 33, 15],
    ] as const) {
      const shape = { m, n, k }
      const { i, j, l } = variables(shape)
      const diagonal = select(binary('eq', indexValue(i), indexValue(l)), load(0, dot([i, l], [k, 1])), f32(2))
      const skewed = load(1, mod(add(scale(l, 3), scale(j, 5)), n * k))
      agree(product(shape, { a: diagonal, b: skewed }))
    }
  })

  test(`${label}: matrices read backwards, and with gaps`, () => {
    for (const [m, n, k] of [
      [15, 17, 16],
      [33, 14, 9],
      [2, 20, 13],
    ] as const) {
      const shape = { m, n, k }
      const { i, j, l } = variables(shape)
      const back = (x: Index, size: number) => addConstant(scale(x, -1), size - 1)
      const a = load(0, dot([back(i, m), l], [k, 1]))
      const b = load(1, dot([l, back(j, n)], [n, 1]))
      agree(product(shape, { a, b }), 'rows and columns')
      const backAll = load(1, dot([back(l, k), j], [n, 1]))
      agree(product(shape, { a: load(0, dot([i, back(l, k)], [k, 1])), b: backAll }), 'k')
      const gaps = { a: load(3, dot([i, l], [3 * k, 3])), b: load(4, dot([l, j], [2 * n, 2])) }
      agree(product(shape, gaps, [3 * m * k, 2 * n * k]), 'gaps')
    }
  })

  const convolutions: readonly Convolution[] = [
    { images: 3, channels: 4, outputs: 7, size: 14, kernel: 3 },
    { images: 2, channels: 1, outputs: 9, size: 28, kernel: 3 },
    { images: 2, channels: 3, outputs: 5, size: 11, kernel: 3, stride: 2 },
    { images: 3, channels: 16, outputs: 6, size: 5, kernel: 5 },
    // Rows of 5, 9, 15, 16, 17, 26 and 28 places.
    ...[7, 11, 17, 18, 19, 28, 30].map((size) => ({ images: 2, channels: 2, outputs: 5, size, kernel: 3 })),
    { images: 2, channels: 2, outputs: 15, size: 17, kernel: 3, stride: 2 },
    { images: 2, channels: 2, outputs: 15, size: 19, kernel: 3, dilation: 2 },
    { images: 1, channels: 3, outputs: 3, size: 21, kernel: 2, stride: 3, dilation: 3 },
    { images: 2, channels: 17, outputs: 14, size: 9, kernel: 1 },
  ]

  test(`${label}: convolution reads its windows while packing`, () => {
    for (const c of convolutions) {
      const { places, taps, window } = geometry(c)
      const { images, channels, outputs, size } = c
      const shape = { m: outputs, n: places * places, k: channels * taps, batch: images }
      const { i, j, l, image } = variables(shape)
      const a = load(0, dot([i, l], [shape.k, 1]))
      const b = load(3, window(image, div(l, taps), j, mod(l, taps)))
      const input = images * channels * size * size
      agree(product(shape, { a, b }, [input]), JSON.stringify(c))
      agree(product(shape, { a, b: unary('relu', b) }, [input]), `relu, ${JSON.stringify(c)}`)
    }
  })

  test(`${label}: the gradient of a convolution’s weights sums over images and places`, () => {
    for (const c of convolutions) {
      const { places, taps, window } = geometry(c)
      const { images, channels, outputs, size } = c
      const area = places * places
      const shape = { m: outputs, n: channels * taps, k: images * area }
      const { i, j, l } = variables(shape)
      const a = load(0, dot([div(l, area), i, mod(l, area)], [outputs * area, area, 1]))
      const b = load(3, window(div(l, area), div(j, taps), mod(l, area), mod(j, taps)))
      agree(product(shape, { a, b }, [images * channels * size * size]), JSON.stringify(c))
    }
  })

  test(`${label}: windows that reach outside are padded by a select around a guarded load`, () => {
    for (const [size, pad] of [
      [8, 1],
      [7, 2],
      [16, 1],
      [17, 1],
      [15, 2],
    ] as const) {
      const [images, channels, outputs, taps] = [2, 3, 5, 9]
      const places = size + 2 * pad - 2
      const shape = { m: outputs, n: places * places, k: channels * taps, batch: images }
      const { i, j, l, image } = variables(shape)
      const tap = mod(l, taps)
      const row = addConstant(add(div(j, places), div(tap, 3)), -pad)
      const column = addConstant(add(mod(j, places), mod(tap, 3)), -pad)
      const inside = [row, column]
        .map((x) => binary('and', binary('le', i32(0), indexValue(x)), binary('lt', indexValue(x), i32(size))))
        .reduce((x, y) => binary('and', x, y))
      const at = dot([image, div(l, taps), row, column], [channels * size * size, size * size, size, 1])
      const a = load(0, dot([i, l], [shape.k, 1]))
      const b = select(inside, load(3, at, 'f32', true), f32(0))
      agree(product(shape, { a, b }, [images * channels * size * size]), `size ${size}, pad ${pad}`)
    }
  })

  test(`${label}: not-a-number in one row or column stays there`, () => {
    for (const [m, n, k] of [
      [11, 13, 17],
      [3, 21, 9],
      [29, 2, 15],
    ] as const) {
      const [a, b, c] = [m * k, n * k, m * n].map((length) => new Float32Array(length).fill(1))
      const inputs = [a, b, c] as [Float32Array, Float32Array, Float32Array]
      inputs[0][2 * k + k - 1] = Number.NaN
      inputs[1][3 * n + n - 1] = Number.POSITIVE_INFINITY
      const sums = run(device(), product({ m, n, k }), inputs)[2] as Values
      for (const [i, value] of sums.entries()) {
        const [row, column] = [Math.floor(i / n), i % n]
        assert.equal(Number.isFinite(value), row !== 2 && column !== n - 1, `row ${row}, column ${column}`)
      }
    }
  })
}

/** For machines that can sum in double precision. */
export function testSmallGemms(label: string, device: () => Device): void {
  test(`${label}: small products are exact but for the rounding of the result, whatever cancels out`, () => {
    for (const [m, n, k] of [
      [20, 30, 200],
      [12, 16, 100],
      [5, 64, 384],
      [47, 33, 65],
      [4, 15, 1500],
    ] as const) {
      for (const turnB of [false, true]) {
        const dice = new Dice(k)
        const inputs = [m * k, n * k].map((length) =>
          Float32Array.from({ length }, () => (dice.below(1 << 24) / (1 << 22) - 2) * 2 ** dice.below(4)),
        )
        const kernel = product({ m, n, k, turnB })
        const [want, got] = [referenceDevice(), device()].map(
          (d) => run(d, kernel, [...inputs, new Float32Array(m * n)])[2],
        )
        for (const [i, value] of (want as Values).entries()) {
          const other = got?.[i] as number
          assert.ok(
            Math.abs(other - value) <= 2 ** -23 * Math.abs(value) + 1e-10,
            `${title(kernel)}: ${other} for ${value}`,
          )
        }
      }
    }
  })
}

interface Convolution {
  images: number
  channels: number
  outputs: number
  size: number
  kernel: number
  stride?: number
  dilation?: number
}
function geometry({ channels, size, kernel, stride = 1, dilation = 1 }: Convolution) {
  const places = Math.floor((size - dilation * (kernel - 1) - 1) / stride) + 1
  /** The element that a tap meets at a place. */
  const window = (image: Index, channel: Index, place: Index, tap: Index): Index => {
    const row = add(scale(div(place, places), stride), scale(div(tap, kernel), dilation))
    const column = add(scale(mod(place, places), stride), scale(mod(tap, kernel), dilation))
    return dot([image, channel, row, column], [channels * size * size, size * size, size, 1])
  }
  return { places, taps: kernel * kernel, window }
}
