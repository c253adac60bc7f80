/** Which device new tensors live on. The fastest that works is chosen at first use; `DESCENT_DEVICE` overrides. */
import type { Device, DeviceName } from './devices/device.ts'
import { referenceDevice } from './devices/reference/device.ts'
import { setThreads as setWasmThreads, wasmDevice } from './devices/wasm/device.ts'
import { setThreads as setX64Threads, x64Device } from './devices/x64/device.ts'

let current: Device | null = null

export function deviceNamed(name: DeviceName): Device {
  switch (name) {
    case 'reference':
      return referenceDevice()
    case 'wasm':
      return wasmDevice()
    case 'x64': {
      const x64 = x64Device()
      if (typeof x64 === 'string') throw new Error(x64)
      return x64
    }
    default:
      throw new RangeError(`There is no device '${String(name satisfies never)}'. Choose 'wasm' or 'reference'.`)
  }
}

/** The device that new tensors are made on. */
export function currentDevice(): Device {
  current ??= deviceNamed(requested() ?? 'wasm')
  return current
}

function requested(): DeviceName | undefined {
  const scope = globalThis as { process?: { env?: { DESCENT_DEVICE?: DeviceName } } }
  return scope.process?.env?.DESCENT_DEVICE
}

/**
 * The name of the device that new tensors are made on.
 *
 * @example
 * ```ts
 * import { device } from 'descent'
 * console.log(device()) // → wasm
 * ```
 */
export function device(): DeviceName {
  return currentDevice().name
}

/**
 * Chooses the device for new tensors: 'wasm' (fast) or 'reference' (double precision, slow). Tensors stay where they
 * are. Throws RangeError for another name.
 */
export function setDevice(name: DeviceName): void {
  current = deviceNamed(name)
}

/** How many threads the `wasm` device may use, 1 for none but the caller's. Results do not depend on it. */
export function setThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`setThreads: ${count} is not a number of threads; give 1 or more.`)
  setWasmThreads(count)
  setX64Threads(count)
}
