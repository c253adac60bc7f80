/**
 * Every instruction form against stored bytes, and against objdump where it is installed.
 * After a change that objdump agrees with, `UPDATE=1 node --test assembler.test.ts` stores the bytes anew.
 */

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { Assembler, at, type Bytes, cc, indexed, pooled } from './assembler.ts'
import { disassemble, listed, objdumpInstalled } from './disassemble.ts'
import { everyForm } from './every-form.ts'

const sections = everyForm()
const code = sections.map((section) => section.code.finish())
const stored = new URL('./every-form.txt', import.meta.url)

test('objdump reads every form as the listing has it', { skip: !objdumpInstalled() && 'no objdump' }, () => {
  const starts: number[] = []
  const parts: Uint8Array[] = []
  let length = 0
  sections.forEach((section, i) => {
    starts.push(length)
    const part = (code[i] as Uint8Array).subarray(0, section.code.position)
    parts.push(part)
    length += part.length
  })
  const found = disassemble(Buffer.concat(parts))
  let next = 0
  sections.forEach((section, i) => {
    const start = starts[i] as number
    const wanted = listed(section, start)
    const end = start + section.code.position
    const from = next
    while (next < found.length && (found[next]?.address ?? 0) < end) next++
    const got = found.slice(from, next).map(({ text }) => text)
    assert.deepEqual(got, wanted, section.name)
  })
  assert.equal(next, found.length)
})

test('every form has the stored bytes', () => {
  const lines = sections.map(({ name }, i) => `${name}: ${Buffer.from(code[i] as Uint8Array).toString('base64')}`)
  if (process.env.UPDATE === '1') writeFileSync(stored, `${lines.join('\n')}\n`)
  const wanted = readFileSync(stored, 'utf8').trimEnd().split('\n')
  assert.equal(lines.length, wanted.length)
  lines.forEach((line, i) => {
    assert.equal(line, wanted[i])
  })
})

test('without a listing the bytes are the same and no text is built', () => {
  const emit = (a: Assembler): Uint8Array => {
    const loop = a.newLabel()
    a.note('a loop')
    a.bind(loop)
    a.vector('vaddps', 64, 17, 0, at(7, 64), { k: 1, zero: true })
    a.jcc(cc.ne, loop)
    return a.finish()
  }
  const silent = new Assembler()
  const spoken = new Assembler({ listing: true })
  assert.deepEqual(emit(silent), emit(spoken))
  assert.deepEqual(silent.lines, [])
  assert.deepEqual(spoken.lines, ['; a loop', 'L0:', 'vaddps zmm17{k1}{z},zmm0,ZMMWORD PTR [rdi+0x40]', 'jne L0'])
})

test('constants are shared, aligned, and follow the code at a multiple of 64', () => {
  const a = new Assembler()
  const one = a.constant(new Uint32Array([0x3f800000]), 4)
  const lanes = a.constant(Int32Array.of(0, 1, 2, -3), 16)
  assert.equal(a.constant(new Uint32Array([0x3f800000]), 4), one)
  assert.equal(a.constant(Uint32Array.of(0, 1, 2, 0xfffffffd), 16), lanes)
  assert.equal(a.constant(Int32Array.of(-3), 4), lanes + 12)
  assert.equal(lanes % 16, 0)
  a.move('vbroadcastss', 32, 1, pooled(one))
  const bytes = a.finish()
  assert.equal(a.poolStart, 64)
  const view = new DataView(bytes.buffer)
  assert.equal(view.getFloat32(a.poolStart + one, true), 1)
  assert.equal(view.getInt32(a.poolStart + lanes + 12, true), -3)
  assert.equal(bytes.length, a.poolStart + lanes + 16)
})

test('code may grow without bound', () => {
  const a = new Assembler()
  const far = a.newLabel()
  a.jmp(far)
  for (let i = 0; i < 20_000; i++) a.vector('vaddps', 64, 1, 2, at(0, 4 * i))
  a.bind(far)
  const bytes = a.finish()
  assert.equal(new DataView(bytes.buffer).getInt32(1, true), a.offsetOf(far) - 5)
})

test('what cannot be encoded throws, naming the instruction', () => {
  const a = new Assembler()
  const cases: [() => void, RegExp][] = [
    [() => a.vector('vaddps', 64, 32, 0, 0), /vaddps: vector registers are 0 to 31/],
    [() => a.vector('vpcmpeqd', 32, 16, 0, 0), /vpcmpeqd: exists with a VEX prefix only/],
    [() => a.vector('vpcmpeqd', 64, 1, 0, 0), /vpcmpeqd: has no form of 64 bytes/],
    [() => a.vector('vpermps', 16, 1, 0, 0), /vpermps: has no form of 16 bytes/],
    [() => a.vector('vaddps', 64, 1, 0, 0, { k: 8, zero: false }), /vaddps: mask registers/],
    [() => a.vector('vaddps', 64, 1, 0, 0, { k: 0, zero: true }), /vaddps: zeroing needs a mask/],
    [() => a.vectorBroadcast('vpshufb', 64, 1, 0, at(0)), /vpshufb: has no embedded broadcast/],
    [() => a.vectorImm('vshufps', 32, 1, 0, 0, 256), /vshufps: immediate 256/],
    [() => a.vectorImm('vshufps', 32, 1, 0, 0, -1), /vshufps: immediate -1/],
    [() => a.move('vbroadcastf128', 32, 1, 2), /vbroadcastf128: the last operand must be memory/],
    [() => a.store('vmovntps', 32, at(0), 1, 1), /vmovntps: cannot be masked/],
    [() => a.extract('vextractf32x4', at(0), 1, 1, { k: 1, zero: true }), /vextractf32x4: a store cannot zero/],
    [() => a.gather(64, 1, 0, 1, 4, 0, 1), /vgatherdps: dst and index must differ/],
    [() => a.gather(64, 1, 0, 2, 4, 2 ** 31, 1), /vgatherdps: immediate 2147483648/],
    [() => a.gather(64, 1, 0, 2, 4, 0, 0), /vgatherdps: needs a mask register/],
    [() => a.compareToMask('vpcmpd', 64, 1, 2, 3, 8), /vpcmpd: predicate 8/],
    [() => a.mov(16, 0), /mov: general registers are 0 to 15, got 16/],
    [() => a.mov(0, at(16)), /mov: no such register in an address/],
    [() => a.mov(0, indexed(0, 4, 1)), /mov: rsp cannot be an index/],
    [() => a.mov(0, at(0, 2 ** 31)), /mov: displacement 2147483648/],
    [() => a.aluImm('add', 0, 2 ** 31), /add: immediate 2147483648/],
    [() => a.movImm(0, 2 ** 53), /movImm: 9007199254740992 is not a safe integer/],
    [() => a.shiftGp('shl', 0, 64), /shl: count 64/],
    [() => a.bind(9), /bind: label 9/],
    [() => a.align(48), /align: 48/],
    [() => new Assembler({ evex: false }).vector('vaddps', 32, 16, 0, 0), /vaddps: this form needs AVX-512/],
    [() => new Assembler({ evex: false }).kmovw(1, 0), /kmovw: this form needs AVX-512/],
  ]
  for (const [emit, message] of cases) assert.throws(emit, { name: 'RangeError', message })
  const open = new Assembler()
  open.jmp(open.newLabel())
  assert.throws(() => open.finish(), { name: 'RangeError', message: /label 0 is used at 1 but not bound/ })
})

test('assembled code is short: VEX where it can say it, displacements in disp8·N', () => {
  const length = (bytes: Bytes, dst: number, disp: number): number => {
    const a = new Assembler()
    a.vector('vaddps', bytes, dst, 2, at(0, disp))
    return a.position
  }
  assert.equal(length(32, 1, 0), 4)
  assert.equal(length(64, 1, 0), 6)
  assert.equal(length(64, 1, 64 * 127), 7)
  assert.equal(length(64, 1, 64 * 128), 10)
})
