/**
 * ModRM, SIB and displacement: the part of an instruction that names its operands
 * (Intel Software Developer's Manual, volume 2, section 2.1.5). High register bits live in the prefixes.
 */

import type { CodeBuffer } from './code-buffer.ts'
import type { Mem } from './memory.ts'

const RSP = 4
const RBP = 5

/** ModRM for two registers. */
export function modrmRegister(code: CodeBuffer, reg: number, rm: number): void {
  code.byte(0xc0 | ((reg & 7) << 3) | (rm & 7))
}

/**
 * ModRM, SIB and displacement for a memory operand, which `highBits` has checked. Its index may be a vector.
 *
 * @param unit what an 8-bit displacement is multiplied by: 1, or EVEX's disp8·N
 * @param trailing bytes of the instruction after the displacement (its immediate)
 */
export function modrmMemory(code: CodeBuffer, reg: number, m: Mem, unit: number, trailing: number): void {
  const field = (reg & 7) << 3
  const { base, index, disp } = m
  if (m.constant >= 0) {
    code.byte(0x05 | field)
    code.constantField(m.constant, disp, trailing)
    return
  }
  if (index < 0 && base < 0) {
    code.byte(0x04 | field)
    code.byte(0x25)
    code.word32(disp)
    return
  }
  const scaled = index < 0 ? 0x20 : (SCALES[m.scale] as number) | ((index & 7) << 3)
  if (base < 0) {
    code.byte(0x04 | field)
    code.byte(scaled | RBP)
    code.word32(disp)
    return
  }
  const low = base & 7
  const short = disp / unit
  // rbp and r13 have no form without a displacement: mod 0 means something else there.
  const mod = disp === 0 && low !== RBP ? 0 : short >= -128 && short <= 127 && short === (short | 0) ? 0x40 : 0x80
  if (index >= 0 || low === RSP) {
    code.byte(mod | field | 4)
    code.byte(scaled | low)
  } else {
    code.byte(mod | field | low)
  }
  if (mod === 0x40) code.byte(short)
  else if (mod === 0x80) code.word32(disp)
}

const SCALES: readonly number[] = [0, 0x00, 0x40, 0, 0x80, 0, 0, 0, 0xc0]

/** Bits 3 of index and base, as X (2) and B (1). Throws if the address of `op` cannot be encoded. */
export function highBits(m: Mem, op: string): number {
  const { base, index, disp } = m
  if (base < -1 || base > 15 || index < -1 || index > 15) {
    throw new RangeError(`${op}: no such register in an address: base ${base}, index ${index}`)
  }
  if (index === RSP) throw new RangeError(`${op}: rsp cannot be an index`)
  if (disp !== (disp | 0)) throw new RangeError(`${op}: displacement ${disp} does not fit 32 signed bits`)
  if (m.constant >= 0) return 0
  return (base < 0 ? 0 : base >> 3) | (index < 0 ? 0 : (index >> 3) << 1)
}
