/** What the engine that runs us can do, found out by validating tiny modules: once, when first asked for. */
import { ModuleBuilder } from './encode.ts'

export interface Features {
  /** Fused multiply-add on vectors. */
  readonly relaxedSimd: boolean
  /** SharedArrayBuffer exists and may be passed to workers (in browsers: the page is cross-origin isolated). */
  readonly sharedMemory: boolean
  /** Workers can be started at all. */
  readonly workers: boolean
  /** The thread that asks may sleep (a browser's main thread may not). */
  readonly mayNap: boolean
}

let found: Features | undefined

export function features(): Features {
  found ??= { relaxedSimd: relaxedSimd(), sharedMemory: sharedMemory(), workers: workers(), mayNap: mayNap() }
  return found
}

function relaxedSimd(): boolean {
  const module = new ModuleBuilder()
  const f = module.function(['v128', 'v128', 'v128'], ['v128'])
  f.get(0).get(1).get(2).f32x4('relaxed_madd')
  return WebAssembly.validate(module.build())
}

function sharedMemory(): boolean {
  if (typeof SharedArrayBuffer === 'undefined') return false
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated
  if (isolated === false) return false
  const module = new ModuleBuilder()
  module.importMemory('env', 'memory', 1, 1, true)
  const f = module.function([], ['i32'])
  f.constant(0).atomic('i32.atomic.load')
  return WebAssembly.validate(module.build())
}

function workers(): boolean {
  const scope = globalThis as { Worker?: unknown; process?: { versions?: { node?: string } } }
  return typeof scope.Worker === 'function' || scope.process?.versions?.node !== undefined
}

function mayNap(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0)
    return true
  } catch {
    return false
  }
}
