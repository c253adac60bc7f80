/** The program that measures the machine's limits: `node measure-limits.ts THREADS` prints them as JSON (limits.ts). */
import { existsSync } from 'node:fs'
import { unusable } from './devices.ts'
import type { Limits, Measures } from './limits.ts'
import { measureWasmLimits } from './wasm-limits.ts'

const threads = Number(process.argv[2])
// First WebAssembly, whose workers end when they are done.
const wasm = await measureWasmLimits(threads)
const native = new URL('../packages/descent/src/devices/x64/limits.ts', import.meta.url)
let x64: Limits | null = null
if (unusable('x64') === null && existsSync(native))
  x64 = ((await import(native.href)) as { measureLimits(threads: number): Limits }).measureLimits(threads)
process.stdout.write(JSON.stringify({ x64, wasm } satisfies Measures), () => process.exit(0))
