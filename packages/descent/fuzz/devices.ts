/** The devices that can be compared here. */
import { type DeviceName, setDevice } from '../src/index.ts'

export const deviceNames = ['reference', 'wasm', 'x64'] as const satisfies readonly DeviceName[]

/** Those that work on this machine. */
export function workingDevices(): DeviceName[] {
  return deviceNames.filter((name) => {
    try {
      setDevice(name)
      return true
    } catch {
      return false
    }
  })
}
