/**
 * What crosses between lanes, masks and general registers: scalar moves, broadcasts of a general register, gathers
 * and scatters, masked loads, comparisons, blends, and the mask registers k0..k7.
 */

import { check32 } from './encode-legacy.ts'
import { type Bytes, checkEvex, encodeVector, evexPrefix, type Masking, vexPrefix } from './encode-vector.ts'
import {
  BOTH,
  BYTES8,
  EVEX,
  EW,
  FULL,
  M0F,
  M3A,
  M38,
  ONE,
  P66,
  PF2,
  PF3,
  UNMASKED,
  VEX,
  VW,
  WHOLE,
  X,
  XY,
  XYZ,
} from './entry.ts'
import { compareText, gpText, memoryText, vectorText } from './listing.ts'
import type { Mem, Scale } from './memory.ts'
import { modrmMemory } from './modrm.ts'
import { maskText, sourceText, VectorCode } from './vectors.ts'

const scalarLoads = {
  vmovss: BOTH | PF3 | M0F | ONE | X | 0x10,
  vmovsd: BOTH | PF2 | M0F | ONE | X | EW | 0x10,
  vmovd: BOTH | P66 | M0F | ONE | X | UNMASKED | 0x6e,
  vmovq: BOTH | PF3 | M0F | BYTES8 | X | EW | UNMASKED | 0x7e,
} as const satisfies Record<string, number>

const scalarStores = {
  vmovss: BOTH | PF3 | M0F | ONE | X | 0x11,
  vmovsd: BOTH | PF2 | M0F | ONE | X | EW | 0x11,
  vmovd: BOTH | P66 | M0F | ONE | X | UNMASKED | 0x7e,
  vmovq: BOTH | P66 | M0F | BYTES8 | X | EW | UNMASKED | 0xd6,
} as const satisfies Record<string, number>

export type ScalarMove = keyof typeof scalarLoads

const MOVE_GP = BOTH | P66 | M0F | X | UNMASKED
const BROADCAST_GP = EVEX | P66 | M38 | XYZ | 0x7c
const CMPPS = VEX | M0F | WHOLE | XY | UNMASKED | 0xc2
const MASK_LOAD = VEX | P66 | M38 | WHOLE | XY | UNMASKED | 0x2c
const MASK_STORE = VEX | P66 | M38 | WHOLE | XY | UNMASKED | 0x2e
const BLENDV = VEX | P66 | M3A | WHOLE | XY | UNMASKED | 0x4a
const MOVMSK = VEX | M0F | FULL | XY | UNMASKED | 0x50
const GATHER = P66 | M38 | 0x92
const SCATTER = P66 | M38 | 0xa2

export class LaneCode extends VectorCode {
  /** Lowest element of dst = [from], the rest 0. With a mask (vmovss, vmovsd), bit 0 of k decides. */
  scalarLoad(op: ScalarMove, dst: number, from: Mem, masking: Masking | null = null): void {
    const k = masking === null ? 0 : masking.k
    const zero = masking?.zero ?? false
    encodeVector(this, op, scalarLoads[op], 16, dst, 0, from, k, zero, false, 0)
    if (this.listing) this.lines.push(`${op} ${vectorText(dst, 16)}${maskText(k, zero)},${scalarText(op, from)}`)
  }

  scalarStore(op: ScalarMove, to: Mem, src: number, k = 0): void {
    encodeVector(this, op, scalarStores[op], 16, src, 0, to, k, false, false, 0)
    if (this.listing) this.lines.push(`${op} ${scalarText(op, to)}${maskText(k, false)},${vectorText(src, 16)}`)
  }

  /** Lowest 32 bits of dst = a general register, the rest 0. */
  vmovd(dst: number, gp: number): void {
    this.#moveGp('vmovd', MOVE_GP | 0x6e, dst, gp)
    if (this.listing) this.lines.push(`vmovd ${vectorText(dst, 16)},${gpText(gp, 4)}`)
  }

  /** A general register = lowest 32 bits of src; its upper half becomes 0. */
  vmovdToGp(gp: number, src: number): void {
    this.#moveGp('vmovdToGp', MOVE_GP | 0x7e, src, gp)
    if (this.listing) this.lines.push(`vmovd ${gpText(gp, 4)},${vectorText(src, 16)}`)
  }

  /** The same with 64 bits. */
  vmovq(dst: number, gp: number): void {
    this.#moveGp('vmovq', MOVE_GP | VW | EW | 0x6e, dst, gp)
    if (this.listing) this.lines.push(`vmovq ${vectorText(dst, 16)},${gpText(gp, 8)}`)
  }

  vmovqToGp(gp: number, src: number): void {
    this.#moveGp('vmovqToGp', MOVE_GP | VW | EW | 0x7e, src, gp)
    if (this.listing) this.lines.push(`vmovq ${gpText(gp, 8)},${vectorText(src, 16)}`)
  }

  /** Every 32-bit lane of dst = a general register. EVEX. */
  broadcastGp(bytes: Bytes, dst: number, gp: number, masking: Masking | null = null): void {
    const k = masking === null ? 0 : masking.k
    const zero = masking?.zero ?? false
    checkGp('broadcastGp', gp)
    encodeVector(this, 'broadcastGp', BROADCAST_GP, bytes, dst, 0, gp, k, zero, false, 0)
    if (this.listing) {
      this.lines.push(`vpbroadcastd ${vectorText(dst, bytes)}${maskText(k, zero)},${gpText(gp, 4)}`)
    }
  }

  /**
   * dst[i] = [base + index[i]·scale + disp] where bit i of k is set; k is 0 afterwards. EVEX.
   * dst and index must differ.
   */
  gather(bytes: Bytes, dst: number, base: number, index: number, scale: Scale, disp: number, k: number): void {
    if (dst === index) throw new RangeError('vgatherdps: dst and index must differ')
    this.#indexedLanes('vgatherdps', GATHER, bytes, dst, base, index, scale, disp, k)
    if (this.listing) {
      const m = memoryText({ base, index, scale, disp, constant: -1 }, 4, bytes)
      this.lines.push(`vgatherdps ${vectorText(dst, bytes)}{k${k}},${m}`)
    }
  }

  /** [base + index[i]·scale + disp] = src[i] where bit i of k is set, lower lanes first; k is 0 afterwards. EVEX. */
  scatter(bytes: Bytes, base: number, index: number, scale: Scale, disp: number, src: number, k: number): void {
    this.#indexedLanes('vscatterdps', SCATTER, bytes, src, base, index, scale, disp, k)
    if (this.listing) {
      const m = memoryText({ base, index, scale, disp, constant: -1 }, 4, bytes)
      this.lines.push(`vscatterdps ${m}{k${k}},${vectorText(src, bytes)}`)
    }
  }

  /**
   * The gather of AVX2: lanes whose sign bit in the vector `mask` is set; the mask is 0 afterwards. VEX.
   * dst, index and mask must differ.
   */
  gatherVector(
    bytes: 16 | 32,
    dst: number,
    base: number,
    index: number,
    scale: Scale,
    disp: number,
    mask: number,
  ): void {
    if (dst === index || dst === mask || index === mask) {
      throw new RangeError('vgatherdps: dst, index and mask must differ')
    }
    if ((dst | index | mask) >>> 4 !== 0) throw new RangeError('vgatherdps: with VEX, vector registers are 0 to 15')
    checkGp('vgatherdps', base)
    check32('vgatherdps', disp)
    this.reserve()
    const high = (base >> 3) | ((index >> 3) << 1)
    const m = { base, index, scale, disp, constant: -1 }
    vexPrefix(this, GATHER, bytes, dst, mask, high, 0)
    modrmMemory(this, dst, m, 1, 0)
    if (this.listing) {
      this.lines.push(`vgatherdps ${vectorText(dst, bytes)},${memoryText(m, 4, bytes)},${vectorText(mask, bytes)}`)
    }
  }

  /** dst[i] = [from][i] where the sign bit of mask[i] is set, else 0. VEX. */
  maskLoad(bytes: 16 | 32, dst: number, mask: number, from: Mem): void {
    encodeVector(this, 'vmaskmovps', MASK_LOAD, bytes, dst, mask, from, 0, false, false, 0)
    if (this.listing) {
      this.lines.push(`vmaskmovps ${vectorText(dst, bytes)},${vectorText(mask, bytes)},${memoryText(from, bytes)}`)
    }
  }

  /** [to][i] = src[i] where the sign bit of mask[i] is set. VEX. */
  maskStore(bytes: 16 | 32, to: Mem, mask: number, src: number): void {
    encodeVector(this, 'vmaskmovps', MASK_STORE, bytes, src, mask, to, 0, false, false, 0)
    if (this.listing) {
      this.lines.push(`vmaskmovps ${memoryText(to, bytes)},${vectorText(mask, bytes)},${vectorText(src, bytes)}`)
    }
  }

  /** vcmpps into a vector: all bits of dst[i] set where the predicate (0 to 31) holds. VEX. */
  compareVector(bytes: 16 | 32, dst: number, a: number, b: number | Mem, predicate: number): void {
    if (predicate >>> 5 !== 0) throw new RangeError(`vcmpps: predicate ${predicate}, wanted 0 to 31`)
    encodeVector(this, 'vcmpps', CMPPS, bytes, dst, a, b, 0, false, false, 1)
    this.byte(predicate)
    if (this.listing) {
      const operands = `${vectorText(dst, bytes)},${vectorText(a, bytes)},${sourceText(CMPPS, bytes, b, false)}`
      this.lines.push(`${compareText('vcmpps', predicate)} ${operands}`)
    }
  }

  /** vblendvps: dst[i] = b[i] where the sign bit of mask[i] is set, else a[i]. VEX. */
  blendv(bytes: 16 | 32, dst: number, a: number, b: number | Mem, mask: number): void {
    if (mask >>> 4 !== 0) throw new RangeError(`vblendvps: the mask is a vector register 0 to 15, got ${mask}`)
    encodeVector(this, 'vblendvps', BLENDV, bytes, dst, a, b, 0, false, false, 1)
    this.byte(mask << 4)
    if (this.listing) {
      const operands = `${vectorText(dst, bytes)},${vectorText(a, bytes)},${sourceText(BLENDV, bytes, b, false)}`
      this.lines.push(`vblendvps ${operands},${vectorText(mask, bytes)}`)
    }
  }

  /** gp = the sign bits of the lanes. VEX. */
  vmovmskps(bytes: 16 | 32, gp: number, src: number): void {
    checkGp('vmovmskps', gp)
    encodeVector(this, 'vmovmskps', MOVMSK, bytes, gp, 0, src, 0, false, false, 0)
    if (this.listing) this.lines.push(`vmovmskps ${gpText(gp, 4)},${vectorText(src, bytes)}`)
  }

  #moveGp(op: string, entry: number, vector: number, gp: number): void {
    checkGp(op, gp)
    encodeVector(this, op, entry, 16, vector, 0, gp, 0, false, false, 0)
  }

  /** Gather and scatter: the address has a vector index, whose bit 4 is V' of the prefix. */
  #indexedLanes(
    op: string,
    entry: number,
    bytes: Bytes,
    reg: number,
    base: number,
    index: number,
    scale: Scale,
    disp: number,
    k: number,
  ): void {
    checkEvex(this, op)
    if ((reg | index) >>> 5 !== 0) throw new RangeError(`${op}: vector registers are 0 to 31`)
    checkGp(op, base)
    check32(op, disp)
    if (!(k >= 1 && k <= 7)) throw new RangeError(`${op}: needs a mask register, k1 to k7, got ${k}`)
    this.reserve()
    const high = (base >> 3) | (((index >> 3) & 1) << 1)
    evexPrefix(this, entry, bytes, reg, index & 16, high, k, false, false)
    modrmMemory(this, reg, { base, index, scale, disp, constant: -1 }, 4, 0)
  }
}

export function checkGp(op: string, gp: number): void {
  if (gp >>> 4 !== 0) throw new RangeError(`${op}: general registers are 0 to 15, got ${gp}`)
}

const scalarText = (op: ScalarMove, m: Mem): string => memoryText(m, op === 'vmovss' || op === 'vmovd' ? 4 : 8)
