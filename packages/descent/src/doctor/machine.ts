/** What the machine is, as far as one can ask: CPUID where x64 can run code, else what Node or the page knows. */
import { elsewhere } from '../devices/x64/platform.ts'
import type { Machine } from './diagnosis.ts'

export async function lookAtMachine(): Promise<Machine> {
  const { process } = globalThis as { process?: NodeJS.Process }
  if (!process?.versions?.node || !process.getBuiltinModule) return page()
  const os = process.getBuiltinModule('node:os')
  const cpus = os.cpus()
  return {
    engine: `Node ${process.versions.node}`,
    platform: `${process.platform} on ${process.arch}`,
    processor: cpus[0]?.model.trim() ?? null,
    features: flags(process),
    caches: null,
    cores: { present: cpus.length, usable: os.availableParallelism(), load: load(os.loadavg()) },
    ...(await asked()),
  }
}

function page(): Machine {
  const { navigator } = globalThis as { navigator?: { userAgent?: string; hardwareConcurrency?: number } }
  const cores = navigator?.hardwareConcurrency ?? 1
  return {
    engine: navigator?.userAgent ?? 'an unknown engine',
    platform: null,
    processor: null,
    features: null,
    caches: null,
    cores: { present: cores, usable: cores, load: null },
  }
}

/** By CPUID. */
async function asked(): Promise<Partial<Machine>> {
  if (elsewhere() !== null) return {}
  try {
    const { cpu } = await import('../devices/x64/native/cpu.ts')
    const { brand, features, l1d, l2, l3 } = cpu()
    const { avx2, fma, avx512 } = features
    return {
      processor: brand,
      features: { avx2, fma, avx512 },
      caches: { l1d: l1d?.bytes ?? null, l2: l2?.bytes ?? null, l3: l3?.bytes ?? null },
    }
  } catch {
    // Without koffi, or where code may not be run: the device x64 says so.
    return {}
  }
}

/** Windows says 0, 0, 0. */
function load([lastMinute]: readonly number[]): number | null {
  return lastMinute || null
}

/** As Linux lists them. */
function flags(process: NodeJS.Process): Machine['features'] {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null
  try {
    const info = process.getBuiltinModule('node:fs').readFileSync('/proc/cpuinfo', 'utf8')
    const known = new Set(/^flags\s*:(.*)$/m.exec(info)?.[1]?.trim().split(/\s+/))
    const avx512 = ['avx512f', 'avx512vl', 'avx512dq', 'avx512bw'].every((flag) => known.has(flag))
    return { avx2: known.has('avx2'), fma: known.has('fma'), avx512 }
  } catch {
    return null
  }
}
