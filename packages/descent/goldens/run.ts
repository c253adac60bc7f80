/**
 * The reference runner: every golden case of a folder, on the devices and in the modes asked for.
 *
 *   npm run --silent goldens -- --dir ../shared/goldens --device wasm --mode compiled --family tensor
 *
 * Devices, modes and families may be lists with commas; without them, all are run. Prints each failure and ends with
 * the line `goldens: N passed, M failed`. Exit code 1 on a failure, 2 where the folder or its cases are missing.
 */
import { existsSync, statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { DeviceName } from '../src/index.ts'
import { type Family, families, readCases } from './cases.ts'
import type { Mode } from './operation.ts'
import { runCases } from './runner.ts'

const devices = ['reference', 'wasm', 'x64'] as const satisfies readonly DeviceName[]
const modes = ['eager', 'compiled'] as const satisfies readonly Mode[]

function fail(message: string): never {
  console.error(`goldens: ${message}`)
  process.exit(2)
}

/** The items of a list with commas, each of which must be one of `known`; all of them where nothing is given. */
function chosen<T extends string>(option: string, text: string | undefined, known: readonly T[]): readonly T[] {
  if (text === undefined) return known
  return text.split(',').map((item) => {
    const found = known.find((name) => name === item)
    return found ?? fail(`--${option} ${item}: expected one of ${known.join(', ')}, or several with commas`)
  })
}

function options(): {
  dir: string
  devices: readonly DeviceName[]
  modes: readonly Mode[]
  families: readonly Family[]
} {
  try {
    const { values } = parseArgs({
      options: {
        dir: { type: 'string' },
        device: { type: 'string' },
        mode: { type: 'string' },
        family: { type: 'string' },
      },
    })
    return {
      dir: values.dir ?? fail('no folder given; add --dir <folder with the golden cases>'),
      devices: chosen('device', values.device, devices),
      modes: chosen('mode', values.mode, modes),
      families: chosen('family', values.family, families),
    }
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

const asked = options()
if (!existsSync(asked.dir) || !statSync(asked.dir).isDirectory()) {
  fail(`the folder ${asked.dir} does not exist; give the folder that holds tensor.json and its siblings with --dir`)
}
const cases = readCases(asked.dir, asked.families)
if (Object.keys(cases).length === 0) fail(`the folder ${asked.dir} has no cases of ${asked.families.join(', ')}`)

let passed = 0
let failed = 0
for (const device of asked.devices) {
  for (const mode of asked.modes) {
    for (const { family, name, failures } of runCases(cases, device, mode)) {
      if (failures.length === 0) passed++
      else failed++
      for (const failure of failures) console.log(`${device} ${mode} ${family} ${name}: ${failure}`)
    }
  }
}
console.log(`goldens: ${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
