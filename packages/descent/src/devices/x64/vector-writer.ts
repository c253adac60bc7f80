/** Arithmetic on vectors, and lanes that change places. */
import type { FloatOp, FloatUnary, WholeOp } from '../vector/code.ts'
import { classes, floatPredicates, unordered } from './instruction.ts'
import { bitsOf, MaskWriter } from './mask-writer.ts'
import { turnSquare } from './turn.ts'

const wholeNames: Readonly<Record<Exclude<WholeOp, 'mulhi'>, string>> = {
  add: 'vpaddd',
  sub: 'vpsubd',
  mul: 'vpmulld',
  and: 'vpand',
  or: 'vpor',
  xor: 'vpxor',
  max_s: 'vpmaxsd',
  min_s: 'vpminsd',
  min_u: 'vpminud',
}
const rounding = { nearest: 8, floor: 9, ceil: 10 } as const

export abstract class VectorWriter extends MaskWriter {
  splat(): this {
    const a = this.popRegister()
    this.result('splat', classes.vector).a = a
    return this
  }
  firstLane(): this {
    const a = this.popVector()
    this.result('firstLane', classes.gp).a = a
    return this
  }
  withLane(j: number): this {
    this.splat()
    const value = this.popVector()
    const into = this.popVector()
    this.push(value)
    this.push(into)
    return this.chooseBits(1 << j)
  }
  float(op: FloatOp): this {
    if (op !== 'max' && op !== 'min') return this.two(`v${op}ps`)
    const b = this.popVector()
    const a = this.popVector()
    if (this.wide) {
      const i = this.result('vectorImm', classes.vector, 'vrangeps')
      i.a = a
      i.b = b
      i.imm = op === 'max' ? 5 : 4
    } else {
      // Both ways round, for zeros of either sign.
      this.push(a)
      this.push(b)
      this.two(`v${op}ps`)
      this.push(b)
      this.push(a)
      this.two(`v${op}ps`)
      this.two(op === 'max' ? 'vandps' : 'vorps')
    }
    const larger = this.popVector()
    this.push(a)
    this.push(b)
    this.two('vaddps')
    this.push(larger)
    this.push(a)
    this.push(b)
    this.compareBy(unordered)
    return this.choose()
  }
  floatUnary(op: FloatUnary): this {
    switch (op) {
      case 'neg':
        return this.words(0x80000000).two('vpxor')
      case 'abs':
        return this.words(0x7fffffff).two('vpand')
      case 'sqrt':
        return this.one('vsqrtps')
      default: {
        const a = this.popVector()
        const i = this.result('moveImm', classes.vector, this.wide ? 'vrndscaleps' : 'vroundps')
        i.a = a
        i.imm = rounding[op]
        return this
      }
    }
  }
  quick(op: 'max' | 'min'): this {
    // The machine's maximum gives its second operand where one is NaN, or both are zeros.
    const b = this.pop()
    const a = this.pop()
    this.put(b, a)
    return this.plain(op === 'max' ? 'vmaxps' : 'vminps')
  }
  multiplyAdd(): this {
    return this.fma('vfmadd')
  }
  multiplySubtract(): this {
    return this.fma('vfnmadd')
  }
  protected fma(name: 'vfmadd' | 'vfnmadd'): this {
    const c = this.popVector()
    let b = this.pop()
    let a = this.pop()
    // A constant may come from memory where it is the second factor.
    if (a.kind === 'words') [a, b] = [b, a]
    const x = this.inRegister(a)
    const y = this.inRegister(b)
    const i = this.result('fma', classes.vector, name)
    i.a = x
    i.b = y
    i.c = c
    return this
  }
  whole(op: WholeOp): this {
    return op === 'mulhi' ? this.highWords() : this.two(wholeNames[op])
  }
  /** Products of even lanes and of odd lanes are 64 bits wide. */
  protected highWords(): this {
    const b = this.popVector()
    const a = this.popVector()
    for (const factor of [a, b]) {
      this.push(factor)
      this.one('vmovshdup')
    }
    this.two('vpmuludq')
    this.push(a)
    this.push(b)
    this.two('vpmuludq').one('vmovshdup')
    return this.chooseBits(this.wide ? 0xaaaa : 0xaa)
  }
  wholeUnary(op: 'neg' | 'abs'): this {
    if (op === 'abs') return this.one('vpabsd')
    const a = this.popVector()
    this.words(0).push(a)
    return this.two('vpsubd')
  }
  shift(op: 'shl' | 'shr', by: number): this {
    const a = this.popVector()
    const i = this.result('shift', classes.vector, op === 'shl' ? 'vpslld' : 'vpsrld')
    i.a = a
    i.imm = by & 31
    return this
  }
  shiftLanes(op: 'shl' | 'shr'): this {
    return this.words(31)
      .two('vpand')
      .plain(op === 'shl' ? 'vpsllvd' : 'vpsrlvd')
  }
  convert(): this {
    return this.one('vcvtdq2ps')
  }
  truncate(): this {
    const x = this.popVector()
    // Where it does not fit the machine gives the smallest number.
    this.push(x)
    this.one('vcvttps2dq')
    const raw = this.popVector()
    this.words(0x7fffffff).push(raw)
    this.push(x)
    this.words(bitsOf(2147483648)).compareBy(floatPredicates.ge)
    this.choose()
    const saturated = this.popVector()
    this.words(0).push(saturated)
    this.push(x)
    this.push(x)
    this.compareBy(unordered)
    return this.choose()
  }
  rotate(by: number): this {
    const a = this.popVector()
    const lanes = Array.from({ length: this.lanes }, (_, j) => (j + by) % this.lanes)
    this.words(...lanes).push(a)
    return this.plain('vpermps')
  }

  /** Registers of rows → registers of columns. */
  turned(rows: readonly number[]): number[] {
    return turnSquare(rows, (name, a, b, imm) => {
      const i = this.write(imm === undefined ? 'vector' : 'vectorImm', name)
      i.a = a
      i.b = b
      i.imm = imm ?? 0
      i.dst = this.register(classes.vector)
      return i.dst
    })
  }
  sumsOfLanes(a: number, b: number, c: number, d: number): this {
    // Sums of pairs, of fours, and then of the 128-bit parts.
    const pairs = [
      [a, b],
      [c, d],
    ].map(([x, y]) => this.sumOfBoth('vunpcklps', 'vunpckhps', x as number, y as number))
    let sum = this.sumOfBoth('vunpcklpd', 'vunpckhpd', pairs[0] as number, pairs[1] as number)
    for (let by = this.lanes / 2; by >= 4; by /= 2) {
      this.push(sum)
      this.rotate(by)
      this.push(sum)
      this.two('vaddps')
      sum = this.popVector()
    }
    this.push(sum)
    return this
  }
  protected sumOfBoth(low: string, high: string, a: number, b: number): number {
    for (const name of [low, high]) {
      this.push(a)
      this.push(b)
      this.plain(name)
    }
    this.two('vaddps')
    return this.popVector()
  }
}
