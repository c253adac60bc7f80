/**
 * What a row computes in several stages at some expense (softmax: exp(x − max), once for the sum and once for the
 * result) is computed in the first of them only, and kept where the last will store its own values: in an output that
 * nothing has been written to yet. Rows that are too long for the caches are left as they are.
 *
 * What must hold: what is kept is the same expression of the same place in every stage; the output is stored to in one
 * stage only, and read in none.
 */
import type { DType } from '../dtype.ts'
import * as E from '../kernel/expr.ts'
import * as I from '../kernel/index-expr.ts'
import type { BufferUse, LoopKernel, Stage, Store } from '../kernel/kernel.ts'

/** Elements of a row that stay in the caches until they are read again. */
const LONGEST_ROW = 1 << 15

const expensive: ReadonlySet<string> = new Set<E.UnaryOp | E.BinaryOp>([
  ...(['exp', 'log', 'log1p', 'expm1', 'sin', 'cos', 'tan', 'atan', 'tanh', 'sinh', 'cosh', 'sigmoid', 'erf'] as const),
  'pow',
])

export function reuse(kernel: LoopKernel): LoopKernel {
  let { buffers, stages } = kernel
  for (let last = stages.length - 1; last > 0; last--) {
    for (const { buffer, index } of (stages[last] as Stage).stores) {
      if (!isFree(buffer, buffers, stages)) continue
      const kept = keep(stages, last, buffer, index, buffers[buffer]?.dtype as DType)
      if (!kept) continue
      stages = kept
      buffers = buffers.map((use, b): BufferUse => (b === buffer ? { ...use, access: 'readwrite' } : use))
    }
  }
  return stages === kernel.stages ? kernel : { ...kernel, buffers, stages }
}

function isFree(buffer: number, buffers: readonly BufferUse[], stages: readonly Stage[]): boolean {
  const stores = stages.flatMap((stage) => stage.stores.filter((store) => store.buffer === buffer))
  return buffers[buffer]?.access === 'write' && stores.length === 1
}

/** The stages with one expression of stage `last` computed in an earlier one; null where there is none. */
function keep(stages: readonly Stage[], last: number, buffer: number, index: I.Index, dtype: DType): Stage[] | null {
  const end = stages[last] as Stage
  if (end.axes.length === 0 || end.axes.reduce((n, axis) => n * axis.size, 1) > LONGEST_ROW) return null
  const names = new Names()
  const wanted = new Set<number>()
  E.walkExprs(rootsOf(end), (e) => {
    if (e.dtype === dtype && expensive.has('op' in e ? e.op : '')) wanted.add(names.of(e, end))
  })
  for (let first = 0; first < last; first++) {
    const begin = stages[first] as Stage
    if (!sameAxes(begin, end)) continue
    let found: E.Expr | null = null
    E.walkExprs(rootsOf(begin), (e) => {
      if (wanted.has(names.of(e, begin)) && isPlain(e)) found = e
    })
    if (!found) continue
    const name = names.of(found, begin)
    return stages.map((stage, s): Stage => {
      if (s < first || s > last || !sameAxes(stage, end)) return stage
      const place = moved(index, end, stage)
      if (s === first) {
        const store: Store = { buffer, index: place, value: found as unknown as E.Expr }
        return { ...stage, stores: [...stage.stores, store] }
      }
      const load: E.Expr = { kind: 'load', dtype, buffer, index: place, guarded: false }
      const memo = new Map<E.Expr, E.Expr>()
      E.walkExprs(rootsOf(stage), (e) => {
        if (names.of(e, stage) === name) memo.set(e, load)
      })
      const change = (root: E.Expr): E.Expr => E.mapExpr(root, (e) => e, memo)
      return {
        axes: stage.axes,
        reductions: stage.reductions.map((r) => ({ ...r, value: change(r.value) })),
        stores: stage.stores.map((store) => ({ ...store, value: change(store.value) })),
      }
    })
  }
  return null
}

/** Nothing that is only there where a condition holds, and nothing that reports. */
function isPlain(root: E.Expr): boolean {
  let plain = true
  E.walkExprs([root], (e) => {
    if (e.kind === 'check' || (e.kind === 'load' && e.guarded)) plain = false
  })
  return plain
}

function rootsOf(stage: Stage): E.Expr[] {
  return [...stage.reductions.map((r) => r.value), ...stage.stores.map((s) => s.value)]
}

function sameAxes(a: Stage, b: Stage): boolean {
  return a.axes.length === b.axes.length && a.axes.every((axis, i) => axis.size === b.axes[i]?.size)
}

/** An index of one stage's variables, in those of another. */
function moved(index: I.Index, from: Stage, to: Stage): I.Index {
  return I.substitute(
    index,
    new Map(from.axes.map((axis, i) => [axis.id, I.variable(to.axes[i]?.id as number, axis.size)])),
  )
}

/** Numbers for expressions: equal ones where they are equal but for the names of their stages' variables. */
class Names {
  readonly #numbers = new Map<string, number>()
  readonly #known = new Map<E.Expr, number>()

  of(e: E.Expr, stage: Stage): number {
    const known = this.#known.get(e)
    if (known !== undefined) return known
    const inputs = E.operands(e).map((x) => this.of(x, stage))
    const key = `${this.#own(e, stage)}(${inputs})`
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = this.#numbers.size
      this.#numbers.set(key, number)
    }
    this.#known.set(e, number)
    return number
  }

  #own(e: E.Expr, stage: Stage): string {
    const place = (index: I.Index): string =>
      I.indexKey(I.substitute(index, new Map(stage.axes.map(({ id, size }, i) => [id, I.variable(-1 - i, size)]))))
    switch (e.kind) {
      case 'const':
        return `const ${e.dtype} ${Object.is(e.value, -0) ? '-0' : e.value}`
      case 'load':
        return `load ${e.dtype} ${e.buffer} ${e.guarded} ${place(e.index)}`
      case 'gather':
        return `gather ${e.dtype} ${e.buffer} ${e.stride} ${place(e.base)}`
      case 'check':
        return `check ${e.size} ${e.id}`
      case 'index':
        return `index ${place(e.index)}`
      case 'result':
        return `result ${e.dtype} ${e.stage} ${e.slot}`
      case 'tile':
      case 'fma':
      case 'select':
        return e.kind
      case 'unary':
      case 'binary':
        return `${e.op} ${e.dtype}`
      case 'cast':
      case 'bitcast':
        return `${e.kind} ${e.dtype}`
    }
  }
}
