/**
 * Kernels' code as WebAssembly: the instructions of `Code` (see vector/code.ts), with 4 lanes. Masks are vectors, all bits
 * of a lane set or none. The names of `FunctionBuilder` stay at hand for what only WebAssembly does.
 *
 * Every buffer, arena and scratch area has 16 bytes before and after it that may be read (not written).
 */
import type { Code, Comparison, FloatOp, FloatUnary, IntOp, Kind, Label, WholeOp, Written } from '../vector/code.ts'
import { FunctionBuilder, type ValueType } from './encode.ts'
import type * as opcodes from './opcodes.ts'

/** What functions of one module share. */
export interface CodeOptions {
  /** Whether vectors have a fused multiply-add and a quick select. */
  readonly relaxedSimd: boolean
  /** Byte address of two i32 words: the first failed check's id + 1 (0: none), and the value that it saw. */
  readonly errorAddress: number
}

/** What a local of each kind is. */
export const valueTypes = { int: 'i32', vector: 'v128', mask: 'v128' } as const satisfies Record<Kind, ValueType>

export class WasmCode extends FunctionBuilder implements Code {
  readonly lanes = 4
  private readonly options: CodeOptions
  /** Locals for the inside of one instruction. */
  private readonly inner = { i32: [] as number[], v128: [] as number[] }

  constructor(index: number, typeIndex: number, paramCount: number, options: CodeOptions) {
    super(index, typeIndex, paramCount)
    this.options = options
  }

  override local(kind: Kind | ValueType): number {
    return super.local(kind === 'int' || kind === 'vector' || kind === 'mask' ? valueTypes[kind] : kind)
  }
  private within(type: 'i32' | 'v128', n = 0): number {
    const known = this.inner[type][n]
    if (known !== undefined) return known
    const local = this.own(type)
    this.inner[type][n] = local
    return local
  }

  apart(): number[] {
    return []
  }
  override append(code: Written): this {
    return super.append(code as number[])
  }
  override if(result: 'int' | ValueType | null = null): Label {
    return super.if(result === 'int' ? 'i32' : result)
  }

  // Whole numbers and addresses.
  int(op: IntOp): this {
    return this.i32(op)
  }
  pick(): this {
    return this.select()
  }
  loadInt(offset = 0): this {
    return this.load('i32.load', offset)
  }
  storeInt(offset = 0): this {
    return this.store('i32.store', offset)
  }
  loadAddress(word: number): this {
    return this.load('i32.load', 4 * word)
  }
  copyBytes(bytes: number): this {
    return this.constant(bytes).memoryCopy()
  }

  // Vectors.
  splatI32(value: number): this {
    return this.constantI32x4(value)
  }
  lanesI32(values: readonly number[]): this {
    return this.constantI32x4(...(values as Four))
  }
  splat(): this {
    return this.i32x4('splat')
  }
  firstLane(): this {
    return this.lane('i32x4.extract_lane', 0)
  }
  withLane(j: number): this {
    return this.lane('i32x4.replace_lane', j)
  }
  float(op: FloatOp): this {
    return this.f32x4(op)
  }
  floatUnary(op: FloatUnary): this {
    return this.f32x4(op)
  }
  quick(op: 'max' | 'min'): this {
    return this.f32x4(op === 'max' ? 'pmax' : 'pmin')
  }
  multiplyAdd(): this {
    if (this.options.relaxedSimd) return this.f32x4('relaxed_madd')
    const c = this.within('v128')
    return this.set(c).f32x4('mul').get(c).f32x4('add')
  }
  multiplySubtract(): this {
    if (this.options.relaxedSimd) return this.f32x4('relaxed_nmadd')
    const [c, product] = [this.within('v128'), this.within('v128', 1)]
    return this.set(c).f32x4('mul').set(product).get(c).get(product).f32x4('sub')
  }
  compareF32(op: Comparison): this {
    return this.f32x4(op)
  }
  whole(op: WholeOp): this {
    if (op === 'and' || op === 'or' || op === 'xor') return this.v128(op)
    return op === 'mulhi' ? this.mulhi() : this.i32x4(op)
  }
  private mulhi(): this {
    const [x, y] = [this.within('v128'), this.within('v128', 1)]
    this.set(y).set(x).get(x).get(y).i64x2('extmul_low_i32x4_u').get(x).get(y).i64x2('extmul_high_i32x4_u')
    return this.shuffle32(1, 3, 5, 7)
  }
  wholeUnary(op: 'neg' | 'abs'): this {
    return this.i32x4(op)
  }
  compareI32(op: Comparison): this {
    return this.i32x4(signedComparisons[op])
  }
  shift(op: 'shl' | 'shr', by: number): this {
    return this.constant(by).i32x4(op === 'shl' ? 'shl' : 'shr_u')
  }
  shiftLanes(op: 'shl' | 'shr'): this {
    const [values, amounts] = [this.within('v128'), this.within('v128', 1)]
    this.set(amounts).set(values).get(values)
    for (let j = 0; j < 4; j++) {
      this.get(values).lane('i32x4.extract_lane', j).get(amounts).lane('i32x4.extract_lane', j)
      this.i32(op === 'shl' ? 'shl' : 'shr_u').withLane(j)
    }
    return this
  }
  truncate(): this {
    return this.i32x4('trunc_sat_f32x4_s')
  }
  convert(): this {
    return this.f32x4('convert_i32x4_s')
  }
  choose(): this {
    return this.options.relaxedSimd ? this.i32x4('relaxed_laneselect') : this.v128('bitselect')
  }
  rotate(by: number): this {
    const x = this.within('v128')
    return this.tee(x)
      .get(x)
      .shuffle32(...([0, 1, 2, 3].map((j) => (j + by) % 4) as Four))
  }
  sumsOfLanes(a: number, b: number, c: number, d: number): this {
    const [low, high] = [this.within('v128'), this.within('v128', 1)]
    // Turned, then added as rows.
    const pairs = (x: number, y: number): this =>
      this.get(x).get(y).shuffle32(0, 4, 1, 5).get(x).get(y).shuffle32(2, 6, 3, 7).f32x4('add')
    pairs(a, b).set(low)
    pairs(c, d).set(high)
    return this.get(low).get(high).shuffle32(0, 1, 4, 5).get(low).get(high).shuffle32(2, 3, 6, 7).f32x4('add')
  }

  // Masks.
  maskConstant(value: boolean): this {
    return this.constantI32x4(value ? -1 : 0)
  }
  maskFirst(count: number): this {
    return this.constantI32x4(...([0, 1, 2, 3].map((j) => (j < count ? -1 : 0)) as Four))
  }
  mask(op: 'and' | 'or' | 'xor' | 'not'): this {
    return this.v128(op)
  }
  nonzero(): this {
    return this.constantI32x4(0).i32x4('ne')
  }
  ones(dtype: 'f32' | 'i32'): this {
    return (dtype === 'f32' ? this.splatF32(1) : this.constantI32x4(1)).v128('and')
  }
  any(count: number): this {
    return count === 4 ? this.v128('any_true') : this.bits(count)
  }
  /** mask → one bit for each of the first lanes. */
  private bits(count: number): this {
    return this.i32x4('bitmask')
      .constant((1 << count) - 1)
      .i32('and')
  }

  // Memory.
  loadVector(offset: number, active: number): this {
    return this.vectorLoad(active === 1 ? 'v128.load32_zero' : 'v128.load', offset)
  }
  loadOrZero(offset: number, active: number): this {
    if (active !== 3) {
      const read = { 1: 'v128.load32_zero', 2: 'v128.load64_zero', 4: 'v128.load' } as const
      return this.vectorLoad(read[active as 1 | 2 | 4], offset)
    }
    const address = this.within('i32')
    this.tee(address).get(address).vectorLoad('v128.load64_zero', offset)
    return this.laneAccess('v128.load32_lane', 2, offset + 8)
  }
  prefetch(): this {
    return this.drop()
  }
  loadSplat(offset: number): this {
    return this.vectorLoad('v128.load32_splat', offset)
  }
  loadLanes(elements: readonly number[], offset: number, active: number): this {
    const address = this.within('i32')
    this.set(address)
    if (near(elements, active)) {
      this.get(address).vectorLoad('v128.load', offset)
      this.get(address).vectorLoad('v128.load', Math.max(...elements) < 4 ? offset : offset + 16)
      return this.shuffle32(...(elements as Four))
    }
    for (let j = 0; j < active; j++) this.get(address)
    this.loadSplat(offset + 4 * (elements[0] as number))
    for (let j = 1; j < active; j++) {
      this.laneAccess('v128.load32_lane', j, offset + 4 * (elements[j] as number))
    }
    return this
  }
  gather(active: number): this {
    const [address, at] = [this.within('i32'), this.within('v128')]
    this.set(at).set(address).get(at).shift('shl', 2).get(address).splat().i32x4('add').set(at)
    for (let j = active - 1; j >= 0; j--) this.get(at).lane('i32x4.extract_lane', j)
    this.loadSplat(0)
    for (let j = 1; j < active; j++) this.laneAccess('v128.load32_lane', j)
    return this
  }
  /** The vector from element max(-3, min(length - 1, int)). */
  loadInside(length: number): this {
    const at = this.within('i32')
    this.tee(at).constant(-3).get(at).constant(-3).i32('gt_s').select()
    this.tee(at)
      .constant(length - 1)
      .get(at)
      .constant(length - 1)
      .i32('lt_s')
      .select()
    return this.constant(2).i32('shl').i32('add').vectorLoad('v128.load')
  }
  gatherInside(length: number, active: number): this {
    this.constantI32x4(0).i32x4('max_s')
    return this.constantI32x4(length - 1)
      .i32x4('min_s')
      .gather(active)
  }
  storeVector(offset: number, active: number): this {
    if (active === 4) return this.vectorStore(offset)
    if (active === 1) return this.storeLane(0, offset)
    if (active === 2) return this.laneAccess('v128.store64_lane', 0, offset)
    const [address, values] = [this.within('i32'), this.within('v128')]
    this.set(values).tee(address).get(values).laneAccess('v128.store64_lane', 0, offset)
    return this.get(address)
      .get(values)
      .storeLane(2, offset + 8)
  }
  streamVector(offset: number): this {
    return this.vectorStore(offset)
  }
  storeLane(j: number, offset: number): this {
    return this.laneAccess('v128.store32_lane', j, offset)
  }
  storeLanes(elements: readonly number[], offset: number, active: number): this {
    const [address, values] = [this.within('i32'), this.within('v128')]
    this.set(values).set(address)
    for (let j = 0; j < active; j++) {
      this.get(address)
        .get(values)
        .storeLane(j, offset + 4 * (elements[j] as number))
    }
    return this
  }
  scatter(active: number): this {
    const [address, values, at] = [this.within('i32'), this.within('v128'), this.within('v128', 1)]
    this.set(values).set(at).set(address).get(at).shift('shl', 2).get(address).splat().i32x4('add').set(at)
    for (let j = 0; j < active; j++) this.get(at).lane('i32x4.extract_lane', j).get(values).storeLane(j, 0)
    return this
  }
  noteFailure(id: number, active: number, scratch: number): this {
    const { errorAddress } = this.options
    const [lanes, values] = [this.within('i32'), this.within('v128')]
    this.bits(active).set(lanes).set(values).get(lanes).if()
    this.constant(errorAddress)
      .constant(0)
      .constant(id + 1)
      .atomic('i32.atomic.rmw.cmpxchg')
    this.i32('eqz').if()
    this.get(scratch).get(values).vectorStore()
    this.constant(errorAddress)
    this.get(scratch).get(lanes).i32('ctz').constant(2).i32('shl').i32('add').loadInt()
    return this.storeInt(4).end().end()
  }
}

type Four = [number, number, number, number]

const signedComparisons: Readonly<Record<Comparison, keyof typeof opcodes.i32x4>> = {
  eq: 'eq',
  ne: 'ne',
  lt: 'lt_s',
  le: 'le_s',
  gt: 'gt_s',
  ge: 'ge_s',
}

/** Whether all lanes lie within two vectors from the first element on, so that hardly more is read than needed. */
function near(elements: readonly number[], active: number): boolean {
  if (elements.some((o) => o < 0 || o > 7)) return false
  return Math.max(...elements) < 4 || Math.max(...elements.slice(0, active)) >= 4
}
