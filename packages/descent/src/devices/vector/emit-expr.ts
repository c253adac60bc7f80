/**
 * Expressions as vector code: `value(e)` leaves a vector on the stack whose lane j is the expression where the lane
 * variable is j further than its local says (without a lane variable: all lanes hold the same value). Booleans are
 * masks, and 0 or 1 in memory.
 *
 * Shared parts are computed once, and each part in the outermost loop that has all it depends on.
 */
import { type Expr, operands } from '../../kernel/expr.ts'
import { add, addConstant, type Index, indexKey, range, scale, variablesOf } from '../../kernel/index-expr.ts'
import type { BufferUse } from '../../kernel/kernel.ts'
import { expandMath } from '../../kernel/math.ts'
import type { Code } from './code.ts'
import { IndexEmitter } from './emit-index.ts'
import { emitOperation } from './emit-operation.ts'
import { Interner } from './intern.ts'
import { scratchParam, type Target } from './target.ts'

type Of<K extends Expr['kind']> = Extract<Expr, { kind: K }>

/** What holds values of that type while they are computed with. */
export function kindOf(dtype: Expr['dtype']): 'vector' | 'mask' {
  return dtype === 'bool' ? 'mask' : 'vector'
}

/** Stands for the tile's value in the sets of what an expression depends on; results are numbered downwards. */
const tileId = -1
const hereId = -2
/** Positions of gathers are numbered downwards from here, far below results. */
const firstPositionId = -(2 ** 24)
export function resultId(stage: number, slot: number): number {
  return -3 - (stage * 1024 + slot)
}

export class ExprEmitter extends IndexEmitter {
  readonly buffers: readonly BufferUse[]
  /** Whether stores may go past the caches. */
  streams = false
  /** Whether results and tile differ between lanes. */
  resultsByLane = true
  /** Buffers have the launch's size, so every index lies in them. */
  flat = false
  private readonly interner = new Interner()
  private readonly uses = new Map<Expr, number>()
  private readonly dependencies = new Map<Expr, ReadonlySet<number>>()
  /** Values that stand in locals: by the expression, or by `resultId`. */
  private readonly given = new Map<Expr | number, number>()
  /** What whole numbers that are positions of gathers are bound as. */
  private readonly positions: { readonly position: Expr; readonly last: number }[] = []
  private readonly scratch: number

  constructor(f: Code, target: Target, buffers: readonly BufferUse[], table?: number, scratch = scratchParam) {
    super(f, target, table)
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

  /** The value of an expression that stands in a local already. */
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
    if (e.kind === 'const' && this.target.freeConstants) {
      this.compute(e)
      return
    }
    const depth = this.depthOfExpr(e)
    const known = this.scope(depth).vectors.get(e)
    if (known !== undefined) f.get(known)
    else if (depth === this.depth && (this.uses.get(e) ?? 2) < 2) this.compute(e)
    else if (depth === 0 && this.depth === 0 && e.kind === 'const') this.compute(e)
    else {
      const local = f.local(kindOf(e.dtype))
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
        else if (e.dtype === 'i32') f.splatI32(e.value)
        else f.maskConstant(e.value !== 0)
        return
      case 'load':
        this.load(e)
        if (e.dtype === 'bool') f.nonzero()
        return
      case 'gather':
        this.gather(e)
        if (e.dtype === 'bool') f.nonzero()
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
        if (!this.fused(e)) emitOperation(e, this)
    }
  }

  /** A product that is only added to something, in one instruction. */
  private fused(e: Expr): boolean {
    if (e.kind !== 'binary' || e.dtype !== 'f32' || !this.target.fused) return false
    if (e.op !== 'add' && e.op !== 'sub') return false
    const depth = this.depthOfExpr(e)
    const product = (x: Expr): x is Of<'binary'> =>
      x.kind === 'binary' && x.op === 'mul' && this.usedOnce(x) && !this.given.has(x) && this.depthOfExpr(x) === depth
    const side = product(e.b) ? e.b : e.op === 'add' && product(e.a) ? e.a : null
    if (!side) return false
    this.value(side.a)
    this.value(side.b)
    this.value(side === e.b ? e.a : e.b)
    if (e.op === 'add') this.f.multiplyAdd()
    else this.f.multiplySubtract()
    return true
  }

  private load({ buffer, index, guarded }: Of<'load'>): void {
    const { f, active } = this
    if (guarded && !this.flat) {
      this.loadGuarded(buffer, index)
      return
    }
    const offsets = this.laneOffsets(index)
    if (offsets !== null) {
      const step = this.laneStep(index)
      const { low, elements } = this.fromLowest(offsets)
      const address = this.address(buffer, addConstant(index, low))
      this.pushAddress(address)
      if (step === 0) f.loadSplat(address.offset)
      else if (step === 1) f.loadVector(address.offset, active)
      else f.loadLanes(elements, address.offset, active)
    } else if (this.byLane) {
      this.eachLane((j) => {
        const address = this.address(buffer, this.shifted(index, j))
        this.pushAddress(address)
        return address.offset
      })
    } else {
      f.get(this.base(buffer))
      this.indexVector(index)
      f.gather(active)
    }
  }

  /** A load that must not read outside of the buffer, whatever its index. */
  private loadGuarded(buffer: number, index: Index): void {
    const { f, active } = this
    const { length } = this.buffers[buffer] as BufferUse
    const step = this.laneStep(index)
    if (step === 0) {
      this.clampedAddress(buffer, index, length)
      f.loadSplat(0)
    } else if (step === 1) {
      f.get(this.base(buffer))
      this.index(index)
      f.loadInside(length, active)
    } else if (this.byLane) {
      this.eachLane((j) => {
        this.clampedAddress(buffer, this.shifted(index, j), length)
        return 0
      })
    } else {
      f.get(this.base(buffer))
      this.indexVector(index)
      f.gatherInside(length, active)
    }
  }

  /** Loads the active lanes one by one; `address` leaves lane j's address and returns a constant to add to it. */
  private eachLane(address: (j: number) => number): void {
    const { f } = this
    f.loadSplat(address(0))
    for (let j = 1; j < this.active; j++) f.loadInt(address(j)).withLane(j)
  }

  /** Leaves the address of element max(0, min(length - 1, index)). */
  private clampedAddress(buffer: number, index: Index, length: number): void {
    const { f } = this
    const at = this.temporary('int')
    const element = this.scalar(`clamped ${length} ${indexKey(index)}`, this.depthOfIndex(index), () => {
      this.index(index)
      f.tee(at).constant(0).get(at).constant(0).int('gt_s').pick()
      f.tee(at)
        .constant(length - 1)
        .get(at)
        .constant(length - 1)
        .int('lt_s')
        .pick()
    })
    this.done('int', at)
    f.get(this.base(buffer))
    this.addElements(element)
  }

  private gather({ buffer, base, stride, position }: Of<'gather'>): void {
    const { f, active } = this
    const { length } = this.buffers[buffer] as BufferUse
    const step = this.laneStep(base)
    const one = !this.variesByLane(position) && (step === 0 || step === 1)
    const index = one && stride > 0 ? this.gathered(base, stride, position, length) : null
    if (index) {
      const address = this.address(buffer, index)
      this.pushAddress(address)
      if (step === 0) f.loadSplat(address.offset)
      else f.loadVector(address.offset, active)
      return
    }
    if (one) {
      // Positions that are out of range, which no check has let through, read something that is in it.
      const last = Math.max(0, length - (step === 0 ? 1 : active))
      const at = this.temporary('int')
      this.value(position)
      f.firstLane()
      if (stride !== 1) f.constant(stride).int('mul')
      this.index(base)
      f.int('add').set(at)
      if (length > 0) f.get(at).constant(last).get(at).constant(last).int('lt_u').pick().set(at)
      f.get(this.base(buffer))
      this.addElements(at)
      if (step === 0) f.loadSplat(0)
      else f.loadVector(0, active)
      this.done('int', at)
      return
    }
    const at = this.temporary('vector')
    this.value(position)
    if (stride !== 1) f.splatI32(stride).whole('mul')
    this.indexVector(base)
    f.whole('add')
    if (length > 0) f.splatI32(length - 1).whole('min_u')
    f.set(at).get(this.base(buffer)).get(at).gather(active)
    this.done('vector', at)
  }

  /** Asks for so many lines from where a prepared gather begins. */
  prefetch({ buffer, base, stride, position }: Of<'gather'>, lines: number): void {
    const { length } = this.buffers[buffer] as BufferUse
    const index = this.gathered(base, stride, position, length)
    if (!index) return
    const address = this.address(buffer, index)
    for (let line = 0; line < lines; line++) {
      this.pushAddress(address)
      this.f.prefetch(address.offset + 64 * line)
    }
  }

  /**
   * The index of what is gathered from one position, which becomes a whole number in the loop that it changes in; null where
   * a position may lie in the buffer for one element and not for another.
   */
  private gathered(base: Index, stride: number, position: Expr, length: number): Index | null {
    const { f } = this
    const { low, high } = range(base)
    /** The last position that lies in the buffer for all elements. */
    const last = Math.floor((length - 1 - high) / stride)
    if (low < 0 || last < 0) return null
    const sure = position.kind === 'check' && position.size - 1 <= last
    if (!sure && last < Math.floor((length - 1 - low) / stride)) return null
    const id = this.positionId(position, last)
    const depth = this.depthOfExpr(position)
    const local = this.scalar(`position ${id}`, depth, () => {
      this.value(position)
      f.firstLane()
      if (sure) return
      // Positions that are out of range, which no check has let through, read something that is in it.
      const at = this.temporary('int')
      f.tee(at).constant(last).get(at).constant(last).int('lt_u').pick()
      this.done('int', at)
    })
    this.bindIn(depth, id, local)
    return add(
      base,
      scale({ offset: 0, terms: [{ coefficient: 1, atom: { kind: 'variable', id, size: last + 1 } }] }, stride),
    )
  }

  private positionId(position: Expr, last: number): number {
    const known = this.positions.findIndex((p) => p.position === position && p.last === last)
    return firstPositionId - (known >= 0 ? known : this.positions.push({ position, last }) - 1)
  }

  /** Lanes outside of [0, size) become 0, and the first of them is noted. */
  private check({ x, size, id }: Of<'check'>): void {
    const { f } = this
    const values = this.temporary('vector')
    const bad = this.temporary('mask')
    this.value(x)
    f.set(values)
    if (size === 0) f.maskConstant(true)
    else
      f.get(values)
        .splatI32(size - 1)
        .whole('min_u')
        .get(values)
        .compareI32('ne')
    f.set(bad)
    f.get(values).get(bad).noteFailure(id, this.active, this.scratch)
    f.splatI32(0).get(values).get(bad).choose()
    this.done('vector', values)
    this.done('mask', bad)
  }

  /**
   * The lowest of the lanes' offsets, and how far from it each lane is. Only lanes that count: the others may lie before
   * the buffer, where an address below 0 would become one beyond the end of memory (see Target.scaledAddresses).
   */
  private fromLowest(offsets: readonly number[]): { low: number; elements: readonly number[] } {
    const low = Math.min(...offsets.slice(0, this.active))
    return { low, elements: offsets.map((o, j) => (j < this.active ? o - low : 0)) }
  }

  /** Stores the value in a local; lanes that do not count write nothing. */
  store(buffer: number, index: Index, local: number, dtype: Expr['dtype']): void {
    const { f, active } = this
    const push = (): Code => (dtype === 'bool' ? f.get(local).ones('i32') : f.get(local))
    const storeLane = (j: number, at: Index): void => {
      const address = this.address(buffer, at)
      this.pushAddress(address)
      push().storeLane(j, address.offset)
    }
    const step = this.laneStep(index)
    const offsets = this.laneOffsets(index)
    if (this.lane === null) storeLane(0, index)
    else if (step === 0) storeLane(active - 1, index)
    else if (offsets !== null) {
      const { low, elements } = this.fromLowest(offsets)
      const address = this.address(buffer, addConstant(index, low))
      this.pushAddress(address)
      push()
      const streamed = this.streams && active === this.lanes && this.isStreamed(buffer)
      if (step === 1 && streamed) f.streamVector(address.offset)
      else if (step === 1) f.storeVector(address.offset, active)
      else f.storeLanes(elements, address.offset, active)
    } else if (this.byLane) for (let j = 0; j < active; j++) storeLane(j, this.shifted(index, j))
    else {
      f.get(this.base(buffer))
      this.indexVector(index)
      push().scatter(active)
    }
  }

  private isStreamed(buffer: number): boolean {
    const { access, length } = this.buffers[buffer] as BufferUse
    return access === 'write' && 4 * length >= this.target.streamBytes
  }
}
