/**
 * Executable memory: machine code goes in, the address of its first byte comes out. A page is never writable and
 * executable at once, so that a stray write cannot change code that may run.
 */
import { nativeOrThrow } from './koffi.ts'
import { MAP, PAGE, PROT, refusal, roundUp } from './pages.ts'

export interface ExecutableBlock {
  readonly address: number
  /** Whole pages. */
  readonly bytes: number
  /** Gives the memory back: once, and only when no thread can be in the code. */
  release(): void
}

/** Makes code ready to run. Throws where the system refuses. */
export function place(code: Uint8Array): ExecutableBlock {
  const native = nativeOrThrow()
  const bytes = roundUp(Math.max(code.byteLength, 1), PAGE)
  const address = native.mmap(0, bytes, PROT.read | PROT.write, MAP.private | MAP.anonymous, -1, 0)
  if (address === -1) throw new Error(refusal(native, `mmap of ${bytes} bytes for machine code`))
  native.copyTo(address, code)
  if (native.mprotect(address, bytes, PROT.read | PROT.execute) !== 0) {
    const message = refusal(native, 'to make memory executable (mprotect)')
    native.munmap(address, bytes)
    throw new Error(
      `${message} SELinux (execmem), seccomp or systemd's MemoryDenyWriteExecute may forbid it: allow it to this process, or use the device wasm.`,
    )
  }
  return { address, bytes, release: () => native.munmap(address, bytes) }
}
