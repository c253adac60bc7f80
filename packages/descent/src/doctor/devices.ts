/** Which devices work: each is made to compute something. */
import type { Device } from '../devices/device.ts'
import { referenceDevice } from '../devices/reference/device.ts'
import { type WasmDevice, wasmDevice } from '../devices/wasm/device.ts'
import type { X64Device } from '../devices/x64/device.ts'
import { openX64 } from '../devices/x64/open.ts'
import { checkDevice } from './check-device.ts'
import type { DeviceState } from './diagnosis.ts'

/** The devices that are worth measuring, where they work. */
export interface FastDevices {
  readonly x64: X64Device | null
  readonly wasm: WasmDevice | null
}

export function lookAtDevices(): { readonly states: readonly DeviceState[]; readonly fast: FastDevices } {
  const x64 = openX64()
  const opened = 'reason' in x64 ? null : x64
  const states = [
    'reason' in x64
      ? { name: 'x64' as const, refusal: x64.reason, surprising: x64.surprising, details: [] }
      : state(
          'x64',
          () => x64,
          ({ wide, pool }) => [wide ? 'AVX-512' : 'AVX2', threads(pool)],
        ),
    state('wasm', wasmDevice, ({ pool }) => [threads(pool)]),
    state('reference', referenceDevice, () => ['double precision, slow']),
  ]
  const works = (name: string): boolean => states.some((one) => one.name === name && one.refusal === null)
  return { states, fast: { x64: works('x64') ? opened : null, wasm: works('wasm') ? wasmDevice() : null } }
}

function state<D extends Device>(
  name: DeviceState['name'],
  open: () => D,
  details: (device: D) => readonly string[],
): DeviceState {
  try {
    const device = open()
    const wrong = checkDevice(device)
    if (wrong === null) return { name, refusal: null, surprising: false, details: details(device) }
    const refusal = `The device ${name} computes wrong here: ${wrong}. Please report this text.`
    return { name, refusal, surprising: true, details: [] }
  } catch (error) {
    return {
      name,
      refusal: `The device ${name} does not work: ${(error as Error).message}`,
      surprising: true,
      details: [],
    }
  }
}

function threads({ threads: count }: { readonly threads: number }): string {
  return count === 1 ? '1 thread' : `${count} threads`
}
