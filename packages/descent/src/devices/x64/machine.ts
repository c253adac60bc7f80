/**
 * The registers of the machine, by their numbers, and which of them functions may use. Between two instructions rax and rdx are
 * free always; in a function some of whose values have no register, so are the last three vectors and two masks.
 */
import type { Machine } from './allocate.ts'

export const [rax, rcx, rdx, rsp, rsi] = [0, 1, 2, 4, 6]
/** The first of the vectors that are free, and the masks. */
export const free = { wide: 29, narrow: 13, masks: [6, 7] } as const
const preserved: readonly number[] = [3, 5, 12, 13, 14, 15]
const gpRegisters: readonly number[] = [1, 6, 7, 8, 9, 10, 11, ...preserved]
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

function machine(vectors: number): Machine {
  return {
    registers: [gpRegisters, range(0, vectors), range(1, 8)],
    fewer: [gpRegisters, range(0, vectors - 3), range(1, 6)],
    preserved: new Set(preserved),
  }
}
/** The registers of AVX-512 and of AVX2. */
export const machines = { wide: machine(32), narrow: machine(16) }
