/**
 * Values added at computed places, in order, so that sums are the same every time. Where rows lie next to one another, and all of
 * them scatter to the same places (the gradient of an embedding), a vector of rows goes at once; else one row. Where
 * such rows are many, the places are cut into ranges instead (see scatter-ranges.ts).
 */
import { type Expr, walkExprs } from '../../kernel/expr.ts'
import { type Index, variablesOf } from '../../kernel/index-expr.ts'
import type { Axis, ScatterKernel } from '../../kernel/kernel.ts'
import type { Written } from './code.ts'
import { ExprEmitter } from './emit-expr.ts'
import { laneStep } from './lane-steps.ts'
import { countRows, emitLoop, emitRows } from './row-loop.ts'
import { cutIntoRanges, emitRanges } from './scatter-ranges.ts'
import { type EmitKernel, newBody } from './target.ts'

export const emitScatter: EmitKernel<ScatterKernel> = (kernel, target) => {
  const { rows, fill, source } = kernel
  const f = newBody(target)
  const lane = laneAxis(kernel, target.lanes)
  const { lanes } = target
  const ranges = lane && cutIntoRanges(kernel, lane, lanes)
  if (ranges) return emitRanges(kernel, target, f, ranges)
  if (!lane) {
    const e = new ExprEmitter(f, target, kernel.buffers)
    emitRows(e, rows, () => emitRow(e, kernel))
  } else {
    // Vectors take the place of the axis; the last may be a part.
    const vectors: Axis = {
      id: Math.max(...rows.map((a) => a.id), fill.id, source.id) + 1,
      size: Math.ceil(lane.size / lanes),
    }
    const e = new ExprEmitter(f, target, kernel.buffers)
    emitRows(
      e,
      rows.map((axis) => (axis === lane ? vectors : axis)),
      () => {
        const first = f.local('int')
        e.index({ offset: 0, terms: [{ coefficient: lanes, atom: { kind: 'variable', ...vectors } }] })
        f.set(first)
        const part = lane.size % lanes
        // Written before the branch, for what both share is computed here.
        const vector = (count: number): Written => {
          e.open()
          e.bind(lane.id, first)
          e.lane = lane.id
          e.laneSize = lane.size
          e.active = count
          emitRow(e, kernel)
          const code = e.close()
          e.lane = null
          e.active = lanes
          return code
        }
        const whole = lane.size >= lanes ? vector(lanes) : null
        const rest = part > 0 ? vector(part) : null
        if (whole && rest) {
          f.get(first).constant(lanes).int('add').constant(lane.size).int('le_s').if()
          f.append(whole).else().append(rest).end()
        } else f.append((whole ?? rest) as Written)
      },
    )
  }
  const count = lane ? (countRows(rows) / lane.size) * Math.ceil(lane.size / lanes) : countRows(rows)
  return {
    phases: [{ body: f, chunks: () => count }],
    sharedBytes: 0,
    scratchBytes: 64,
    work: () => count * (fill.size + 3 * source.size) * 2,
  }
}

/** An axis of rows along which elements lie one after another, and that the places do not depend on. */
function laneAxis({ rows, index, base, position, value, initial }: ScatterKernel, lanes: number): Axis | null {
  const inPosition = variablesIn(position)
  const fits = (axis: Axis): boolean =>
    axis.size >= lanes / 2 &&
    !inPosition.has(axis.id) &&
    laneStep(index, axis.id, lanes) === 1 &&
    laneStep(base, axis.id, lanes) === 1 &&
    [value, initial].every((e) => indicesOf(e).every((x) => [0, 1].includes(laneStep(x, axis.id, lanes) ?? -1)))
  return rows.find(fits) ?? null
}
function indicesOf(root: Expr): Index[] {
  const found: Index[] = []
  walkExprs([root], (e) => {
    if (e.kind === 'load' || e.kind === 'index') found.push(e.index)
    else if (e.kind === 'gather') found.push(e.base)
  })
  return found
}
function variablesIn(root: Expr): Set<number> {
  const found = new Set<number>()
  for (const index of indicesOf(root)) variablesOf(index, found)
  return found
}

/** The row (or vector of rows) that is bound. */
function emitRow(e: ExprEmitter, kernel: ScatterKernel): void {
  const { buffer, fill, index, initial, source, base, stride, position, value } = kernel
  const { f, active } = e
  const whole = e.lane !== null
  const [first, place, added] = e.prepare([initial, position, value]) as [Expr, Expr, Expr]
  const stored = f.local('vector')
  const at = f.local('int')
  emitLoop(e, fill, () => {
    e.value(first)
    f.set(stored)
    e.store(buffer, index, stored, initial.dtype)
  })
  emitLoop(e, source, () => {
    e.value(place)
    f.firstLane()
      .constant(4 * stride)
      .int('mul')
    const row = e.address(buffer, base)
    e.pushAddress(row)
    f.int('add').set(at)
    e.value(added)
    f.set(stored)
    f.get(at).get(at)
    if (whole) f.loadVector(row.offset, active)
    else f.loadSplat(row.offset)
    f.get(stored)
    if (value.dtype === 'f32') f.float('add')
    else f.whole('add')
    if (whole) f.storeVector(row.offset, active)
    else f.storeLane(0, row.offset)
  })
}
