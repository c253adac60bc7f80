/**
 * Rows that are gathered from all over a large buffer (an embedding's, say) and where in it they begin: a processor sees such
 * a row coming only when it is there, so that their first lines are asked for some rows before.
 */
import { type Expr, mapExpr, walkExprs } from '../../kernel/expr.ts'
import { constant, type Index, substitute, variable, variablesOf } from '../../kernel/index-expr.ts'
import type { Axis, LoopKernel } from '../../kernel/kernel.ts'
import { mapIndices, stageRoots } from './loop-shape.ts'

export interface Ahead {
  /** Element 0 of the row that comes `rows` after this one. */
  readonly start: Extract<Expr, { kind: 'gather' }>
  /** The variable in it that is that row's number. */
  readonly row: number
  readonly rows: number
  /** How many cache lines of it are asked for. */
  readonly lines: number
}

/** From here on a buffer is not in a core's cache. */
const largeBuffer = 1 << 20
const lineElements = 16
/** The processor finds out by itself how a row goes on. */
const mostLines = 4
/** So much is on its way at a time, but at least that many rows. */
const [elementsAhead, leastRows] = [1024, 2]

/**
 * The gathers of a kernel whose position changes along `axis`, each once. A row is read from 0 along all axes but the
 * kernel's rows; along `lane`, if any, from the variable `low`. Variables from `low + 1` on are free.
 */
export function gathersAhead(kernel: LoopKernel, axis: Axis, lane: Axis | null, low: number): Ahead[] {
  const found = new Map<string, Ahead>()
  const outside = new Set(kernel.rows.map(({ id }) => id))
  const first = new Map<number, Index>()
  for (const { id } of kernel.stages.flatMap(({ axes }) => axes)) first.set(id, constant(0))
  if (lane) first.set(lane.id, variable(low, lane.size))
  walkExprs(kernel.stages.flatMap(stageRoots), (e) => {
    if (e.kind !== 'gather' || e.stride < lineElements) return
    const use = kernel.buffers[e.buffer]
    if (use?.access !== 'read' || 4 * use.length < largeBuffer) return
    if (!isKnownAhead(e.position, kernel, outside, axis.id, lane)) return
    const key = `${e.buffer} ${e.stride} ${JSON.stringify(e.position)}`
    if (found.has(key)) return
    const row = low + 1 + found.size
    const values = new Map([...first, [axis.id, variable(row, axis.size)] as const])
    const start = (x: Index): Index => substitute(x, values)
    const unchecked = mapExpr(e.position, (x) => (x.kind === 'check' ? x.x : x))
    found.set(key, {
      start: { ...e, base: start(e.base), position: mapIndices(unchecked, start, new Map()) },
      row,
      rows: Math.max(leastRows, Math.ceil(elementsAhead / e.stride)),
      lines: Math.min(mostLines, Math.ceil(e.stride / lineElements)),
    })
  })
  return [...found.values()]
}

/** Whether a position can be computed for another row, and is one for all that is read of a row. */
function isKnownAhead(
  position: Expr,
  { buffers }: LoopKernel,
  outside: ReadonlySet<number>,
  axis: number,
  lane: Axis | null,
): boolean {
  const ids = new Set<number>()
  let known = true
  walkExprs([position], (e) => {
    if (e.kind === 'load' || e.kind === 'index') variablesOf(e.index, ids)
    if (e.kind === 'gather' || e.kind === 'result' || e.kind === 'tile') known = false
    if (e.kind === 'load' && buffers[e.buffer]?.access !== 'read') known = false
  })
  return known && ids.has(axis) && (!lane || !ids.has(lane.id)) && [...ids].every((id) => outside.has(id))
}
