/**
 * The form between emitters and machine code: nearly one machine instruction each, over registers without number (see
 * allocate.ts for where they come to stand). A register may be written more than once; code runs from the first
 * instruction to the last, but for jumps to labels, and every loop lies between its `loop` and `loopEnd`.
 */
import type { Comparison } from '../vector/code.ts'

/** Classes of machine registers: general purpose, vectors, AVX-512 masks. */
export const classes = { gp: 0, vector: 1, mask: 2 } as const

export const none = -1

export type Op =
  // Whole numbers: 64 bits wide.
  | 'int.constant' // dst = imm
  | 'int.move' // dst = a
  | 'int.lea' // dst = address
  | 'int.alu' // dst = a `name` (b or imm)
  | 'int.multiply' // dst = a · (b or imm)
  | 'int.shift' // dst = a `name` imm
  | 'int.shiftBy' // dst = a `name` b
  | 'int.load32' // dst = i32 at address
  | 'int.load64'
  | 'int.store32' // i32 at address = a (or imm)
  | 'prefetch' // the line at address
  | 'int.test' // dst = 1 where a `cc` (b or imm), else 0
  | 'int.pick' // dst = a where c `cc` (d or imm), else b
  // Control.
  | 'label' // imm: its number
  | 'loop' // the same, where a loop begins
  | 'loopEnd'
  | 'jump'
  | 'jumpIf' // to label imm where a `cc` (b or value)
  | 'argument' // parameter imm of the next call = a (or value)
  | 'call' // function imm
  | 'return'
  // Vectors. `constant`: words of the pool, in the place of the operand that is missing.
  | 'vector' // dst = a `name` b
  | 'vectorImm' // the same with imm
  | 'move' // dst = `name` of a (or of address, or constant)
  | 'moveImm'
  | 'shift' // dst = a `name` imm
  | 'fma' // dst = ±a·b + c; `name`: vfmadd or vfnmadd
  | 'load' // dst = `name` of address, where k is set (else c, or 0)
  | 'store' // to address, where k is set
  | 'splat' // all lanes of dst = general purpose a
  | 'firstLane' // general purpose dst = lane 0 of a, sign-extended
  | 'gather' // dst: elements at base + 4 · (lane of b), where k is set, else 0; k is used up
  | 'scatter' // elements at base + 4 · (lane of b) = a, where k is set; k is used up
  | 'scatterApart' // the same for the first imm lanes, without the instruction
  // Masks of AVX-512.
  | 'compare' // mask dst = a `name` b by predicate imm, where k is set
  | 'blend' // dst = b where k is set, else a
  | 'maskConstant' // dst = imm
  | 'mask' // dst = a `name` b
  | 'maskNot'
  | 'maskMove'
  | 'maskBits' // general purpose dst = a's bits
  // Masks of AVX2, which are vectors.
  | 'compareVector' // dst = a compared with b by predicate imm
  | 'blendVector' // dst = b where c is set, else a
  | 'loadMasked' // dst = elements at address where a is set, else 0
  | 'stream' // to address, past the caches where that is aligned
  | 'storeMasked' // elements at address = a where b is set
  | 'signs' // general purpose dst = a's sign bits
  | 'noteFailure' // a: values; b: bits of the lanes that failed; imm: id + 1; value: address of the error record

export class Instruction {
  readonly op: Op
  name = ''
  dst = none
  a = none
  b = none
  c = none
  d = none
  k = none
  imm = 0
  /** A second number where `imm` is taken. */
  value = 0
  cc = 0
  // An address: base + index · scale + disp.
  base = none
  index = none
  scale: 1 | 2 | 4 | 8 = 1
  disp = 0
  /** Words of the constant that stands for an operand; null: none. One word: all lanes hold it. */
  constant: Uint32Array | null = null

  constructor(op: Op) {
    this.op = op
  }
}

/** An address that has not been added up. */
export interface Address {
  readonly base: number
  readonly index: number
  readonly scale: 1 | 2 | 4 | 8
  readonly disp: number
}

/** Condition codes as the machine numbers them; a code and its opposite differ in the last bit. */
export const conditions = {
  eq: 0x4,
  ne: 0x5,
  lt_s: 0xc,
  ge_s: 0xd,
  le_s: 0xe,
  gt_s: 0xf,
  lt_u: 0x2,
  ge_u: 0x3,
  le_u: 0x6,
  gt_u: 0x7,
} as const

/** Predicates of vcmpps (quiet) and of vpcmpd. */
export const floatPredicates: Readonly<Record<Comparison, number>> = {
  eq: 0x00,
  ne: 0x04,
  lt: 0x11,
  le: 0x12,
  ge: 0x1d,
  gt: 0x1e,
}
export const unordered = 0x03
export const wholePredicates: Readonly<Record<Comparison, number>> = { eq: 0, lt: 1, le: 2, ne: 4, ge: 5, gt: 6 }
