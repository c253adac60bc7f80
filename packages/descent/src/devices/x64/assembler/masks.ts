/**
 * Mask registers k0..k7 (AVX-512): comparisons that write them, their own logic, and moves from and to general
 * registers, vectors and memory.
 */

import { type Bytes, checkEvex, encodeVector, encodeVex, vexPrefix } from './encode-vector.ts'
import { EVEX, M0F, M3A, M38, P66, PF3, UNMASKED, VW, XYZ } from './entry.ts'
import { checkGp, LaneCode } from './lanes.ts'
import { compareText, gpText, hex, memoryText, vectorText } from './listing.ts'
import type { Mem } from './memory.ts'
import { modrmRegister } from './modrm.ts'
import { type CompareOp, compareOps, type TestOp, testOps } from './table-two.ts'
import { maskText, sourceText } from './vectors.ts'

/** Operations on two masks: VEX with L set. */
const maskOps = {
  kandw: M0F | 0x41,
  kandnw: M0F | 0x42,
  korw: M0F | 0x45,
  kxnorw: M0F | 0x46,
  kxorw: M0F | 0x47,
  /** The low 8 bits of a above those of b. */
  kunpckbw: P66 | M0F | 0x4b,
} as const satisfies Record<string, number>

export type MaskOp = keyof typeof maskOps

export class MaskCode extends LaneCode {
  /** Bit i of k = a[i] against b[i] by the predicate; where `mask` is given, and bit i of it. EVEX. */
  compareToMask(
    op: CompareOp,
    bytes: Bytes,
    k: number,
    a: number,
    b: number | Mem,
    predicate: number,
    broadcast = false,
    mask = 0,
  ): void {
    checkMask(op, k)
    const predicates = op === 'vcmpps' || op === 'vcmppd' ? 32 : 8
    if (!(predicate >= 0 && predicate < predicates)) {
      throw new RangeError(`${op}: predicate ${predicate}, wanted 0 to ${predicates - 1}`)
    }
    const entry = compareOps[op]
    encodeVector(this, op, entry, bytes, k, a, b, mask, false, broadcast, 1)
    this.byte(predicate)
    if (this.listing) {
      const operands = `k${k}${maskText(mask, false)},${vectorText(a, bytes)},${sourceText(entry, bytes, b, broadcast)}`
      const name = compareText(op, predicate)
      this.lines.push(name === '' ? `${op} ${operands},${hex(predicate)}` : `${name} ${operands}`)
    }
  }

  /** vptestmd and vptestnmd: bit i of k = whether a[i] and b[i] share a bit, or share none. EVEX. */
  testToMask(op: TestOp, bytes: Bytes, k: number, a: number, b: number | Mem, broadcast = false, mask = 0): void {
    checkMask(op, k)
    const entry = testOps[op]
    encodeVector(this, op, entry, bytes, k, a, b, mask, false, broadcast, 0)
    if (this.listing) {
      const source = sourceText(entry, bytes, b, broadcast)
      this.lines.push(`${op} k${k}${maskText(mask, false)},${vectorText(a, bytes)},${source}`)
    }
  }

  /** Every bit of lane i of dst = bit i of k. EVEX. */
  vpmovm2d(bytes: Bytes, dst: number, k: number): void {
    checkMask('vpmovm2d', k)
    encodeVector(this, 'vpmovm2d', EVEX | PF3 | M38 | XYZ | UNMASKED | 0x38, bytes, dst, 0, k, 0, false, false, 0)
    if (this.listing) this.lines.push(`vpmovm2d ${vectorText(dst, bytes)},k${k}`)
  }

  /** Bit i of k = sign bit of lane i. EVEX. */
  vpmovd2m(bytes: Bytes, k: number, src: number): void {
    checkMask('vpmovd2m', k)
    encodeVector(this, 'vpmovd2m', EVEX | PF3 | M38 | XYZ | UNMASKED | 0x39, bytes, k, 0, src, 0, false, false, 0)
    if (this.listing) this.lines.push(`vpmovd2m k${k},${vectorText(src, bytes)}`)
  }

  /** k = the low 16 bits of a general register. */
  kmovw(k: number, gp: number): void {
    checkGp('kmovw', gp)
    this.#mask('kmovw', M0F | 0x92, 16, k, 0, gp)
    if (this.listing) this.lines.push(`kmovw k${k},${gpText(gp, 4)}`)
  }

  /** gp = the 16 bits of k, zero-extended. */
  kmovwToGp(gp: number, k: number): void {
    checkGp('kmovw', gp)
    checkMask('kmovw', k)
    checkEvex(this, 'kmovw')
    this.reserve()
    vexPrefix(this, M0F | 0x93, 16, gp, 0, 0, 0)
    modrmRegister(this, gp, k)
    if (this.listing) this.lines.push(`kmovw ${gpText(gp, 4)},k${k}`)
  }

  kmovwMask(k: number, from: number): void {
    checkMask('kmovw', from)
    this.#mask('kmovw', M0F | 0x90, 16, k, 0, from)
    if (this.listing) this.lines.push(`kmovw k${k},k${from}`)
  }

  /** k = 16 bits of memory. */
  kmovwLoad(k: number, from: Mem): void {
    this.#maskMemory(0x90, k, from)
    if (this.listing) this.lines.push(`kmovw k${k},${memoryText(from, 2)}`)
  }

  kmovwStore(to: Mem, k: number): void {
    this.#maskMemory(0x91, k, to)
    if (this.listing) this.lines.push(`kmovw ${memoryText(to, 2)},k${k}`)
  }

  /** k = a op b, on 16 bits. */
  mask(op: MaskOp, k: number, a: number, b: number): void {
    checkMask(op, a)
    checkMask(op, b)
    this.#mask(op, maskOps[op], 32, k, a, b)
    if (this.listing) this.lines.push(`${op} k${k},k${a},k${b}`)
  }

  knotw(k: number, a: number): void {
    checkMask('knotw', a)
    this.#mask('knotw', M0F | 0x44, 16, k, 0, a)
    if (this.listing) this.lines.push(`knotw k${k},k${a}`)
  }

  /** ZF: a | b is 0. CF: it is all ones (16 bits). */
  kortestw(a: number, b: number): void {
    checkMask('kortestw', b)
    this.#mask('kortestw', M0F | 0x98, 16, a, 0, b)
    if (this.listing) this.lines.push(`kortestw k${a},k${b}`)
  }

  /** k = a shifted up by a count, on 16 bits. */
  kshiftlw(k: number, a: number, count: number): void {
    this.#maskShift('kshiftlw', 0x32, k, a, count)
  }

  kshiftrw(k: number, a: number, count: number): void {
    this.#maskShift('kshiftrw', 0x30, k, a, count)
  }

  #mask(op: string, entry: number, bytes: number, k: number, a: number, rm: number): void {
    checkMask(op, k)
    checkEvex(this, op)
    this.reserve()
    encodeVex(this, op, entry, bytes, k, a, rm, 0)
  }

  #maskMemory(opcode: number, k: number, m: Mem): void {
    checkMask('kmovw', k)
    checkEvex(this, 'kmovw')
    this.reserve()
    encodeVex(this, 'kmovw', M0F | opcode, 16, k, 0, m, 0)
  }

  #maskShift(op: string, opcode: number, k: number, a: number, count: number): void {
    checkMask(op, k)
    checkMask(op, a)
    if (!(count >= 0 && count <= 255)) throw new RangeError(`${op}: count ${count}, wanted 0 to 255`)
    checkEvex(this, op)
    this.reserve()
    encodeVex(this, op, VW | P66 | M3A | opcode, 16, k, 0, a, 1)
    this.byte(count)
    if (this.listing) this.lines.push(`${op} k${k},k${a},${hex(count)}`)
  }
}

function checkMask(op: string, k: number): void {
  if (k >>> 3 !== 0) throw new RangeError(`${op}: mask registers are k0 to k7, got ${k}`)
}
