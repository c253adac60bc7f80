/** Masks and what works by masks: registers of their own with AVX-512, vectors with AVX2. */

import { Frame, type Name } from './frame.ts'
import { type Instruction, none } from './instruction.ts'

export class MaskEncoder extends Frame {
  protected maskInstruction(i: Instruction): void {
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

  protected blendVector(i: Instruction): void {
    const { asm } = this
    const d = this.vectorTarget(i.dst)
    const x = this.vector(i.a)
    if (this.isFramed(i.c)) {
      asm.blendv(this.narrow, d, x, this.vectorOrMemoryOnly(i.b), this.vector(i.c, 1))
    } else asm.blendv(this.narrow, d, x, this.vectorOrMemory(i.b, 1), this.places[i.c] as number)
    this.keepVector(i.dst, d)
  }
}
