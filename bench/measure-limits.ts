/** The program that measures the machine's limits: `node measure-limits.ts THREADS` prints them as JSON (limits.ts). */
import { measureLimits } from '../packages/descent/src/devices/x64/limits.ts'
import { unusable } from './devices.ts'
import type { Measures } from './limits.ts'
import { measureWasmLimits } from './wasm-limits.ts'

const threads = Number(process.argv[2])
// First WebAssembly, whose workers end when they are done.
const wasm = await measureWasmLimits(threads)
const x64 = unusable('x64') === null ? measureLimits(threads) : null
process.stdout.write(JSON.stringify({ x64, wasm } satisfies Measures), () => process.exit(0))
