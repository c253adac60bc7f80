/**
 * General-purpose instructions: moves, arithmetic and shifts, on 64 bits unless the name ends in 32.
 * Registers are hardware numbers: 0..15 = rax rcx rdx rbx rsp rbp rsi rdi r8..r15.
 */

import { CodeBuffer } from './code-buffer.ts'
import { BYTE_REG, BYTE_RM, check32, encodeLegacy, fits8, immediate, prefixed, TWO, WIDE } from './encode-legacy.ts'
import { vexPrefix } from './encode-vector.ts'
import { M38, P66, PF2, PF3 } from './entry.ts'
import { addressText, conditionText, gpText, hex, hex32, hex64, memoryText } from './listing.ts'
import type { Mem } from './memory.ts'
import { modrmRegister } from './modrm.ts'

/** Numbers are those of the group of opcodes 81 /n. */
const ALU = { add: 0, or: 1, and: 4, sub: 5, xor: 6, cmp: 7 } as const
const SHIFTS = { shl: 4, shr: 5, sar: 7 } as const

export type AluOp = keyof typeof ALU
export type GpShiftOp = keyof typeof SHIFTS

/** Condition codes, for `jcc`, `setcc` and `cmov`. */
export const cc = {
  o: 0,
  no: 1,
  b: 2,
  ae: 3,
  e: 4,
  ne: 5,
  be: 6,
  a: 7,
  s: 8,
  ns: 9,
  p: 10,
  np: 11,
  l: 12,
  ge: 13,
  le: 14,
  g: 15,
} as const

const MAX_32 = 2 ** 32

export class GeneralCode extends CodeBuffer {
  /** dst = src, 64 bits. */
  mov(dst: number, src: number | Mem): void {
    this.#load('mov', WIDE | 0x8b, dst, src, 8, 8)
  }

  /** dst = src, 32 bits; the upper half becomes 0. */
  mov32(dst: number, src: number | Mem): void {
    this.#load('mov', 0x8b, dst, src, 4, 4)
  }

  /** dst = the byte, zero-extended. */
  movzx8(dst: number, src: number | Mem): void {
    this.#load('movzx', TWO | BYTE_RM | 0xb6, dst, src, 4, 1)
  }

  /** dst = the 16 bits, zero-extended. */
  movzx16(dst: number, src: number | Mem): void {
    this.#load('movzx', TWO | 0xb7, dst, src, 4, 2)
  }

  /** dst = the 32 bits, sign-extended to 64. */
  movsxd(dst: number, src: number | Mem): void {
    this.#load('movsxd', WIDE | 0x63, dst, src, 8, 4)
  }

  store64(to: Mem, src: number): void {
    this.#store('mov', WIDE | 0x89, to, src, 8)
  }

  store32(to: Mem, src: number): void {
    this.#store('mov', 0x89, to, src, 4)
  }

  store16(to: Mem, src: number): void {
    this.#store('mov', prefixed(0x66) | 0x89, to, src, 2)
  }

  store8(to: Mem, src: number): void {
    this.#store('mov', BYTE_REG | 0x88, to, src, 1)
  }

  /** Stores a 32-bit immediate. */
  store32Imm(to: Mem, value: number): void {
    this.#memoryImm('mov', 0xc7, 0, to, value, false, 4)
  }

  /** Stores a 32-bit immediate, sign-extended to 64 bits. */
  store64Imm(to: Mem, value: number): void {
    this.#memoryImm('mov', WIDE | 0xc7, 0, to, value, false, 8)
  }

  /** dst = any safe integer, in 5 to 10 bytes. Leaves the flags. */
  movImm(dst: number, value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`movImm: ${value} is not a safe integer`)
    if (dst >>> 4 !== 0) throw new RangeError(`movImm: general registers are 0 to 15, got ${dst}`)
    if (value < 0 && value >= -0x80000000) {
      encodeLegacy(this, 'movImm', WIDE | 0xc7, 0, dst, 4)
      this.word32(value)
      if (this.listing) this.lines.push(`mov ${gpText(dst, 8)},${hex64(value)}`)
      return
    }
    this.reserve()
    const long = value < 0 || value >= MAX_32
    if (long || dst > 7) this.byte(0x40 | (long ? 8 : 0) | (dst >> 3))
    this.byte(0xb8 | (dst & 7))
    this.word32(value)
    if (long) this.word32(Math.floor(value / MAX_32))
    if (this.listing) {
      this.lines.push(long ? `movabs ${gpText(dst, 8)},${hex64(value)}` : `mov ${gpText(dst, 4)},${hex(value)}`)
    }
  }

  /** dst = the address. */
  lea(dst: number, address: Mem): void {
    encodeLegacy(this, 'lea', WIDE | 0x8d, dst, address, 0)
    if (this.listing) this.lines.push(`lea ${gpText(dst, 8)},${addressText(address)}`)
  }

  /** dst = dst op src; `cmp` only sets the flags. */
  alu(op: AluOp, dst: number, src: number | Mem): void {
    this.#load(op, WIDE | (ALU[op] << 3) | 3, dst, src, 8, 8)
  }

  alu32(op: AluOp, dst: number, src: number | Mem): void {
    this.#load(op, (ALU[op] << 3) | 3, dst, src, 4, 4)
  }

  aluImm(op: AluOp, dst: number, value: number): void {
    this.#registerImm(op, WIDE, dst, value)
  }

  aluImm32(op: AluOp, dst: number, value: number): void {
    this.#registerImm(op, 0, dst, value)
  }

  /** [to] = [to] op src, 64 bits. */
  aluMem(op: AluOp, to: Mem, src: number): void {
    this.#store(op, WIDE | (ALU[op] << 3) | 1, to, src, 8)
  }

  aluMem32(op: AluOp, to: Mem, src: number): void {
    this.#store(op, (ALU[op] << 3) | 1, to, src, 4)
  }

  /** [to] = [to] op value, 64 bits. */
  aluMemImm(op: AluOp, to: Mem, value: number): void {
    const short = fits8(value)
    this.#memoryImm(op, WIDE | (short ? 0x83 : 0x81), ALU[op], to, value, short, 8)
  }

  aluMemImm32(op: AluOp, to: Mem, value: number): void {
    const short = fits8(value)
    this.#memoryImm(op, short ? 0x83 : 0x81, ALU[op], to, value, short, 4)
  }

  /** Flags of a and b. */
  test(a: number, b: number): void {
    encodeLegacy(this, 'test', WIDE | 0x85, b, a, 0)
    if (this.listing) this.lines.push(`test ${gpText(a, 8)},${gpText(b, 8)}`)
  }

  test32(a: number, b: number): void {
    encodeLegacy(this, 'test', 0x85, b, a, 0)
    if (this.listing) this.lines.push(`test ${gpText(a, 4)},${gpText(b, 4)}`)
  }

  imul(dst: number, src: number | Mem): void {
    this.#load('imul', WIDE | TWO | 0xaf, dst, src, 8, 8)
  }

  imul32(dst: number, src: number | Mem): void {
    this.#load('imul', TWO | 0xaf, dst, src, 4, 4)
  }

  /** dst = src · value */
  imulImm(dst: number, src: number | Mem, value: number): void {
    check32('imulImm', value)
    const short = fits8(value)
    encodeLegacy(this, 'imulImm', WIDE | (short ? 0x6b : 0x69), dst, src, short ? 1 : 4)
    immediate(this, value, short)
    if (this.listing) this.lines.push(`imul ${gpText(dst, 8)},${sourceText(src, 8)},${hex64(value)}`)
  }

  neg(dst: number): void {
    this.#unary('neg', 3, dst)
  }

  not(dst: number): void {
    this.#unary('not', 2, dst)
  }

  /** rax, rdx = quotient and remainder of rdx:rax by a register, signed. */
  idiv(by: number): void {
    this.#unary('idiv', 7, by)
  }

  /** The same, unsigned. */
  div(by: number): void {
    this.#unary('div', 6, by)
  }

  /** rdx:rax = rax, sign-extended. */
  cqo(): void {
    this.reserve()
    this.byte(0x48)
    this.byte(0x99)
    if (this.listing) this.lines.push('cqo')
  }

  shiftGp(op: GpShiftOp, dst: number, count: number): void {
    this.#shift(op, WIDE, dst, count, 63)
  }

  shiftGp32(op: GpShiftOp, dst: number, count: number): void {
    this.#shift(op, 0, dst, count, 31)
  }

  /** dst = src << by; the flags stay. BMI2, as sarx and shrx. */
  shlx(dst: number, src: number, by: number): void {
    this.#shiftX('shlx', P66, dst, src, by)
  }

  sarx(dst: number, src: number, by: number): void {
    this.#shiftX('sarx', PF3, dst, src, by)
  }

  shrx(dst: number, src: number, by: number): void {
    this.#shiftX('shrx', PF2, dst, src, by)
  }

  /** Number of zeros below the lowest set bit, 32 bits. */
  tzcnt(dst: number, src: number | Mem): void {
    this.#load('tzcnt', prefixed(0xf3) | TWO | 0xbc, dst, src, 4, 4)
  }

  lzcnt(dst: number, src: number | Mem): void {
    this.#load('lzcnt', prefixed(0xf3) | TWO | 0xbd, dst, src, 4, 4)
  }

  popcnt(dst: number, src: number | Mem): void {
    this.#load('popcnt', prefixed(0xf3) | TWO | 0xb8, dst, src, 4, 4)
  }

  /** The low byte of dst = 1 or 0; follow with `movzx8` for the whole register. */
  setcc(condition: number, dst: number): void {
    checkCondition('setcc', condition)
    encodeLegacy(this, 'setcc', TWO | BYTE_RM | 0x90 | condition, 0, dst, 0)
    if (this.listing) this.lines.push(`set${conditionText(condition)} ${gpText(dst, 1)}`)
  }

  cmov(condition: number, dst: number, src: number | Mem): void {
    checkCondition('cmov', condition)
    encodeLegacy(this, 'cmov', WIDE | TWO | 0x40 | condition, dst, src, 0)
    if (this.listing) this.lines.push(`cmov${conditionText(condition)} ${gpText(dst, 8)},${sourceText(src, 8)}`)
  }

  #load(op: string, form: number, dst: number, src: number | Mem, bytes: number, srcBytes: number): void {
    encodeLegacy(this, op, form, dst, src, 0)
    if (this.listing) this.lines.push(`${op} ${gpText(dst, bytes)},${sourceText(src, srcBytes)}`)
  }

  #store(op: string, form: number, to: Mem, src: number, bytes: number): void {
    encodeLegacy(this, op, form, src, to, 0)
    if (this.listing) this.lines.push(`${op} ${memoryText(to, bytes)},${gpText(src, bytes)}`)
  }

  #registerImm(op: AluOp, wide: number, dst: number, value: number): void {
    check32(op, value)
    const short = fits8(value)
    encodeLegacy(this, op, wide | (short ? 0x83 : 0x81), ALU[op], dst, 0)
    immediate(this, value, short)
    if (this.listing) this.lines.push(`${op} ${gpText(dst, wide ? 8 : 4)},${wide ? hex64(value) : hex32(value)}`)
  }

  #memoryImm(op: string, form: number, group: number, to: Mem, value: number, short: boolean, bytes: number): void {
    check32(op, value)
    encodeLegacy(this, op, form, group, to, short ? 1 : 4)
    immediate(this, value, short)
    if (this.listing) {
      this.lines.push(`${op} ${memoryText(to, bytes)},${bytes === 8 ? hex64(value) : hex32(value)}`)
    }
  }

  #unary(op: string, group: number, dst: number): void {
    encodeLegacy(this, op, WIDE | 0xf7, group, dst, 0)
    if (this.listing) this.lines.push(`${op} ${gpText(dst, 8)}`)
  }

  #shift(op: GpShiftOp, wide: number, dst: number, count: number, most: number): void {
    if (!(count >= 0 && count <= most)) throw new RangeError(`${op}: count ${count}, wanted 0 to ${most}`)
    encodeLegacy(this, op, wide | (count === 1 ? 0xd1 : 0xc1), SHIFTS[op], dst, 0)
    if (count !== 1) this.byte(count)
    if (this.listing) this.lines.push(`${op} ${gpText(dst, wide ? 8 : 4)},${count === 1 ? '1' : hex(count)}`)
  }

  #shiftX(op: string, prefix: number, dst: number, src: number, by: number): void {
    if ((dst | src | by) >>> 4 !== 0) throw new RangeError(`${op}: general registers are 0 to 15`)
    this.reserve()
    vexPrefix(this, prefix | M38 | 0xf7, 16, dst, by, src >> 3, 0x80)
    modrmRegister(this, dst, src)
    if (this.listing) this.lines.push(`${op} ${gpText(dst, 8)},${gpText(src, 8)},${gpText(by, 8)}`)
  }
}

function sourceText(src: number | Mem, bytes: number): string {
  return typeof src === 'number' ? gpText(src, bytes) : memoryText(src, bytes)
}

export function checkCondition(op: string, condition: number): void {
  if (condition >>> 4 !== 0) throw new RangeError(`${op}: condition codes are 0 to 15, got ${condition}`)
}
