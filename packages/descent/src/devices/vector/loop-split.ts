/**
 * A kernel of few rows with much to do in each (or of rows that lie across the memory, see `isTall`), cut into kernels that run one after the other: for every stage one whose
 * rows are segments of the stage's first axis, then one that joins the segments' results. Results lie in the launch's
 * shared memory, which stands in the table of buffers behind the kernel's own.
 *
 * The number of segments depends on the kernel alone, so results do not depend on the number of threads.
 */
import type { DType } from '../../dtype.ts'
import { contiguousStrides } from '../../dtype.ts'
import { binary, type Expr, mapExpr } from '../../kernel/expr.ts'
import { add, addConstant, constant, dot, type Index, scale, substitute, variable } from '../../kernel/index-expr.ts'
import type { Axis, LoopKernel, Stage, Store } from '../../kernel/kernel.ts'
import { type Choice, mapStage, nextId, points } from './loop-shape.ts'

export interface Split {
  readonly parts: readonly LoopKernel[]
  readonly sharedBytes: number
}

const worthNanoseconds = 40_000
const enoughRows = 8
const segments = 64

/** Elements of a piece of a tall kernel: they stay in a core's cache, and their pages in its table of addresses. */
const tallPiece = 1 << 14

/**
 * Sums of the columns of a large matrix, say: neighbouring rows are vectors, and going along one of them every step is
 * on another page. Cut into pieces of the matrix, each is read in order.
 */
function isTall({ rows, stages }: LoopKernel, { lanes }: Choice): boolean {
  if (lanes.kind !== 'row' || lanes.axis !== rows.at(-1)) return false
  const sums = stages.filter((stage) => stage.axes.length > 0)
  return (
    sums.length === 1 &&
    sums.every(
      ({ axes, stores, reductions }) =>
        stores.length === 0 && reductions.length > 0 && points(axes) * points(rows) >= 1 << 21 && points(rows) >= 1024,
    )
  )
}

/** Null where the kernel should stay whole. */
export function splitKernel(kernel: LoopKernel, choice: Choice): Split | null {
  const { rows, stages } = kernel
  const rowCount = points(rows)
  if (kernel.flat || rowCount === 0 || choice.cost < worthNanoseconds) return null
  const tall = isTall(kernel, choice)
  if (!tall && rowCount >= enoughRows * 4) return null
  if (!tall && rowCount >= enoughRows && !stages.some((s) => points(s.axes) * rowCount > 1 << 18)) return null
  const longest = Math.max(...stages.map((s) => s.axes[0]?.size ?? 0))
  const ordered = stages.some((s) => s.reductions.some((r) => r.op === 'argmax' || r.op === 'argmin'))
  if (ordered || longest < 16) return null

  const shared = kernel.buffers.length
  let words = 0
  let id = nextId(kernel)
  const take = (count: number): number => {
    words += count
    return words - count
  }
  const rowIndex = dot(
    rows.map((a) => variable(a.id, a.size)),
    contiguousStrides(rows.map((a) => a.size)),
  )
  /** Where the result of each stage's reductions lies. */
  const results = stages.map((s) => s.reductions.map(() => take(rowCount)))
  const shareOf = (at: number, index: Index): Index => addConstant(index, at)
  const fromShared = (dtype: DType, index: Index): Expr => ({
    kind: 'load',
    dtype,
    buffer: shared,
    index,
    guarded: false,
  })
  const put = (index: Index, value: Expr): Store => ({ buffer: shared, index, value })

  /** Results of stages before are read from shared memory. */
  const detached = (stage: Stage): Stage => {
    const memo = new Map<Expr, Expr>()
    const change = (root: Expr): Expr =>
      mapExpr(
        root,
        (e) =>
          e.kind === 'result'
            ? fromShared(e.dtype, shareOf((results[e.stage] as number[])[e.slot] as number, rowIndex))
            : e,
        memo,
      )
    return {
      axes: stage.axes,
      reductions: stage.reductions.map((r) => ({ op: r.op, value: change(r.value) })),
      stores: stage.stores.map((s) => ({ ...s, value: change(s.value) })),
    }
  }

  const parts: { rows: readonly Axis[]; stages: Stage[] }[] = []
  stages.forEach((original, s) => {
    const stage = detached(original)
    const [first, ...others] = stage.axes
    const at = results[s] as number[]
    const result = (i: number): Expr => ({
      kind: 'result',
      dtype: (stage.reductions[i] as Stage['reductions'][number]).value.dtype,
      stage: 0,
      slot: i,
    })
    const keep: Stage = {
      axes: [],
      reductions: [],
      stores: at.map((word, i) => put(shareOf(word, rowIndex), result(i))),
    }
    if (!first || first.size < 16 || points(stage.axes) * rowCount < 4096) {
      parts.push({ rows, stages: at.length > 0 ? [stage, keep] : [stage] })
      return
    }
    // first = segment · length + step, and a rest.
    const count = tall
      ? Math.max(1, Math.floor((points(stage.axes) * rowCount) / tallPiece))
      : Math.min(segments, Math.floor(first.size / 8))
    const length = Math.floor(first.size / count)
    const covered = count * length
    const segment: Axis = { id: id++, size: count }
    const step: Axis = { id: id++, size: length }
    const cut = mapStage(stage, (x) =>
      substitute(x, new Map([[first.id, add(scale(variable(segment.id, count), length), variable(step.id, length))]])),
    )
    const partial = at.map(() => take(rowCount * count))
    const partialIndex = (i: number): Index =>
      shareOf(
        partial[i] as number,
        tall
          ? add(scale(variable(segment.id, count), rowCount), rowIndex)
          : add(scale(rowIndex, count), variable(segment.id, count)),
      )
    parts.push({
      rows: tall ? [segment, ...rows] : [...rows, segment],
      stages: [
        { ...cut, axes: [step, ...others] },
        { axes: [], reductions: [], stores: at.map((_, i) => put(partialIndex(i), result(i))) },
      ],
    })
    const rest: Axis = { id: id++, size: first.size - covered }
    const restStage: Stage | null =
      rest.size === 0
        ? null
        : {
            ...mapStage(stage, (x) =>
              substitute(
                x,
                new Map([
                  [first.id, addConstant(rest.size === 1 ? constant(0) : variable(rest.id, rest.size), covered)],
                ]),
              ),
            ),
            axes: [rest, ...others],
          }
    if (at.length === 0) {
      if (restStage) parts.push({ rows, stages: [restStage] })
      return
    }
    const joined: Stage = {
      axes: [segment],
      reductions: stage.reductions.map((r, i) => ({ op: r.op, value: fromShared(r.value.dtype, partialIndex(i)) })),
      stores: [],
    }
    const total = (i: number): Expr => {
      if (!restStage) return result(i)
      const op = (stage.reductions[i] as Stage['reductions'][number]).op
      return binary(op === 'sum' ? 'add' : op === 'prod' ? 'mul' : op === 'max' ? 'max' : 'min', result(i), {
        ...(result(i) as Extract<Expr, { kind: 'result' }>),
        stage: 1,
      })
    }
    const kept: Stage = {
      axes: [],
      reductions: [],
      stores: at.map((word, i) => put(shareOf(word, rowIndex), total(i))),
    }
    parts.push({ rows, stages: restStage ? [joined, restStage, kept] : [joined, kept] })
  })
  const buffers = [...kernel.buffers, { dtype: 'f32' as const, access: 'readwrite' as const, length: words }]
  return {
    parts: parts.map((part) => ({ ...kernel, ...part, buffers })),
    sharedBytes: words * 4 + 64,
  }
}
