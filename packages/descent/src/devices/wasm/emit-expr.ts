/**
 * Expressions as vector code: `value(e)` leaves a v128 on the stack whose lane j is the expression where the lane
 * variable is j further than its local says (without a lane variable: all lanes hold the same value). Booleans are
 * masks in vectors (all bits set or none) and 0 or 1 in memory.
 *
 * Shared parts are computed once, and each part in the outermost loop that has all it depends on.
 */
import { type Expr, operands } from '../../kernel/expr.ts'
import { addConstant, type Index, indexKey, variablesOf } from '../../kernel/index-expr.ts'
import type { BufferUse } from '../../kernel/kernel.ts'
import { expandMath } from '../../kernel/math.ts'
import { scratchParam, type Target } from './emit.ts'
import { IndexEmitter } from './emit-index.ts'
import { emitOperation } from './emit-operation.ts'
import type { FunctionBuilder } from './encode.ts'
import { Interner } from './intern.ts'

type Kind<K extends Expr['kind']> = Extract<Expr, { kind: K }>

/** Stands for the tile's value in the sets of what an expression depends on; results are numbered downwards. */
const tileId = -1
const hereId = -2
export function resultId(stage: number, slot: number): number {
  return -3 - (stage * 1024 + slot)
}

export class ExprEmitter extends IndexEmitter {
  readonly target: Target
  readonly buffers: readonly BufferUse[]
  /** Whether results and tile differ between lanes. */
  resultsByLane = true
  /** Buffers have the launch's size, so every index lies in them. */
  flat = false
  private readonly interner = new Interner()
  private readonly uses = new Map<Expr, number>()
  private readonly dependencies = new Map<Expr, ReadonlySet<number>>()
  /** Values that stand in locals: by the expression, or by `resultId`. */
  private readonly given = new Map<Expr | number, number>()
  private readonly scratch: number

  constructor(
    f: FunctionBuilder,
    target: Target,
    buffers: readonly BufferUse[],
    table?: number,
    scratch = scratchParam,
  ) {
    super(f, table)
    this.target = target
    this.buffers = buffers
    this.scratch = scratch
  }

  /** What `value` takes: only operations that the machine has, equal parts made one, and counted. */
  prepare(roots: readonly Expr[]): Expr[] {
    const memo = new Map<Expr, Expr>()
    const prepared = roots.map((e) => this.interner.intern(expandMath(e, memo)))
    const seen = new Set<Expr>()
    const count = (e: Expr): void => {
      this.uses.set(e, (this.uses.get(e) ?? 0) + 1)
      if (seen.has(e)) return
      seen.add(e)
      operands(e).forEach(count)
    }
    prepared.forEach(count)
    return prepared
  }

  usedOnce(e: Expr): boolean {
    return this.uses.get(e) === 1
  }

  /** The value of an expression that stands in a v128 local already. */
  give(e: Expr, local: number): void {
    this.given.set(e, local)
  }
  giveResult(stage: number, slot: number, local: number): void {
    this.given.set(resultId(stage, slot), local)
    this.bind(resultId(stage, slot), local)
  }
  giveTile(local: number): void {
    this.given.set(tileId, local)
    this.bind(tileId, local)
  }

  /** Leaves the value of a prepared expression on the stack. */
  value(e: Expr): void {
    const { f } = this
    const given = this.given.get(e.kind === 'result' ? resultId(e.stage, e.slot) : e.kind === 'tile' ? tileId : e)
    if (given !== undefined) {
      f.get(given)
      return
    }
    const depth = this.depthOfExpr(e)
    const known = this.scope(depth).vectors.get(e)
    if (known !== undefined) f.get(known)
    else if (depth === this.depth && (this.uses.get(e) ?? 2) < 2) this.compute(e)
    else if (depth === 0 && this.depth === 0 && e.kind === 'const') this.compute(e)
    else {
      const local = f.local('v128')
      this.inScope(depth, () => {
        this.compute(e)
        f.set(local)
      })
      this.scope(depth).vectors.set(e, local)
      f.get(local)
    }
  }

  private depthOfExpr(e: Expr): number {
    let depth = 0
    for (const id of this.dependenciesOf(e)) depth = Math.max(depth, this.depthOf(id))
    return depth
  }

  /** The loop variables, results… that an expression's value depends on. */
  private dependenciesOf(e: Expr): ReadonlySet<number> {
    let set = this.dependencies.get(e)
    if (!set) {
      const all = new Set<number>()
      for (const x of operands(e)) for (const id of this.dependenciesOf(x)) all.add(id)
      if (e.kind === 'load' || e.kind === 'index') variablesOf(e.index, all)
      else if (e.kind === 'gather') variablesOf(e.base, all)
      else if (e.kind === 'result') all.add(resultId(e.stage, e.slot))
      else if (e.kind === 'tile') all.add(tileId)
      if ((e.kind === 'load' || e.kind === 'gather') && this.buffers[e.buffer]?.access !== 'read') all.add(hereId)
      set = all
      this.dependencies.set(e, set)
    }
    return set
  }

  /** Whether lanes may hold different values. */
  private variesByLane(e: Expr): boolean {
    if (this.lane === null) return false
    for (const id of this.dependenciesOf(e)) {
      if (id === this.lane || (this.resultsByLane && id < hereId) || id === tileId) return true
    }
    return false
  }

  private compute(e: Expr): void {
    const { f } = this
    switch (e.kind) {
      case 'const':
        if (e.dtype === 'f32') f.splatF32(e.value)
        else f.constantI32x4(e.dtype === 'bool' ? (e.value === 0 ? 0 : -1) : e.value)
        return
      case 'load':
        this.load(e)
        if (e.dtype === 'bool') f.constantI32x4(0).i32x4('ne')
        return
      case 'gather':
        this.gather(e)
        if (e.dtype === 'bool') f.constantI32x4(0).i32x4('ne')
        return
      case 'check':
        this.check(e)
        return
      case 'index':
        this.indexVector(e.index)
        return
      case 'result':
      case 'tile':
        throw new Error(`a ${e.kind} where there is none`)
      default:
        if (this.fused(e)) return
        emitOperation(e, this, this.target.relaxedSimd, (x) => this.variesByLane(x))
    }
  }

  /** A product that is only added to something, in one instruction. */
  private fused(e: Expr): boolean {
    if (e.kind !== 'binary' || e.dtype !== 'f32' || !this.target.relaxedSimd) return false
    if (e.op !== 'add' && e.op !== 'sub') return false
    const depth = this.depthOfExpr(e)
    const product = (x: Expr): x is Kind<'binary'> =>
      x.kind === 'binary' && x.op === 'mul' && this.usedOnce(x) && !this.given.has(x) && this.depthOfExpr(x) === depth
    const side = product(e.b) ? e.b : e.op === 'add' && product(e.a) ? e.a : null
    if (!side) return false
    this.value(side.a)
    this.value(side.b)
    this.value(side === e.b ? e.a : e.b)
    this.f.f32x4(e.op === 'add' ? 'relaxed_madd' : 'relaxed_nmadd')
    return true
  }

  private indexVector(x: Index): void {
    const { f } = this
    const offsets = this.laneOffsets(x)
    this.index(x)
    f.i32x4('splat')
    if (offsets === null) {
      for (let j = 1; j < this.active; j++) {
        this.index(this.shifted(x, j))
        f.lane('i32x4.replace_lane', j)
      }
    } else if (offsets.some((o) => o !== 0)) {
      f.constantI32x4(...(offsets as [number, number, number, number])).i32x4('add')
    }
  }

  private load({ buffer, index, guarded }: Kind<'load'>): void {
    const { f } = this
    const step = this.laneStep(index)
    const length = (this.buffers[buffer] as BufferUse).length
    if (guarded && !this.flat) {
      if (step === 0) {
        this.clampedAddress(buffer, index, 0, length)
        f.vectorLoad('v128.load32_splat')
      } else if (step === 1) {
        this.clampedAddress(buffer, index, -3, length)
        f.vectorLoad('v128.load')
      } else {
        this.byLane((j) => {
          this.clampedAddress(buffer, this.shifted(index, j), 0, length)
          return 0
        })
      }
      return
    }
    if (step === 0 || step === 1) {
      const { local, offset } = this.address(buffer, index)
      f.get(local).vectorLoad(step === 0 ? 'v128.load32_splat' : 'v128.load', offset)
    } else if (step === -1) {
      const { local, offset } = this.address(buffer, addConstant(index, -3))
      f.get(local).vectorLoad('v128.load', offset)
      f.get(local).vectorLoad('v128.load', offset).shuffle32(3, 2, 1, 0)
    } else if (this.near(index)) {
      const offsets = this.laneOffsets(index) as [number, number, number, number]
      const { local, offset } = this.address(buffer, index)
      f.get(local).vectorLoad('v128.load', offset)
      f.get(local).vectorLoad('v128.load', Math.max(...offsets) < 4 ? offset : offset + 16)
      f.shuffle32(...offsets)
    } else if (step !== null && step > 0) {
      const { local, offset } = this.address(buffer, index)
      this.byLane((j) => {
        f.get(local)
        return offset + 4 * step * j
      })
    } else {
      this.byLane((j) => {
        const { local, offset } = this.address(buffer, this.shifted(index, j))
        f.get(local)
        return offset
      })
    }
  }

  /** Whether all lanes lie within two vectors from the first on, so that hardly more is read than needed. */
  private near(index: Index): boolean {
    const offsets = this.laneOffsets(index)
    if (!offsets || offsets.some((o) => o < 0 || o > 7)) return false
    return Math.max(...offsets) < 4 || Math.max(...offsets.slice(0, this.active)) >= 4
  }

  /** Loads the active lanes one by one; `address` leaves lane j's address and returns a constant to add to it. */
  private byLane(address: (j: number) => number): void {
    const { f } = this
    const count = this.lane === null ? 1 : this.active
    f.vectorLoad('v128.load32_splat', address(0))
    if (count === 1) return
    const sum = this.temporary('v128')
    f.set(sum)
    for (let j = 1; j < count; j++) {
      const offset = address(j)
      f.get(sum).laneAccess('v128.load32_lane', j, offset)
      f.set(sum)
    }
    f.get(sum)
    this.done('v128', sum)
  }

  /** The address of element max(low, min(length - 1, index)). */
  private clampedAddress(buffer: number, index: Index, low: number, length: number): void {
    const { f } = this
    const depth = this.depthOfIndex(index)
    const at = this.temporary('i32')
    const local = this.scalar(`clamped ${buffer} ${low} ${indexKey(index)}`, depth, () => {
      this.index(index)
      f.tee(at).constant(low).get(at).constant(low).i32('gt_s').select()
      f.tee(at)
        .constant(length - 1)
        .get(at)
        .constant(length - 1)
        .i32('lt_s')
        .select()
      f.constant(2).i32('shl').get(this.base(buffer)).i32('add')
    })
    this.done('i32', at)
    f.get(local)
  }

  private gather({ buffer, base, stride, position }: Kind<'gather'>): void {
    const { f } = this
    const length = (this.buffers[buffer] as BufferUse).length
    const step = this.laneStep(base)
    if (!this.variesByLane(position) && (step === 0 || step === 1)) {
      const at = this.temporary('i32')
      this.value(position)
      f.lane('i32x4.extract_lane', 0)
      if (stride !== 1) f.constant(stride).i32('mul')
      this.index(base)
      f.i32('add')
      if (length > 0)
        f.tee(at)
          .constant(length - 1)
          .get(at)
          .constant(length - 1)
          .i32('lt_u')
          .select()
      f.constant(2).i32('shl').get(this.base(buffer)).i32('add')
      f.vectorLoad(step === 0 ? 'v128.load32_splat' : 'v128.load')
      this.done('i32', at)
      return
    }
    const at = this.temporary('v128')
    this.value(position)
    if (stride !== 1) f.constantI32x4(stride).i32x4('mul')
    this.indexVector(base)
    f.i32x4('add')
    if (length > 0) f.constantI32x4(length - 1).i32x4('min_u')
    f.constant(2).i32x4('shl').get(this.base(buffer)).i32x4('splat').i32x4('add').set(at)
    this.byLane((j) => {
      f.get(at).lane('i32x4.extract_lane', j)
      return 0
    })
    this.done('v128', at)
  }

  /** Lanes outside of [0, size) become 0, and the first of them is noted. */
  private check({ x, size, id }: Kind<'check'>): void {
    const { f } = this
    const values = this.temporary('v128')
    const bad = this.temporary('v128')
    const lanes = this.temporary('i32')
    this.value(x)
    f.tee(values).constantI32x4(size).i32x4('ge_u').tee(bad)
    f.i32x4('bitmask')
      .constant((1 << this.active) - 1)
      .i32('and')
      .tee(lanes)
      .if()
    f.constant(this.target.errorAddress)
      .constant(0)
      .constant(id + 1)
      .atomic('i32.atomic.rmw.cmpxchg')
    f.i32('eqz').if()
    f.get(this.scratch).get(values).vectorStore()
    f.constant(this.target.errorAddress)
    f.get(this.scratch).get(lanes).i32('ctz').constant(2).i32('shl').i32('add').load('i32.load')
    f.store('i32.store', 4)
    f.end().end()
    f.get(values).get(bad).v128('andnot')
    this.done('v128', values, bad)
    this.done('i32', lanes)
  }

  /** Stores the v128 in a local; inactive lanes write nothing. */
  store(buffer: number, index: Index, local: number, dtype: Expr['dtype']): void {
    const { f } = this
    if (dtype === 'bool') f.get(local).constantI32x4(1).v128('and').set(local)
    const step = this.laneStep(index)
    const lane = (j: number, at: Index, extra = 0): void => {
      const address = this.address(buffer, at)
      f.get(address.local)
        .get(local)
        .laneAccess('v128.store32_lane', j, address.offset + extra)
    }
    if (this.lane === null) lane(0, index)
    else if (step === 0) lane(this.active - 1, index)
    else if (step === 1) {
      const address = this.address(buffer, index)
      f.get(address.local).get(local)
      if (this.active === 4) f.vectorStore(address.offset)
      else if (this.active === 1) f.laneAccess('v128.store32_lane', 0, address.offset)
      else {
        f.laneAccess('v128.store64_lane', 0, address.offset)
        if (this.active === 3)
          f.get(address.local)
            .get(local)
            .laneAccess('v128.store32_lane', 2, address.offset + 8)
      }
    } else if (step !== null && step > 0) for (let j = 0; j < this.active; j++) lane(j, index, 4 * step * j)
    else for (let j = 0; j < this.active; j++) lane(j, this.shifted(index, j))
  }
}
