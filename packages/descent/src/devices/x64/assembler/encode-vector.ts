/**
 * The VEX and EVEX prefixes, and the choice between them.
 * VEX (2 or 3 bytes) reaches registers 0..15 of 16 and 32 bytes; EVEX (4 bytes) also the others, 64 bytes, write
 * masks and embedded broadcast. The shorter one is taken where both can say it.
 */

import type { CodeBuffer } from './code-buffer.ts'
import {
  canBroadcast,
  displacementUnit,
  EVEX,
  EW,
  elementBytes,
  MEMORY_ONLY,
  REGISTER_ONLY,
  UNMASKED,
  VEX,
  VW,
} from './entry.ts'
import type { Mem } from './memory.ts'
import { highBits, modrmMemory, modrmRegister } from './modrm.ts'

export type Bytes = 16 | 32 | 64

/** An EVEX write mask: elements whose bit of k is clear are kept, or zeroed. */
export interface Masking {
  /** 1 to 7; 0 would mean no mask. */
  readonly k: number
  readonly zero: boolean
}

/**
 * Prefix, opcode and operands of one vector instruction; the caller adds the immediate, `trailing` bytes.
 * Returns whether it took EVEX.
 *
 * @param reg register in ModRM.reg (or the opcode's digit)
 * @param vvvv register in the prefix; 0 where the instruction has none
 * @param rm register or memory in ModRM.rm
 * @param k write mask, 0 for none
 */
export function encodeVector(
  code: CodeBuffer,
  op: string,
  entry: number,
  bytes: number,
  reg: number,
  vvvv: number,
  rm: number | Mem,
  k: number,
  zero: boolean,
  broadcast: boolean,
  trailing: number,
): boolean {
  const register = typeof rm === 'number'
  if ((reg | vvvv | (register ? rm : 0)) >>> 5 !== 0) throw new RangeError(`${op}: vector registers are 0 to 31`)
  // bytes >> 4 is 1, 2 or 4: the bits of xmm, ymm and zmm.
  if (((entry >> 20) & 7 & (bytes >> 4)) === 0) throw new RangeError(`${op}: has no form of ${bytes} bytes`)
  if ((entry & (register ? MEMORY_ONLY : REGISTER_ONLY)) !== 0) {
    throw new RangeError(`${op}: the last operand must be ${register ? 'memory' : 'a register'}`)
  }
  code.reserve()
  if ((entry & VEX) !== 0 && bytes <= 32 && k === 0 && !broadcast && ((reg | vvvv | (register ? rm : 0)) & 16) === 0) {
    encodeVex(code, op, entry, bytes, reg, vvvv, rm, trailing)
    return false
  }
  if ((entry & EVEX) === 0) {
    throw new RangeError(
      `${op}: exists with a VEX prefix only: registers 0 to 15, up to 32 bytes, no mask, no broadcast`,
    )
  }
  checkEvex(code, op)
  if (((entry & UNMASKED) !== 0 && k !== 0) || (k === 0 && zero)) {
    throw new RangeError(`${op}: ${k === 0 ? 'zeroing needs a mask, k1 to k7' : 'cannot be masked'}`)
  }
  if (k >>> 3 !== 0) throw new RangeError(`${op}: mask registers are k0 to k7, got ${k}`)
  if (broadcast && !canBroadcast(entry)) throw new RangeError(`${op}: has no embedded broadcast`)
  let high: number
  if (register) high = rm >> 3
  else high = highBits(rm, op)
  evexPrefix(code, entry, bytes, reg, vvvv, high, k, zero, broadcast)
  if (register) modrmRegister(code, reg, rm)
  else {
    const unit = broadcast ? elementBytes(entry) : displacementUnit(entry, bytes)
    modrmMemory(code, reg, rm, unit, trailing)
  }
  return true
}

/** Throws where the assembler was told to do without AVX-512. */
export function checkEvex(code: CodeBuffer, op: string): void {
  if (!code.evex) throw new RangeError(`${op}: this form needs AVX-512, which this assembler was told not to use`)
}

/** A VEX instruction with its opcode and operands; see `encodeVector`. */
export function encodeVex(
  code: CodeBuffer,
  op: string,
  entry: number,
  bytes: number,
  reg: number,
  vvvv: number,
  rm: number | Mem,
  trailing: number,
): void {
  const w = (entry & VW) !== 0 ? 0x80 : 0
  if (typeof rm === 'number') {
    vexPrefix(code, entry, bytes, reg, vvvv, rm >> 3, w)
    modrmRegister(code, reg, rm)
  } else {
    vexPrefix(code, entry, bytes, reg, vvvv, highBits(rm, op), w)
    modrmMemory(code, reg, rm, 1, trailing)
  }
}

/** VEX prefix and opcode. `high` has bits 3 of index (2) and base or rm (1); `w` is 0x80 or 0. */
export function vexPrefix(
  code: CodeBuffer,
  entry: number,
  bytes: number,
  reg: number,
  vvvv: number,
  high: number,
  w: number,
): void {
  const r = reg < 8 ? 0x80 : 0
  const tail = ((vvvv ^ 15) << 3) | (bytes === 32 ? 4 : 0) | ((entry >> 8) & 3)
  const map = (entry >> 10) & 3
  if (high === 0 && map === 1 && w === 0) {
    code.byte(0xc5)
    code.byte(r | tail)
  } else {
    code.byte(0xc4)
    code.byte(r | ((high ^ 3) << 5) | map)
    code.byte(w | tail)
  }
  code.byte(entry & 0xff)
}

/** EVEX prefix and opcode. `high`: bits 4 and 3 of rm, or bits 3 of index (2) and base (1); `vvvv` may have bit 4. */
export function evexPrefix(
  code: CodeBuffer,
  entry: number,
  bytes: number,
  reg: number,
  vvvv: number,
  high: number,
  k: number,
  zero: boolean,
  broadcast: boolean,
): void {
  code.byte(0x62)
  // R, X, B and R' are inverted.
  code.byte(((reg & 8) === 0 ? 0x80 : 0) | ((high ^ 3) << 5) | ((reg & 16) === 0 ? 0x10 : 0) | ((entry >> 10) & 3))
  code.byte(((entry & EW) !== 0 ? 0x80 : 0) | ((~vvvv & 15) << 3) | 4 | ((entry >> 8) & 3))
  // L'L is 0, 1 or 2: bytes >> 5 with 64 >> 5 being 2.
  code.byte((zero ? 0x80 : 0) | ((bytes >> 5) << 5) | (broadcast ? 0x10 : 0) | ((vvvv & 16) === 0 ? 8 : 0) | k)
  code.byte(entry & 0xff)
}
