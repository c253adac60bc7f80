/**
 * A memory operand, [base + index·scale + disp] or a constant in the pool.
 * Base and index are hardware numbers of 64-bit registers, -1 for none.
 */

export type Scale = 1 | 2 | 4 | 8

export interface Mem {
  readonly base: number
  readonly index: number
  readonly scale: Scale
  readonly disp: number
  /** Offset in the constant pool, or -1. When set, base and index are -1 and the address is relative to rip. */
  readonly constant: number
}

/** [base + disp] */
export function at(base: number, disp = 0): Mem {
  return { base, index: -1, scale: 1, disp, constant: -1 }
}

/** [base + index·scale + disp]; base may be -1. */
export function indexed(base: number, index: number, scale: Scale, disp = 0): Mem {
  return { base, index, scale, disp, constant: -1 }
}

/** The constant at this offset of the pool, as `Assembler.constant` returned it. */
export function pooled(constant: number): Mem {
  return { base: -1, index: -1, scale: 1, disp: 0, constant }
}
