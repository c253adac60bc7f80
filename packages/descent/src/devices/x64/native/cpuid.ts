/** The processor's own description of itself: the instructions CPUID and XGETBV, which JavaScript has no words for. */
import { place } from './executable.ts'
import { nativeOrThrow } from './koffi.ts'

/** eax, ebx, ecx, edx. */
export type Registers = readonly [number, number, number, number]

export interface Cpuid {
  leaf(leaf: number, subleaf?: number): Registers
  /** The low word of XCR0: which registers the operating system saves. Only where leaf 1 says that there is OSXSAVE. */
  xcr0(): number
}

/** (edi: leaf, esi: subleaf, rdx: where the four registers go) */
// biome-ignore format: an instruction a line
const cpuidCode = [
  0x53,                   // push rbx
  0x49, 0x89, 0xd0,       // mov r8, rdx
  0x89, 0xf8,             // mov eax, edi
  0x89, 0xf1,             // mov ecx, esi
  0x0f, 0xa2,             // cpuid
  0x41, 0x89, 0x00,       // mov [r8], eax
  0x41, 0x89, 0x58, 0x04, // mov [r8 + 4], ebx
  0x41, 0x89, 0x48, 0x08, // mov [r8 + 8], ecx
  0x41, 0x89, 0x50, 0x0c, // mov [r8 + 12], edx
  0x5b,                   // pop rbx
  0xc3,                   // ret
]
/** () → XCR0 */
// biome-ignore format: an instruction a line
const xgetbvCode = [
  0x31, 0xc9,             // xor ecx, ecx
  0x0f, 0x01, 0xd0,       // xgetbv
  0xc3,                   // ret
]

/** Calls `use` with the processor that runs us. Throws where memory cannot be made executable. */
export function withCpuid<T>(use: (cpuid: Cpuid) => T): T {
  const native = nativeOrThrow()
  const block = place(Uint8Array.from([...cpuidCode, ...xgetbvCode]))
  try {
    const cpuid = native.callable(block.address, 3)
    const xgetbv = native.callable(block.address + cpuidCode.length, 0)
    const registers = new Uint32Array(4)
    const address = native.addressOf(registers)
    return use({
      leaf(leaf, subleaf = 0) {
        cpuid(leaf, subleaf, address)
        return [...registers] as unknown as Registers
      },
      xcr0: () => xgetbv(),
    })
  } finally {
    block.release()
  }
}
