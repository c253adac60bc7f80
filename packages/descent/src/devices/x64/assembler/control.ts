/**
 * Jumps, calls and the stack; atomic and system instructions.
 */

import { check32, encodeLegacy, fits8, immediate, prefixed, TWO } from './encode-legacy.ts'
import { checkCondition, GeneralCode } from './general.ts'
import { conditionText, gpText, hex32, memoryText } from './listing.ts'
import type { Mem } from './memory.ts'

const LOCK = 0xf0

export class ControlCode extends GeneralCode {
  /** Jumps if the condition holds: 2 bytes backward where it fits, else 6. */
  jcc(condition: number, label: number): void {
    checkCondition('jcc', condition)
    if (!this.#shortJump(0x70 | condition, label)) {
      this.byte(0x0f)
      this.byte(0x80 | condition)
      this.labelField(label, 0)
    }
    if (this.listing) this.lines.push(`j${conditionText(condition)} L${label}`)
  }

  jmp(label: number): void {
    if (!this.#shortJump(0xeb, label)) {
      this.byte(0xe9)
      this.labelField(label, 0)
    }
    if (this.listing) this.lines.push(`jmp L${label}`)
  }

  call(label: number): void {
    this.reserve()
    this.byte(0xe8)
    this.labelField(label, 0)
    if (this.listing) this.lines.push(`call L${label}`)
  }

  callGp(target: number): void {
    encodeLegacy(this, 'callGp', 0xff, 2, target, 0)
    if (this.listing) this.lines.push(`call ${gpText(target, 8)}`)
  }

  jmpGp(target: number): void {
    encodeLegacy(this, 'jmpGp', 0xff, 4, target, 0)
    if (this.listing) this.lines.push(`jmp ${gpText(target, 8)}`)
  }

  /** dst = address of a label. */
  leaLabel(dst: number, label: number): void {
    if (dst >>> 4 !== 0) throw new RangeError(`leaLabel: general registers are 0 to 15, got ${dst}`)
    this.reserve()
    this.byte(0x48 | ((dst >> 3) << 2))
    this.byte(0x8d)
    this.byte(0x05 | ((dst & 7) << 3))
    this.labelField(label, 0)
    if (this.listing) this.lines.push(`lea ${gpText(dst, 8)},[L${label}]`)
  }

  push(src: number): void {
    this.#stack('push', 0x50, src)
  }

  pop(dst: number): void {
    this.#stack('pop', 0x58, dst)
  }

  ret(): void {
    this.#plain('ret', 0xc3)
  }

  /** [to] += src, and src = the old value: one atomic step. */
  lockXadd32(to: Mem, src: number): void {
    encodeLegacy(this, 'lockXadd32', prefixed(LOCK) | TWO | 0xc1, src, to, 0)
    if (this.listing) this.lines.push(`lock xadd ${memoryText(to, 4)},${gpText(src, 4)}`)
  }

  /** If [to] is eax, [to] = src and ZF is set; else eax = [to]: one atomic step. */
  lockCmpxchg32(to: Mem, src: number): void {
    encodeLegacy(this, 'lockCmpxchg32', prefixed(LOCK) | TWO | 0xb1, src, to, 0)
    if (this.listing) this.lines.push(`lock cmpxchg ${memoryText(to, 4)},${gpText(src, 4)}`)
  }

  lockAdd32Imm(to: Mem, value: number): void {
    this.#lockedImm('add', 0, to, value)
  }

  lockSub32Imm(to: Mem, value: number): void {
    this.#lockedImm('sub', 5, to, value)
  }

  /** Swaps [to] and a register: one atomic step, also without a lock prefix. */
  xchg32(to: Mem, gp: number): void {
    encodeLegacy(this, 'xchg32', 0x87, gp, to, 0)
    if (this.listing) this.lines.push(`xchg ${memoryText(to, 4)},${gpText(gp, 4)}`)
  }

  pause(): void {
    this.#plain('pause', 0xf3, 0x90)
  }

  /** Stores past the caches (vmovntps) come before what is stored from here on. */
  sfence(): void {
    this.#plain('sfence', 0x0f, 0xae, 0xf8)
  }

  mfence(): void {
    this.#plain('mfence', 0x0f, 0xae, 0xf0)
  }

  syscall(): void {
    this.#plain('syscall', 0x0f, 0x05)
  }

  cpuid(): void {
    this.#plain('cpuid', 0x0f, 0xa2)
  }

  xgetbv(): void {
    this.#plain('xgetbv', 0x0f, 0x01, 0xd0)
  }

  /** edx:eax = the time-stamp counter. */
  rdtsc(): void {
    this.#plain('rdtsc', 0x0f, 0x31)
  }

  vzeroupper(): void {
    this.#plain('vzeroupper', 0xc5, 0xf8, 0x77)
  }

  int3(): void {
    this.#plain('int3', 0xcc)
  }

  /** Copies rcx bytes from [rsi] to [rdi]. */
  repMovsb(): void {
    this.#plain('rep movs BYTE PTR es:[rdi],BYTE PTR ds:[rsi]', 0xf3, 0xa4)
  }

  prefetcht0(address: Mem): void {
    encodeLegacy(this, 'prefetcht0', TWO | 0x18, 1, address, 0)
    if (this.listing) this.lines.push(`prefetcht0 ${memoryText(address, 1)}`)
  }

  /** The two-byte form, if the label lies at most 128 bytes back. */
  #shortJump(opcode: number, label: number): boolean {
    this.reserve()
    const target = this.boundBefore(label)
    const distance = target - this.position - 2
    if (target < 0 || distance < -128) return false
    this.byte(opcode)
    this.byte(distance)
    return true
  }

  #stack(op: string, opcode: number, gp: number): void {
    if (gp >>> 4 !== 0) throw new RangeError(`${op}: general registers are 0 to 15, got ${gp}`)
    this.reserve()
    if (gp > 7) this.byte(0x41)
    this.byte(opcode | (gp & 7))
    if (this.listing) this.lines.push(`${op} ${gpText(gp, 8)}`)
  }

  #lockedImm(op: string, group: number, to: Mem, value: number): void {
    check32(op, value)
    const short = fits8(value)
    encodeLegacy(this, op, prefixed(LOCK) | (short ? 0x83 : 0x81), group, to, short ? 1 : 4)
    immediate(this, value, short)
    if (this.listing) this.lines.push(`lock ${op} ${memoryText(to, 4)},${hex32(value)}`)
  }

  #plain(text: string, first: number, second = -1, third = -1): void {
    this.reserve()
    this.byte(first)
    if (second >= 0) this.byte(second)
    if (third >= 0) this.byte(third)
    if (this.listing) this.lines.push(text)
  }
}
