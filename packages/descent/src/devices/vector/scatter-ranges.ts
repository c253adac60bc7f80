/**
 * The gradient of an embedding, and its like: long rows of the source are added to rows of the result, at computed
 * places. The result is cut into ranges of places. For each range, its rows are filled, and then all places of the
 * source are looked at in order, and the rows added that fall into it: so memory is read and written in long pieces,
 * and every element has its sum in the order of the source.
 */
import type { Expr } from '../../kernel/expr.ts'
import { constant, sameIndex, scale, strideIn, substitute, variable } from '../../kernel/index-expr.ts'
import type { Axis, ScatterKernel } from '../../kernel/kernel.ts'
import type { Code } from './code.ts'
import { ExprEmitter } from './emit-expr.ts'
import { countRows, emitLoop, emitRows } from './row-loop.ts'
import type { EmittedKernel, Target } from './target.ts'

export interface Ranges {
  /** The rows next to one another: the elements of a long row. */
  readonly lane: Axis
  readonly count: number
  /** Places in a range; the last may have fewer. */
  readonly length: number
}

/** Looking at all places once a range must cost less than adding the rows. */
const leastVectors = 4
const mostRanges = 64

/** Null where rows are short, or filled in another order than they are added to. */
export function cutIntoRanges({ index, base, stride, fill }: ScatterKernel, lane: Axis, lanes: number): Ranges | null {
  const vectors = Math.floor(lane.size / lanes)
  if (vectors < leastVectors || strideIn(index, fill.id) !== stride) return null
  if (!sameIndex(substitute(index, new Map([[fill.id, constant(0)]])), base)) return null
  const length = Math.ceil(fill.size / Math.min(vectors, mostRanges, fill.size))
  return { lane, length, count: Math.ceil(fill.size / length) }
}

export function emitRanges(
  kernel: ScatterKernel,
  target: Target,
  f: Code,
  { lane, count, length }: Ranges,
): EmittedKernel {
  const { rows, fill, source, buffer, index, base, stride } = kernel
  const { lanes } = target
  const ids = [...rows, fill, source].map((axis) => axis.id)
  const range: Axis = { id: Math.max(...ids) + 1, size: count }
  const units = [...rows.filter((axis) => axis !== lane), range]
  const e = new ExprEmitter(f, target, kernel.buffers)
  const [low, high, at, placed] = [f.local('int'), f.local('int'), f.local('int'), f.local('int')]
  const stored = f.local('vector')
  emitRows(e, units, () => {
    const [initial, position, value] = e.prepare([kernel.initial, kernel.position, kernel.value]) as [Expr, Expr, Expr]
    e.index(scale(variable(range.id, count), length))
    f.set(low)
    f.get(low).constant(length).int('add').tee(high).constant(fill.size)
    f.get(high).constant(fill.size).int('lt_s').pick().set(high)
    const fillRow = (): void => {
      e.value(initial)
      f.set(stored)
      e.store(buffer, index, stored, initial.dtype)
    }
    emitLoop(e, fill, () => alongLane(e, lane, lanes, fillRow), [low, high])
    const addRow = (active: number): void => {
      const row = e.address(buffer, base)
      e.pushAddress(row)
      f.get(placed).int('add').set(at)
      e.value(value)
      f.set(stored)
      f.get(at).get(at).loadVector(row.offset, active).get(stored)
      if (value.dtype === 'f32') f.float('add')
      else f.whole('add')
      f.storeVector(row.offset, active)
    }
    emitLoop(e, source, () => {
      e.value(position)
      f.firstLane().set(placed)
      // Below the range the difference wraps to a large number.
      f.get(placed).get(low).int('sub').get(high).get(low).int('sub').int('lt_u').if()
      f.get(placed)
        .constant(4 * stride)
        .int('mul')
        .set(placed)
      alongLane(e, lane, lanes, addRow)
      f.end()
    })
  })
  const all = countRows(units)
  const perRow = 2 * Math.ceil(lane.size / lanes)
  return {
    phases: [{ body: f, chunks: () => all }],
    sharedBytes: 0,
    scratchBytes: 64,
    work: () => all * (length * perRow + source.size * (1 + perRow / count)),
  }
}

/** `body` for every vector of the axis; the last may be a part. */
function alongLane(e: ExprEmitter, lane: Axis, lanes: number, body: (active: number) => void): void {
  const { f } = e
  const first = f.local('int')
  const whole = Math.floor(lane.size / lanes) * lanes
  const vector = (active: number) => {
    e.open()
    e.bind(lane.id, first)
    e.lane = lane.id
    e.laneSize = lane.size
    e.active = active
    body(active)
    const code = e.close()
    e.lane = null
    e.active = lanes
    return code
  }
  const code = vector(lanes)
  f.constant(0).set(first)
  const again = f.loop()
  f.append(code)
  f.get(first).constant(lanes).int('add').tee(first).constant(whole).int('lt_s').brIf(again)
  f.end()
  if (lane.size > whole) f.append(vector(lane.size - whole))
}
