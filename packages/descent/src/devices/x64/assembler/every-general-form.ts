/**
 * The part of `every-form.ts` outside the vector tables: general registers, addresses, control and constants.
 */

import { type Assembler, at, cc, indexed, type Mem, pooled, type Scale } from './assembler.ts'

/** General registers of each kind that is encoded differently. */
export const GENERAL = [0, 1, 4, 5, 6, 8, 12, 13, 15] as const

export function general(c: Assembler, place: () => Mem): void {
  for (const dst of GENERAL) {
    for (const src of GENERAL) {
      c.mov(dst, src)
      c.alu('add', dst, src)
      c.movzx8(dst, src)
    }
    const src = (dst * 7 + 3) & 15
    for (const from of [src, place(), place()]) {
      c.mov(dst, from)
      c.mov32(dst, from)
      c.movzx8(dst, from)
      c.movzx16(dst, from)
      c.movsxd(dst, from)
      for (const op of ['add', 'or', 'and', 'sub', 'xor', 'cmp'] as const) {
        c.alu(op, dst, from)
        c.alu32(op, dst, from)
      }
      c.imul(dst, from)
      c.imul32(dst, from)
      c.tzcnt(dst, from)
      c.lzcnt(dst, from)
      c.popcnt(dst, from)
      for (const condition of Object.values(cc)) c.cmov(condition, dst, from)
    }
    for (const condition of Object.values(cc)) c.setcc(condition, dst)
    c.store64(place(), dst)
    c.store32(place(), dst)
    c.store16(place(), dst)
    c.store8(place(), dst)
    c.aluMem('add', place(), dst)
    c.aluMem32('sub', place(), dst)
    c.lea(dst, place())
    c.test(dst, src)
    c.test32(dst, src)
    c.neg(dst)
    c.not(dst)
    c.idiv(dst)
    c.div(dst)
    c.shlx(dst, src, 15 - dst)
    c.sarx(dst, src, 15 - dst)
    c.shrx(dst, src, 15 - dst)
    c.callGp(dst)
    c.jmpGp(dst)
    c.push(dst)
    c.pop(dst)
    c.lockXadd32(place(), dst)
    c.lockCmpxchg32(place(), dst)
    c.xchg32(place(), dst)
    c.prefetcht0(place())
  }
}

const IMMEDIATES = [0, 1, -1, 127, 128, -128, -129, 0x7fffffff, -0x80000000]
const WIDE_IMMEDIATES = [0x80000000, 0xffffffff, 0x100000000, -0x80000001, 0x7fff12345678, 2 ** 53 - 1, -(2 ** 53) + 1]

export function generalImmediates(c: Assembler, place: () => Mem): void {
  for (const dst of [0, 5, 12]) {
    for (const value of [...IMMEDIATES, ...WIDE_IMMEDIATES]) c.movImm(dst, value)
    for (const value of IMMEDIATES) {
      for (const op of ['add', 'or', 'and', 'sub', 'xor', 'cmp'] as const) {
        c.aluImm(op, dst, value)
        c.aluImm32(op, dst, value)
        c.aluMemImm(op, place(), value)
        c.aluMemImm32(op, place(), value)
      }
      c.imulImm(dst, 9, value)
      c.imulImm(dst, place(), value)
      c.lockAdd32Imm(place(), value)
      c.lockSub32Imm(place(), value)
      c.store32Imm(place(), value)
      c.store64Imm(place(), value)
    }
    for (const op of ['shl', 'shr', 'sar'] as const) {
      for (const count of [0, 1, 2, 31]) {
        c.shiftGp(op, dst, count)
        c.shiftGp32(op, dst, count)
      }
      c.shiftGp(op, dst, 63)
    }
  }
}

export function generalAddresses(c: Assembler): void {
  const scales: readonly Scale[] = [1, 2, 4, 8]
  for (let base = 0; base < 16; base++) {
    for (const disp of [0, 1, -128, 127, 128, -129, 0x7fffffff, -0x80000000]) c.mov(1, at(base, disp))
    for (let index = 0; index < 16; index++) {
      if (index === 4) continue
      c.lea(9, indexed(base, index, scales[(base + index) & 3] as Scale, (index & 3) * 100))
    }
  }
  for (const index of [0, 5, 12, 13]) {
    for (const scale of scales) {
      c.mov(2, indexed(-1, index, scale))
      c.store32(indexed(-1, index, scale, -8), 2)
    }
  }
  c.mov(3, at(-1, 0x1234))
}

export function plain(c: Assembler): void {
  c.cqo()
  c.ret()
  c.pause()
  c.sfence()
  c.mfence()
  c.syscall()
  c.cpuid()
  c.xgetbv()
  c.rdtsc()
  c.vzeroupper()
  c.int3()
  c.repMovsb()
  for (let count = 1; count <= 9; count++) c.nop(count)
  c.nop(25)
  c.align(64)
  c.ret()
}

export function jumps(c: Assembler): void {
  const start = c.newLabel()
  const end = c.newLabel()
  c.bind(start)
  for (const condition of Object.values(cc)) c.jcc(condition, end)
  c.jmp(end)
  c.call(end)
  for (const dst of [0, 5, 12]) c.leaLabel(dst, end)
  // Backward: near the edge of 128 bytes, and beyond.
  c.jmp(start)
  const near = c.newLabel()
  c.bind(near)
  c.nop(126)
  c.jmp(near)
  c.jmp(near)
  c.jcc(cc.ne, near)
  const loop = c.newLabel()
  c.bind(loop)
  for (const condition of Object.values(cc)) c.jcc(condition, loop)
  c.jmp(loop)
  c.call(loop)
  c.leaLabel(9, start)
  c.bind(end)
  c.ret()
}

export function constants(c: Assembler): void {
  const one = pooled(c.constant(new Uint32Array([0x3f800000]), 4))
  const lanes = pooled(
    c.constant(
      Int32Array.from({ length: 16 }, (_, i) => i),
      64,
    ),
  )
  c.move('vbroadcastss', 32, 1, one)
  c.vector('vpaddd', 32, 9, 2, lanes)
  c.vector('vpaddd', 64, 17, 2, lanes)
  c.vectorBroadcast('vmulps', 64, 17, 2, one)
  // An immediate lies between the displacement and the instruction's end.
  c.vectorImm('vshufps', 32, 1, 2, lanes, 0x1b)
  c.vectorImm('vshufps', 64, 17, 2, lanes, 0x1b)
  c.compareToMask('vcmpps', 64, 1, 2, one, 1, true)
  c.blendv(32, 1, 2, lanes, 3)
  c.mov(1, lanes)
  c.aluMemImm('cmp', one, 1)
  c.aluMemImm('cmp', one, 1000)
  c.imulImm(9, one, 1000)
  c.lea(13, lanes)
  c.ret()
}
