/**
 * What packing must know of a GEMM operand: an elementwise expression over loads, each of whose addresses is a sum
 * base(batch) + along(p) + depth(k), where p is the row of A or the column of B. Matrices, transposes and convolution windows
 * are of this form. The parts are tabulated once, when the kernel is compiled.
 */
import { type Expr, walkExprs } from '../../kernel/expr.ts'
import { type Atom, constant, type Index, indexKey, variablesOf } from '../../kernel/index-expr.ts'
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

/** `values`, times `by`, and then `extra` times `last`. */
function extended(values: Int32Array, by: number, extra: number, last: number): Int32Array {
  const out = new Int32Array(values.length + extra).fill(last)
  for (let i = 0; i < values.length; i++) out[i] = (values[i] as number) * by
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
    if (e.kind === 'load' ? e.guarded : !elementwise.has(e.kind)) simple = false
  })
  if (!simple || found.length === 0 || found.length > 4) return null
  const loads: OperandLoad[] = []
  const alongValues: Int32Array[] = []
  const depthValues: Int32Array[] = []
  const keys = { along: `p${along.size}`, depth: `k${depth.size}` }
  for (const load of found) {
    const parts = separate(load.index, along, depth)
    if (!parts) return null
    const p = tabulate(parts.along, along)
    const k = tabulate(parts.depth, depth)
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
  const p = runs(alongValues, along.size)
  const k = runs(depthValues, depth.size)
  const alongScore = share(p, margin, 6)
  const depthScore = share(k, 4, 4)
  const affineDepth = loads.every((l) => l.depth.kind === 'affine')
  return {
    value,
    loads,
    along,
    depth,
    alongRuns: tables.add(`run ${keys.along}`, () => extended(p, 1, margin, 1)),
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

/** The index for every value of its one variable, in elements. */
function tabulate(index: Index, axis: Axis): Int32Array {
  const out = new Int32Array(axis.size).fill(index.offset)
  for (const { coefficient, atom } of index.terms) {
    const values = tabulateAtom(atom, axis)
    for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) + coefficient * (values[i] as number)
  }
  return out
}
function tabulateAtom(atom: Atom, axis: Axis): Int32Array {
  const values = atom.kind === 'variable' ? new Int32Array(axis.size) : tabulate(atom.x, axis)
  if (atom.kind === 'variable') for (let i = 0; i < values.length; i++) values[i] = i
  else {
    const { by, kind } = atom
    for (let i = 0; i < values.length; i++) {
      const x = values[i] as number
      const quotient = Math.floor(x / by)
      values[i] = kind === 'div' ? quotient : x - quotient * by
    }
  }
  return values
}

function partOf(values: Int32Array, key: string, tables: Tables, extra: number): Part {
  const step = values.length > 1 ? (values[1] as number) - (values[0] as number) : 0
  let affine = true
  for (let i = 0; i < values.length; i++) if (values[i] !== i * step) affine = false
  if (affine) return { kind: 'affine', step: step * 4 }
  const last = values[values.length - 1] as number
  return {
    kind: 'table',
    at: tables.add(key, () => extended(values, 4, extra, last * 4)),
  }
}

/** For each position how many, counted from it, every load can read as one vector (or as one repeated value). */
function runs(loads: readonly Int32Array[], size: number): Int32Array {
  const out = new Int32Array(size).fill(1)
  const constants = loads.map((values) => values.every((value) => value === values[0]))
  for (let i = size - 2; i >= 0; i--) {
    let joined = true
    for (let l = 0; l < loads.length; l++) {
      const values = loads[l] as Int32Array
      if (!constants[l] && (values[i + 1] as number) - (values[i] as number) !== 1) joined = false
    }
    if (joined) out[i] = (out[i + 1] as number) + 1
  }
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
