/**
 * What packing must know of a GEMM operand: an elementwise expression over loads, each of whose addresses is a sum
 * base(batch) + along(p) + depth(k), where p is the row of A or the column of B. Matrices, transposes and convolution windows
 * are of this form. The parts are tabulated once, when the kernel is compiled.
 */
import { type Expr, walkExprs } from '../../kernel/expr.ts'
import { constant, type Index, indexKey, scale, variablesOf } from '../../kernel/index-expr.ts'
import type { Axis } from '../../kernel/kernel.ts'

export type Load = Extract<Expr, { kind: 'load' }>

/** One address part as a function of one variable, in bytes. */
export type Part =
  | { readonly kind: 'affine'; readonly step: number }
  /** Word offset of the values in the kernel's tables. */
  | { readonly kind: 'table'; readonly at: number }

export interface OperandLoad {
  readonly load: Load
  /** The part that depends on the batch alone, in elements. */
  readonly base: Index
  readonly along: Part
  readonly depth: Part
}

export interface Operand {
  readonly value: Expr
  readonly loads: readonly OperandLoad[]
  readonly along: Axis
  readonly depth: Axis
  /** Tables of runs: how many elements from here on lie one after another in every load. Null: never ends. */
  readonly alongRuns: number
  readonly depthRuns: number | null
  /** The direction in which whole vectors can be read, for most panels. */
  readonly direction: 'along' | 'depth' | 'none'
  readonly batched: boolean
}

/** Constant data of a kernel, shared by all that it packs. */
export class Tables {
  private readonly parts: Int32Array[] = []
  private length = 0
  private readonly known = new Map<string, number>()

  /** Word offset of these values. */
  add(key: string, values: () => Int32Array): number {
    let at = this.known.get(key)
    if (at === undefined) {
      at = this.length
      const part = values()
      this.parts.push(part)
      this.length += part.length
      this.known.set(key, at)
    }
    return at
  }
  build(): Int32Array {
    const all = new Int32Array(this.length)
    let at = 0
    for (const part of this.parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }
}

/** `values`, and then `extra` times `last`. */
function extended(values: Int32Array, extra: number, last: number): Int32Array {
  if (extra === 0) return values
  const out = new Int32Array(values.length + extra).fill(last)
  out.set(values)
  return out
}

/** Values that may be read past the end of `along`: a panel is up to this wide. */
const margin = 8

/** Null where the operand is not of the form. */
export function analyseOperand(value: Expr, along: Axis, depth: Axis, tables: Tables): Operand | null {
  const found: Load[] = []
  let simple = true
  walkExprs([value], (e) => {
    if (e.kind === 'load') found.push(e)
    if (e.kind === 'load' ? e.guarded || e.dtype === 'bool' : !elementwise.has(e.kind)) simple = false
  })
  if (!simple || found.length === 0 || found.length > 4) return null
  const loads: OperandLoad[] = []
  const alongValues: Int32Array[] = []
  const depthValues: Int32Array[] = []
  const keys = { along: `p${along.size}`, depth: `k${depth.size}` }
  const periods = { along: 1, depth: 1 }
  for (const load of found) {
    const parts = separate(load.index, along, depth)
    if (!parts) return null
    const own = { along: periodOf(parts.along), depth: periodOf(parts.depth) }
    const p = tabulate(scale(parts.along, 4), along, own.along)
    const k = tabulate(scale(parts.depth, 4), depth, own.depth)
    periods.along = common(periods.along, own.along)
    periods.depth = common(periods.depth, own.depth)
    alongValues.push(p)
    depthValues.push(k)
    const name = { along: `p${along.size}:${indexKey(parts.along)}`, depth: `k${depth.size}:${indexKey(parts.depth)}` }
    keys.along += `,${name.along}`
    keys.depth += `,${name.depth}`
    loads.push({
      load,
      base: parts.base,
      along: partOf(p, name.along, tables, margin),
      depth: partOf(k, name.depth, tables, 0),
    })
  }
  const p = runs(alongValues, along.size, periods.along)
  const k = runs(depthValues, depth.size, periods.depth)
  const alongScore = share(p, margin, 6)
  const depthScore = share(k, 4, 4)
  const affineDepth = loads.every((l) => l.depth.kind === 'affine')
  return {
    value,
    loads,
    along,
    depth,
    alongRuns: tables.add(`run ${keys.along}`, () => extended(p, margin, 1)),
    depthRuns: affineDepth ? null : tables.add(`run ${keys.depth}`, () => k),
    direction: alongScore >= 0.5 || alongScore > depthScore ? 'along' : depthScore > 0.2 ? 'depth' : 'none',
    batched: loads.some((l) => variablesOf(l.base).size > 0),
  }
}

const elementwise: ReadonlySet<Expr['kind']> = new Set([
  'const',
  'load',
  'unary',
  'binary',
  'fma',
  'select',
  'cast',
  'bitcast',
])

function separate(index: Index, along: Axis, depth: Axis): { base: Index; along: Index; depth: Index } | null {
  const parts = {
    base: [] as Index['terms'][number][],
    along: [] as Index['terms'][number][],
    depth: [] as Index['terms'][number][],
  }
  for (const term of index.terms) {
    const variables = variablesOf({ offset: 0, terms: [term] })
    if (!variables.has(along.id) && !variables.has(depth.id)) parts.base.push(term)
    else if (variables.size > 1) return null
    else parts[variables.has(along.id) ? 'along' : 'depth'].push(term)
  }
  return {
    base: { offset: index.offset, terms: parts.base },
    along: parts.along.length > 0 ? { offset: 0, terms: parts.along } : constant(0),
    depth: parts.depth.length > 0 ? { offset: 0, terms: parts.depth } : constant(0),
  }
}

/**
 * After how many values of its one variable an index goes on as before, but for a constant: windows over images do,
 * and need be evaluated for one period only. 0 where nothing is known.
 */
function periodOf(index: Index): number {
  let period = 1
  for (const { atom } of index.terms) {
    if (atom.kind === 'variable') continue
    const inner = atom.x.terms[0]
    const plain = atom.x.terms.length === 1 && atom.x.offset === 0 && inner?.coefficient === 1 ? inner.atom : null
    if (plain?.kind === 'variable') period = common(period, atom.by)
    else if (plain?.kind === 'div' && periodOf(atom.x) > 0) period = common(period, plain.by * atom.by)
    else return 0
  }
  return period
}

/** The least common multiple; 0 stands for infinity. */
function common(a: number, b: number): number {
  if (a === 0 || b === 0) return 0
  let [x, y] = [a, b]
  while (y !== 0) [x, y] = [y, x % y]
  return (a / x) * b
}

/** The index for every value of its one variable. */
function tabulate(index: Index, axis: Axis, period: number): Int32Array {
  if (period === 0 || period >= axis.size) return firstValues(index, axis.size)
  const first = firstValues(index, period + 1)
  const step = (first[period] as number) - (first[0] as number)
  const out = new Int32Array(axis.size)
  out.set(first.subarray(0, period))
  for (let i = period; i < out.length; i++) out[i] = (out[i - period] as number) + step
  return out
}

/** The index where its one variable is 0 … count - 1. */
function firstValues(index: Index, count: number): Int32Array {
  const out = new Int32Array(count).fill(index.offset)
  for (const { coefficient, atom } of index.terms) {
    if (atom.kind === 'variable') {
      for (let i = 0; i < count; i++) out[i] = (out[i] as number) + coefficient * i
      continue
    }
    const { by, kind, x } = atom
    const inner = firstValues(x, count)
    for (let i = 0; i < count; i++) {
      const value = inner[i] as number
      const quotient = Math.floor(value / by)
      out[i] = (out[i] as number) + coefficient * (kind === 'div' ? quotient : value - quotient * by)
    }
  }
  return out
}

function partOf(bytes: Int32Array, key: string, tables: Tables, extra: number): Part {
  const step = bytes.length > 1 ? (bytes[1] as number) - (bytes[0] as number) : 0
  const affine = (): boolean => {
    for (let i = 0; i < bytes.length; i++) if (bytes[i] !== i * step) return false
    return true
  }
  if (affine()) return { kind: 'affine', step }
  return { kind: 'table', at: tables.add(key, () => extended(bytes, extra, bytes[bytes.length - 1] as number)) }
}

/** For each position how many, counted from it, every load can read as one vector (or as one repeated value). */
function runs(loads: readonly Int32Array[], size: number, period: number): Int32Array {
  const out = new Int32Array(size)
  const constants = loads.map((values) => values.every((value) => value === values[0]))
  const joined = (i: number): boolean =>
    loads.every((values, l) => constants[l] || (values[i + 1] as number) - (values[i] as number) === 4)
  const fill = (first: number, last: number): void => {
    for (let i = last; i >= first; i--) out[i] = i + 1 < size && joined(i) ? (out[i + 1] as number) + 1 : 1
  }
  // A run that ends with the period looks the same in every period.
  if (period === 0 || period >= size || joined(period - 1)) {
    fill(0, size - 1)
    return out
  }
  fill(0, period - 1)
  for (let i = period; i < size; i += period) out.copyWithin(i, 0, Math.min(period, size - i))
  const tail = size % period
  if (tail > 0) fill(size - tail, size - 1)
  return out
}

/** The share of positions 0, every, 2·every… from which at least `needed` lie in a run. */
function share(run: Int32Array, every: number, needed: number): number {
  let count = 0
  let total = 0
  for (let i = 0; i + needed <= run.length; i += every) {
    total++
    if ((run[i] as number) >= needed) count++
  }
  return total === 0 ? 0 : count / total
}

/** Whether a part is the same for all values of its variable. */
export function isConstant(part: Part): boolean {
  return part.kind === 'affine' && part.step === 0
}
