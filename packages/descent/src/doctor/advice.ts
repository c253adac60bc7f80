/** What to do about what is missing. */
import type { Findings } from './diagnosis.ts'

export function advise(found: Findings): string[] {
  return [...adviseOnX64(found), ...adviseOnWasm(found), ...adviseOnChoice(found), ...adviseOnCores(found)]
}

function adviseOnX64({ devices, machine }: Findings): string[] {
  const x64 = devices.find(({ name }) => name === 'x64')
  if (!x64) return []
  if (x64.refusal === null) {
    const narrow = machine.features?.avx512 && !x64.details.includes('AVX-512')
    return narrow
      ? ['The variable DESCENT_X64=avx2 keeps the device x64 from using AVX-512, which this processor has: unset it.']
      : []
  }
  if (x64.surprising) return [x64.refusal]
  // A page has no choice.
  if (machine.platform === null) return []
  if (machine.platform.endsWith('arm64')) {
    return [
      'The device wasm is the fastest here: WebAssembly has vectors of 128 bits, and so has this processor (NEON). The device x64 is for Linux on x64.',
    ]
  }
  return [x64.refusal]
}

function adviseOnWasm({ webAssembly, machine }: Findings): string[] {
  const advice: string[] = []
  if (!webAssembly.sharedMemory) {
    advice.push(
      machine.platform === null
        ? 'WebAssembly has one thread here: serve the page with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, and it may share memory with others.'
        : 'WebAssembly has one thread here, because this engine does not share memory between threads: use Node 24 or newer.',
    )
  }
  if (!webAssembly.relaxedSimd) {
    advice.push('This engine has no fused multiply-add in WebAssembly (relaxed SIMD): a newer one is faster.')
  }
  return advice
}

function adviseOnChoice({ chosen, devices }: Findings): string[] {
  if ('error' in chosen) return [chosen.error]
  const fastest = devices.find(({ refusal }) => refusal === null)
  if (!fastest || fastest.name === chosen.name) return []
  return [
    `The device ${fastest.name} works here and is faster than ${chosen.name}, which is chosen: ${chosen.because}.`,
  ]
}

function adviseOnCores({ machine, limits }: Findings): string[] {
  const { present, usable, load } = machine.cores
  const advice: string[] = []
  if (limits.length > 0 && load !== null && load > 0.75 * present) {
    advice.push(
      `Other programs are busy here (a load of ${load.toFixed(1)} in the last minute, on ${present} cores): the machine can do more than was measured.`,
    )
  }
  const [one, all] = limits
  if (one && all && all.flops < 1.3 * one.flops) {
    advice.push(
      `${all.threads} threads multiply no faster than one at this time: the cores are busy, or (in a virtual machine) not this machine's alone.`,
    )
  }
  if (usable < present) {
    advice.push(`This process may use ${usable} of ${present} cores (its affinity, or the limit of a container).`)
  }
  return advice
}
