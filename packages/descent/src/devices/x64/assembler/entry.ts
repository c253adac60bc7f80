/**
 * How a vector instruction is encoded, packed into one number (an entry):
 *
 *   bits 0..7 opcode · 8..9 prefix · 10..11 opcode map · 12 has VEX · 13 VEX.W · 14 has EVEX · 15 EVEX.W
 *   16..19 tuple · 20..22 widths · 23 b is a register · 24 b is memory · 25 dst is half as wide · 26..28 ModRM digit
 *   29 register operands are swapped (dst in rm) · 30 cannot be masked
 *
 * The fields are those of the Intel Software Developer's Manual, volume 2, sections 2.3 (VEX) and 2.7 (EVEX).
 */

export const P66 = 1 << 8
export const PF3 = 2 << 8
export const PF2 = 3 << 8
export const M0F = 1 << 10
export const M38 = 2 << 10
export const M3A = 3 << 10
export const VEX = 1 << 12
export const VW = 1 << 13
export const EVEX = 1 << 14
export const EW = 1 << 15
export const BOTH = VEX | EVEX
/** W set in either encoding. */
export const W = VW | EW

/** What the memory operand is. Sets its size, whether it broadcasts, and N of the compressed disp8·N. */
export const FULL = 0 << 16
/** As wide as the register, no broadcast. */
export const WHOLE = 1 << 16
/** Half as wide, with broadcast of elements. */
export const HALF = 2 << 16
export const HALF_WHOLE = 3 << 16
export const QUARTER = 4 << 16
/** One element: 4 bytes, or 8 with EVEX.W. */
export const ONE = 5 << 16
export const BYTES8 = 6 << 16
export const BYTES16 = 7 << 16
export const BYTES32 = 8 << 16
/** As wide as the register, but displacements count in elements (compress and expand). */
export const ELEMENT = 9 << 16
/** vmovddup: 8 bytes for xmm, else as wide as the register. */
export const DUPLICATE = 10 << 16

/** Widths are bits of xmm (1), ymm (2) and zmm (4). */
export const X = 1 << 20
export const Y = 2 << 20
export const Z = 4 << 20
export const XYZ = X | Y | Z
export const XY = X | Y
export const YZ = Y | Z

export const REGISTER_ONLY = 1 << 23
export const MEMORY_ONLY = 1 << 24
export const NARROWS = 1 << 25
export const SWAPPED = 1 << 29
export const UNMASKED = 1 << 30
export const digit = (n: number): number => n << 26

export const digitOf = (entry: number): number => (entry >> 26) & 7

/** Bytes of an element in an embedded broadcast. */
export const elementBytes = (entry: number): number => ((entry & EW) !== 0 ? 8 : 4)

/** Bytes of the memory operand; a register in its place is this wide, but at least an xmm. */
export function operandBytes(entry: number, bytes: number): number {
  switch (entry & (15 << 16)) {
    case HALF:
    case HALF_WHOLE:
      return bytes >> 1
    case QUARTER:
      return bytes >> 2
    case ONE:
      return elementBytes(entry)
    case BYTES8:
      return 8
    case BYTES16:
      return 16
    case BYTES32:
      return 32
    case DUPLICATE:
      return bytes === 16 ? 8 : bytes
    default:
      return bytes
  }
}

/** N of the compressed displacement disp8·N, without broadcast (manual, section 2.7.5). */
export function displacementUnit(entry: number, bytes: number): number {
  return (entry & (15 << 16)) === ELEMENT ? elementBytes(entry) : operandBytes(entry, bytes)
}

/** Whether an element of memory can be broadcast within the instruction. */
export function canBroadcast(entry: number): boolean {
  const tuple = entry & (15 << 16)
  return (entry & EVEX) !== 0 && (tuple === FULL || tuple === HALF) && (entry & REGISTER_ONLY) === 0
}
