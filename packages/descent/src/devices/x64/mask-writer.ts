/**
 * Constants and masks, and what writing vectors begins with: 16 lanes and mask registers (AVX-512) or 8 lanes and masks in
 * vectors (AVX2).
 */
import type { Comparison, Kind } from '../vector/code.ts'
import { classes, floatPredicates, type Instruction, none, wholePredicates } from './instruction.ts'
import { WholeWriter } from './whole-writer.ts'

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
export abstract class MaskWriter extends WholeWriter {
  readonly lanes: number
  /** AVX-512. */
  readonly wide: boolean
  /** The address of the program's error record. */
  protected readonly errors: number
  readonly #shared = new Map<string, number>()
  /** Registers that can be computed again anywhere, and how. */
  readonly constants = new Map<number, Instruction>()

  constructor(index: number, parameters: readonly Kind[], wide: boolean, errors: number) {
    super(index, parameters)
    this.wide = wide
    this.lanes = wide ? 16 : 8
    this.errors = errors
  }

  protected machineClass(kind: Kind): number {
    if (kind === 'int') return classes.gp
    return kind === 'mask' && this.wide ? classes.mask : classes.vector
  }

  // Constants.
  /** A register that holds the same all through the function. */
  protected once(key: string, machineClass: number, op: Instruction['op'], set: (i: Instruction) => void): number {
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
  protected words(...words: readonly number[]): this {
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
  protected firstBits(count: number): number {
    return 2 ** Math.min(count, this.lanes) - 1
  }
  /** AVX-512: a mask register with these bits. */
  protected bits(bits: number): number {
    return this.once(`bits ${bits}`, classes.mask, 'maskConstant', (i) => {
      i.imm = bits
    })
  }
  /** AVX2: a vector with all bits set in these lanes. */
  protected laneBits(bits: number): number {
    return this.once(`lanes ${bits}`, classes.vector, 'move', (i) => {
      i.name = 'vmovups'
      i.constant = Uint32Array.from({ length: this.lanes }, (_, j) => ((bits >> j) & 1 ? 0xffffffff : 0))
    })
  }

  // Operations on vectors.
  protected popVector(): number {
    return this.popRegister()
  }
  protected two(name: string): this {
    let b = this.pop()
    let a = this.pop()
    if (a.kind === 'words' && b.kind !== 'words' && commutative.has(name)) [a, b] = [b, a]
    const x = this.inRegister(a)
    const y = this.inRegister(b)
    const i = this.result('vector', classes.vector, name)
    i.a = x
    i.b = y
    return this
  }
  protected one(name: string): this {
    const a = this.popVector()
    this.result('move', classes.vector, name).a = a
    return this
  }
  /** Two operands in their order. */
  protected plain(name: string): this {
    const b = this.pop()
    const a = this.popVector()
    const y = this.inRegister(b)
    const i = this.result('vector', classes.vector, name)
    i.a = a
    i.b = y
    return this
  }
  /** a b → a in the lanes with a bit, else b. */
  protected chooseBits(bits: number): this {
    this.push(this.wide ? this.bits(bits) : this.laneBits(bits))
    return this.choose()
  }

  // Masks.
  compareF32(op: Comparison): this {
    return this.compareBy(floatPredicates[op])
  }
  protected compareBy(predicate: number): this {
    const b = this.pop()
    const a = this.popVector()
    const y = this.inRegister(b)
    const i = this.wide
      ? this.result('compare', classes.mask, 'vcmpps')
      : this.result('compareVector', classes.vector, 'vcmpps')
    i.a = a
    i.b = y
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
  protected compareWords(name: 'vpcmpd' | 'vpcmpud', predicate: number, k = none): this {
    const b = this.pop()
    const a = this.popVector()
    const y = this.inRegister(b)
    const i = this.result('compare', classes.mask, name)
    i.a = a
    i.b = y
    i.imm = predicate
    i.k = k
    return this
  }
  /** vector → mask of the lanes that lie in [0, length) as unsigned numbers, among the first `active`. */
  protected inside(length: number, active: number): this {
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
      const y = this.inRegister(a)
      const i = this.result('blend', classes.vector, 'vblendmps')
      i.a = b
      i.b = y
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
  protected maskOf(count: number): number {
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
}
