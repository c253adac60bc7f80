/**
 * Instructions with their places → machine code. What has no machine register is read from the frame as an operand in
 * memory where the instruction can, else through registers that are kept free for it (rax and rdx; the last three vectors
 * and two masks where needed).
 *
 * Calls: parameter i lies at [rsp + 8 i] at the moment of the call, so at [rsp + 8 + 8 i] when the function begins. rbx, rbp and
 * r12 to r15 are preserved; all else may change.
 */
import type { Allocatable, Allocation, Machine } from './allocate.ts'
import { type Assembler, at, type Bytes, cc, type Mem } from './assembler/assembler.ts'
import { type Instruction, none } from './instruction.ts'

const [rax, rcx, rdx, rsp, rsi] = [0, 1, 2, 4, 6]
const preserved: readonly number[] = [3, 5, 12, 13, 14, 15]
const gpRegisters: readonly number[] = [1, 6, 7, 8, 9, 10, 11, ...preserved]
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

function machine(vectors: number): Machine {
  return {
    registers: [gpRegisters, range(0, vectors), range(1, 8)],
    fewer: [gpRegisters, range(0, vectors - 3), range(1, 6)],
    preserved: new Set(preserved),
  }
}
/** The registers of AVX-512 and of AVX2. */
export const machines = { wide: machine(32), narrow: machine(16) }

export interface Encodable extends Allocatable {
  readonly code: readonly Instruction[]
  readonly wide: boolean
}

/** Appends the function's machine code; `entry` gives the label of a function by its index. */
export function encode(f: Encodable, allocation: Allocation, asm: Assembler, entry: (index: number) => number): void {
  new Encoder(f, f.code, allocation, asm, entry).function()
}

/** The names of instructions that the assembler knows come from emitters as text. */
type Name<F extends keyof Assembler> = Assembler[F] extends (op: infer O, ...rest: never[]) => unknown ? O : never

class Encoder {
  private readonly f: Encodable
  private readonly code: readonly Instruction[]
  private readonly places: Int32Array
  private readonly asm: Assembler
  private readonly entry: (index: number) => number
  private readonly bytes: Bytes
  /** For instructions that AVX-512 has otherwise. */
  private readonly narrow = 32
  private readonly labels = new Map<number, number>()
  private readonly saved: readonly number[]
  private readonly intsAt: number
  private readonly masksAt: number
  private readonly vectorsAt: number
  private readonly frame: number
  private readonly scratch: number

  constructor(
    f: Encodable,
    code: readonly Instruction[],
    allocation: Allocation,
    asm: Assembler,
    entry: (index: number) => number,
  ) {
    this.f = f
    this.code = code
    this.places = allocation.places
    this.asm = asm
    this.entry = entry
    this.bytes = f.wide ? 64 : 32
    this.scratch = f.wide ? 30 : 14
    this.saved = allocation.saved
    let most = 0
    for (const i of code) if (i.op === 'argument') most = Math.max(most, i.imm + 1)
    this.intsAt = 8 * most
    this.masksAt = this.intsAt + 8 * allocation.intPlaces
    const bytesOfMasks = f.wide ? 8 : this.bytes
    this.vectorsAt = this.masksAt + bytesOfMasks * allocation.maskPlaces
    this.frame = Math.ceil((this.vectorsAt + this.bytes * allocation.vectorPlaces) / 16) * 16
  }

  function(): void {
    const { asm } = this
    for (const r of this.saved) asm.push(r)
    if (this.frame > 0) asm.aluImm('sub', rsp, this.frame)
    for (let p = 0; p < this.f.parameters; p++) {
      const place = this.places[p] as number
      if (place > 0) asm.mov(place, this.parameter(p))
    }
    for (const i of this.code) this.instruction(i)
    if (this.code.at(-1)?.op !== 'return') this.leave()
  }
  private leave(): void {
    const { asm } = this
    if (this.frame > 0) asm.aluImm('add', rsp, this.frame)
    for (const r of this.saved.toReversed()) asm.pop(r)
    asm.ret()
  }
  private parameter(p: number): Mem {
    return at(rsp, this.frame + 8 * this.saved.length + 8 + 8 * p)
  }
  private label(number: number): number {
    let label = this.labels.get(number)
    if (label === undefined) {
      label = this.asm.newLabel()
      this.labels.set(number, label)
    }
    return label
  }

  // Places.
  private isFramed(v: number): boolean {
    return (this.places[v] as number) < 0
  }
  private home(v: number): Mem {
    const place = -1 - (this.places[v] as number)
    const { parameters, classOf } = this.f
    if (place < parameters) return this.parameter(place)
    const number = place - parameters
    switch (classOf[v]) {
      case 0:
        return at(rsp, this.intsAt + 8 * number)
      case 1:
        return at(rsp, this.vectorsAt + this.bytes * number)
      default:
        return at(rsp, this.masksAt + 8 * number)
    }
  }
  private gp(v: number, spare = rax): number {
    if (!this.isFramed(v)) return this.places[v] as number
    this.asm.mov(spare, this.home(v))
    return spare
  }
  private vector(v: number, spare = 0): number {
    if (!this.isFramed(v)) return this.places[v] as number
    const register = this.scratch + spare
    const constant = this.f.constants.get(v)
    if (constant) this.move(constant, register)
    else this.asm.move('vmovups', this.bytes, register, this.home(v))
    return register
  }
  /** A vector as a register or, where it has none, in memory. */
  private vectorOrMemory(v: number, spare = 0): number | Mem {
    if (!this.isFramed(v)) return this.places[v] as number
    return this.f.constants.has(v) ? this.vector(v, spare) : this.home(v)
  }
  private mask(v: number, spare = 7): number {
    if (!this.isFramed(v)) return this.places[v] as number
    const constant = this.f.constants.get(v)
    if (constant) this.maskConstant(spare, constant.imm)
    else this.asm.kmovwLoad(spare, this.home(v))
    return spare
  }
  private gpTarget(v: number): number {
    return this.isFramed(v) ? rax : (this.places[v] as number)
  }
  private vectorTarget(v: number): number {
    return this.isFramed(v) ? this.scratch : (this.places[v] as number)
  }
  private maskTarget(v: number): number {
    return this.isFramed(v) ? 7 : (this.places[v] as number)
  }
  private keepGp(v: number, register: number): void {
    if (this.isFramed(v)) this.asm.store64(this.home(v), register)
  }
  private keepVector(v: number, register: number): void {
    if (this.isFramed(v)) this.asm.store('vmovups', this.bytes, this.home(v), register)
  }
  private keepMask(v: number, register: number): void {
    if (this.isFramed(v)) this.asm.kmovwStore(this.home(v), register)
  }
  private memory(i: Instruction): Mem {
    const base = i.base === none ? -1 : this.gp(i.base, rax)
    const index = i.index === none ? -1 : this.gp(i.index, rdx)
    return { base, index, scale: i.scale, disp: i.disp, constant: -1 }
  }
  /** A constant in the pool: whether each element is the same, and stands there once. */
  private constant(words: Uint32Array): { memory: Mem; once: boolean } {
    const once = words.length === 1 && this.f.wide
    const all = words.length === 1 && !once ? new Uint32Array(this.bytes / 4).fill(words[0] as number) : words
    const constant = this.asm.constant(all, all.length * 4)
    return { memory: { base: -1, index: -1, scale: 1, disp: 0, constant }, once }
  }
  private moveGp(to: number, from: number): void {
    if (to !== from) this.asm.mov(to, from)
  }
  private moveVector(to: number, from: number | Mem): void {
    if (to !== from) this.asm.move(typeof from === 'number' ? 'vmovaps' : 'vmovups', this.bytes, to, from)
  }
  private maskConstant(to: number, bits: number): void {
    this.asm.movImm(rax, bits)
    this.asm.kmovw(to, rax)
  }

  private instruction(i: Instruction): void {
    const { asm } = this
    switch (i.op) {
      case 'int.constant': {
        const d = this.gpTarget(i.dst)
        asm.movImm(d, i.imm)
        this.keepGp(i.dst, d)
        return
      }
      case 'int.move': {
        if (this.isFramed(i.dst)) this.asm.store64(this.home(i.dst), this.gp(i.a))
        else if (this.isFramed(i.a)) asm.mov(this.places[i.dst] as number, this.home(i.a))
        else this.moveGp(this.places[i.dst] as number, this.places[i.a] as number)
        return
      }
      case 'int.lea': {
        const d = this.gpTarget(i.dst)
        const m = this.memory(i)
        asm.lea(d, m)
        this.keepGp(i.dst, d)
        return
      }
      case 'int.alu':
        this.alu(i)
        return
      case 'int.multiply': {
        const d = this.gpTarget(i.dst)
        const x = this.gp(i.a, rax)
        if (i.b === none) asm.imulImm(d, x, i.imm)
        else {
          const y = this.gp(i.b, rdx)
          if (d === x) asm.imul(d, y)
          else if (d === y) asm.imul(d, x)
          else {
            asm.mov(d, x)
            asm.imul(d, y)
          }
        }
        this.keepGp(i.dst, d)
        return
      }
      case 'int.shift': {
        const d = this.gpTarget(i.dst)
        this.moveGp(d, this.gp(i.a, rax))
        asm.shiftGp(i.name as Name<'shiftGp'>, d, i.imm)
        this.keepGp(i.dst, d)
        return
      }
      case 'int.shiftBy': {
        const d = this.gpTarget(i.dst)
        const x = this.gp(i.a, rax)
        const by = this.gp(i.b, rdx)
        if (i.name === 'shl') asm.shlx(d, x, by)
        else if (i.name === 'sar') asm.sarx(d, x, by)
        else asm.shrx(d, x, by)
        this.keepGp(i.dst, d)
        return
      }
      case 'int.load32':
      case 'int.load64': {
        const d = this.gpTarget(i.dst)
        const m = this.memory(i)
        if (i.op === 'int.load32') asm.movsxd(d, m)
        else asm.mov(d, m)
        this.keepGp(i.dst, d)
        return
      }
      case 'int.store32': {
        let m = this.memory(i)
        if (i.a === none) {
          asm.store32Imm(m, i.imm)
          return
        }
        if (this.isFramed(i.a)) {
          asm.lea(rax, m)
          m = at(rax)
        }
        asm.store32(m, this.gp(i.a, rdx))
        return
      }
      case 'int.test': {
        const d = this.gpTarget(i.dst)
        this.test(i.a, i.b, i.value)
        asm.setcc(i.cc, d)
        asm.movzx8(d, d)
        this.keepGp(i.dst, d)
        return
      }
      case 'int.pick': {
        this.test(i.c, i.d, i.imm)
        const d = this.gpTarget(i.dst)
        const x = this.gp(i.a, rdx)
        if (d === x) asm.cmov(i.cc ^ 1, d, this.isFramed(i.b) ? this.home(i.b) : (this.places[i.b] as number))
        else {
          if (this.isFramed(i.b)) asm.mov(d, this.home(i.b))
          else this.moveGp(d, this.places[i.b] as number)
          asm.cmov(i.cc, d, x)
        }
        this.keepGp(i.dst, d)
        return
      }
      case 'label':
      case 'loop':
        asm.bind(this.label(i.imm))
        return
      case 'loopEnd':
        return
      case 'jump':
        asm.jmp(this.label(i.imm))
        return
      case 'jumpIf':
        this.test(i.a, i.b, i.value)
        asm.jcc(i.cc, this.label(i.imm))
        return
      case 'argument':
        if (i.a === none) asm.store64Imm(at(rsp, 8 * i.imm), i.value)
        else asm.store64(at(rsp, 8 * i.imm), this.gp(i.a))
        return
      case 'call':
        asm.call(this.entry(i.imm))
        return
      case 'return':
        this.leave()
        return
      default:
        this.vectorInstruction(i)
    }
  }

  private test(a: number, b: number, value: number): void {
    const x = this.gp(a, rax)
    if (b !== none) this.asm.alu('cmp', x, this.isFramed(b) ? this.home(b) : (this.places[b] as number))
    else if (value === 0) this.asm.test(x, x)
    else this.asm.aluImm('cmp', x, value)
  }

  private alu(i: Instruction): void {
    const { asm } = this
    const name = i.name as 'sub' | 'and' | 'or' | 'xor'
    const d = this.gpTarget(i.dst)
    const x = this.gp(i.a, rax)
    if (i.b === none) {
      this.moveGp(d, x)
      asm.aluImm(name, d, i.imm)
    } else {
      const y = this.gp(i.b, rdx)
      if (d !== y) {
        this.moveGp(d, x)
        asm.alu(name, d, y)
      } else if (name === 'sub') {
        asm.neg(d)
        asm.alu('add', d, x)
      } else asm.alu(name, d, x)
    }
    this.keepGp(i.dst, d)
  }

  private vectorInstruction(i: Instruction): void {
    const { asm, bytes } = this
    switch (i.op) {
      case 'vector':
      case 'vectorImm': {
        const d = this.vectorTarget(i.dst)
        const x = this.vector(i.a)
        if (i.op === 'vectorImm') asm.vectorImm(i.name as Name<'vectorImm'>, bytes, d, x, this.vector(i.b, 1), i.imm)
        else if (i.constant) {
          const { memory, once } = this.constant(i.constant)
          if (once) asm.vectorBroadcast(i.name as Name<'vectorBroadcast'>, bytes, d, x, memory)
          else asm.vector(i.name as Name<'vector'>, bytes, d, x, memory)
        } else asm.vector(i.name as Name<'vector'>, bytes, d, x, this.vectorOrMemory(i.b, 1))
        this.keepVector(i.dst, d)
        return
      }
      case 'move': {
        if (this.f.constants.has(i.dst) && this.isFramed(i.dst)) return
        const d = this.vectorTarget(i.dst)
        this.move(i, d)
        this.keepVector(i.dst, d)
        return
      }
      case 'moveImm': {
        const d = this.vectorTarget(i.dst)
        asm.moveImm(i.name as Name<'moveImm'>, bytes, d, this.vectorOrMemory(i.a), i.imm)
        this.keepVector(i.dst, d)
        return
      }
      case 'shift': {
        const d = this.vectorTarget(i.dst)
        asm.shiftImm(i.name as Name<'shiftImm'>, bytes, d, this.vector(i.a), i.imm)
        this.keepVector(i.dst, d)
        return
      }
      case 'fma':
        this.fma(i)
        return
      case 'load': {
        const d = this.vectorTarget(i.dst)
        if (i.c !== none) this.moveVector(d, this.vectorOrMemory(i.c, 1))
        const masking = i.k === none ? null : { k: this.mask(i.k), zero: i.c === none }
        const m = i.constant ? this.constant(i.constant).memory : this.memory(i)
        asm.move(i.name as Name<'move'>, bytes, d, m, masking)
        this.keepVector(i.dst, d)
        return
      }
      case 'store': {
        const value = this.vector(i.a)
        const k = i.k === none ? 0 : this.mask(i.k)
        asm.store('vmovups', bytes, this.memory(i), value, k)
        return
      }
      case 'splat': {
        const d = this.vectorTarget(i.dst)
        const x = this.gp(i.a)
        if (this.f.wide) asm.broadcastGp(bytes, d, x)
        else {
          asm.vmovd(d, x)
          asm.move('vpbroadcastd', bytes, d, d)
        }
        this.keepVector(i.dst, d)
        return
      }
      case 'firstLane': {
        const d = this.gpTarget(i.dst)
        asm.vmovdToGp(d, this.vector(i.a))
        asm.movsxd(d, d)
        this.keepGp(i.dst, d)
        return
      }
      case 'gather': {
        const d = this.vectorTarget(i.dst)
        const index = this.vector(i.b, 1)
        const base = this.gp(i.base)
        const scale = i.scale
        asm.vector('vxorps', bytes, d, d, d)
        if (this.f.wide) asm.gather(bytes, d, base, index, scale, 0, this.mask(i.k))
        else asm.gatherVector(this.narrow, d, base, index, scale, 0, this.gatherMask(i.k))
        this.keepVector(i.dst, d)
        return
      }
      case 'scatter':
        asm.scatter(bytes, this.gp(i.base), this.vector(i.b, 1), 4, 0, this.vector(i.a), this.mask(i.k))
        return
      case 'scatterApart': {
        // Below the stack pointer are 128 bytes that nobody else uses.
        asm.store('vmovups', bytes, at(rsp, -64), this.vector(i.a))
        asm.store('vmovups', bytes, at(rsp, -32), this.vector(i.b, 1))
        for (let j = 0; j < i.imm; j++) {
          asm.movsxd(rax, at(rsp, -32 + 4 * j))
          asm.shiftGp('shl', rax, 2)
          asm.alu('add', rax, this.isFramed(i.base) ? this.home(i.base) : (this.places[i.base] as number))
          asm.mov32(rdx, at(rsp, -64 + 4 * j))
          asm.store32(at(rax), rdx)
        }
        return
      }
      case 'noteFailure':
        this.noteFailure(i)
        return
      default:
        this.maskInstruction(i)
    }
  }
  /** A vector mask that is used up. */
  private gatherMask(v: number): number {
    if (!this.isFramed(v)) return this.places[v] as number
    const spare = this.scratch - 1
    this.asm.move('vmovups', this.bytes, spare, this.home(v))
    return spare
  }

  private move(i: Instruction, d: number): void {
    const { asm, bytes } = this
    const name = i.name as Name<'move'>
    if (i.constant) {
      if (i.constant.every((word) => word === 0)) asm.vector('vxorps', bytes, d, d, d)
      else asm.move(i.constant.length === 1 ? 'vbroadcastss' : 'vmovups', bytes, d, this.once(i.constant))
      return
    }
    const from = this.vectorOrMemory(i.a, 1)
    if (name === 'vmovaps') this.moveVector(d, from)
    else asm.move(name, bytes, d, from)
  }
  /** A constant as it is. */
  private once(words: Uint32Array): Mem {
    return { base: -1, index: -1, scale: 1, disp: 0, constant: this.asm.constant(words, words.length * 4) }
  }

  private fma(i: Instruction): void {
    const { asm, bytes } = this
    const d = this.vectorTarget(i.dst)
    const x = this.vector(i.a, 0)
    const name = (order: '132' | '213' | '231') => `${i.name}${order}ps` as Name<'vector'>
    if (i.constant) {
      const { memory, once } = this.constant(i.constant)
      const put = (order: '132' | '213' | '231', second: number) =>
        once
          ? asm.vectorBroadcast(name(order), bytes, d, second, memory)
          : asm.vector(name(order), bytes, d, second, memory)
      if (i.b === none) {
        const z = this.vector(i.c, 1)
        if (d === z) put('231', x)
        else {
          this.moveVector(d, x)
          put('132', z)
        }
      } else {
        const y = this.vector(i.b, 1)
        if (d === y) put('213', x)
        else {
          this.moveVector(d, x)
          put('213', y)
        }
      }
    } else {
      const y = this.vector(i.b, 1)
      const framed = this.isFramed(i.c)
      const z = this.vectorOrMemoryOnly(i.c)
      if (d === z) asm.vector(name('231'), bytes, d, x, y)
      else if (d === x) asm.vector(name('213'), bytes, d, y, z)
      else if (d === y) asm.vector(name('213'), bytes, d, x, z)
      else if (framed) {
        this.moveVector(d, x)
        asm.vector(name('213'), bytes, d, y, z)
      } else {
        this.moveVector(d, z)
        asm.vector(name('231'), bytes, d, x, y)
      }
    }
    this.keepVector(i.dst, d)
  }
  /** A vector in a register or in memory, without a spare register. */
  private vectorOrMemoryOnly(v: number): number | Mem {
    if (!this.isFramed(v)) return this.places[v] as number
    const constant = this.f.constants.get(v)
    if (!constant) return this.home(v)
    const words = constant.constant as Uint32Array
    const all = words.length === 1 ? new Uint32Array(this.bytes / 4).fill(words[0] as number) : words
    return this.once(all)
  }

  private maskInstruction(i: Instruction): void {
    const { asm, bytes } = this
    switch (i.op) {
      case 'compare': {
        const d = this.maskTarget(i.dst)
        const x = this.vector(i.a)
        const k = i.k === none ? 0 : this.mask(i.k, 6)
        const name = i.name as Name<'compareToMask'>
        if (i.constant) {
          const { memory, once } = this.constant(i.constant)
          asm.compareToMask(name, bytes, d, x, memory, i.imm, once, k)
        } else asm.compareToMask(name, bytes, d, x, this.vectorOrMemory(i.b, 1), i.imm, false, k)
        this.keepMask(i.dst, d)
        return
      }
      case 'blend': {
        const d = this.vectorTarget(i.dst)
        const x = this.vector(i.a)
        const masking = { k: this.mask(i.k), zero: false }
        if (i.constant) {
          const { memory, once } = this.constant(i.constant)
          if (once) asm.vectorBroadcast('vblendmps', bytes, d, x, memory, masking)
          else asm.vector('vblendmps', bytes, d, x, memory, masking)
        } else asm.vector('vblendmps', bytes, d, x, this.vectorOrMemory(i.b, 1), masking)
        this.keepVector(i.dst, d)
        return
      }
      case 'maskConstant': {
        if (this.isFramed(i.dst)) return
        this.maskConstant(this.places[i.dst] as number, i.imm)
        return
      }
      case 'mask': {
        const d = this.maskTarget(i.dst)
        asm.mask(i.name as Name<'mask'>, d, this.mask(i.a, 6), this.mask(i.b, 7))
        this.keepMask(i.dst, d)
        return
      }
      case 'maskNot': {
        const d = this.maskTarget(i.dst)
        asm.knotw(d, this.mask(i.a))
        this.keepMask(i.dst, d)
        return
      }
      case 'maskMove': {
        const d = this.maskTarget(i.dst)
        const from = this.mask(i.a)
        if (from !== d) asm.kmovwMask(d, from)
        this.keepMask(i.dst, d)
        return
      }
      case 'maskBits': {
        const d = this.gpTarget(i.dst)
        asm.kmovwToGp(d, this.mask(i.a))
        this.keepGp(i.dst, d)
        return
      }
      case 'compareVector': {
        const d = this.vectorTarget(i.dst)
        const b = i.constant ? this.constant(i.constant).memory : this.vectorOrMemory(i.b, 1)
        asm.compareVector(this.narrow, d, this.vector(i.a), b, i.imm)
        this.keepVector(i.dst, d)
        return
      }
      case 'blendVector':
        this.blendVector(i)
        return
      case 'loadMasked': {
        const d = this.vectorTarget(i.dst)
        asm.maskLoad(this.narrow, d, this.vector(i.a), this.memory(i))
        this.keepVector(i.dst, d)
        return
      }
      case 'storeMasked':
        asm.maskStore(this.narrow, this.memory(i), this.vector(i.b, 1), this.vector(i.a))
        return
      case 'signs': {
        const d = this.gpTarget(i.dst)
        asm.vmovmskps(this.narrow, d, this.vector(i.a))
        this.keepGp(i.dst, d)
        return
      }
      default:
        throw new Error(`no machine code for ${i.op}`)
    }
  }

  private blendVector(i: Instruction): void {
    const { asm } = this
    const d = this.vectorTarget(i.dst)
    const x = this.vector(i.a)
    if (this.isFramed(i.c)) {
      asm.blendv(this.narrow, d, x, this.vectorOrMemoryOnly(i.b), this.vector(i.c, 1))
    } else asm.blendv(this.narrow, d, x, this.vectorOrMemory(i.b, 1), this.places[i.c] as number)
    this.keepVector(i.dst, d)
  }

  /** The first failure of a run stays: id + 1 takes the place of 0. Registers are lent by others, for this is rare. */
  private noteFailure(i: Instruction): void {
    const { asm, bytes } = this
    const [values, firstLent, secondLent] = [-64, -72, -80]
    asm.store('vmovups', bytes, at(rsp, values), this.vector(i.a))
    asm.tzcnt(rdx, this.isFramed(i.b) ? this.home(i.b) : (this.places[i.b] as number))
    asm.mov32(rdx, { base: rsp, index: rdx, scale: 4, disp: values, constant: -1 })
    asm.store64(at(rsp, firstLent), rcx)
    asm.store64(at(rsp, secondLent), rsi)
    asm.movImm(rcx, i.value)
    asm.movImm(rsi, i.imm)
    asm.movImm(rax, 0)
    asm.lockCmpxchg32(at(rcx), rsi)
    const known = asm.newLabel()
    asm.jcc(cc.ne, known)
    asm.store32(at(rcx, 4), rdx)
    asm.bind(known)
    asm.mov(rcx, at(rsp, firstLent))
    asm.mov(rsi, at(rsp, secondLent))
  }
}
