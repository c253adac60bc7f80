/**
 * A function's instructions with their places → machine code; here whole numbers and control flow.
 *
 * Calls: parameter i lies at [rsp + 8 i] at the moment of the call, so at [rsp + 8 + 8 i] when the function begins. rbx, rbp and
 * r12 to r15 are preserved; all else may change.
 */
import type { Allocation } from './allocate.ts'
import { type Assembler, at } from './assembler/assembler.ts'
import { VectorEncoder } from './encode-vectors.ts'
import type { Encodable, Name } from './frame.ts'
import { type Instruction, none } from './instruction.ts'
import { rax, rdx, rsp } from './machine.ts'

/** Appends the function's machine code; `entry` gives the label of a function by its index. */
export function encode(f: Encodable, allocation: Allocation, asm: Assembler, entry: (index: number) => number): void {
  new Encoder(f, allocation, asm, entry).function()
}

class Encoder extends VectorEncoder {
  private readonly entry: (index: number) => number
  private readonly labels = new Map<number, number>()
  /** Whoever is told that the function is done must find its stores. */
  private readonly streams: boolean

  constructor(f: Encodable, allocation: Allocation, asm: Assembler, entry: (index: number) => number) {
    super(f, allocation, asm)
    this.entry = entry
    this.streams = f.code.some(({ op }) => op === 'stream')
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
    if (this.streams) asm.sfence()
    if (this.frame > 0) asm.aluImm('add', rsp, this.frame)
    for (const r of this.saved.toReversed()) asm.pop(r)
    asm.ret()
  }
  private label(number: number): number {
    let label = this.labels.get(number)
    if (label === undefined) {
      label = this.asm.newLabel()
      this.labels.set(number, label)
    }
    return label
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
      case 'prefetch':
        asm.prefetcht0(this.memory(i))
        return
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
}
