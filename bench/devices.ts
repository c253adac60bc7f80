/** Descent's own devices as the bench sees them: which are fast, and which of them work on this machine. */
import { deviceNamed } from '../packages/descent/src/backend.ts'
import type { DeviceName } from '../packages/descent/src/devices/device.ts'

export const deviceNames: readonly DeviceName[] = ['x64', 'wasm', 'reference']

/** Why a device cannot be used here, in a sentence; null where it can. */
export function unusable(name: DeviceName): string | null {
  try {
    deviceNamed(name)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The fast devices that work here, the fastest first. */
export function fastDevices(): DeviceName[] {
  return (['x64', 'wasm'] as const).filter((name) => unusable(name) === null)
}
