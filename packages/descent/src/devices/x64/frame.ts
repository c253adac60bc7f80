/**
 * Where the registers of one function are while it runs, and how an instruction gets at them: in a machine register, or in the
 * function's frame, from where they are read as operands in memory where the instruction can, else through a free register.
 *
 * From rsp upwards: parameters of the functions that are called, whole numbers, masks, vectors; then the registers that are
 * preserved, the return address, and the function's own parameters.
 */
import type { Allocatable, Allocation } from './allocate.ts'
import { type Assembler, at, type Bytes, type Mem } from './assembler/assembler.ts'
import { type Instruction, none } from './instruction.ts'
import { free, rax, rdx, rsp } from './machine.ts'

export interface Encodable extends Allocatable {
  readonly code: readonly Instruction[]
  readonly wide: boolean
}

/** The names of instructions that the assembler knows come from emitters as text. */
export type Name<F extends keyof Assembler> = Assembler[F] extends (op: infer O, ...rest: never[]) => unknown
  ? O
  : never

export class Frame {
  protected readonly f: Encodable
  protected readonly code: readonly Instruction[]
  protected readonly places: Int32Array
  protected readonly asm: Assembler
  protected readonly bytes: Bytes
  /** For instructions that AVX-512 has otherwise. */
  protected readonly narrow = 32
  protected readonly saved: readonly number[]
  protected readonly intsAt: number
  protected readonly masksAt: number
  protected readonly vectorsAt: number
  protected readonly frame: number
  protected readonly scratch: number

  constructor(f: Encodable, allocation: Allocation, asm: Assembler) {
    this.f = f
    this.code = f.code
    this.places = allocation.places
    this.asm = asm
    this.bytes = f.wide ? 64 : 32
    this.scratch = (f.wide ? free.wide : free.narrow) + 1
    this.saved = allocation.saved
    let most = 0
    for (const i of f.code) if (i.op === 'argument') most = Math.max(most, i.imm + 1)
    this.intsAt = 8 * most
    this.masksAt = this.intsAt + 8 * allocation.intPlaces
    const bytesOfMasks = f.wide ? 8 : this.bytes
    this.vectorsAt = this.masksAt + bytesOfMasks * allocation.maskPlaces
    this.frame = Math.ceil((this.vectorsAt + this.bytes * allocation.vectorPlaces) / 16) * 16
  }

  /** Where the caller has put parameter p. */
  protected parameter(p: number): Mem {
    return at(rsp, this.frame + 8 * this.saved.length + 8 + 8 * p)
  }

  // Places.
  protected isFramed(v: number): boolean {
    return (this.places[v] as number) < 0
  }
  protected home(v: number): Mem {
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
  protected gp(v: number, spare = rax): number {
    if (!this.isFramed(v)) return this.places[v] as number
    this.asm.mov(spare, this.home(v))
    return spare
  }
  protected vector(v: number, spare = 0): number {
    if (!this.isFramed(v)) return this.places[v] as number
    const register = this.scratch + spare
    const constant = this.f.constants.get(v)
    if (constant) this.move(constant, register)
    else this.asm.move('vmovups', this.bytes, register, this.home(v))
    return register
  }
  /** A vector as a register or, where it has none, in memory. */
  protected vectorOrMemory(v: number, spare = 0): number | Mem {
    if (!this.isFramed(v)) return this.places[v] as number
    return this.f.constants.has(v) ? this.vector(v, spare) : this.home(v)
  }
  protected mask(v: number, spare = 7): number {
    if (!this.isFramed(v)) return this.places[v] as number
    const constant = this.f.constants.get(v)
    if (constant) this.maskConstant(spare, constant.imm)
    else this.asm.kmovwLoad(spare, this.home(v))
    return spare
  }
  protected gpTarget(v: number): number {
    return this.isFramed(v) ? rax : (this.places[v] as number)
  }
  protected vectorTarget(v: number): number {
    return this.isFramed(v) ? this.scratch : (this.places[v] as number)
  }
  protected maskTarget(v: number): number {
    return this.isFramed(v) ? 7 : (this.places[v] as number)
  }
  protected keepGp(v: number, register: number): void {
    if (this.isFramed(v)) this.asm.store64(this.home(v), register)
  }
  protected keepVector(v: number, register: number): void {
    if (this.isFramed(v)) this.asm.store('vmovups', this.bytes, this.home(v), register)
  }
  protected keepMask(v: number, register: number): void {
    if (this.isFramed(v)) this.asm.kmovwStore(this.home(v), register)
  }
  protected memory(i: Instruction): Mem {
    const base = i.base === none ? -1 : this.gp(i.base, rax)
    const index = i.index === none ? -1 : this.gp(i.index, rdx)
    return { base, index, scale: i.scale, disp: i.disp, constant: -1 }
  }
  /** A constant in the pool: whether each element is the same, and stands there once. */
  protected constant(words: Uint32Array): { memory: Mem; once: boolean } {
    const once = words.length === 1 && this.f.wide
    const all = words.length === 1 && !once ? new Uint32Array(this.bytes / 4).fill(words[0] as number) : words
    const constant = this.asm.constant(all, all.length * 4)
    return { memory: { base: -1, index: -1, scale: 1, disp: 0, constant }, once }
  }
  protected moveGp(to: number, from: number): void {
    if (to !== from) this.asm.mov(to, from)
  }
  protected moveVector(to: number, from: number | Mem): void {
    if (to !== from) this.asm.move(typeof from === 'number' ? 'vmovaps' : 'vmovups', this.bytes, to, from)
  }
  protected maskConstant(to: number, bits: number): void {
    this.asm.movImm(rax, bits)
    this.asm.kmovw(to, rax)
  }
  protected move(i: Instruction, d: number): void {
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
  protected once(words: Uint32Array): Mem {
    return { base: -1, index: -1, scale: 1, disp: 0, constant: this.asm.constant(words, words.length * 4) }
  }
  /** A vector in a register or in memory, without a spare register. */
  protected vectorOrMemoryOnly(v: number): number | Mem {
    if (!this.isFramed(v)) return this.places[v] as number
    const constant = this.f.constants.get(v)
    if (!constant) return this.home(v)
    const words = constant.constant as Uint32Array
    const all = words.length === 1 ? new Uint32Array(this.bytes / 4).fill(words[0] as number) : words
    return this.once(all)
  }
}
