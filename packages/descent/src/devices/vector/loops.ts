/**
 * Loop kernels as vector code.
 *
 * Rows are cut into units: a block of the innermost row axis, for one point of the others. A chunk is so many units that
 * it is worth a thread's while. Where there are few rows and much to do in each, the kernel is first cut into several
 * that run one after the other (see loop-split.ts).
 */

import { contiguousStrides } from '../../dtype.ts'
import { type Expr, mapExpr } from '../../kernel/expr.ts'
import { addConstant, dot, type Index, substitute, variable } from '../../kernel/index-expr.ts'
import type { Axis, LoopKernel, Stage } from '../../kernel/kernel.ts'
import type { Written } from './code.ts'
import { ExprEmitter, kindOf } from './emit-expr.ts'
import { gathersAhead } from './gather-ahead.ts'
import { type Choice, chooseLanes, joinLoops, mapIndices, nextId, points, stageRoots } from './loop-shape.ts'
import { splitKernel } from './loop-split.ts'
import { type Accumulator, join, joinLanes, newAccumulator, resultLocal, start, step } from './reduction.ts'
import {
  bindParam,
  type EmitKernel,
  type EmittedKernel,
  endParam,
  newBody,
  type Phase,
  startParam,
  type Target,
} from './target.ts'

/** A chunk should take about this long on one thread. */
const chunkNanoseconds = 5000
const lineBytes = 64

export const emitLoops: EmitKernel<LoopKernel> = (kernel, target) => {
  const joined = joinLoops(kernel)
  const choice = chooseLanes(joined, target.lanes)
  const split = splitKernel(joined, choice)
  const phases: Phase[] = []
  let work = 0
  for (const part of split?.parts ?? [joined]) {
    const shaped = split ? joinLoops(part) : part
    const chosen = split ? chooseLanes(shaped, target.lanes) : choice
    work += chosen.cost
    phases.push(new LoopEmitter(shaped, chosen, target).emit())
  }
  const result: EmittedKernel = {
    phases,
    sharedBytes: split?.sharedBytes ?? 0,
    scratchBytes: 64,
    work: (size) => (size === null ? work : work * size),
  }
  return result
}

/** A stage's expressions made ready, for each of the copies of an unrolled loop. */
interface Ready {
  readonly reductions: readonly Expr[]
  readonly positions: readonly (Expr | null)[]
  readonly stores: readonly { readonly buffer: number; readonly index: Index; readonly value: Expr }[]
}

/** Slots of results in copy u of a row. */
const slotsPerCopy = 128

class LoopEmitter {
  readonly kernel: LoopKernel
  readonly choice: Choice
  readonly e: ExprEmitter
  /** Lanes of a vector. */
  readonly width: number
  /** The row axis that units are blocks of, and the others. */
  readonly inner: Axis | null
  readonly outer: readonly Axis[]
  readonly rowLanes: boolean
  readonly block: number
  /** How many vectors of rows go together. */
  readonly rowCopies: number

  constructor(kernel: LoopKernel, choice: Choice, target: Target) {
    this.kernel = kernel
    this.choice = choice
    this.width = target.lanes
    this.e = new ExprEmitter(newBody(target), target, kernel.buffers)
    this.e.flat = kernel.flat
    const { lanes } = choice
    this.rowLanes = lanes.kind === 'row'
    this.e.resultsByLane = this.rowLanes
    this.inner = lanes.kind === 'row' ? lanes.axis : (kernel.rows.at(-1) ?? null)
    this.outer = kernel.rows.filter((a) => a !== this.inner)
    const reduces = kernel.stages.some((s) => s.reductions.length > 0 && s.axes.length > 0)
    const simple = kernel.stages.reduce((n, s) => n + s.reductions.length, 0) <= 3
    this.rowCopies =
      this.rowLanes && reduces && simple && !kernel.flat && (this.inner as Axis).size >= 4 * this.width
        ? target.copies
        : 1
    this.block = this.blockSize()
  }

  /** Nanoseconds for one row. */
  private rowCost(): number {
    return this.choice.cost / (this.kernel.flat ? 1 : Math.max(1, points(this.kernel.rows)))
  }
  private blockSize(): number {
    if (!this.inner) return 1
    const wanted = Math.max(1, chunkNanoseconds / Math.max(this.rowCost(), 1e-3))
    const several = 4 * this.width
    if (this.kernel.flat) return Math.ceil(Math.min(wanted, 1 << 20) / several) * several
    if (wanted >= this.inner.size * 0.75) return this.inner.size
    const grain = this.rowLanes ? this.width * this.rowCopies : 1
    return Math.ceil(wanted / grain) * grain
  }

  emit(): Phase {
    const { e, kernel, inner, outer, block } = this
    const { f } = e
    if (kernel.stages.length === 0 || (!kernel.flat && points(kernel.rows) === 0)) return { body: f, chunks: () => 0 }
    const blocks = inner && !kernel.flat ? Math.ceil(inner.size / block) : 1
    const units = points(outer) * blocks
    const unitCost = this.rowCost() * (inner ? Math.min(block, kernel.flat ? block : inner.size) : 1)
    const perChunk = Math.max(1, Math.floor(chunkNanoseconds / Math.max(unitCost, 1e-3)))
    const chunksOf = (size: number | null): number =>
      Math.ceil((kernel.flat ? Math.ceil((size as number) / block) : units) / perChunk)

    const ready = this.prepare()
    const unit = f.local('int')
    const last = f.local('int')
    const rest = f.local('int')
    const low = f.local('int')
    const high = f.local('int')
    const digits = outer.map((axis) => ({ axis, local: f.local('int') }))

    // unit = start · perChunk; last = min(end · perChunk, units)
    f.get(startParam).constant(perChunk).int('mul').set(unit)
    if (kernel.flat) {
      const size = f.local('int')
      f.get(bindParam).loadAddress(kernel.buffers.length).set(size)
      e.open()
      this.rows(ready, low, high)
      const code = e.close()
      // Without other axes a chunk is one range of rows.
      f.get(unit).constant(block).int('mul').set(low)
      f.get(endParam)
        .constant(perChunk * block)
        .int('mul')
        .set(high)
      f.get(high).get(size).get(high).get(size).int('lt_u').pick().set(high)
      f.append(code)
      return { body: f, chunks: chunksOf }
    }
    f.get(endParam).constant(perChunk).int('mul').tee(last).constant(units)
    f.get(last).constant(units).int('lt_u').pick().set(last)
    e.open()
    for (const { axis, local } of digits) e.bind(axis.id, local)
    const nearest = digits.at(-1)
    if (this.rowLanes && nearest) this.askAhead(nearest.axis, nearest.local, low)
    if (inner) this.rows(ready, low, high)
    else this.row(ready, 1)
    const code = e.close()
    const done = f.block()
    const again = f.loop()
    f.get(unit).get(last).int('ge_u').brIf(done)
    f.get(unit).set(rest)
    if (inner) {
      if (blocks > 1) {
        f.get(rest).constant(blocks).int('rem_u').constant(block).int('mul').set(low)
        f.get(rest).constant(blocks).int('div_u').set(rest)
        f.get(low).constant(block).int('add').tee(high).constant(inner.size)
        f.get(high).constant(inner.size).int('lt_u').pick().set(high)
      } else {
        f.constant(0).set(low)
        f.constant(inner.size).set(high)
      }
    }
    digits.toReversed().forEach(({ axis, local }, i) => {
      if (i === digits.length - 1) f.get(rest).set(local)
      else {
        f.get(rest).constant(axis.size).int('rem_u').set(local)
        f.get(rest).constant(axis.size).int('div_u').set(rest)
      }
    })
    f.append(code)
    f.get(unit).constant(1).int('add').set(unit)
    f.br(again).end().end()
    return { body: f, chunks: chunksOf }
  }

  /** Expressions for every stage and every copy that may be needed. */
  private prepare(): Ready[][] {
    const { e, kernel, choice } = this
    return kernel.stages.map((stage, s) => {
      const { lanes } = choice
      const lane = lanes.kind === 'row' ? lanes.axis : (lanes.axes[s] ?? null)
      const copies = lanes.kind === 'row' ? this.rowCopies : innerCopies(stage, lane, this.width, e.target.copies)
      const strides = contiguousStrides(stage.axes.map((a) => a.size))
      const position = dot(
        stage.axes.map((a) => variable(a.id, a.size)),
        strides,
      )
      return Array.from({ length: copies }, (_, u) => {
        const memo = new Map<Expr, Expr>()
        // The variable ends where the copy still lies in the axis: no range of an index becomes larger than it is.
        const further = this.width * u
        const moved = (x: Index): Index =>
          u === 0 || !lane
            ? x
            : substitute(x, new Map([[lane.id, addConstant(variable(lane.id, lane.size - further), further)]]))
        const ofCopy = (x: Expr): Expr => {
          const shifted = mapIndices(x, moved, memo)
          return this.rowLanes && u > 0 ? otherResults(shifted, u) : shifted
        }
        const positions = stage.reductions.map((r): Expr | null =>
          r.op === 'argmax' || r.op === 'argmin' ? { kind: 'index', dtype: 'i32', index: moved(position) } : null,
        )
        const roots = stageRoots(stage).map(ofCopy)
        const prepared = e.prepare([...roots, ...positions.filter((p) => p !== null)])
        let next = roots.length
        return {
          reductions: prepared.slice(0, stage.reductions.length),
          positions: positions.map((p) => (p === null ? null : (prepared[next++] as Expr))),
          stores: stage.stores.map((store, i) => ({
            buffer: store.buffer,
            index: moved(store.index),
            value: prepared[stage.reductions.length + i] as Expr,
          })),
        }
      })
    })
  }

  /** Prefetches what later rows along the axis gather; `low`: the local with their first lane's number. */
  private askAhead(axis: Axis, local: number, low: number | null): void {
    const { e, kernel } = this
    const { f } = e
    if (!e.target.prefetches || kernel.flat) return
    const id = nextId(kernel)
    if (low !== null) e.bind(id, low)
    for (const { start, row, rows, lines } of gathersAhead(kernel, axis, low === null ? null : this.inner, id)) {
      const later = f.local('int')
      f.get(local).constant(rows).int('add').tee(later)
      f.constant(axis.size - 1)
        .get(later)
        .constant(axis.size - 1)
        .int('lt_u')
        .pick()
        .set(later)
      e.bind(row, later)
      const [prepared] = e.prepare([start]) as [typeof start]
      e.prefetch(prepared, lines)
    }
  }

  /** The rows of one unit: low ≤ inner variable < high. */
  private rows(ready: Ready[][], low: number, high: number): void {
    const { e, kernel, width } = this
    const { f } = e
    const inner = this.inner as Axis
    const v = f.local('int')
    f.get(low).set(v)
    /** `step` rows at a time while there are as many; fewer than a vector's lanes: in its first lanes. */
    const pass = (step: number, copies = 1): void => {
      if (!kernel.flat && inner.size < step) return
      const code = vectors(step, copies)
      const done = f.block()
      f.get(v).constant(step).int('add').get(high).int('gt_u').brIf(done)
      const again = f.loop()
      f.append(code)
      f.get(v).constant(step).int('add').tee(v)
      f.constant(step).int('add').get(high).int('le_u').brIf(again)
      f.end().end()
    }
    const vectors = (rows: number, copies: number): Written => {
      e.open()
      e.bind(inner.id, v)
      e.lane = this.rowLanes && rows > 1 ? inner.id : null
      e.laneSize = inner.size
      e.active = e.lane === null ? width : Math.min(rows, width)
      if (!this.rowLanes) this.askAhead(inner, v, null)
      this.row(ready, copies)
      const code = e.close()
      e.lane = null
      e.active = width
      return code
    }
    if (!this.rowLanes) {
      pass(1)
      return
    }
    const several = width * this.rowCopies
    if (this.rowCopies > 1) pass(several, this.rowCopies)
    if (this.rowCopies === 1 || inner.size % several >= width) pass(width)
    if (kernel.flat) {
      for (let n = width / 2; n > 1 && width > 4; n /= 2) pass(n)
      pass(1)
    } else if (inner.size % width !== 0) {
      const code = vectors(inner.size % width, 1)
      const done = f.block()
      f.get(v).get(high).int('ge_u').brIf(done)
      f.append(code)
      f.end()
    }
  }

  /** All stages for the row (or vectors of rows) that is bound. */
  private row(ready: Ready[][], copies: number): void {
    this.kernel.stages.forEach((stage, s) => {
      const stageReady = ready[s] as Ready[]
      this.e.streams = this.fillsLines(stage)
      if (this.rowLanes) this.stageByRows(stage, s, stageReady.slice(0, copies))
      else this.stageInside(stage, s, stageReady)
    })
  }

  /** Whether vectors stored one after the other lie next to each other: parts of cache lines must not be streamed. */
  private fillsLines({ axes }: Stage): boolean {
    return !this.kernel.flat && (!this.rowLanes || axes.length === 0 || 4 * this.width >= lineBytes)
  }

  private accumulators(stage: Stage, ready: Ready): Accumulator[] {
    return stage.reductions.map((r, i) =>
      newAccumulator(this.e, r.op, ready.reductions[i] as Expr, ready.positions[i] as Expr | null),
    )
  }

  private stageByRows(stage: Stage, s: number, ready: readonly Ready[]): void {
    const { e } = this
    const all = ready.map((r) => this.accumulators(stage, r))
    for (const a of all.flat()) start(e, a)
    this.nest(stage.axes, () => {
      ready.forEach((r, u) => {
        for (const a of all[u] as Accumulator[]) step(e, a, false)
        this.store(r)
      })
    })
    all.forEach((list, u) => {
      for (const [slot, a] of list.entries()) e.giveResult(s, slot + u * slotsPerCopy, resultLocal(a))
    })
  }

  private stageInside(stage: Stage, s: number, ready: readonly Ready[]): void {
    const { e, choice } = this
    const axis = choice.lanes.kind === 'inner' ? (choice.lanes.axes[s] ?? null) : null
    const first = ready[0] as Ready
    const all = ready.map((r) => this.accumulators(stage, r))
    for (const a of all.flat()) start(e, a)
    const main = all[0] as Accumulator[]
    if (!axis) {
      this.nest(stage.axes, () => {
        for (const a of main) step(e, a, false)
        this.store(first)
      })
    } else {
      const others = stage.axes.filter((a) => a !== axis)
      this.nest(others, () => this.along(axis, ready, all))
      for (const list of all.slice(1)) {
        for (const [slot, a] of list.entries()) join(e, main[slot] as Accumulator, a)
      }
      for (const a of main) joinLanes(e, a)
    }
    for (const [slot, a] of main.entries()) e.giveResult(s, slot, resultLocal(a))
  }

  /** One axis in steps of whole vectors, several at a time while they last, and what is left over. */
  private along(axis: Axis, ready: readonly Ready[], all: readonly Accumulator[][]): void {
    const { e, width } = this
    const { f } = e
    const v = f.local('int')
    const copies = ready.length
    const several = width * copies
    const many = copies > 1 ? Math.floor(axis.size / several) * several : 0
    const whole = Math.floor(axis.size / width) * width
    f.constant(0).set(v)
    const vectors = (count: number, active: number): Written => {
      e.open()
      e.bind(axis.id, v)
      e.lane = axis.id
      e.laneSize = axis.size
      e.active = active
      for (let u = 0; u < count; u++) {
        for (const a of all[u] as Accumulator[]) step(e, a, active < width)
        this.store(ready[u] as Ready)
      }
      const code = e.close()
      e.lane = null
      e.active = width
      return code
    }
    const pass = (count: number, end: number): void => {
      const code = vectors(count, width)
      const again = f.loop()
      f.append(code)
      f.get(v)
        .constant(width * count)
        .int('add')
        .tee(v)
        .constant(end)
        .int('lt_u')
        .brIf(again)
      f.end()
    }
    if (many > 0) pass(copies, many)
    if (whole > many) pass(1, whole)
    if (axis.size > whole) f.append(vectors(1, axis.size - whole))
  }

  /** Loops over the axes, outermost first, and inside of them `body` in a scope of its own. */
  private nest(axes: readonly Axis[], body: () => void): void {
    const { e } = this
    const { f } = e
    const [axis, ...others] = axes
    if (points(axes) === 0) return
    if (!axis) {
      e.open()
      body()
      const code = e.close()
      f.append(code)
      return
    }
    const i = f.local('int')
    e.open()
    e.bind(axis.id, i)
    if (others.length > 0) this.nest(others, body)
    else body()
    const code = e.close()
    f.constant(0).set(i)
    const again = f.loop()
    f.append(code)
    f.get(i).constant(1).int('add').tee(i).constant(axis.size).int('lt_u').brIf(again)
    f.end()
  }

  /** All values of a point are computed before the first is stored. */
  private store({ stores }: Ready): void {
    const { e } = this
    const locals = stores.map(({ value }) => {
      const local = e.temporary(kindOf(value.dtype))
      e.value(value)
      e.f.set(local)
      return local
    })
    for (const [i, { buffer, index, value }] of stores.entries()) {
      e.store(buffer, index, locals[i] as number, value.dtype)
    }
    for (const [i, { value }] of stores.entries()) e.done(kindOf(value.dtype), locals[i] as number)
  }
}

/** How many vectors along the axis go together. */
function innerCopies(stage: Stage, lane: Axis | null, width: number, most: number): number {
  if (!lane || stage.reductions.length === 0) return 1
  if (stage.reductions.length > 2 || lane.size < 8 * width) return 1
  return most
}

/** Results are those of copy u. */
function otherResults(root: Expr, u: number): Expr {
  const memo = new Map<Expr, Expr>()
  const visit = (x: Expr): Expr => (x.kind === 'result' ? { ...x, slot: x.slot + u * slotsPerCopy } : x)
  return mapExpr(root, visit, memo)
}
