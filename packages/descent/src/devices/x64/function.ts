/**
 * One function for the device x64, written through the interface that all machines share (`Code`): here its vectors
 * and masks, with 16 lanes and mask registers (AVX-512) or 8 lanes and masks in vectors (AVX2).
 *
 * Nothing is read or written outside of what is asked for: loads and stores of a part of a vector are masked.
 */
import type { Code, Comparison, FloatOp, FloatUnary, Kind, WholeOp } from '../vector/code.ts'
import { classes, floatPredicates, type Instruction, none, unordered, wholePredicates } from './instruction.ts'
import type { Entry } from './stack.ts'
import { turnSquare } from './turn.ts'
import { Writer } from './writer.ts'

const floatWord = new Float32Array(1)
const floatBits = new Uint32Array(floatWord.buffer)
export function bitsOf(value: number): number {
  floatWord[0] = value
  return floatBits[0] as number
}

const commutative: ReadonlySet<string> = new Set([
  'vaddps',
  'vmulps',
  'vpaddd',
  'vpmulld',
  'vpand',
  'vpor',
  'vpxor',
  'vpmaxsd',
  'vpminsd',
  'vpminud',
  'vpmuludq',
])
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

export class X64Function extends Writer implements Code {
  readonly lanes: number
  /** AVX-512. */
  readonly wide: boolean
  /** The address of the program's error record. */
  readonly #errors: number
  readonly #shared = new Map<string, number>()
  /** Registers that can be computed again anywhere, and how. */
  readonly constants = new Map<number, Instruction>()

  constructor(index: number, parameters: readonly Kind[], wide: boolean, errors: number) {
    super(index, parameters)
    this.wide = wide
    this.lanes = wide ? 16 : 8
    this.#errors = errors
  }

  protected machineClass(kind: Kind): number {
    if (kind === 'int') return classes.gp
    return kind === 'mask' && this.wide ? classes.mask : classes.vector
  }

  // Constants.
  /** A register that holds the same all through the function. */
  private once(key: string, machineClass: number, op: Instruction['op'], set: (i: Instruction) => void): number {
    let register = this.#shared.get(key)
    if (register === undefined) {
      register = this.register(machineClass)
      const before = this.redirect(this.prologue)
      const i = this.write(op)
      i.dst = register
      set(i)
      this.redirect(before)
      this.constants.set(register, i)
      this.#shared.set(key, register)
    }
    return register
  }
  protected wordsIn(words: Uint32Array): number {
    return this.once(`words ${words.join()}`, classes.vector, 'move', (i) => {
      i.name = words.length === 1 ? 'vbroadcastss' : 'vmovups'
      i.constant = words
    })
  }
  private words(...words: readonly number[]): this {
    this.put({ kind: 'words', words: Uint32Array.from(words) })
    return this
  }
  splatF32(value: number): this {
    return this.words(bitsOf(value))
  }
  splatI32(value: number): this {
    return this.words(value)
  }
  lanesI32(values: readonly number[]): this {
    return this.words(...values)
  }
  private firstBits(count: number): number {
    return 2 ** Math.min(count, this.lanes) - 1
  }
  /** AVX-512: a mask register with these bits. */
  private bits(bits: number): number {
    return this.once(`bits ${bits}`, classes.mask, 'maskConstant', (i) => {
      i.imm = bits
    })
  }
  /** AVX2: a vector with all bits set in these lanes. */
  private laneBits(bits: number): number {
    return this.once(`lanes ${bits}`, classes.vector, 'move', (i) => {
      i.name = 'vmovups'
      i.constant = Uint32Array.from({ length: this.lanes }, (_, j) => ((bits >> j) & 1 ? 0xffffffff : 0))
    })
  }

  // Operations on vectors.
  private popVector(): number {
    return this.popRegister()
  }
  /** Sets operand b to a constant or a register. */
  private operand(i: Instruction, entry: Entry, register: number): Instruction {
    if (entry.kind === 'words') i.constant = entry.words
    else i.b = register
    return i
  }
  private two(name: string): this {
    let b = this.pop()
    let a = this.pop()
    if (a.kind === 'words' && b.kind !== 'words' && commutative.has(name)) [a, b] = [b, a]
    const x = this.inRegister(a)
    const y = b.kind === 'words' ? none : this.inRegister(b)
    const i = this.result('vector', classes.vector, name)
    i.a = x
    this.operand(i, b, y)
    return this
  }
  private one(name: string): this {
    const a = this.popVector()
    this.result('move', classes.vector, name).a = a
    return this
  }
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
  /** a b → a in the lanes with a bit, else b. */
  private chooseBits(bits: number): this {
    this.push(this.wide ? this.bits(bits) : this.laneBits(bits))
    return this.choose()
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
  /** Two operands in their order. */
  private plain(name: string): this {
    const b = this.pop()
    const a = this.popVector()
    const y = b.kind === 'words' ? none : this.inRegister(b)
    const i = this.result('vector', classes.vector, name)
    i.a = a
    this.operand(i, b, y)
    return this
  }
  multiplyAdd(): this {
    return this.fma('vfmadd')
  }
  multiplySubtract(): this {
    return this.fma('vfnmadd')
  }
  private fma(name: 'vfmadd' | 'vfnmadd'): this {
    const c = this.pop()
    let b = this.pop()
    let a = this.pop()
    if (a.kind === 'words') [a, b] = [b, a]
    // One operand may stand in memory.
    const constant = b.kind === 'words' ? b : c.kind === 'words' ? c : null
    const x = this.inRegister(a)
    const y = b === constant ? none : this.inRegister(b)
    const z = c === constant ? none : this.inRegister(c)
    const i = this.result('fma', classes.vector, name)
    i.a = x
    i.b = y
    i.c = z
    if (constant?.kind === 'words') i.constant = constant.words
    return this
  }
  whole(op: WholeOp): this {
    return op === 'mulhi' ? this.highWords() : this.two(wholeNames[op])
  }
  /** Products of even lanes and of odd lanes are 64 bits wide. */
  private highWords(): this {
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
  private sumOfBoth(low: string, high: string, a: number, b: number): number {
    for (const name of [low, high]) {
      this.push(a)
      this.push(b)
      this.plain(name)
    }
    this.two('vaddps')
    return this.popVector()
  }

  // Masks.
  compareF32(op: Comparison): this {
    return this.compareBy(floatPredicates[op])
  }
  private compareBy(predicate: number): this {
    const b = this.pop()
    const a = this.popVector()
    const y = b.kind === 'words' ? none : this.inRegister(b)
    const i = this.wide
      ? this.result('compare', classes.mask, 'vcmpps')
      : this.result('compareVector', classes.vector, 'vcmpps')
    i.a = a
    this.operand(i, b, y)
    i.imm = predicate
    return this
  }
  compareI32(op: Comparison): this {
    if (this.wide) return this.compareWords('vpcmpd', wholePredicates[op])
    const opposite = op === 'ne' || op === 'le' || op === 'ge'
    if (op === 'lt' || op === 'ge') {
      const b = this.pop()
      const a = this.pop()
      this.put(b, a)
    }
    this.plain(op === 'eq' || op === 'ne' ? 'vpcmpeqd' : 'vpcmpgtd')
    return opposite ? this.mask('not') : this
  }
  private compareWords(name: 'vpcmpd' | 'vpcmpud', predicate: number, k = none): this {
    const b = this.pop()
    const a = this.popVector()
    const y = b.kind === 'words' ? none : this.inRegister(b)
    const i = this.result('compare', classes.mask, name)
    i.a = a
    this.operand(i, b, y)
    i.imm = predicate
    i.k = k
    return this
  }
  /** vector → mask of the lanes that lie in [0, length) as unsigned numbers, among the first `active`. */
  private inside(length: number, active: number): this {
    if (this.wide) {
      const k = active < this.lanes ? this.bits(this.firstBits(active)) : none
      return this.words(length).compareWords('vpcmpud', 1, k)
    }
    // Unsigned: the smaller of the index and length − 1 is the index.
    const index = this.popVector()
    this.push(index)
    this.words(length - 1).two('vpminud')
    this.push(index)
    this.plain('vpcmpeqd')
    if (active < this.lanes) {
      this.push(this.laneBits(this.firstBits(active)))
      this.two('vpand')
    }
    return this
  }
  choose(): this {
    const k = this.popRegister()
    const b = this.popVector()
    const a = this.pop()
    if (this.wide) {
      const y = a.kind === 'words' ? none : this.inRegister(a)
      const i = this.result('blend', classes.vector, 'vblendmps')
      i.a = b
      this.operand(i, a, y)
      i.k = k
      return this
    }
    const x = this.inRegister(a)
    const i = this.result('blendVector', classes.vector)
    i.a = b
    i.b = x
    i.c = k
    return this
  }
  maskConstant(value: boolean): this {
    this.push(this.maskOf(value ? this.lanes : 0))
    return this
  }
  maskFirst(count: number): this {
    this.push(this.maskOf(count))
    return this
  }
  private maskOf(count: number): number {
    return this.wide ? this.bits(this.firstBits(count)) : this.laneBits(this.firstBits(count))
  }
  mask(op: 'and' | 'or' | 'xor' | 'not'): this {
    if (!this.wide) {
      if (op === 'not') return this.words(0xffffffff).two('vpxor')
      return this.two(`vp${op}`)
    }
    if (op === 'not') {
      const a = this.popRegister()
      this.result('maskNot', classes.mask).a = a
      return this
    }
    const b = this.popRegister()
    const a = this.popRegister()
    const i = this.result('mask', classes.mask, `k${op}w`)
    i.a = a
    i.b = b
    return this
  }
  nonzero(): this {
    return this.words(0).compareI32('ne')
  }
  ones(dtype: 'f32' | 'i32'): this {
    const one = dtype === 'f32' ? bitsOf(1) : 1
    const k = this.popRegister()
    if (!this.wide) {
      this.push(k)
      return this.words(one).two('vpand')
    }
    const i = this.result('load', classes.vector, 'vbroadcastss')
    i.constant = Uint32Array.of(one)
    i.k = k
    return this
  }
  any(count: number): this {
    const a = this.popRegister()
    this.result(this.wide ? 'maskBits' : 'signs', classes.gp).a = a
    return count < this.lanes ? this.constant(this.firstBits(count)).int('and') : this
  }

  // Memory.
  loadVector(offset: number, active: number): this {
    const address = this.popAddress(offset)
    return this.loadAt(address, active < this.lanes ? this.maskOf(active) : none)
  }
  /** Pushes the elements at an address where the mask is set (none: all). */
  private loadAt(address: ReturnType<Writer['popAddress']>, mask: number): this {
    const masked = mask !== none && !this.wide
    const i = this.setAddress(this.result(masked ? 'loadMasked' : 'load', classes.vector, 'vmovups'), address)
    if (masked) i.a = mask
    else i.k = mask
    return this
  }
  loadOrZero(offset: number, active: number): this {
    return this.loadVector(offset, active)
  }
  /** address → the elements from there on where the mask (a local) is set, else 0. */
  loadWhere(offset: number, mask: number): this {
    return this.loadAt(this.popAddress(offset), mask)
  }
  /** vector address → the elements from there on where the mask (a local) is set, else the vector's. */
  loadOver(offset: number, mask: number): this {
    const address = this.popAddress(offset)
    const under = this.popVector()
    if (!this.wide) {
      this.loadAt(address, mask)
      this.push(under)
      return this.two('vpor')
    }
    const i = this.setAddress(this.result('load', classes.vector, 'vmovups'), address)
    i.k = mask
    i.c = under
    return this
  }
  loadSplat(offset: number): this {
    const address = this.popAddress(offset)
    this.setAddress(this.result('load', classes.vector, 'vbroadcastss'), address)
    return this
  }
  loadLanes(elements: readonly number[], offset: number, active: number): this {
    const wanted = elements.slice(0, active)
    const low = Math.min(...wanted)
    const high = Math.max(...wanted) - low
    const address = this.popAddress(offset + 4 * low)
    const { lanes } = this
    if (high >= 2 * lanes) {
      const base = this.inRegister({ kind: 'sum', ...address })
      this.push(base)
      this.words(...Array.from({ length: lanes }, (_, j) => (wanted[j] ?? (wanted[0] as number)) - low))
      return this.gather(active)
    }
    const turned = Uint32Array.from({ length: lanes }, (_, j) => (wanted[j] ?? (wanted[0] as number)) - low)
    this.loadAt(address, high + 1 < lanes ? this.maskOf(high + 1) : none)
    const first = this.popVector()
    if (high < lanes) {
      this.put({ kind: 'words', words: turned })
      this.push(first)
      return this.plain('vpermps')
    }
    this.loadAt(
      { ...address, disp: address.disp + 4 * lanes },
      high + 1 < 2 * lanes ? this.maskOf(high + 1 - lanes) : none,
    )
    const second = this.popVector()
    for (const [n, from] of [second, first].entries()) {
      const lane = (t: number) => (n === 0 ? t >= lanes : t < lanes)
      this.words(...Array.from(turned, (t) => (lane(t) ? t % lanes : 0))).push(from)
      this.plain('vpermps')
    }
    let bits = 0
    for (const [j, t] of turned.entries()) if (t >= lanes) bits |= 1 << j
    return this.chooseBits(bits)
  }
  /** A mask register or vector that an instruction will use up. */
  private usedUp(mask: number): number {
    return this.copy(mask)
  }
  gather(active: number): this {
    const index = this.popVector()
    const base = this.popRegister()
    return this.gatherWhere(base, index, this.usedUp(this.maskOf(active)))
  }
  /** address vector → lane j: the element at address + (lane j of the i32 vector) bytes. */
  gatherBytes(active: number): this {
    const index = this.popVector()
    const base = this.popRegister()
    return this.gatherWhere(base, index, this.usedUp(this.maskOf(active)), 1)
  }
  private gatherWhere(base: number, index: number, mask: number, scale: 1 | 4 = 4): this {
    const i = this.result('gather', classes.vector)
    i.base = base
    i.b = index
    i.k = mask
    i.scale = scale
    return this
  }
  loadInside(length: number, active: number): this {
    const index = this.popRegister()
    const base = this.popRegister()
    this.push(index)
    this.splat()
      .words(...Array.from({ length: this.lanes }, (_, j) => j))
      .two('vpaddd')
    this.inside(length, active)
    const mask = this.popRegister()
    return this.loadAt({ base, index, scale: 4, disp: 0 }, mask)
  }
  gatherInside(length: number, active: number): this {
    const index = this.popVector()
    const base = this.popRegister()
    this.push(index)
    this.inside(length, active)
    return this.gatherWhere(base, index, this.popRegister())
  }
  storeVector(offset: number, active: number): this {
    return this.storeWhere(offset, active < this.lanes ? this.maskOf(active) : none)
  }
  private storeWhere(offset: number, mask: number): this {
    const value = this.popVector()
    const address = this.popAddress(offset)
    const masked = mask !== none && !this.wide
    const i = this.setAddress(this.write(masked ? 'storeMasked' : 'store', 'vmovups'), address)
    i.a = value
    if (masked) i.b = mask
    else i.k = mask
    return this
  }
  storeLane(j: number, offset: number): this {
    return this.storeWhere(offset - 4 * j, this.wide ? this.bits(1 << j) : this.laneBits(1 << j))
  }
  storeLanes(elements: readonly number[], offset: number, active: number): this {
    const value = this.popVector()
    const address = this.popAddress(offset)
    const base = this.inRegister({ kind: 'sum', ...address })
    this.push(base)
    this.words(...Array.from({ length: this.lanes }, (_, j) => elements[j] ?? 0)).push(value)
    return this.scatter(active)
  }
  scatter(active: number): this {
    const value = this.popVector()
    const index = this.popVector()
    const base = this.popRegister()
    const i = this.wide ? this.newScatter(active) : this.write('scatterApart')
    i.a = value
    i.b = index
    i.base = base
    i.imm = active
    return this
  }
  private newScatter(active: number): Instruction {
    const k = this.usedUp(this.maskOf(active))
    const i = this.write('scatter')
    i.k = k
    return i
  }
  noteFailure(id: number, active: number, _scratch: number): this {
    const mask = this.popRegister()
    const values = this.popVector()
    this.push(mask)
    this.any(active)
    const bits = this.copy(this.popRegister())
    this.get(bits).if()
    const i = this.write('noteFailure')
    i.a = values
    i.b = bits
    i.imm = id + 1
    i.value = this.#errors
    return this.end()
  }
}
