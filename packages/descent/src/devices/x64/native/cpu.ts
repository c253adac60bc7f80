/**
 * What the processor can do and how large its caches are, decoded from CPUID.
 * Sources: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, CPUID, and volume 1, 13 to 15 (checking for
 * AVX and AVX-512); AMD64 Architecture Programmer's Manual, volume 3, appendix E.
 */
import { type Cpuid, type Registers, withCpuid } from './cpuid.ts'

export interface Cpu {
  /** 'GenuineIntel', 'AuthenticAMD', … */
  readonly vendor: string
  /** As the maker writes it: 'AMD Ryzen 7 7700X 8-Core Processor'. */
  readonly brand: string
  /** Each also says that the operating system saves the registers that it needs. */
  readonly features: CpuFeatures
  /** null where the processor does not say. */
  readonly l1d: Cache | null
  readonly l2: Cache | null
  readonly l3: Cache | null
  /** How many threads this process can run at the same time. */
  readonly threads: number
}

export interface CpuFeatures {
  readonly avx2: boolean
  readonly fma: boolean
  readonly bmi1: boolean
  readonly bmi2: boolean
  /** The time stamp counter together with the processor's number. */
  readonly rdtscp: boolean
  /** F, VL, DQ and BW together: all that Intel's servers have had since Skylake and AMD's since Zen 4. */
  readonly avx512: boolean
}

export interface Cache {
  readonly bytes: number
  readonly lineBytes: number
  readonly ways: number
  /** How many hardware threads share it, at most. */
  readonly sharedBy: number
}

let found: Cpu | undefined

/** The processor that runs us. Throws where it cannot be asked (see native() and place()). */
export function cpu(): Cpu {
  const { availableParallelism } = process.getBuiltinModule('node:os')
  found ??= withCpuid((cpuid) => decodeCpu(cpuid, availableParallelism()))
  return found
}

/** Why this processor cannot run the device x64, or null. */
export function lacking({ features, brand }: Cpu): string | null {
  const missing = (['avx2', 'fma', 'bmi1', 'bmi2', 'rdtscp'] as const).filter((name) => !features[name])
  if (missing.length === 0) return null
  return `The device x64 needs a processor with ${missing.join(', ').toUpperCase()}, which ${brand} lacks. Use the device wasm here.`
}

export function decodeCpu(cpuid: Cpuid, threads: number): Cpu {
  const [highest, ...vendorWords] = cpuid.leaf(0)
  // In the order ebx, edx, ecx.
  const vendor = ascii([vendorWords[0], vendorWords[2], vendorWords[1]])
  const highestExtended = cpuid.leaf(0x80000000)[0]
  const none: Registers = [0, 0, 0, 0]
  const extended = (leaf: number): Registers => (highestExtended >= leaf ? cpuid.leaf(leaf) : none)
  const brand = ascii([0x80000002, 0x80000003, 0x80000004].flatMap(extended)).trim()
  const leaf7 = highest >= 7 ? cpuid.leaf(7) : none
  const [, , extendedC, extendedD] = extended(0x80000001)
  // AMD describes its caches as Intel does, in a leaf of its own, where it has "topology extensions".
  const ofAmd = bit(extendedC, 22)
  const [l1d, l2, l3] = caches(cpuid, ofAmd ? 0x8000001d : highest >= 4 ? 4 : null)
  return { vendor, brand, features: features(cpuid, leaf7, extendedD), l1d, l2, l3, threads }
}

function features(cpuid: Cpuid, leaf7: Registers, extendedD: number): CpuFeatures {
  const [, , leaf1, ,] = cpuid.leaf(1)
  const [osxsave, avx, fma] = [bit(leaf1, 27), bit(leaf1, 28), bit(leaf1, 12)]
  const xcr0 = osxsave ? cpuid.xcr0() : 0
  // XCR0: 1 xmm, 2 upper halves of ymm; 5 masks, 6 upper halves of zmm0–15, 7 zmm16–31.
  const saves256 = avx && (xcr0 & 0x06) === 0x06
  const saves512 = saves256 && (xcr0 & 0xe0) === 0xe0
  const b = leaf7[1]
  return {
    avx2: saves256 && bit(b, 5),
    fma: saves256 && fma,
    bmi1: bit(b, 3),
    bmi2: bit(b, 8),
    rdtscp: bit(extendedD, 27),
    avx512: saves512 && bit(b, 16) && bit(b, 17) && bit(b, 30) && bit(b, 31),
  }
}

/** Data and unified caches of the levels 1, 2, 3: subleaf by subleaf, until one has type 0. */
function caches(cpuid: Cpuid, leaf: number | null): [Cache | null, Cache | null, Cache | null] {
  const levels: [Cache | null, Cache | null, Cache | null] = [null, null, null]
  for (let i = 0; leaf !== null && i < 16; i++) {
    const [a, b, c] = cpuid.leaf(leaf, i)
    const [type, level] = [a & 31, (a >>> 5) & 7]
    const [none, instructions] = [0, 2]
    if (type === none) break
    if (type === instructions || level < 1 || level > 3) continue
    const [lineBytes, partitions, ways, sets] = [(b & 0xfff) + 1, ((b >>> 12) & 0x3ff) + 1, (b >>> 22) + 1, c + 1]
    const sharedBy = ((a >>> 14) & 0xfff) + 1
    levels[level - 1] = { bytes: ways * partitions * lineBytes * sets, lineBytes, ways, sharedBy }
  }
  return levels
}

function bit(word: number, index: number): boolean {
  return ((word >>> index) & 1) === 1
}

/** Four characters a word, the first in its lowest byte; zeros end the text. */
function ascii(words: readonly number[]): string {
  const bytes = words.flatMap((word) => [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff))
  const end = bytes.indexOf(0)
  return String.fromCharCode(...(end < 0 ? bytes : bytes.slice(0, end)))
}
