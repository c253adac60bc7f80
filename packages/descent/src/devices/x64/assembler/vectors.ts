/**
 * Vector arithmetic, moves and shuffles, of 16, 32 or 64 bytes. Each method takes VEX where it can and EVEX where it
 * must (registers 16..31, 64 bytes, masks, broadcast); see `encode-vector.ts`.
 */

import { ControlCode } from './control.ts'
import { type Bytes, encodeVector, type Masking } from './encode-vector.ts'
import { digitOf, elementBytes, NARROWS, operandBytes, SWAPPED, Z } from './entry.ts'
import { broadcastText, evexName, hex, memoryText, vectorText } from './listing.ts'
import type { Mem } from './memory.ts'
import { type ScalarOp, scalarOps, type VectorImmOp, type VectorOp, vectorImmOps, vectorOps } from './table-three.ts'
import {
  type ExtractOp,
  extractOps,
  type MoveImmOp,
  type MoveOp,
  moveImmOps,
  moveOps,
  type ShiftOp,
  type StoreOp,
  shiftOps,
  storeOps,
} from './table-two.ts'

type MaskArgument = Masking | null

export class VectorCode extends ControlCode {
  /** dst = a op b. Fused multiply-adds also read dst; blends take b where the mask's bit is set. */
  vector(op: VectorOp, bytes: Bytes, dst: number, a: number, b: number | Mem, masking: MaskArgument = null): void {
    this.#three(op, vectorOps[op], bytes, dst, a, b, masking, false, -1)
  }

  /** The same with one element of memory in every lane of b. EVEX. */
  vectorBroadcast(op: VectorOp, bytes: Bytes, dst: number, a: number, b: Mem, masking: MaskArgument = null): void {
    this.#three(op, vectorOps[op], bytes, dst, a, b, masking, true, -1)
  }

  vectorImm(
    op: VectorImmOp,
    bytes: Bytes,
    dst: number,
    a: number,
    b: number | Mem,
    imm: number,
    masking: MaskArgument = null,
  ): void {
    checkByte(op, imm)
    this.#three(op, vectorImmOps[op], bytes, dst, a, b, masking, false, imm)
  }

  vectorImmBroadcast(
    op: VectorImmOp,
    bytes: Bytes,
    dst: number,
    a: number,
    b: Mem,
    imm: number,
    masking: MaskArgument = null,
  ): void {
    checkByte(op, imm)
    this.#three(op, vectorImmOps[op], bytes, dst, a, b, masking, true, imm)
  }

  /** On the lowest element; the others come from a. `vmovss` and `vmovsd` take registers only, see `scalarLoad`. */
  scalar(op: ScalarOp, dst: number, a: number, b: number | Mem, masking: MaskArgument = null): void {
    this.#three(op, scalarOps[op], 16, dst, a, b, masking, false, -1)
  }

  /** dst = op src. For conversions, `bytes` is the wider side. */
  move(op: MoveOp, bytes: Bytes, dst: number, src: number | Mem, masking: MaskArgument = null): void {
    this.#two(op, moveOps[op], bytes, dst, src, masking, false, -1)
  }

  /** The same with one element of memory in every lane. EVEX. */
  moveBroadcast(op: MoveOp, bytes: Bytes, dst: number, src: Mem, masking: MaskArgument = null): void {
    this.#two(op, moveOps[op], bytes, dst, src, masking, true, -1)
  }

  moveImm(
    op: MoveImmOp,
    bytes: Bytes,
    dst: number,
    src: number | Mem,
    imm: number,
    masking: MaskArgument = null,
  ): void {
    checkByte(op, imm)
    this.#two(op, moveImmOps[op], bytes, dst, src, masking, false, imm)
  }

  moveImmBroadcast(
    op: MoveImmOp,
    bytes: Bytes,
    dst: number,
    src: Mem,
    imm: number,
    masking: MaskArgument = null,
  ): void {
    checkByte(op, imm)
    this.#two(op, moveImmOps[op], bytes, dst, src, masking, true, imm)
  }

  /** dst = src shifted (or rotated) by a count. */
  shiftImm(op: ShiftOp, bytes: Bytes, dst: number, src: number, imm: number, masking: MaskArgument = null): void {
    checkByte(op, imm)
    const entry = shiftOps[op]
    const k = masking === null ? 0 : masking.k
    const zero = masking?.zero ?? false
    encodeVector(this, op, entry, bytes, digitOf(entry), dst, src, k, zero, false, 1)
    this.byte(imm)
    if (this.listing) {
      this.lines.push(`${op} ${vectorText(dst, bytes)}${maskText(k, zero)},${vectorText(src, bytes)},${hex(imm)}`)
    }
  }

  /** [to] = src; with a mask k (1 to 7), only its elements. */
  store(op: StoreOp, bytes: Bytes, to: Mem, src: number, k = 0): void {
    const entry = storeOps[op]
    const evex = encodeVector(this, op, entry, bytes, src, 0, to, k, false, false, 0)
    if (this.listing) {
      const target = memoryText(to, operandBytes(entry, bytes))
      this.lines.push(`${evexName(op, evex)} ${target}${maskText(k, false)},${vectorText(src, bytes)}`)
    }
  }

  /** dst = part number imm of src, a ymm (VEX) or zmm (EVEX). */
  extract(op: ExtractOp, dst: number | Mem, src: number, imm: number, masking: MaskArgument = null): void {
    checkByte(op, imm)
    const entry = extractOps[op]
    const bytes = (entry & Z) !== 0 ? 64 : 32
    const k = masking === null ? 0 : masking.k
    const zero = masking?.zero ?? false
    if (zero && typeof dst !== 'number') throw new RangeError(`${op}: a store cannot zero what the mask leaves out`)
    encodeVector(this, op, entry, bytes, src, 0, dst, k, zero, false, 1)
    this.byte(imm)
    if (this.listing) {
      const part = operandBytes(entry, bytes)
      const target = typeof dst === 'number' ? vectorText(dst, part) : memoryText(dst, part)
      this.lines.push(`${op} ${target}${maskText(k, zero)},${vectorText(src, bytes)},${hex(imm)}`)
    }
  }

  #three(
    op: string,
    entry: number,
    bytes: number,
    dst: number,
    a: number,
    b: number | Mem,
    masking: MaskArgument,
    broadcast: boolean,
    imm: number,
  ): void {
    const k = masking === null ? 0 : masking.k
    const zero = masking?.zero ?? false
    const evex = encodeVector(this, op, entry, bytes, dst, a, b, k, zero, broadcast, imm === -1 ? 0 : 1)
    if (imm !== -1) this.byte(imm)
    if (this.listing) {
      const source = sourceText(entry, bytes, b, broadcast)
      const first = `${vectorText(dst, bytes)}${maskText(k, zero)},${vectorText(a, bytes)}`
      this.lines.push(`${evexName(op, evex)} ${first},${source}${imm === -1 ? '' : `,${hex(imm)}`}`)
    }
  }

  #two(
    op: string,
    entry: number,
    bytes: number,
    dst: number,
    src: number | Mem,
    masking: MaskArgument,
    broadcast: boolean,
    imm: number,
  ): void {
    const k = masking === null ? 0 : masking.k
    const zero = masking?.zero ?? false
    const swapped = (entry & SWAPPED) !== 0 && typeof src === 'number'
    const reg = swapped ? src : dst
    const rm = swapped ? dst : src
    const evex = encodeVector(this, op, entry, bytes, reg, 0, rm, k, zero, broadcast, imm === -1 ? 0 : 1)
    if (imm !== -1) this.byte(imm)
    if (this.listing) {
      const target = vectorText(dst, (entry & NARROWS) !== 0 ? bytes >> 1 : bytes)
      const source = sourceText(entry, bytes, src, broadcast)
      const rest = `${target}${maskText(k, zero)},${source}${imm === -1 ? '' : `,${hex(imm)}`}`
      this.lines.push(`${evexName(op, evex)} ${rest}`)
    }
  }
}

function checkByte(op: string, imm: number): void {
  if (imm >>> 8 !== 0) throw new RangeError(`${op}: immediate ${imm}, wanted 0 to 255`)
}

export function maskText(k: number, zero: boolean): string {
  return k === 0 ? '' : `{k${k}}${zero ? '{z}' : ''}`
}

/** The last operand of a vector instruction. */
export function sourceText(entry: number, bytes: number, src: number | Mem, broadcast: boolean): string {
  const wide = operandBytes(entry, bytes)
  if (typeof src === 'number') return vectorText(src, wide)
  const element = elementBytes(entry)
  return broadcast ? broadcastText(src, element, wide / element) : memoryText(src, wide)
}
