/** Instructions on vectors → machine code. */
import { at, cc } from './assembler/assembler.ts'
import { MaskEncoder } from './encode-masks.ts'
import type { Name } from './frame.ts'
import { type Instruction, none } from './instruction.ts'
import { rax, rcx, rdx, rsi, rsp } from './machine.ts'

/** Instructions whose operand in memory, where it is one for all, is a pair of elements. */
const pairs: ReadonlySet<string> = new Set(['vpmuludq', 'vunpcklpd', 'vunpckhpd'])

export class VectorEncoder extends MaskEncoder {
  protected vectorInstruction(i: Instruction): void {
    const { asm, bytes } = this
    this.takeFromPool(i)
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
      case 'stream': {
        const value = this.vector(i.a)
        const [unaligned, done] = [asm.newLabel(), asm.newLabel()]
        asm.lea(rax, this.memory(i))
        asm.mov(rdx, rax)
        asm.aluImm('and', rdx, bytes - 1)
        asm.jcc(cc.ne, unaligned)
        asm.store('vmovntps', bytes, at(rax), value)
        asm.jmp(done)
        asm.bind(unaligned)
        asm.store('vmovups', bytes, at(rax), value)
        asm.bind(done)
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
  /** A constant that has no register is read from the pool, in the instruction that uses it where that can. */
  private takeFromPool(i: Instruction): void {
    const words = (v: number): Uint32Array | null =>
      v !== none && this.isFramed(v) ? (this.f.constants.get(v)?.constant ?? null) : null
    switch (i.op) {
      case 'fma': {
        const sum = words(i.c)
        const factor = sum ? null : words(i.b)
        i.constant = sum ?? factor
        if (sum) i.c = none
        if (factor) i.b = none
        return
      }
      case 'vector':
      case 'compare':
      case 'compareVector':
      case 'blend': {
        i.constant = pairs.has(i.name) ? null : words(i.b)
        if (i.constant) i.b = none
        return
      }
      default:
    }
  }
  /** A vector mask that is used up. */
  protected gatherMask(v: number): number {
    if (!this.isFramed(v)) return this.places[v] as number
    const spare = this.scratch - 1
    this.asm.move('vmovups', this.bytes, spare, this.home(v))
    return spare
  }

  protected fma(i: Instruction): void {
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

  /** The first failure of a run stays: id + 1 takes the place of 0. Registers are lent by others, for this is rare. */
  protected noteFailure(i: Instruction): void {
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
