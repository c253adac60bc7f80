/**
 * What the machine can do at most: multiply-adds and bytes of main memory a second, and what follows for a workload. They
 * are measured in a process of their own that has ended before any contender starts (measure-limits.ts): by native
 * machine code where the device x64 works, and by WebAssembly, whose vectors are shorter.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Limits {
  readonly threads: number
  /** Floating-point operations a second. */
  readonly flops: number
  /** Bytes a second. */
  readonly bytes: number
}

export interface Measures {
  /** null where the device x64 does not work. */
  readonly x64: Limits | null
  readonly wasm: Limits
}

export function measureLimits(threads: number): Measures {
  const program = fileURLToPath(new URL('./measure-limits.ts', import.meta.url))
  const { stdout, stderr, status } = spawnSync(process.execPath, [program, String(threads)], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`The machine's limits could not be measured: ${stderr}`)
  return JSON.parse(stdout) as Measures
}

/** A limit is at least what any measure has reached. */
export function machineLimits({ x64, wasm }: Measures): Limits {
  if (!x64) return wasm
  const [flops, bytes] = [Math.max(x64.flops, wasm.flops), Math.max(x64.bytes, wasm.bytes)]
  return { threads: x64.threads, flops, bytes }
}

/** The least time of a workload on this machine, in milliseconds; 0 where it is not limited by either. */
export function limitMs(work: { readonly flops: number; readonly bytes: number }, limits: Limits): number {
  return 1000 * Math.max(work.flops / limits.flops, work.bytes / limits.bytes)
}
