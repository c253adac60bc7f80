/**
 * Memory for what a plan computes with, outside of JavaScript's heap: it moves never and is given back when told to. Before
 * and after it lie pages that nobody may touch, so that code which leaves its buffers stops the process there and then.
 */
import { nativeOrThrow } from './koffi.ts'
import { HUGE_PAGE, MADV_HUGEPAGE, MAP, PAGE, PROT, refusal, roundUp } from './pages.ts'

export interface Region {
  readonly address: number
  readonly bytes: number
  /** The bytes, zero at first; not to be touched after `release`. */
  view(): ArrayBuffer
  /** Gives the memory back: once, and only when no thread uses it. */
  release(): void
}

/** From here on huge pages save more page faults and misses of the TLB than their alignment costs address space. */
export const worthHugePages = 4 * 2 ** 20

/**
 * At least one byte, all zeros, at an address that is a multiple of 64. With `flush: 'end'` the last byte touches the page
 * after it, so that reading even one too many is caught, and the address is as aligned as `bytes` is.
 */
export function reserve(bytes: number, options: { readonly flush?: 'start' | 'end' } = {}): Region {
  const native = nativeOrThrow()
  const usable = roundUp(Math.max(bytes, 1), PAGE)
  const alignment = usable >= worthHugePages ? HUGE_PAGE : PAGE
  // Pages that nobody may touch cost nothing; so the whole is mapped as such, and then its middle opened.
  const whole = usable + 2 * PAGE + (alignment - PAGE)
  const base = native.mmap(0, whole, PROT.none, MAP.private | MAP.anonymous, -1, 0)
  if (base === -1) throw new RangeError(refusal(native, `${whole} bytes of address space (mmap)`))
  const start = roundUp(base + PAGE, alignment)
  if (native.mprotect(start, usable, PROT.read | PROT.write) !== 0) {
    const message = refusal(native, `${usable} bytes of memory (mprotect)`)
    native.munmap(base, whole)
    throw new RangeError(`${message} Use smaller batches.`)
  }
  // A kernel without huge pages says no, and small ones do as well.
  if (alignment === HUGE_PAGE) native.madvise(start, usable, MADV_HUGEPAGE)
  const address = options.flush === 'end' ? start + usable - bytes : start
  return {
    address,
    bytes,
    view: () => native.view(address, bytes),
    release: () => native.munmap(base, whole),
  }
}
