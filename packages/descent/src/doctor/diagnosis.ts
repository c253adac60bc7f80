/** What the doctor says, as data. */
import type { DeviceName } from '../devices/device.ts'

/** What `doctor` found. */
export interface Diagnosis extends Findings {
  /** What to do about what is missing, a sentence or two each; empty where nothing is. */
  readonly advice: readonly string[]
  /** The text for people. */
  toString(): string
}

export interface Findings {
  /** Descent's version. */
  readonly descent: string
  readonly machine: Machine
  /** Koffi's version; null where the device x64 has no place, or cannot load it (then its refusal says why). */
  readonly koffi: string | null
  readonly webAssembly: { readonly relaxedSimd: boolean; readonly sharedMemory: boolean }
  /** Fastest first. */
  readonly devices: readonly DeviceState[]
  readonly chosen: Chosen
  /** Empty where nothing was measured; else one with a single thread, and one with all where there are more. */
  readonly limits: readonly MeasuredLimits[]
  readonly products: readonly MeasuredProduct[]
}

export interface Machine {
  /** 'Node 24.21.0', or what the browser says it is. */
  readonly engine: string
  /** 'linux on x64'; null in a page. */
  readonly platform: string | null
  /** The processor as its maker names it; null where nobody says. */
  readonly processor: string | null
  readonly features: { readonly avx2: boolean; readonly fma: boolean; readonly avx512: boolean } | null
  /** Bytes; null for a level that there is not. The whole is null where only CPUID would tell, and cannot be asked. */
  readonly caches: { readonly l1d: number | null; readonly l2: number | null; readonly l3: number | null } | null
  /**
   * Threads that can run at the same time: those of the machine, and how many of them this process may use; and how many
   * were running in the last minute, null where the system does not say.
   */
  readonly cores: { readonly present: number; readonly usable: number; readonly load: number | null }
}

export interface DeviceState {
  readonly name: DeviceName
  /** Why it cannot be used and what to do, or null: it works. */
  readonly refusal: string | null
  /** Whether it should work here, where it does not. */
  readonly surprising: boolean
  /** 'AVX-512', '4 threads'. */
  readonly details: readonly string[]
}

export type Chosen = { readonly name: DeviceName; readonly because: string } | { readonly error: string }

export interface MeasuredLimits {
  /** Machine code, or WebAssembly where there is no x64. */
  readonly by: 'x64' | 'wasm'
  readonly threads: number
  /** Floating-point operations a second, two for a multiply-add. */
  readonly flops: number
  /** Bytes a second of a[i] = b[i] + s·c[i] in memory, 12 for an element. */
  readonly bytes: number
}

/** A product of two matrices of 1024 × 1024. */
export interface MeasuredProduct {
  readonly device: DeviceName
  readonly threads: number
  readonly flops: number
  /** Its part of the limit with as many threads; null where that was not measured. */
  readonly share: number | null
}
