/** For tests: every device, and why it is skipped where it does not work here. */
import { deviceNamed } from '../backend.ts'
import type { Device, DeviceName } from './device.ts'
import { openX64 } from './x64/open.ts'

export interface TestedDevice {
  readonly name: DeviceName
  readonly skip: string | false
  readonly open: () => Device
}

const x64 = openX64()

export const testedDevices: readonly TestedDevice[] = (['reference', 'wasm', 'x64'] as const).map((name) => ({
  name,
  skip: name === 'x64' && 'reason' in x64 ? x64.reason : false,
  open: () => deviceNamed(name),
}))
