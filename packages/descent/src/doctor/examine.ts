/** The examination: machine, devices, choice, speed; then the advice and the text. */
import { chooseDevice } from '../backend.ts'
import { features } from '../devices/wasm/features.ts'
import { elsewhere } from '../devices/x64/platform.ts'
import { version } from '../version.ts'
import { advise } from './advice.ts'
import { lookAtDevices } from './devices.ts'
import type { Chosen, Diagnosis, Findings } from './diagnosis.ts'
import { lookAtMachine } from './machine.ts'
import { measureMachine, measureProducts } from './measure.ts'
import { diagnosisText } from './text.ts'

export async function examine(measure: boolean): Promise<Diagnosis> {
  const { states, fast } = lookAtDevices()
  const limits = measure ? await measureMachine(fast) : []
  const { relaxedSimd, sharedMemory } = features()
  const findings: Findings = {
    descent: version,
    machine: await lookAtMachine(),
    koffi: await koffiVersion(),
    webAssembly: { relaxedSimd, sharedMemory },
    devices: states,
    chosen: chosen(),
    limits,
    products: measure ? await measureProducts(fast, limits) : [],
  }
  const advice = advise(findings)
  return { ...findings, advice, toString: () => diagnosisText({ ...findings, advice }) }
}

function chosen(): Chosen {
  try {
    const { device, because } = chooseDevice()
    return { name: device.name, because }
  } catch (error) {
    return { error: (error as Error).message }
  }
}

async function koffiVersion(): Promise<string | null> {
  if (elsewhere() !== null) return null
  const { native } = await import('../devices/x64/native/koffi.ts')
  const door = native()
  return typeof door === 'string' ? null : door.version
}
