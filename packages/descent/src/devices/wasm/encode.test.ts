import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FunctionBuilder, ModuleBuilder, signed, unsigned } from './encode.ts'
import { features } from './features.ts'
import * as op from './opcodes.ts'

/** Runs a function of two i32 parameters over a memory of one page. */
function run(write: (f: FunctionBuilder) => void, a = 0, b = 0): { result: number; memory: DataView } {
  const module = new ModuleBuilder()
  module.importMemory('env', 'memory', 1, 1, true)
  write(module.function(['i32', 'i32'], ['i32'], 'run'))
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.build()), { env: { memory } })
  const result = (instance.exports.run as (a: number, b: number) => number)(a, b)
  return { result, memory: new DataView(memory.buffer) }
}

test('numbers of variable length', () => {
  assert.deepEqual(unsigned(624485), [0xe5, 0x8e, 0x26])
  assert.deepEqual(signed(-123456), [0xc0, 0xbb, 0x78])
  for (const value of [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, 2 ** 31 - 1, -(2 ** 31)]) {
    assert.equal(run((f) => f.constant(value)).result, value)
  }
})

test('tables of opcodes end where the specification says', () => {
  assert.equal(op.i32.rotr, 0x78)
  assert.equal(op.i64.rotr, 0x8a)
  assert.equal(op.f32.copysign, 0x98)
  assert.equal(op.f64.copysign, 0xa6)
  assert.equal(op.conversion['f64.reinterpret_i64'], 0xbf)
  assert.equal(op.laneValue['f64x2.replace_lane'], 34)
  assert.equal(op.v128.any_true, 83)
  assert.equal(op.i32x4.max_u, 185)
  assert.equal(op.i64x2.extmul_high_i32x4_u, 223)
  assert.equal(op.f32x4.pmax, 235)
  assert.equal(op.f64x2.pmax, 247)
})

test('labels name the blocks that they opened', () => {
  const { result } = run((f) => {
    const sum = f.local('i32')
    f.constant(0).set(sum)
    const done = f.block()
    const again = f.loop()
    f.get(0).i32('eqz').brIf(done)
    f.get(0).constant(1).i32('and').if()
    f.get(sum).get(0).i32('add').set(sum)
    f.end()
    f.get(0).constant(1).i32('sub').set(0)
    f.br(again).end().end()
    f.get(sum)
  }, 10)
  assert.equal(result, 1 + 3 + 5 + 7 + 9)
})

test('lanes, shuffles, atomics and memory', () => {
  const { result, memory } = run((f) => {
    const v = f.local('v128')
    f.constant(64).constantI32x4(1, 2, 3, 4).constantI32x4(5, 6, 7, 8).shuffle32(0, 4, 3, 7).tee(v).vectorStore()
    f.constant(80).get(v).laneAccess('v128.store32_lane', 1)
    f.constant(96).constant(64).constant(16).memoryCopy()
    f.constant(96).constant(10).atomic('i32.atomic.rmw.add').drop()
    f.constant(0).constant(7).constant64(0n).atomic('memory.atomic.wait32').drop()
    f.get(v).lane('i32x4.extract_lane', 3)
  })
  assert.equal(result, 8)
  assert.deepEqual(
    [64, 68, 72, 76, 80, 96].map((at) => memory.getInt32(at, true)),
    [1, 5, 4, 8, 5, 11],
  )
})

test('functions called through the table', () => {
  const module = new ModuleBuilder()
  const type = module.type(['i32'], ['i32'])
  const twice = module.function(['i32'], ['i32'])
  twice.get(0).constant(2).i32('mul')
  const square = module.function(['i32'], ['i32'])
  square.get(0).get(0).i32('mul')
  const slots = [twice, square].map((f) => module.slot(f))
  const f = module.function(['i32', 'i32'], ['i32'], 'run')
  f.get(0).get(1).callIndirect(type)
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.build()))
  const call = instance.exports.run as (x: number, slot: number) => number
  assert.deepEqual(
    slots.map((slot) => call(7, slot)),
    [14, 49],
  )
})

test('this engine has what the device is made for', () => {
  assert.equal(features().sharedMemory, true)
  assert.equal(features().workers, true)
})
