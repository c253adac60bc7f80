/**
 * What the machine can do at most in WebAssembly: multiply-adds a second in registers, and bytes a second of the triad
 * a[i] = b[i] + s·c[i] (12 bytes an element; McCalpin, "STREAM", 1995) over arrays larger than the caches. Every
 * thread runs the same hand-written module on memory of its own, all at the same time.
 */
import { Worker } from 'node:worker_threads'
import { ModuleBuilder } from '../packages/descent/src/devices/wasm/encode.ts'
import { features } from '../packages/descent/src/devices/wasm/features.ts'
import type { Limits } from './limits.ts'

const sums = 12
const unroll = 8
const iterations = 100_000
const repetitions = 120
const arrayBytes = 32 * 2 ** 20

/** Exports `multiplyAdd(iterations)` and `triad(bytes)` over three arrays that lie one after the other. */
export function limitModule(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder()
  const pages = (3 * arrayBytes) / 65536
  module.importMemory('env', 'memory', pages, pages, false)
  emitMultiplyAdd(module)
  emitTriad(module)
  return module.build()
}

function emitMultiplyAdd(module: ModuleBuilder): void {
  const f = module.function(['i32'], ['f32'], 'multiplyAdd')
  const [x, y] = [f.local('v128'), f.local('v128')]
  const locals = Array.from({ length: sums }, () => f.local('v128'))
  f.splatF32(1e-3).set(x).splatF32(1e-3).set(y)
  const again = f.loop()
  for (let u = 0; u < unroll; u++) {
    for (const sum of locals) {
      if (features().relaxedSimd) f.get(x).get(y).get(sum).f32x4('relaxed_madd').set(sum)
      else f.get(x).get(y).f32x4('mul').get(sum).f32x4('add').set(sum)
    }
  }
  f.get(0).constant(1).i32('sub').tee(0).brIf(again)
  f.end()
  for (const [i, sum] of locals.entries()) {
    f.get(sum)
    if (i > 0) f.f32x4('add')
  }
  f.lane('f32x4.extract_lane', 0)
}

function emitTriad(module: ModuleBuilder): void {
  const f = module.function(['i32'], [], 'triad')
  const [at, scale] = [f.local('i32'), f.local('v128')]
  f.constant(0).set(at).splatF32(3).set(scale)
  const again = f.loop()
  for (let u = 0; u < 4; u++) {
    f.get(at)
    f.get(at).vectorLoad('v128.load', arrayBytes + 16 * u)
    f.get(at)
      .vectorLoad('v128.load', 2 * arrayBytes + 16 * u)
      .get(scale)
      .f32x4('mul')
      .f32x4('add')
    f.vectorStore(16 * u)
  }
  f.get(at).constant(64).i32('add').tee(at).get(0).i32('lt_u').brIf(again)
  f.end()
}

/**
 * A worker's program. Every repetition begins when all threads are there; `times` takes its start and its end, in
 * milliseconds of a clock that threads share.
 */
const program = `
const { workerData: { bytes, arrayBytes, pages, iterations, repetitions, gate, times, thread, threads } } = require('node:worker_threads')
const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
new Uint8Array(memory.buffer).fill(0)
const { multiplyAdd, triad } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports
const clock = () => Number(process.hrtime.bigint()) / 1e6
let met = 0
const measure = (run, at) => {
  for (let r = 0; r < repetitions; r++) {
    Atomics.add(gate, 0, 1)
    met += threads
    while (Atomics.load(gate, 0) < met);
    const place = 2 * (at + r * threads + thread)
    times[place] = clock()
    run()
    times[place + 1] = clock()
  }
}
for (let i = 0; i < 20; i++) multiplyAdd(iterations / 20)
triad(arrayBytes)
measure(() => multiplyAdd(iterations), 0)
measure(() => triad(arrayBytes), repetitions * threads)
`

export async function measureWasmLimits(threads: number): Promise<Limits> {
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const times = new Float64Array(new SharedArrayBuffer(2 * 2 * repetitions * threads * 8))
  const shared = { bytes: limitModule(), arrayBytes, pages: (3 * arrayBytes) / 65536, iterations, repetitions }
  await Promise.all(
    Array.from({ length: threads }, (_, thread) => {
      const worker = new Worker(program, { eval: true, workerData: { ...shared, gate, times, thread, threads } })
      return new Promise<unknown>((resolve, reject) => worker.once('exit', resolve).once('error', reject))
    }),
  )
  const [arithmetic, traffic] = [times.subarray(0, times.length / 2), times.subarray(times.length / 2)]
  return {
    threads,
    flops: (threads * iterations * unroll * sums * 8) / (shortest(arithmetic, threads) / 1000),
    bytes: (threads * 3 * arrayBytes) / (shortest(traffic, threads) / 1000),
  }
}

/**
 * The shortest repetition, from the first thread's start to the last one's end: threads that a busy machine runs one after
 * the other do not share its memory, and their rates must not be added up.
 */
export function shortest(times: Float64Array, threads: number): number {
  let least = Number.POSITIVE_INFINITY
  for (let at = 0; at < times.length; at += 2 * threads) {
    const repetition = times.subarray(at, at + 2 * threads)
    least = Math.min(least, Math.max(...repetition) - Math.min(...repetition))
  }
  return least
}
