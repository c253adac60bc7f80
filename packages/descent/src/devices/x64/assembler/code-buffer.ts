/**
 * Bytes of machine code, growing, with labels and a pool of constants.
 * A 32-bit field that refers to a label or a constant is written as 0 and filled in by `finish`,
 * which returns the code followed by the pool, aligned to 64 bytes (so the result must be loaded
 * at an address divisible by 64).
 */

import { multiByteNop } from './nops.ts'

export interface AssemblerOptions {
  /** Record one line of Intel syntax for each instruction in `lines`. */
  readonly listing?: boolean
  /** False refuses every instruction that needs an EVEX prefix (AVX-512). True unless given. */
  readonly evex?: boolean
}

const UNBOUND = -1
const INT3 = 0xcc
/** No x86 instruction is longer than 15 bytes. */
const LONGEST = 16

export class CodeBuffer {
  /** Text of what was assembled, if asked for: instructions, `L3:` labels and `; comments`. */
  readonly lines: string[] = []
  readonly listing: boolean
  readonly evex: boolean
  /** Offset of the next byte. */
  position = 0
  /** Offset of the constant pool in the result; known after `finish`. */
  poolStart = -1
  bytes = new Uint8Array(4096)

  readonly #labels: number[] = []
  /** Triples: where the 32-bit field lies, the label, bytes from the field's start to the instruction's end. */
  readonly #labelFields: number[] = []
  /** Triples: where the 32-bit field lies, the offset in the pool, bytes from there to the instruction's end. */
  readonly #constantFields: number[] = []
  #pool = new Int32Array(256)
  #poolWords = 0

  constructor(options: AssemblerOptions = {}) {
    this.listing = options.listing ?? false
    this.evex = options.evex ?? true
  }

  /** A comment line of the listing. */
  note(text: string): void {
    if (this.listing) this.lines.push(`; ${text}`)
  }

  /** Room for one more instruction. Called once before its first byte. */
  reserve(): void {
    if (this.position + LONGEST > this.bytes.length) {
      const larger = new Uint8Array(this.bytes.length * 2)
      larger.set(this.bytes)
      this.bytes = larger
    }
  }

  byte(value: number): void {
    this.bytes[this.position++] = value
  }

  word32(value: number): void {
    const { bytes, position } = this
    bytes[position] = value
    bytes[position + 1] = value >> 8
    bytes[position + 2] = value >> 16
    bytes[position + 3] = value >> 24
    this.position = position + 4
  }

  newLabel(): number {
    return this.#labels.push(UNBOUND) - 1
  }

  bind(label: number): void {
    const bound = this.#labels[label]
    if (bound === undefined) throw new RangeError(`bind: label ${label} was not made by newLabel`)
    if (bound !== UNBOUND) throw new RangeError(`bind: label ${label} is bound already, at ${bound}`)
    this.#labels[label] = this.position
    if (this.listing) this.lines.push(`L${label}:`)
  }

  /** Where a bound label lies, in bytes from the code's start. */
  offsetOf(label: number): number {
    const offset = this.#labels[label]
    if (offset === undefined || offset === UNBOUND) throw new RangeError(`offsetOf: label ${label} is not bound`)
    return offset
  }

  /** The label's offset if it is behind us, -1 if it is still to come. */
  boundBefore(label: number): number {
    const offset = this.#labels[label]
    if (offset === undefined) throw new RangeError(`label ${label} was not made by newLabel`)
    return offset
  }

  /** A 32-bit distance to a label from the end of the instruction, `trailing` bytes after the field. */
  labelField(label: number, trailing: number): void {
    if (this.#labels[label] === undefined) throw new RangeError(`label ${label} was not made by newLabel`)
    this.#labelFields.push(this.position, label, 4 + trailing)
    this.word32(0)
  }

  /** A 32-bit distance to `disp` bytes after a constant. */
  constantField(constant: number, disp: number, trailing: number): void {
    if (constant >= this.#poolWords * 4) throw new RangeError(`constant ${constant} lies outside the pool`)
    this.#constantFields.push(this.position, constant + disp, 4 + trailing)
    this.word32(0)
  }

  /**
   * Puts 1 to 16 words into the pool at an address divisible by `alignment` (4 to 64, a power of two) and returns
   * their offset there. Words that the pool holds already, at such an address, are shared.
   */
  constant(words: Uint32Array | Int32Array, alignment: number): number {
    const count = words.length
    if (count < 1 || count > 16) throw new RangeError(`constant: ${count} words, wanted 1 to 16`)
    if (alignment < 4 || alignment > 64 || (alignment & (alignment - 1)) !== 0) {
      throw new RangeError(`constant: alignment ${alignment}, wanted 4, 8, 16, 32 or 64`)
    }
    const step = alignment >> 2
    const pool = this.#pool
    const end = this.#poolWords
    for (let start = 0; start + count <= end; start += step) {
      let same = 0
      while (same < count && pool[start + same] === ((words[same] as number) | 0)) same++
      if (same === count) return start * 4
    }
    const start = (end + step - 1) & -step
    while (start + count > this.#pool.length) {
      const larger = new Int32Array(this.#pool.length * 2)
      larger.set(this.#pool)
      this.#pool = larger
    }
    this.#pool.set(words, start)
    this.#poolWords = start + count
    return start * 4
  }

  /** Fills with nops up to an offset divisible by `boundary`, a power of two up to 64. */
  align(boundary: number): void {
    if (boundary < 1 || boundary > 64 || (boundary & (boundary - 1)) !== 0) {
      throw new RangeError(`align: ${boundary}, wanted a power of two up to 64`)
    }
    this.nop(-this.position & (boundary - 1))
  }

  /** `count` bytes that do nothing, in as few instructions as can be. */
  nop(count = 1): void {
    while (count > 0) {
      this.reserve()
      count -= multiByteNop(this, count)
    }
  }

  /** The code, then the pool. Every label that is referred to must be bound. */
  finish(): Uint8Array {
    const code = this.position
    const poolStart = this.#poolWords > 0 ? (code + 63) & -64 : code
    const result = new Uint8Array(poolStart + this.#poolWords * 4)
    result.set(this.bytes.subarray(0, code))
    result.fill(INT3, code, poolStart)
    result.set(new Uint8Array(this.#pool.buffer, 0, this.#poolWords * 4), poolStart)
    const view = new DataView(result.buffer)
    const labels = this.#labelFields
    for (let i = 0; i < labels.length; i += 3) {
      const field = labels[i] as number
      const target = this.#labels[labels[i + 1] as number] as number
      if (target === UNBOUND) throw new RangeError(`finish: label ${labels[i + 1]} is used at ${field} but not bound`)
      view.setInt32(field, target - field - (labels[i + 2] as number), true)
    }
    const constants = this.#constantFields
    for (let i = 0; i < constants.length; i += 3) {
      const field = constants[i] as number
      view.setInt32(field, poolStart + (constants[i + 1] as number) - field - (constants[i + 2] as number), true)
    }
    this.poolStart = poolStart
    return result
  }
}
