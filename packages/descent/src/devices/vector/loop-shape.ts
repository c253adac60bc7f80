/**
 * Loop kernels brought into a shape that is quick to run, before any code is written: neighbouring loops that can be
 * one are joined, and a variable is chosen whose consecutive values become the lanes of vectors.
 */
import { type Expr, mapExpr, walkExprs } from '../../kernel/expr.ts'
import { div, type Index, mod, substitute, variable } from '../../kernel/index-expr.ts'
import type { Axis, LoopKernel, Stage } from '../../kernel/kernel.ts'
import { laneOffsets, laneStep } from './lane-steps.ts'

/** Every index of an expression changed. */
export function mapIndices(e: Expr, change: (x: Index) => Index, memo: Map<Expr, Expr>): Expr {
  return mapExpr(
    e,
    (x) => {
      if (x.kind === 'load' || x.kind === 'index') return { ...x, index: change(x.index) }
      if (x.kind === 'gather') return { ...x, base: change(x.base) }
      return x
    },
    memo,
  )
}

export function mapStage(stage: Stage, change: (x: Index) => Index, memo: Map<Expr, Expr> = new Map()): Stage {
  return {
    axes: stage.axes,
    reductions: stage.reductions.map((r) => ({ op: r.op, value: mapIndices(r.value, change, memo) })),
    stores: stage.stores.map((s) => ({
      buffer: s.buffer,
      index: change(s.index),
      value: mapIndices(s.value, change, memo),
    })),
  }
}

export function stageRoots(stage: Stage): Expr[] {
  return [...stage.reductions.map((r) => r.value), ...stage.stores.map((s) => s.value)]
}

/** Every index in a stage. */
function indicesOf(stage: Stage): Index[] {
  const found = stage.stores.map((s) => s.index)
  walkExprs(stageRoots(stage), (e) => {
    if (e.kind === 'load' || e.kind === 'index') found.push(e.index)
    else if (e.kind === 'gather') found.push(e.base)
  })
  return found
}

/** How many quotients and remainders there are. */
function divisions(x: Index): number {
  let count = 0
  for (const { atom } of x.terms) if (atom.kind !== 'variable') count += 1 + divisions(atom.x)
  return count
}

export function nextId(kernel: LoopKernel): number {
  let id = 0
  for (const axis of [...kernel.rows, ...kernel.stages.flatMap((s) => s.axes)]) id = Math.max(id, axis.id + 1)
  return id
}

/** The same kernel with as few loops as its indices allow. */
export function joinLoops(kernel: LoopKernel): LoopKernel {
  if (kernel.flat) return kernel
  let id = nextId(kernel)
  let rows = kernel.rows.filter((a) => a.size !== 1)
  let stages: readonly Stage[] = kernel.stages.map((s) => ({ ...s, axes: s.axes.filter((a) => a.size !== 1) }))
  const joinable = (
    axes: readonly Axis[],
    among: readonly Stage[],
  ): { at: number; axis: Axis; stages: Stage[] } | null => {
    for (let at = axes.length - 2; at >= 0; at--) {
      const [outer, inner] = [axes[at] as Axis, axes[at + 1] as Axis]
      const axis = { id, size: outer.size * inner.size }
      const v = variable(axis.id, axis.size)
      const values = new Map([
        [outer.id, div(v, inner.size)],
        [inner.id, mod(v, inner.size)],
      ])
      const fits = among.every((s) => indicesOf(s).every((x) => divisions(substitute(x, values)) <= divisions(x)))
      if (!fits) continue
      id++
      return { at, axis, stages: among.map((s) => mapStage(s, (x) => substitute(x, values))) }
    }
    return null
  }
  const joined = (axes: readonly Axis[], at: number, axis: Axis): Axis[] => [
    ...axes.slice(0, at),
    axis,
    ...axes.slice(at + 2),
  ]
  for (let next = joinable(rows, stages); next; next = joinable(rows, stages)) {
    rows = joined(rows, next.at, next.axis)
    stages = next.stages
  }
  stages = stages.map((stage) => {
    let result = stage
    for (let next = joinable(result.axes, [result]); next; next = joinable(result.axes, [result])) {
      result = { ...(next.stages[0] as Stage), axes: joined(result.axes, next.at, next.axis) }
    }
    return result
  })
  return { ...kernel, rows, stages }
}

export type Lanes =
  /** Lanes are consecutive rows along this axis. */
  | { readonly kind: 'row'; readonly axis: Axis }
  /** Lanes lie along an axis of each stage (null: that stage goes element by element). */
  | { readonly kind: 'inner'; readonly axes: readonly (Axis | null)[] }

export interface Choice {
  readonly lanes: Lanes
  /** Rough nanoseconds for all rows (flat kernels: for one row). */
  readonly cost: number
}

export function points(axes: readonly Axis[]): number {
  return axes.reduce((n, a) => n * a.size, 1)
}

/** Rough nanoseconds for one vector (or one element) of a stage at one point. */
function pointCost(stage: Stage, lane: number | null, changing: ReadonlySet<number>, lanes: number): number {
  let cost = 0.5
  const access = (index: Index, guarded: boolean): number => {
    const step = laneStep(index, lane, lanes)
    const divided = divisions(index) * 1.5 + (guarded ? 1 : 0)
    if (step === 0 || step === 1 || step === -1) return 0.4 + divided
    const offsets = laneOffsets(index, lane, lanes)
    if (!guarded && offsets?.every((o) => o >= 0 && o < 2 * lanes)) return 0.8 + divided
    if (step !== null && !guarded) return lanes / 2 + divided
    return lanes / 2 + 4 * divided
  }
  const moves = (index: Index): boolean => {
    for (const id of changing) if (!laneStepIsZero(index, id)) return true
    return false
  }
  for (const s of stage.stores) cost += 1.2 * access(s.index, false)
  walkExprs(stageRoots(stage), (e) => {
    if (e.kind === 'load') cost += moves(e.index) ? access(e.index, e.guarded) : 0
    else if (e.kind === 'gather') cost += lane === null ? 2 : lanes
    else if (e.kind === 'index') cost += 0.5 + divisions(e.index)
    else if (e.kind === 'unary') cost += functions.has(e.op) ? 5 : 0.3
    else if (e.kind === 'binary' && e.op === 'pow') cost += 15
    else if (e.kind !== 'const' && e.kind !== 'result') cost += 0.3
  })
  for (const r of stage.reductions) cost += r.op === 'max' || r.op === 'min' ? 1.5 : r.op.startsWith('arg') ? 2.5 : 0.6
  return cost
}
const functions: ReadonlySet<string> = new Set([
  'exp',
  'log',
  'log1p',
  'expm1',
  'sin',
  'cos',
  'tan',
  'atan',
  'tanh',
  'sinh',
  'cosh',
  'sigmoid',
  'erf',
])
function laneStepIsZero(x: Index, id: number): boolean {
  return x.terms.every(({ atom }) => (atom.kind === 'variable' ? atom.id !== id : laneStepIsZero(atom.x, id)))
}

export function chooseLanes(kernel: LoopKernel, lanes: number): Choice {
  const { rows, stages, flat } = kernel
  const rowCount = flat ? 1 : points(rows)
  const inner = stages.map((stage) => bestAxis(stage, rowCount, lanes))
  let best: Choice = {
    lanes: { kind: 'inner', axes: inner.map((i) => i.axis) },
    cost: inner.reduce((sum, i) => sum + i.cost, 0) + rowCount * rows.length * 2,
  }
  for (const axis of rows) {
    if (!flat && axis.size < 3) continue
    const vectors = flat ? 1 / lanes : Math.ceil(axis.size / lanes) * (rowCount / axis.size)
    let cost = vectors
    for (const stage of stages) {
      const ids = stage.axes.length > 0 ? stage.axes.map((a) => a.id) : [axis.id]
      cost += vectors * points(stage.axes) * pointCost(stage, axis.id, new Set(ids), lanes)
    }
    if (cost < best.cost) best = { lanes: { kind: 'row', axis }, cost }
  }
  return best
}

/** The best axis of a stage for lanes, where lanes are not rows. */
function bestAxis(stage: Stage, rowCount: number, lanes: number): { axis: Axis | null; cost: number } {
  const all = points(stage.axes)
  const changing = new Set(stage.axes.map((a) => a.id))
  let best: { axis: Axis | null; cost: number } = {
    axis: null,
    cost: rowCount * all * pointCost(stage, null, changing, lanes),
  }
  const joining = 2 * Math.log2(lanes)
  const ordered = stage.reductions.some((r) => r.op === 'argmax' || r.op === 'argmin')
  for (const axis of ordered ? stage.axes.slice(-1) : stage.axes) {
    const vectors = Math.ceil(axis.size / lanes) * (all / axis.size)
    const cost = rowCount * (vectors * pointCost(stage, axis.id, changing, lanes) + joining * stage.reductions.length)
    if (cost < best.cost) best = { axis, cost }
  }
  return best
}
