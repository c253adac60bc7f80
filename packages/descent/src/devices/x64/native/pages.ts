/** Constants of Linux on x64 for mapping pages (mmap(2), madvise(2)), and how a refusal is told. */
import type { Native } from './koffi.ts'

export const PAGE = 4096
export const HUGE_PAGE = 2 ** 21

export const PROT = { none: 0, read: 1, write: 2, execute: 4 } as const
export const MAP = { private: 0x02, anonymous: 0x20 } as const
export const MADV_HUGEPAGE = 14

const ENOMEM = 12

export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}

/** To be called at once after the call that failed. */
export function refusal(native: Native, what: string): string {
  const errno = native.errno()
  return errno === ENOMEM
    ? `The system refused ${what}: out of memory, or of mappings (vm.max_map_count).`
    : `The system refused ${what}: errno ${errno}.`
}
