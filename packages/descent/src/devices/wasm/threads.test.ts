import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { IndexError } from '../../errors.ts'
import { binary, type Expr, f32, unary } from '../../kernel/expr.ts'
import { add, div, dot, type Index, scale, variable } from '../../kernel/index-expr.ts'
import type { GemmKernel, LoopKernel, Plan, PlanBuffer } from '../../kernel/kernel.ts'
import type { Values } from '../device.ts'
import { WasmDevice } from './device.ts'
import { ModuleBuilder } from './encode.ts'
import type { PlanExports } from './threads.ts'

const load = (buffer: number, index: Index, dtype: 'f32' | 'i32' = 'f32'): Expr => ({
  kind: 'load',
  dtype,
  buffer,
  index,
  guarded: false,
})
const tile: Expr = { kind: 'tile', dtype: 'f32' }

function product(m: number, n: number, k: number, turned: boolean): GemmKernel {
  const [i, j, l] = [variable(0, m), variable(1, n), variable(2, k)]
  return {
    kind: 'gemm',
    buffers: [
      { dtype: 'f32', access: 'read', length: m * k },
      { dtype: 'f32', access: 'read', length: n * k },
      { dtype: 'f32', access: 'write', length: m * n },
    ],
    batch: [],
    m: { id: 0, size: m },
    n: { id: 1, size: n },
    k: { id: 2, size: k },
    a: load(0, turned ? dot([l, i], [m, 1]) : dot([i, l], [k, 1])),
    b: load(1, turned ? dot([j, l], [k, 1]) : dot([l, j], [n, 1])),
    stores: [{ buffer: 2, index: dot([i, j], [n, 1]), value: unary('relu', binary('sub', tile, f32(0.1))) }],
  }
}

/** Two products side by side, then two that read their results; the last splits its sum over k. */
function chain(size: number): Plan {
  const long = 1500
  const arena = (length: number, offset: number): PlanBuffer => ({
    dtype: 'f32',
    length,
    place: { kind: 'arena', offset },
  })
  const argument = (length: number, position: number, access: 'read' | 'write'): PlanBuffer => ({
    dtype: 'f32',
    length,
    place: { kind: 'argument', position, access, resident: false },
  })
  return {
    kernels: [product(size, long, size, false), product(size, size, long, true), product(size, size, size, false)],
    buffers: [
      argument(size * size, 0, 'read'),
      argument(size * long, 1, 'read'),
      arena(size * long, 0),
      arena(size * size, Math.ceil((size * long) / 16) * 64),
      argument(size * size, 2, 'write'),
      argument(size * size, 3, 'write'),
    ],
    steps: [
      [
        { kernel: 0, buffers: [0, 1, 2], size: null },
        { kernel: 2, buffers: [0, 0, 3], size: null },
      ],
      [
        { kernel: 1, buffers: [2, 1, 4], size: null },
        { kernel: 2, buffers: [3, 0, 5], size: null },
      ],
    ],
    arenaBytes: Math.ceil((size * long) / 16) * 64 + size * size * 4,
    checks: [],
  }
}

function values(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898) * 0.5)
}

test('the same bits with one, two and four threads', async () => {
  const size = 90
  const results: string[] = []
  for (const threads of [1, 2, 4]) {
    const device = new WasmDevice(threads)
    const plan = chain(size)
    const args = [size * size, size * 1500, size * size, size * size].map((length, i) =>
      device.adopt('f32', i < 2 ? values(length) : new Float32Array(length)),
    )
    const runner = device.prepare(plan)
    const seen = new Set<string>()
    // Some runs before the workers are there, many with them.
    for (let round = 0; round < 60; round++) {
      if (round === 5) await setTimeout(150)
      for (const out of args.slice(2)) device.write(out, 0, new Float32Array(size * size))
      runner.run(args)
      seen.add(
        args
          .slice(2)
          .map((out) => Buffer.from(device.read(out, 0, size * size).buffer).toString('base64'))
          .join(),
      )
    }
    assert.equal(seen.size, 1, `${threads} threads: every run the same`)
    results.push(...seen)
  }
  assert.equal(new Set(results).size, 1)
})

test('plans that come and go while workers run', async () => {
  const device = new WasmDevice(3)
  await setTimeout(50)
  for (const size of [64, 71, 80, 96, 64]) {
    const args = [size * size, size * 1500, size * size, size * size].map((length, i) =>
      device.adopt('f32', i < 2 ? values(length) : new Float32Array(length)),
    )
    const first = device.prepare(chain(size))
    const second = device.prepare(chain(size))
    first.run(args)
    const expected = device.read(args[2] as (typeof args)[number], 0, size * size)
    for (let round = 0; round < 20; round++) (round % 2 ? first : second).run(args)
    assert.deepEqual(device.read(args[2] as (typeof args)[number], 0, size * size), expected)
    await setTimeout(20)
  }
})

test('fewer and more threads at any time', async () => {
  const size = 80
  const device = new WasmDevice(2)
  const args = [size * size, size * 1500, size * size, size * size].map((length, i) =>
    device.adopt('f32', i < 2 ? values(length) : new Float32Array(length)),
  )
  const runner = device.prepare(chain(size))
  runner.run(args)
  const expected = device.read(args[2] as (typeof args)[number], 0, size * size)
  for (const threads of [4, 1, 3, 2]) {
    device.pool.setThreads(threads)
    await setTimeout(60)
    for (let round = 0; round < 10; round++) runner.run(args)
    assert.deepEqual(device.read(args[2] as (typeof args)[number], 0, size * size), expected)
  }
})

test('a failed check stops the plan on every thread', async () => {
  const size = 400_000
  const device = new WasmDevice(2)
  const i = variable(0, size)
  const checked: LoopKernel = {
    kind: 'loops',
    flat: false,
    buffers: [
      { dtype: 'i32', access: 'read', length: size },
      { dtype: 'i32', access: 'write', length: size },
    ],
    rows: [{ id: 0, size }],
    stages: [
      {
        axes: [],
        reductions: [],
        stores: [
          { buffer: 1, index: i, value: { kind: 'check', dtype: 'i32', x: load(0, i, 'i32'), size: 10, id: 0 } },
        ],
      },
    ],
  }
  const buffer = (position: number, access: 'read' | 'write'): PlanBuffer => ({
    dtype: 'i32',
    length: size,
    place: { kind: 'argument', position, access, resident: false },
  })
  const runner = device.prepare({
    kernels: [checked],
    buffers: [buffer(0, 'read'), buffer(1, 'write'), buffer(2, 'write')],
    steps: [[{ kernel: 0, buffers: [0, 1], size: null }], [{ kernel: 0, buffers: [1, 2], size: null }]],
    arenaBytes: 0,
    checks: [{ label: 'class', size: 10 }],
  })
  const args = [0, 1, 2].map(() => device.adopt('i32', new Int32Array(size)))
  runner.run(args)
  await setTimeout(100)
  for (let round = 0; round < 20; round++) {
    const input = new Int32Array(size)
    input[(round * 19_997) % size] = 10 + round
    device.write(args[0] as (typeof args)[number], 0, input)
    assert.throws(
      () => runner.run(args),
      (error) => error instanceof IndexError && error.index === 10 + round,
    )
    device.write(args[0] as (typeof args)[number], 0, new Int32Array(size))
    runner.run(args)
  }
})

/** A module like a plan's, whose `run` traps at once: alone on a worker, as the main thread is given another. */
function crashing(device: WasmDevice): WebAssembly.Module {
  const module = new ModuleBuilder()
  module.importMemory('env', 'memory', 1, device.memory.maximumPages, device.memory.shared)
  module.function(['i32', 'i32', 'i32', 'i32'], ['i32'], 'run').unreachable()
  return new WebAssembly.Module(module.build())
}

test('what a worker crashed of is in the error, and later runs are whole', async () => {
  const size = 90
  const device = new WasmDevice(2)
  const args = [size * size, size * 1500, size * size, size * size].map((length, i) =>
    device.adopt('f32', i < 2 ? values(length) : new Float32Array(length)),
  )
  const runner = device.prepare(chain(size))
  for (let round = 0; round < 2; round++) runner.run(args)
  const expected = device.read(args[3] as (typeof args)[number], 0, size * size)
  const id = device.pool.add(crashing(device))
  await setTimeout(100)
  const words = () => new Int32Array(device.memory.memory.buffer)
  const table = device.memory.place(new Int32Array(1))
  const runCrashing = (run: PlanExports['run']): boolean =>
    device.pool.run(id, { runSolo: () => 0, run }, table, new Int32Array(0), device.scratch(64))
  for (let round = 0; round < 3; round++) {
    // The main thread has nothing to do until the worker has crashed.
    const waits: PlanExports['run'] = (_table, _scratch, _mayNap, stop) => {
      for (const end = performance.now() + 10_000; performance.now() < end; ) {
        if (Atomics.load(words(), stop / 4) !== 0) return 1
      }
      return 0
    }
    assert.throws(() => runCrashing(waits), {
      message: /^descent: a worker thread crashed while it ran a plan: RuntimeError: unreachable\. /,
      cause: /wasm-function\[0\]/,
    })
    runner.run(args)
    assert.deepEqual(device.read(args[3] as (typeof args)[number], 0, size * size), expected)
  }
})

test('a crash of any thread stops the others, and later runs are whole', async () => {
  const size = 400_000
  const device = new WasmDevice(2)
  const i = variable(0, size)
  /** The last element, which either thread may come to, is read from `far` elements further. */
  const reading = (far: number): Plan => ({
    kernels: [
      {
        kind: 'loops',
        flat: false,
        buffers: [
          { dtype: 'f32', access: 'read', length: size },
          { dtype: 'f32', access: 'write', length: size },
        ],
        rows: [{ id: 0, size }],
        stages: [
          {
            axes: [],
            reductions: [],
            stores: [{ buffer: 1, index: i, value: load(0, add(i, scale(div(i, size - 1), far))) }],
          },
        ],
      },
    ],
    buffers: (['read', 'write'] as const).map((access, position) => ({
      dtype: 'f32',
      length: size,
      place: { kind: 'argument', position, access, resident: false },
    })),
    steps: [[{ kernel: 0, buffers: [0, 1], size: null }]],
    arenaBytes: 0,
    checks: [],
  })
  const bytesOf = (x: Values): Buffer => Buffer.from(x.buffer as ArrayBuffer)
  const want = bytesOf(values(size))
  const args = [values(size), new Float32Array(size)].map((x) => device.adopt('f32', x))
  const [bad, good] = [device.prepare(reading(2 ** 28)), device.prepare(reading(0))]
  good.run(args)
  good.run(args)
  await setTimeout(100)
  for (let round = 0; round < 20; round++) {
    assert.throws(() => bad.run(args), /memory access out of bounds/)
    device.write(args[1] as (typeof args)[number], 0, new Float32Array(size))
    good.run(args)
    assert.equal(bytesOf(device.read(args[1] as (typeof args)[number], 0, size)).compare(want), 0)
  }
})

test('workers do not keep the process alive', () => {
  const program = `
    const { WasmDevice } = await import(${JSON.stringify(new URL('./device.ts', import.meta.url).href)})
    const device = new WasmDevice(3)
    const runner = device.prepare(${JSON.stringify(chain(64))})
    const args = [4096, 96000, 4096, 4096].map((length) => device.allocate('f32', length))
    runner.run(args)
    await new Promise((done) => setTimeout(done, 200))
    runner.run(args)
  `
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  assert.equal(child.status, 0, child.stderr)
})
