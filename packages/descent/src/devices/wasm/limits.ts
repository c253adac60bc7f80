/**
 * What the machine can do at most in WebAssembly: multiply-adds a second in registers, and bytes a second of the triad
 * a[i] = b[i] + s·c[i] (12 bytes an element; McCalpin, "STREAM", 1995) over arrays larger than the caches.
 */
import type { Limits } from '../limits.ts'
import { ModuleBuilder } from './encode.ts'
import { features } from './features.ts'

const sums = 12
const unroll = 8
/** Bytes of each of the three arrays. */
export const arrayBytes = 32 * 2 ** 20
/** Of the memory that the module imports: the three arrays, one after the other. */
export const pages = (3 * arrayBytes) / 65536
/** Floating-point operations of one turn of `multiplyAdd`. */
export const turnFlops = unroll * sums * 8

const [turns, milliseconds] = [40_000, 120]

/** On the calling thread. Takes about a quarter of a second. */
export function measureLimits(): Limits {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  new Uint8Array(memory.buffer).fill(0)
  const instance = new WebAssembly.Instance(new WebAssembly.Module(limitModule()), { env: { memory } })
  const { multiplyAdd, triad } = instance.exports as unknown as {
    multiplyAdd(turns: number): number
    triad(bytes: number): void
  }
  const flops = (turns * turnFlops) / bestSeconds(() => multiplyAdd(turns))
  return { threads: 1, flops, bytes: (3 * arrayBytes) / bestSeconds(() => triad(arrayBytes)) }
}

function bestSeconds(run: () => unknown): number {
  let best = Infinity
  for (const until = performance.now() + milliseconds; performance.now() < until; ) {
    const start = performance.now()
    run()
    best = Math.min(best, performance.now() - start)
  }
  return best / 1000
}

/** Exports `multiplyAdd(turns)` and `triad(bytes)` over three arrays that lie one after the other. */
export function limitModule(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder()
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
