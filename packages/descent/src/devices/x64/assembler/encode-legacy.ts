/**
 * Instructions without a vector prefix: an optional 66/F2/F3, REX, the opcode and its operands
 * (Intel Software Developer's Manual, volume 2, section 2.2.1).
 */

import type { CodeBuffer } from './code-buffer.ts'
import type { Mem } from './memory.ts'
import { highBits, modrmMemory, modrmRegister } from './modrm.ts'

/** Opcode in the second map: 0F xx. */
export const TWO = 0x100
/** REX.W: 64-bit operands. */
export const WIDE = 0x200
/** The register in `reg` is one of 8 bits: spl, bpl, sil and dil need a REX prefix. */
export const BYTE_REG = 0x400
/** The same for the register in `rm`. */
export const BYTE_RM = 0x800
/** Mandatory or operand-size prefix in bits 16..23. */
export const prefixed = (prefix: number): number => prefix << 16

/**
 * @param form opcode and the flags above
 * @param reg general register in ModRM.reg, or the opcode's digit
 * @param trailing bytes of immediate that the caller adds
 */
export function encodeLegacy(
  code: CodeBuffer,
  op: string,
  form: number,
  reg: number,
  rm: number | Mem,
  trailing: number,
): void {
  code.reserve()
  if (reg >>> 4 !== 0) throw new RangeError(`${op}: general registers are 0 to 15, got ${reg}`)
  const prefix = form >> 16
  if (prefix !== 0) code.byte(prefix)
  let rex = ((form & WIDE) !== 0 ? 8 : 0) | ((reg >> 3) << 2)
  let force = (form & BYTE_REG) !== 0 && reg >= 4
  if (typeof rm === 'number') {
    if (rm >>> 4 !== 0) throw new RangeError(`${op}: general registers are 0 to 15, got ${rm}`)
    rex |= rm >> 3
    force ||= (form & BYTE_RM) !== 0 && rm >= 4
  } else {
    rex |= highBits(rm, op)
  }
  if (rex !== 0 || force) code.byte(0x40 | rex)
  if ((form & TWO) !== 0) code.byte(0x0f)
  code.byte(form)
  if (typeof rm === 'number') modrmRegister(code, reg, rm)
  else modrmMemory(code, reg, rm, 1, trailing)
}

/** An immediate of 32 bits, or of 8 where `short`. */
export function immediate(code: CodeBuffer, value: number, short: boolean): void {
  if (short) code.byte(value)
  else code.word32(value)
}

export const fits8 = (value: number): boolean => value >= -128 && value <= 127

export function check32(op: string, value: number): void {
  if (value !== (value | 0)) throw new RangeError(`${op}: immediate ${value} does not fit 32 signed bits`)
}
