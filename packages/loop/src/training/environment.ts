/** What a run ran in: machine, versions, the commit of the project's folder; and the energy that the processor used. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type RunEnvironment, thisProcess } from './run.ts'

const execute = promisify(execFile)

export async function environmentOf(folder: string, threads?: number): Promise<RunEnvironment> {
  return {
    node: process.version,
    descent: libraryVersion(),
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    threads: threads ?? availableParallelism(),
    gigabytes: Math.round(totalmem() / 1e9),
    commit: await commitOf(folder),
    process: thisProcess(),
  }
}

function libraryVersion(): string {
  const path = new URL('../package.json', import.meta.resolve('descent'))
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

async function commitOf(folder: string): Promise<string | null> {
  try {
    const { stdout: commit } = await execute('git', ['-C', folder, 'rev-parse', 'HEAD'])
    const { stdout: changes } = await execute('git', ['-C', folder, 'status', '--porcelain', '--', '.'])
    return commit.trim() + (changes.trim() === '' ? '' : '+')
  } catch {
    return null
  }
}

const powercap = '/sys/class/powercap'

/**
 * The energy of all processor packages since it was made, in joules (Linux's powercap, Intel's and AMD's RAPL). The
 * counters are the whole machine's, and often readable by root alone: then there is no number.
 */
export class EnergyMeter {
  readonly #zones: readonly Zone[]

  constructor(root = powercap) {
    try {
      this.#zones = readdirSync(root)
        .filter((zone) => /^[\w-]+-rapl:\d+$/.test(zone))
        .map((name) => ({
          path: join(root, name, 'energy_uj'),
          range: Number(readFileSync(join(root, name, 'max_energy_range_uj'), 'utf8')),
          last: Number(readFileSync(join(root, name, 'energy_uj'), 'utf8')),
        }))
    } catch {
      this.#zones = []
    }
  }

  /** Since the last call; null where it cannot be read. To be asked every few minutes: the counters turn over. */
  take(): number | null {
    if (this.#zones.length === 0) return null
    let microjoules = 0
    for (const zone of this.#zones) {
      const now = Number(readFileSync(zone.path, 'utf8'))
      microjoules += now >= zone.last ? now - zone.last : now + zone.range - zone.last
      zone.last = now
    }
    return microjoules / 1e6
  }
}

interface Zone {
  readonly path: string
  /** The largest value of the counter, in microjoules. */
  readonly range: number
  last: number
}
