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
const iterations = 400_000
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

/** A worker's program: waits for the common start, then the best of several runs of each loop. */
const program = `
const { parentPort, workerData: { bytes, arrayBytes, pages, iterations, gate, threads } } = require('node:worker_threads')
const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
new Uint8Array(memory.buffer).fill(0)
const { multiplyAdd, triad } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports
const best = (run, phase) => {
  run(1)
  Atomics.add(gate, phase, 1)
  while (Atomics.load(gate, phase) < threads);
  let least = Infinity
  const until = performance.now() + 400
  while (performance.now() < until) {
    const start = performance.now()
    run(0)
    least = Math.min(least, performance.now() - start)
  }
  return least
}
for (let i = 0; i < 20; i++) multiplyAdd(iterations / 20)
const arithmetic = best(() => multiplyAdd(iterations), 0)
const memoryTime = best(() => triad(arrayBytes), 1)
parentPort.postMessage({ arithmetic, memoryTime })
`

export async function measureWasmLimits(threads: number): Promise<Limits> {
  const gate = new Int32Array(new SharedArrayBuffer(8))
  const workerData = { bytes: limitModule(), arrayBytes, pages: (3 * arrayBytes) / 65536, iterations, gate, threads }
  const times = await Promise.all(
    Array.from({ length: threads }, () => {
      const worker = new Worker(program, { eval: true, workerData })
      return new Promise<{ arithmetic: number; memoryTime: number }>((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      })
    }),
  )
  let flops = 0
  let bytes = 0
  for (const { arithmetic, memoryTime } of times) {
    flops += (iterations * unroll * sums * 8) / (arithmetic / 1000)
    bytes += (3 * arrayBytes) / (memoryTime / 1000)
  }
  return { threads, flops, bytes }
}
