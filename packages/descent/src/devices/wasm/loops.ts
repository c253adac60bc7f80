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
import {
  bindParam,
  type EmitKernel,
  type EmittedKernel,
  endParam,
  newBody,
  type Phase,
  startParam,
  type Target,
} from './emit.ts'
import { ExprEmitter } from './emit-expr.ts'
import { type Choice, chooseLanes, joinLoops, mapIndices, points, stageRoots } from './loop-shape.ts'
import { splitKernel } from './loop-split.ts'
import { type Accumulator, join, joinLanes, newAccumulator, resultLocal, start, step } from './reduction.ts'

/** A chunk should take about this long on one thread. */
const chunkNanoseconds = 5000

export const emitLoops: EmitKernel<LoopKernel> = (kernel, target) => {
  const joined = joinLoops(kernel)
  const choice = chooseLanes(joined)
  const split = splitKernel(joined, choice.cost)
  const phases: Phase[] = []
  let work = 0
  for (const part of split?.parts ?? [joined]) {
    const shaped = split ? joinLoops(part) : part
    const chosen = split ? chooseLanes(shaped) : choice
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
    this.e = new ExprEmitter(newBody(target), target, kernel.buffers)
    this.e.flat = kernel.flat
    const { lanes } = choice
    this.rowLanes = lanes.kind === 'row'
    this.e.resultsByLane = this.rowLanes
    this.inner = lanes.kind === 'row' ? lanes.axis : (kernel.rows.at(-1) ?? null)
    this.outer = kernel.rows.filter((a) => a !== this.inner)
    const reduces = kernel.stages.some((s) => s.reductions.length > 0 && s.axes.length > 0)
    const simple = kernel.stages.reduce((n, s) => n + s.reductions.length, 0) <= 3
    this.rowCopies = this.rowLanes && reduces && simple && !kernel.flat && (this.inner as Axis).size >= 16 ? 4 : 1
    this.block = this.blockSize()
  }

  /** Nanoseconds for one row. */
  private rowCost(): number {
    return this.choice.cost / (this.kernel.flat ? 1 : Math.max(1, points(this.kernel.rows)))
  }
  private blockSize(): number {
    if (!this.inner) return 1
    const wanted = Math.max(1, chunkNanoseconds / Math.max(this.rowCost(), 1e-3))
    if (this.kernel.flat) return Math.ceil(Math.min(wanted, 1 << 20) / 16) * 16
    if (wanted >= this.inner.size * 0.75) return this.inner.size
    const grain = this.rowCopies === 4 ? 16 : this.rowLanes ? 4 : 1
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
    const unit = f.local('i32')
    const last = f.local('i32')
    const rest = f.local('i32')
    const low = f.local('i32')
    const high = f.local('i32')
    const digits = outer.map((axis) => ({ axis, local: f.local('i32') }))

    // unit = start · perChunk; last = min(end · perChunk, units)
    f.get(startParam).constant(perChunk).i32('mul').set(unit)
    if (kernel.flat) {
      const size = f.local('i32')
      f.get(bindParam)
        .load('i32.load', 4 * kernel.buffers.length)
        .set(size)
      e.open()
      this.rows(ready, low, high)
      const code = e.close()
      // Without other axes a chunk is one range of rows.
      f.get(unit).constant(block).i32('mul').set(low)
      f.get(endParam)
        .constant(perChunk * block)
        .i32('mul')
        .set(high)
      f.get(high).get(size).get(high).get(size).i32('lt_u').select().set(high)
      f.append(code)
      return { body: f, chunks: chunksOf }
    }
    f.get(endParam).constant(perChunk).i32('mul').tee(last).constant(units)
    f.get(last).constant(units).i32('lt_u').select().set(last)
    e.open()
    for (const { axis, local } of digits) e.bind(axis.id, local)
    if (inner) this.rows(ready, low, high)
    else this.row(ready, 1)
    const code = e.close()
    const done = f.block()
    const again = f.loop()
    f.get(unit).get(last).i32('ge_u').brIf(done)
    f.get(unit).set(rest)
    if (inner) {
      if (blocks > 1) {
        f.get(rest).constant(blocks).i32('rem_u').constant(block).i32('mul').set(low)
        f.get(rest).constant(blocks).i32('div_u').set(rest)
        f.get(low).constant(block).i32('add').tee(high).constant(inner.size)
        f.get(high).constant(inner.size).i32('lt_u').select().set(high)
      } else {
        f.constant(0).set(low)
        f.constant(inner.size).set(high)
      }
    }
    digits.toReversed().forEach(({ axis, local }, i) => {
      if (i === digits.length - 1) f.get(rest).set(local)
      else {
        f.get(rest).constant(axis.size).i32('rem_u').set(local)
        f.get(rest).constant(axis.size).i32('div_u').set(rest)
      }
    })
    f.append(code)
    f.get(unit).constant(1).i32('add').set(unit)
    f.br(again).end().end()
    return { body: f, chunks: chunksOf }
  }

  /** Expressions for every stage and every copy that may be needed. */
  private prepare(): Ready[][] {
    const { e, kernel, choice } = this
    return kernel.stages.map((stage, s) => {
      const { lanes } = choice
      const lane = lanes.kind === 'row' ? lanes.axis : (lanes.axes[s] ?? null)
      const copies = lanes.kind === 'row' ? this.rowCopies : innerCopies(stage, lane)
      const strides = contiguousStrides(stage.axes.map((a) => a.size))
      const position = dot(
        stage.axes.map((a) => variable(a.id, a.size)),
        strides,
      )
      return Array.from({ length: copies }, (_, u) => {
        const memo = new Map<Expr, Expr>()
        const moved = (x: Index): Index =>
          u === 0 || !lane ? x : substitute(x, new Map([[lane.id, addConstant(variable(lane.id, lane.size), 4 * u)]]))
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

  /** The rows of one unit: low ≤ inner variable < high. */
  private rows(ready: Ready[][], low: number, high: number): void {
    const { e, kernel } = this
    const { f } = e
    const inner = this.inner as Axis
    const v = f.local('i32')
    f.get(low).set(v)
    const pass = (width: number, copies: number, active: number): void => {
      const loop = active === 4 || width === 1
      if (loop && !kernel.flat && inner.size < width) return
      e.open()
      e.bind(inner.id, v)
      e.lane = this.rowLanes && width > 1 ? inner.id : null
      e.laneSize = inner.size
      e.active = e.lane === null ? 4 : active
      this.row(ready, copies)
      const code = e.close()
      e.lane = null
      e.active = 4
      const done = f.block()
      f.get(v)
        .constant(loop ? width : 1)
        .i32('add')
        .get(high)
        .i32('gt_u')
        .brIf(done)
      if (loop) {
        const again = f.loop()
        f.append(code)
        f.get(v).constant(width).i32('add').tee(v)
        f.constant(width).i32('add').get(high).i32('le_u').brIf(again)
        f.end()
      } else f.append(code)
      f.end()
    }
    if (!this.rowLanes) {
      pass(1, 1, 4)
      return
    }
    if (this.rowCopies > 1) pass(4 * this.rowCopies, this.rowCopies, 4)
    if (this.rowCopies === 1 || inner.size % 16 >= 4) pass(4, 1, 4)
    if (kernel.flat) pass(1, 1, 4)
    else if (inner.size % 4 !== 0) pass(4, 1, inner.size % 4)
  }

  /** All stages for the row (or vectors of rows) that is bound. */
  private row(ready: Ready[][], copies: number): void {
    this.kernel.stages.forEach((stage, s) => {
      const stageReady = ready[s] as Ready[]
      if (this.rowLanes) this.stageByRows(stage, s, stageReady.slice(0, copies))
      else this.stageInside(stage, s, stageReady)
    })
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
    const { e } = this
    const { f } = e
    const v = f.local('i32')
    const copies = ready.length
    const many = copies > 1 ? Math.floor(axis.size / (4 * copies)) * 4 * copies : 0
    const whole = Math.floor(axis.size / 4) * 4
    f.constant(0).set(v)
    const pass = (count: number, active: number, end: number): void => {
      e.open()
      e.bind(axis.id, v)
      e.lane = axis.id
      e.laneSize = axis.size
      e.active = active
      for (let u = 0; u < count; u++) {
        for (const a of all[u] as Accumulator[]) step(e, a, active < 4)
        this.store(ready[u] as Ready)
      }
      const code = e.close()
      e.lane = null
      e.active = 4
      if (active < 4) {
        f.append(code)
        return
      }
      const again = f.loop()
      f.append(code)
      f.get(v)
        .constant(4 * count)
        .i32('add')
        .tee(v)
        .constant(end)
        .i32('lt_u')
        .brIf(again)
      f.end()
    }
    if (many > 0) pass(copies, 4, many)
    if (whole > many) pass(1, 4, whole)
    if (axis.size > whole) pass(1, axis.size - whole, axis.size)
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
    const i = f.local('i32')
    e.open()
    e.bind(axis.id, i)
    if (others.length > 0) this.nest(others, body)
    else body()
    const code = e.close()
    f.constant(0).set(i)
    const again = f.loop()
    f.append(code)
    f.get(i).constant(1).i32('add').tee(i).constant(axis.size).i32('lt_u').brIf(again)
    f.end()
  }

  /** All values of a point are computed before the first is stored. */
  private store({ stores }: Ready): void {
    const { e } = this
    const locals = stores.map(({ value }) => {
      const local = e.temporary('v128')
      e.value(value)
      e.f.set(local)
      return local
    })
    for (const [i, { buffer, index, value }] of stores.entries()) {
      e.store(buffer, index, locals[i] as number, value.dtype)
    }
    e.done('v128', ...locals)
  }
}

/** How many vectors along the axis go together. */
function innerCopies(stage: Stage, lane: Axis | null): number {
  if (!lane || stage.reductions.length === 0 || stage.stores.length > 0) return 1
  if (stage.reductions.length > 2 || lane.size < 32) return 1
  return 4
}

/** Results are those of copy u. */
function otherResults(root: Expr, u: number): Expr {
  const memo = new Map<Expr, Expr>()
  const visit = (x: Expr): Expr => (x.kind === 'result' ? { ...x, slot: x.slot + u * slotsPerCopy } : x)
  return mapExpr(root, visit, memo)
}
