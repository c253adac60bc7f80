/**
 * Graphs that end the process. Each is tried in a process of its own: `node crash.ts <device> <mode>` runs the graph
 * from its standard input.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { deserialize, serialize } from 'node:v8'
import type { DeviceName } from '../src/index.ts'
import { graphOf } from './check.ts'
import { deviceNames } from './devices.ts'
import { type Mode, run } from './interpret.ts'
import { print } from './print.ts'
import type { Program } from './program.ts'
import { shrink } from './shrink.ts'

function ends(program: Program, device: DeviceName, mode: Mode): boolean {
  const { signal } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), device, mode], {
    input: serialize(program),
    stdio: ['pipe', 'ignore', 'ignore'],
    timeout: 20_000,
  })
  return signal !== null
}

/** The graph that ended a worker as code, as small as it gets in a minute; null where it does not do so again. */
export function reportCrash(seed: number, graph: number, devices: readonly DeviceName[]): string | null {
  const program = graphOf(seed, graph)
  for (const device of devices) {
    for (const mode of ['eager', 'compiled'] as const) {
      if (!ends(program, device, mode)) continue
      const small = shrink(program, mode, (candidate, other) => ends(candidate, device, other))
      const again = `npm run fuzz -- --seed ${seed} --graph ${graph} --devices ${devices.join(',')}`
      return print({ ...small, device, heading: [again, `${device}, ${small.mode}: it ends the process`] })
    }
  }
  return null
}

if (import.meta.main) {
  const device = deviceNames.find((name) => name === process.argv[2])
  if (device) run(deserialize(readFileSync(0)) as Program, device, process.argv[3] === 'eager' ? 'eager' : 'compiled')
  process.exit(0)
}
