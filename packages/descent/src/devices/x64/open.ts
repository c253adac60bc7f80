/**
 * The way to the device x64. Its sources are loaded when it is first asked for (20 ms), so that browsers, other systems
 * and programs that choose `wasm` go without them; at once and not by `import()`, because a tensor must have its device
 * when it is made.
 */
import type { X64Device } from './device.ts'
import { elsewhere } from './platform.ts'

/** Why there is no device x64. */
export interface Refusal {
  /** A sentence that also says what to do. */
  readonly reason: string
  /** Whether this machine should be able to: false where the device has no place, see `elsewhere`. */
  readonly surprising: boolean
}

let opened: X64Device | Refusal | null = null
let threads: number | null = null

/** The device, made at first use. */
export function openX64(): X64Device | Refusal {
  opened ??= open()
  return opened
}

function open(): X64Device | Refusal {
  const reason = elsewhere()
  if (reason !== null) return { reason, surprising: false }
  try {
    const { createRequire } = process.getBuiltinModule('node:module')
    const sources = createRequire(import.meta.url)('./device.ts') as typeof import('./device.ts')
    if (threads !== null) sources.setThreads(threads)
    const device = sources.x64Device()
    return typeof device === 'string' ? { reason: device, surprising: true } : device
  } catch (error) {
    return { reason: `The device x64 cannot be loaded: ${(error as Error).message}`, surprising: true }
  }
}

/** How many threads may run a plan, the calling one included; also before the device is opened. */
export function setThreads(count: number): void {
  threads = count
  if (opened && 'pool' in opened) opened.pool.setThreads(count)
}
