/**
 * An assembler for x86-64 with AVX2, FMA and BMI2 (VEX) and AVX-512 F, VL, DQ and BW (EVEX).
 *
 * `Assembler` has one method for each shape of instruction; it writes bytes at once, and `finish` resolves labels and
 * appends the constant pool. Its layers, each a file: `code-buffer.ts` (bytes, labels, constants), `general.ts`,
 * `control.ts`, `vectors.ts`, `lanes.ts` (scalars, gathers, VEX masks) and `masks.ts` (k0..k7).
 * Operands come in Intel's order, the destination first. What cannot be encoded throws a RangeError that names the
 * instruction.
 *
 * @example
 * const a = new Assembler({ listing: true })
 * const loop = a.newLabel()
 * a.bind(loop)
 * a.vector('vaddps', 32, 0, 0, at(RDI))
 * a.aluImm('add', RDI, 32)
 * a.aluImm('sub', RSI, 1)
 * a.jcc(cc.ne, loop)
 * a.ret()
 * const bytes = a.finish()
 */

import { MaskCode } from './masks.ts'

export type { AssemblerOptions } from './code-buffer.ts'
export type { Bytes, Masking } from './encode-vector.ts'
export { type AluOp, cc, type GpShiftOp } from './general.ts'
export type { ScalarMove } from './lanes.ts'
export type { MaskOp } from './masks.ts'
export { at, indexed, type Mem, pooled, type Scale } from './memory.ts'
export type { ScalarOp, VectorImmOp, VectorOp } from './table-three.ts'
export type {
  CompareOp,
  ExtractOp,
  MoveImmOp,
  MoveOp,
  ShiftOp,
  StoreOp,
  TestOp,
} from './table-two.ts'

export class Assembler extends MaskCode {}

export const RAX = 0
export const RCX = 1
export const RDX = 2
export const RBX = 3
export const RSP = 4
export const RBP = 5
export const RSI = 6
export const RDI = 7
export const R8 = 8
export const R9 = 9
export const R10 = 10
export const R11 = 11
export const R12 = 12
export const R13 = 13
export const R14 = 14
export const R15 = 15
