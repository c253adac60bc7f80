/**
 * Writes WebAssembly modules in the binary format. Methods are named after the text format's instructions:
 * `f.get(x); f.constant(4); f.i32('add'); f.set(x)`.
 */
import type { Callable } from '../vector/code.ts'
import * as op from './opcodes.ts'

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'
const valueCodes: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b }

export function unsigned(value: number): number[] {
  const bytes: number[] = []
  let rest = value >>> 0
  do {
    const byte = rest & 0x7f
    rest >>>= 7
    bytes.push(rest === 0 ? byte : byte | 0x80)
  } while (rest !== 0)
  return bytes
}

export function signed(value: number): number[] {
  const bytes: number[] = []
  let rest = value | 0
  for (;;) {
    const byte = rest & 0x7f
    rest >>= 7
    if ((rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0)) {
      bytes.push(byte)
      return bytes
    }
    bytes.push(byte | 0x80)
  }
}

function signed64(value: bigint): number[] {
  const bytes: number[] = []
  let rest = BigInt.asIntN(64, value)
  for (;;) {
    const byte = Number(rest & 0x7fn)
    rest >>= 7n
    if ((rest === 0n && (byte & 0x40) === 0) || (rest === -1n && (byte & 0x40) !== 0)) {
      bytes.push(byte)
      return bytes
    }
    bytes.push(byte | 0x80)
  }
}

function name(text: string): number[] {
  const bytes = new TextEncoder().encode(text)
  return [...unsigned(bytes.length), ...bytes]
}

function f32Bytes(value: number): number[] {
  return [...new Uint8Array(new Float32Array([value]).buffer)]
}

/** A label of an open block, loop or if: what `br` and `brIf` go to. */
export type Label = number

/** One function: its locals and its code. Parameters are locals 0, 1, 2… */
export class FunctionBuilder {
  readonly index: number
  readonly typeIndex: number
  /** The functions of this module that it calls, by index. */
  readonly callees = new Set<number>()
  private readonly paramCount: number
  private readonly locals: ValueType[] = []
  private readonly free: Record<ValueType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] }
  private code: number[] = []
  private depth = 0
  private taken: Set<number> | null = null

  constructor(index: number, typeIndex: number, paramCount: number) {
    this.index = index
    this.typeIndex = typeIndex
    this.paramCount = paramCount
  }

  /** A local for the rest of the function, or until `release`. Its first value is NOT always zero: set it. */
  local(type: ValueType): number {
    let local = this.free[type].pop()
    if (local === undefined) {
      this.locals.push(type)
      local = this.paramCount + this.locals.length - 1
    }
    this.taken?.add(local)
    return local
  }
  /** Gives a local back: a later `local` of the same type may return it. */
  release(...locals: number[]): void {
    for (const local of locals) {
      this.free[this.locals[local - this.paramCount] as ValueType].push(local)
      this.taken?.delete(local)
    }
  }

  /** A local that is never given to anyone else, not even where `borrow` gives back what was taken. */
  protected own(type: ValueType): number {
    const before = this.taken
    this.taken = null
    const local = this.local(type)
    this.taken = before
    return local
  }

  /** Releases, after `write`, the locals that it took and did not release. */
  borrow(write: () => void): void {
    const before = this.taken
    const taken = new Set<number>()
    this.taken = taken
    write()
    this.taken = before
    this.release(...taken)
  }

  /** What is written from now on goes to the end of `code`; returns where it went before. */
  redirect(code: number[]): number[] {
    const before = this.code
    this.code = code
    return before
  }
  /** Code that was written apart (see `redirect`). */
  append(code: number[]): this {
    for (const byte of code) this.code.push(byte)
    return this
  }

  private byte(value: number): this {
    this.code.push(value)
    return this
  }
  private bytes(values: ArrayLike<number>): this {
    for (let i = 0; i < values.length; i++) this.code.push(values[i] as number)
    return this
  }
  private unsigned(value: number): this {
    if (value < 0x80) this.code.push(value)
    else this.bytes(unsigned(value))
    return this
  }
  private simd(opcode: number): this {
    return this.byte(0xfd).unsigned(opcode)
  }

  get(local: number): this {
    return this.byte(0x20).unsigned(local)
  }
  set(local: number): this {
    return this.byte(0x21).unsigned(local)
  }
  tee(local: number): this {
    return this.byte(0x22).unsigned(local)
  }
  globalGet(global: number): this {
    return this.byte(0x23).unsigned(global)
  }
  globalSet(global: number): this {
    return this.byte(0x24).unsigned(global)
  }

  /** i32.const */
  constant(value: number): this {
    return this.byte(0x41).bytes(signed(value))
  }
  constant64(value: bigint): this {
    return this.byte(0x42).bytes(signed64(value))
  }
  constantF32(value: number): this {
    return this.byte(0x43).bytes(f32Bytes(value))
  }
  constantF64(value: number): this {
    return this.byte(0x44).bytes(new Uint8Array(new Float64Array([value]).buffer))
  }
  /** v128.const of four equal f32 lanes. */
  splatF32(value: number): this {
    const lane = f32Bytes(value)
    return this.simd(12).bytes(lane).bytes(lane).bytes(lane).bytes(lane)
  }
  /** v128.const of four i32 lanes (one value: all equal). */
  constantI32x4(a: number, b: number = a, c: number = a, d: number = a): this {
    return this.simd(12).bytes(new Uint8Array(new Int32Array([a, b, c, d]).buffer))
  }

  // Control flow. `block`, `loop` and `if` open a label; `end` closes the innermost.
  block(result: ValueType | null = null): Label {
    return this.open(0x02, result)
  }
  loop(result: ValueType | null = null): Label {
    return this.open(0x03, result)
  }
  if(result: ValueType | null = null): Label {
    return this.open(0x04, result)
  }
  private open(code: number, result: ValueType | null): Label {
    this.byte(code).byte(result === null ? 0x40 : valueCodes[result])
    return ++this.depth
  }
  else(): this {
    return this.byte(0x05)
  }
  end(): this {
    this.depth--
    return this.byte(0x0b)
  }
  br(label: Label): this {
    return this.byte(0x0c).unsigned(this.depth - label)
  }
  brIf(label: Label): this {
    return this.byte(0x0d).unsigned(this.depth - label)
  }
  brTable(labels: readonly Label[], otherwise: Label): this {
    this.byte(0x0e).unsigned(labels.length)
    for (const label of [...labels, otherwise]) this.unsigned(this.depth - label)
    return this
  }
  return(): this {
    return this.byte(0x0f)
  }
  unreachable(): this {
    return this.byte(0x00)
  }
  drop(): this {
    return this.byte(0x1a)
  }
  /** select: a b condition → a or b. Not for v128. */
  select(): this {
    return this.byte(0x1b)
  }
  selectV128(): this {
    return this.bytes([0x1c, 1, valueCodes.v128])
  }
  call(callee: Callable): this {
    this.callees.add(callee.index)
    return this.byte(0x10).unsigned(callee.index)
  }
  /** arguments slot → results: calls the function in that slot of the module's table, of type `ModuleBuilder.type`. */
  callIndirect(type: number): this {
    return this.byte(0x11).unsigned(type).byte(0)
  }

  // Scalars.
  i32(o: keyof typeof op.i32): this {
    return this.byte(op.i32[o])
  }
  i64(o: keyof typeof op.i64): this {
    return this.byte(op.i64[o])
  }
  f32(o: keyof typeof op.f32): this {
    return this.byte(op.f32[o])
  }
  f64(o: keyof typeof op.f64): this {
    return this.byte(op.f64[o])
  }
  conversion(o: keyof typeof op.conversion): this {
    return this.byte(op.conversion[o])
  }
  truncSat(o: 'i32.trunc_sat_f32_s' | 'i32.trunc_sat_f32_u'): this {
    return this.byte(0xfc).byte(o === 'i32.trunc_sat_f32_s' ? 0 : 1)
  }

  // Memory. `offset` is in bytes and is added to the address; `align` is the exponent that is promised.
  load(o: keyof typeof op.load, offset = 0): this {
    return this.byte(op.load[o])
      .byte(o.includes('8') ? 0 : o.includes('16') ? 1 : 2)
      .unsigned(offset)
  }
  store(o: keyof typeof op.store, offset = 0): this {
    return this.byte(op.store[o])
      .byte(o.includes('8') ? 0 : o.includes('16') ? 1 : 2)
      .unsigned(offset)
  }
  /** dst src bytes → */
  memoryCopy(): this {
    return this.bytes([0xfc, 0x0a, 0, 0])
  }
  /** dst byte bytes → */
  memoryFill(): this {
    return this.bytes([0xfc, 0x0b, 0])
  }
  /** notify: address count → woken; wait32: address expected timeout(i64 ns) → 0, 1, 2. */
  atomic(o: keyof typeof op.atomic, offset = 0): this {
    return this.byte(0xfe).byte(op.atomic[o]).byte(2).unsigned(offset)
  }
  atomicFence(): this {
    return this.bytes([0xfe, 0x03, 0])
  }

  // Vectors.
  vectorLoad(o: keyof typeof op.vectorLoad, offset = 0): this {
    return this.simd(op.vectorLoad[o]).byte(0).unsigned(offset)
  }
  vectorStore(offset = 0): this {
    return this.simd(11).byte(0).unsigned(offset)
  }
  /** load: address vector → vector; store: address vector → */
  laneAccess(o: keyof typeof op.laneAccess, lane: number, offset = 0): this {
    return this.simd(op.laneAccess[o]).byte(0).unsigned(offset).byte(lane)
  }
  lane(o: keyof typeof op.laneValue, lane: number): this {
    return this.simd(op.laneValue[o]).byte(lane)
  }
  /** Four 32-bit lanes chosen from the eight of two vectors. */
  shuffle32(a: number, b: number, c: number, d: number): this {
    this.simd(13)
    for (const lane of [a, b, c, d]) for (let byte = 0; byte < 4; byte++) this.code.push(lane * 4 + byte)
    return this
  }
  shuffleBytes(bytes: readonly number[]): this {
    return this.simd(13).bytes(bytes)
  }
  v128(o: keyof typeof op.v128): this {
    return this.simd(op.v128[o])
  }
  i32x4(o: keyof typeof op.i32x4): this {
    return this.simd(op.i32x4[o])
  }
  i64x2(o: keyof typeof op.i64x2): this {
    return this.simd(op.i64x2[o])
  }
  f32x4(o: keyof typeof op.f32x4): this {
    return this.simd(op.f32x4[o])
  }
  f64x2(o: keyof typeof op.f64x2): this {
    return this.simd(op.f64x2[o])
  }

  body(): number[] {
    if (this.depth !== 0) throw new Error(`a function ends with ${this.depth} blocks open`)
    const runs: [number, ValueType][] = []
    for (const type of this.locals) {
      const last = runs[runs.length - 1]
      if (last && last[1] === type) last[0]++
      else runs.push([1, type])
    }
    const head = unsigned(runs.length)
    for (const [count, type] of runs) head.push(...unsigned(count), valueCodes[type])
    return [...unsigned(head.length + this.code.length + 1), ...head, ...this.code, 0x0b]
  }
}

/** A module of one memory. Declare all imports before the first function. */
export class ModuleBuilder {
  private readonly types: string[] = []
  private readonly imports: number[][] = []
  private importedFunctions = 0
  private readonly functions: FunctionBuilder[] = []
  private readonly exports: number[][] = []
  private readonly globals: number[][] = []
  private readonly slots: number[] = []
  private readonly memories: number[][] = []
  private readonly contents: ArrayLike<number>[][] = []
  private readonly customs: ArrayLike<number>[] = []

  /** The number of a function type. */
  type(params: readonly ValueType[], results: readonly ValueType[]): number {
    const side = (types: readonly ValueType[]) => [...unsigned(types.length), ...types.map((t) => valueCodes[t])]
    const key = [0x60, ...side(params), ...side(results)].join()
    const known = this.types.indexOf(key)
    return known >= 0 ? known : this.types.push(key) - 1
  }

  /** Sizes in pages of 64 KiB. */
  importMemory(module: string, field: string, initial: number, maximum: number, shared: boolean): void {
    this.imports.push([...name(module), ...name(field), 2, shared ? 3 : 1, ...unsigned(initial), ...unsigned(maximum)])
  }
  /** A memory of the module's own, exported, of a size in pages of 64 KiB. */
  ownMemory(pages: number, exportAs: string): void {
    this.memories.push([0, ...unsigned(pages)])
    this.exports.push([...name(exportAs), 2, 0])
  }
  /** What the memory holds at an address from the start. */
  data(address: number, bytes: Uint8Array): void {
    this.contents.push([[0, 0x41, ...signed(address), 0x0b, ...unsigned(bytes.length)], bytes])
  }
  /** Bytes that the engine passes over, under a name. */
  custom(title: string, bytes: Uint8Array): void {
    const head = name(title)
    this.customs.push([0, ...unsigned(head.length + bytes.length), ...head], bytes)
  }
  importFunction(module: string, field: string, params: readonly ValueType[], results: readonly ValueType[]): number {
    if (this.functions.length > 0) throw new Error('imports must be declared before functions')
    this.imports.push([...name(module), ...name(field), 0, ...unsigned(this.type(params, results))])
    return this.importedFunctions++
  }
  /** A new function; its index is known at once, its code may be written later. */
  function(params: readonly ValueType[], results: readonly ValueType[] = [], exportAs?: string): FunctionBuilder {
    const index = this.nextIndex
    if (exportAs !== undefined) this.exports.push([...name(exportAs), 0, ...unsigned(index)])
    return this.add(new FunctionBuilder(index, this.type(params, results), params.length))
  }
  /** Adds a function that was made elsewhere, for the next index. */
  add<F extends FunctionBuilder>(f: F): F {
    if (f.index !== this.nextIndex) throw new Error(`function ${f.index} is added as function ${this.nextIndex}`)
    this.functions.push(f)
    return f
  }
  get nextIndex(): number {
    return this.importedFunctions + this.functions.length
  }
  /** The function of that index; undefined where it is imported. */
  functionAt(index: number): FunctionBuilder | undefined {
    return this.functions[index - this.importedFunctions]
  }
  /** Puts a function into the table that `callIndirect` calls through; returns its slot. */
  slot({ index }: Callable): number {
    const known = this.slots.indexOf(index)
    return known >= 0 ? known : this.slots.push(index) - 1
  }
  /** A mutable i32 global; returns its index. */
  globalI32(value: number): number {
    return this.globals.push([valueCodes.i32, 1, 0x41, ...signed(value), 0x0b]) - 1
  }

  build(): Uint8Array<ArrayBuffer> {
    const parts: ArrayLike<number>[] = [[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]]
    const section = (id: number, items: readonly ArrayLike<number>[], pieces = items) => {
      if (items.length === 0) return
      const count = unsigned(items.length)
      let length = count.length
      for (const piece of pieces) length += piece.length
      parts.push([id, ...unsigned(length), ...count], ...pieces)
    }
    section(
      1,
      this.types.map((key) => key.split(',').map(Number)),
    )
    section(2, this.imports)
    section(
      3,
      this.functions.map((f) => unsigned(f.typeIndex)),
    )
    if (this.slots.length > 0) section(4, [[0x70, 0, ...unsigned(this.slots.length)]])
    section(5, this.memories)
    section(6, this.globals)
    section(7, this.exports)
    if (this.slots.length > 0) {
      const indices = this.slots.flatMap(unsigned)
      section(9, [[0, 0x41, 0, 0x0b, ...unsigned(this.slots.length), ...indices]])
    }
    section(
      10,
      this.functions.map((f) => f.body()),
    )
    section(
      11,
      this.contents.map(([head]) => head as ArrayLike<number>),
      this.contents.flat(),
    )
    parts.push(...this.customs)
    let length = 0
    for (const part of parts) length += part.length
    const bytes = new Uint8Array(length)
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    return bytes
  }
}
