/**
 * Which device new tensors live on. `x64` where it works, else `wasm`, is chosen at first use; the variable
 * `DESCENT_DEVICE` and `setDevice` override.
 */
import type { Device, DeviceName } from './devices/device.ts'
import { setThreads as setWasmThreads, wasmDevice } from './devices/wasm/device.ts'
import { openX64, setThreads as setX64Threads } from './devices/x64/open.ts'
import { inspection } from './inspection.ts'

let current: Device | null = null

export function deviceNamed(name: DeviceName): Device {
  switch (name) {
    case 'reference':
      return inspection('the device reference').referenceDevice()
    case 'wasm':
      return wasmDevice()
    case 'x64': {
      const x64 = openX64()
      if ('reason' in x64) throw new Error(x64.reason)
      return x64
    }
    default:
      throw new RangeError(`There is no device '${String(name satisfies never)}'. Choose 'x64', 'wasm' or 'reference'.`)
  }
}

/** The device that new tensors are made on. */
export function currentDevice(): Device {
  if (current) return current
  const { device, complaint } = chooseDevice()
  if (complaint !== null) console.warn(complaint)
  current = device
  return device
}

/** A device and how it came to be chosen. */
export interface Choice {
  readonly device: Device
  /** As in 'wasm, because …'. */
  readonly because: string
  /** A line for people where this machine should be able to more. */
  readonly complaint: string | null
}

/** The device that is used, or would be, without a word. Throws where DESCENT_DEVICE asks for one that is not there. */
export function chooseDevice(): Choice {
  if (current) return { device: current, because: 'it has been set or used before', complaint: null }
  const wanted = requested()
  if (wanted) {
    return { device: requestedDevice(wanted), because: `DESCENT_DEVICE is ${wanted}`, complaint: null }
  }
  const x64 = openX64()
  if (!('reason' in x64)) return { device: x64, because: 'it is the fastest', complaint: null }
  const { reason, surprising } = x64
  const complaint = `descent: on the device wasm, which is slower. ${reason} (DESCENT_DEVICE=wasm silences this.)`
  return { device: wasmDevice(), because: 'x64 does not work here', complaint: surprising ? complaint : null }
}

function requested(): string | undefined {
  const scope = globalThis as { process?: { env?: { DESCENT_DEVICE?: string } } }
  return scope.process?.env?.DESCENT_DEVICE
}

function requestedDevice(name: string): Device {
  try {
    return deviceNamed(name as DeviceName)
  } catch (error) {
    throw new Error(`The variable DESCENT_DEVICE is '${name}'. ${(error as Error).message}`)
  }
}

/**
 * The name of the device that new tensors are made on.
 *
 * @example
 * ```ts
 * import { device, setDevice } from 'descent'
 * setDevice('wasm')
 * console.log(device()) // → wasm
 * ```
 */
export function device(): DeviceName {
  return currentDevice().name
}

/**
 * Chooses the device for new tensors: 'x64' (the fastest; Node on Linux on x64), 'wasm' (fast, everywhere) or
 * 'reference' (double precision, slow; in a page after `await loadInspection()`). Tensors stay where they are. Throws
 * RangeError for another name, and Error where x64 does not work here, with the reason.
 */
export function setDevice(name: DeviceName): void {
  current = deviceNamed(name)
}

/**
 * How many threads the devices `x64` and `wasm` may use, 1 for none but the caller's. Results do not depend on it.
 */
export function setThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`setThreads: ${count} is not a number of threads; give 1 or more.`)
  setWasmThreads(count)
  setX64Threads(count)
}
