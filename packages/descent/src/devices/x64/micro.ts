/**
 * The micro-kernel of a packed matrix product (see `GemmMachine.micro`): `height` × `columns` sums held in registers while k
 * runs. Each step of k loads the panel of B once, and each element of A into all lanes.
 *
 * Registers: a tile of 14 × 32 takes 28 vectors of AVX-512, two more hold B and two an element of A; one of 6 × 16 takes twelve
 * of AVX2's sixteen. Sums need four steps of latency, so panels of one vector are twice as high. Vectors of f64 are filled
 * from half as many bytes, which are converted on the way.
 */

import type { Panels } from '../vector/gemm-machine.ts'
import {
  type Assembler,
  at,
  type Bytes,
  cc,
  R8,
  R9,
  R10,
  R11,
  RAX,
  RCX,
  RDI,
  RDX,
  RSI,
  RSP,
} from './assembler/assembler.ts'

const unroll = 4
/** Bytes of a cache line: what one prefetch brings. */
const line = 64

export const microParameters = 7

/** Appends the function's code. */
export function emitMicro(asm: Assembler, wide: boolean, { columns, sums: type }: Panels, height: number): void {
  const bytes: Bytes = wide ? 64 : 32
  const double = type === 'f64'
  /** Bytes of memory that fill a vector. */
  const part: Bytes = !double ? bytes : wide ? 32 : 16
  const vectors = (columns * 4) / part
  const sums = Array.from({ length: height }, (_, i) => Array.from({ length: vectors }, (_, j) => i * vectors + j))
  const firstB = height * vectors
  const firstA = firstB + vectors
  const spare = (wide ? 32 : 16) - firstA
  const [panelA, a, b, c, k, panels, rowBytes, row] = [R11, RSI, RDI, RDX, R10, R9, R8, RAX]
  const parameter = (n: number) => at(RSP, 8 + 8 * n)
  for (const [n, register] of [panelA, b, c, panels, k, rowBytes].entries()) asm.mov(register, parameter(n))

  const done = asm.newLabel()
  const nextPanel = asm.newLabel()
  asm.test(panels, panels)
  asm.jcc(cc.e, done)
  asm.align(16)
  asm.bind(nextPanel)
  asm.mov(a, panelA)
  for (const r of sums.flat()) {
    if (wide) asm.vector('vpxor', bytes, r, r, r)
    else asm.vector('vxorps', bytes, r, r, r)
  }
  const load = double ? 'vcvtps2pd' : 'vmovups'
  const multiplyAdd = double ? 'vfmadd231pd' : 'vfmadd231ps'
  let turn = 0
  const step = (u: number): void => {
    for (let j = 0; j < vectors; j++) asm.move(load, bytes, firstB + j, at(b, u * columns * 4 + j * part))
    for (const [i, row] of sums.entries()) {
      const x = firstA + (turn++ % spare)
      asm.move('vbroadcastss', part, x, at(a, (u * height + i) * 4))
      if (double) asm.move('vcvtps2pd', bytes, x, x)
      for (const [j, sum] of row.entries()) asm.vector(multiplyAdd, bytes, sum, x, firstB + j)
    }
  }
  const loop = (steps: number): void => {
    const over = asm.newLabel()
    const again = asm.newLabel()
    asm.aluImm('sub', RCX, steps)
    asm.jcc(cc.l, over)
    asm.align(32)
    asm.bind(again)
    for (let u = 0; u < steps; u++) step(u)
    asm.aluImm('add', a, steps * height * 4)
    asm.aluImm('add', b, steps * columns * 4)
    asm.aluImm('sub', RCX, steps)
    asm.jcc(cc.ge, again)
    asm.bind(over)
    asm.aluImm('add', RCX, steps)
  }
  asm.mov(RCX, k)
  // The sums' place is fetched while they are made.
  asm.mov(row, c)
  for (let i = 0; i < height; i++) {
    for (let offset = 0; offset < columns * 4; offset += line) asm.prefetcht0(at(row, offset))
    if (i < height - 1) asm.alu('add', row, rowBytes)
  }
  loop(unroll)
  loop(1)

  const keep = asm.newLabel()
  asm.mov(row, c)
  asm.aluMemImm('cmp', parameter(6), 0)
  asm.jcc(cc.e, keep)
  for (const [i, list] of sums.entries()) {
    for (const [j, sum] of list.entries()) {
      asm.move(load, bytes, firstB, at(row, j * part))
      asm.vector(double ? 'vaddpd' : 'vaddps', bytes, sum, sum, firstB)
    }
    if (i < height - 1) asm.alu('add', row, rowBytes)
  }
  asm.mov(row, c)
  asm.bind(keep)
  for (const [i, list] of sums.entries()) {
    for (const [j, sum] of list.entries()) {
      if (double) asm.move('vcvtpd2ps', bytes, sum, sum)
      asm.store('vmovups', part, at(row, j * part), sum)
    }
    if (i < height - 1) asm.alu('add', row, rowBytes)
  }
  asm.aluImm('add', c, columns * 4)
  asm.aluImm('sub', panels, 1)
  asm.jcc(cc.ne, nextPanel)
  asm.bind(done)
  asm.ret()
}
