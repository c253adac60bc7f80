/**
 * Scopes and index arithmetic of a function that is being written.
 *
 * A scope is the inside of one loop (the outermost: the function itself). Its code is written apart and appended to
 * the parent's when the loop is closed, so that what an inner loop needs, but does not change there, can still be
 * computed outside of it: every value goes to the outermost scope that has all it depends on.
 */
import {
  type Atom,
  addConstant,
  type Index,
  indexKey,
  range,
  scale,
  substitute,
  type Term,
} from '../../kernel/index-expr.ts'
import { bindParam } from './emit.ts'
import type { FunctionBuilder } from './encode.ts'

interface Scope {
  readonly code: number[]
  readonly bound: number[]
  /** Vectors already computed here, by what they are. */
  readonly vectors: Map<unknown, number>
  /** i32 values already computed here. */
  readonly scalars: Map<unknown, number>
}

/** An address: local (bytes) + a constant that fits a memory instruction. */
export interface Address {
  readonly local: number
  readonly offset: number
}

export class IndexEmitter {
  readonly f: FunctionBuilder
  protected readonly scopes: Scope[] = []
  /** The i32 local of each bound variable, and the depth of the scope that bound it. */
  private readonly variables = new Map<number, { local: number; depth: number }>()
  /** The variable whose consecutive values are the four lanes; null: all lanes hold the same. */
  lane: number | null = null
  laneSize = 0
  /** How many lanes count, 1 to 4. */
  active = 4
  private readonly table: number
  private readonly temporaries: { i32: number[]; v128: number[] } = { i32: [], v128: [] }

  /** `table`: the local that holds the address of the table of buffers. */
  constructor(f: FunctionBuilder, table = bindParam) {
    this.f = f
    this.table = table
    const code: number[] = []
    const before = f.redirect(code)
    f.redirect(before)
    this.scopes.push({ code: before, bound: [], vectors: new Map(), scalars: new Map() })
  }

  /**
   * A local for a moment. Not `f.local` and `f.release`: a value that is later moved out of a loop must not get a
   * local that the loop's code, written before, changes.
   */
  temporary(type: 'i32' | 'v128'): number {
    return this.temporaries[type].pop() ?? this.f.local(type)
  }
  done(type: 'i32' | 'v128', ...locals: number[]): void {
    this.temporaries[type].push(...locals)
  }

  get depth(): number {
    return this.scopes.length - 1
  }
  protected scope(depth: number): Scope {
    return this.scopes[depth] as Scope
  }

  /** Begins the inside of a loop: what follows is written apart until `close`. */
  open(): void {
    const code: number[] = []
    this.scopes.push({ code, bound: [], vectors: new Map(), scalars: new Map() })
    this.f.redirect(code)
  }
  /** Ends it, and returns its code. */
  close(): number[] {
    const scope = this.scopes.pop() as Scope
    for (const id of scope.bound) this.variables.delete(id)
    this.f.redirect(this.scope(this.depth).code)
    return scope.code
  }
  /** Gives variable `id` (a loop variable, or any number that expressions depend on) its local in this scope. */
  bind(id: number, local: number): void {
    this.variables.set(id, { local, depth: this.depth })
    this.scope(this.depth).bound.push(id)
  }
  protected depthOf(id: number): number {
    return this.variables.get(id)?.depth ?? (id >= 0 ? 0 : this.depth)
  }
  protected inScope(depth: number, write: () => void): void {
    const before = this.f.redirect(this.scope(depth).code)
    write()
    this.f.redirect(before)
  }

  /** An i32 computed once in the scope at `depth`; returns its local. */
  protected scalar(key: unknown, depth: number, write: () => void): number {
    const { scalars } = this.scope(depth)
    let local = scalars.get(key)
    if (local === undefined) {
      local = this.f.local('i32')
      this.inScope(depth, () => {
        write()
        this.f.set(local as number)
      })
      scalars.set(key, local)
    }
    return local
  }

  /** The address of local buffer `n`. */
  base(n: number): number {
    return this.scalar(`base ${n}`, 0, () => this.f.get(this.table).load('i32.load', 4 * n))
  }

  /** Leaves the value of an index on the stack. */
  index(x: Index): void {
    const { f } = this
    const sum = this.sum(x.terms, null, 0)
    if (sum === null) f.constant(x.offset)
    else {
      f.get(sum)
      if (x.offset !== 0) f.constant(x.offset).i32('add')
    }
  }

  /** The address of element `x` of a buffer; `x` must lie in or near it. */
  address(buffer: number, x: Index): Address {
    const bytes = scale(x, 4)
    const low = range({ offset: 0, terms: bytes.terms }).low
    const inner = low < 0 || bytes.offset < 0 ? bytes.offset : 0
    const local = this.sum(bytes.terms, buffer, inner) as number
    return { local, offset: bytes.offset - inner }
  }

  /** [buffer's address + constant +] Σ terms, each loop's part computed in its scope; null: nothing to add up. */
  private sum(terms: readonly Term[], buffer: number | null, constant: number): number | null {
    const byDepth = new Map<number, Term[]>()
    for (const term of terms) {
      const depth = this.depthOfAtom(term.atom)
      const list = byDepth.get(depth)
      if (list) list.push(term)
      else byDepth.set(depth, [term])
    }
    let key = buffer === null ? '' : `b${buffer}+${constant}`
    let local = buffer === null ? null : this.base(buffer)
    if (constant !== 0) {
      const before = local as number
      local = this.scalar(key, 0, () => this.f.get(before).constant(constant).i32('add'))
    }
    for (const depth of [...byDepth.keys()].sort((a, b) => a - b)) {
      for (const term of byDepth.get(depth) as Term[]) {
        key += `+${indexKey({ offset: 0, terms: [term] })}`
        const before = local
        const product = this.product(term, depth)
        local = before === null ? product : this.scalar(key, depth, () => this.f.get(before).get(product).i32('add'))
      }
    }
    return local
  }

  private depthOfAtom(atom: Atom): number {
    if (atom.kind === 'variable') return this.depthOf(atom.id)
    let depth = 0
    for (const t of atom.x.terms) depth = Math.max(depth, this.depthOfAtom(t.atom))
    return depth
  }
  protected depthOfIndex(x: Index): number {
    let depth = 0
    for (const t of x.terms) depth = Math.max(depth, this.depthOfAtom(t.atom))
    return depth
  }

  private product(term: Term, depth: number): number {
    const { f } = this
    const atom = this.atom(term.atom, depth)
    const c = term.coefficient
    if (c === 1) return atom
    return this.scalar(`*${indexKey({ offset: 0, terms: [term] })}`, depth, () => {
      f.get(atom)
      if (c > 0 && (c & (c - 1)) === 0) f.constant(31 - Math.clz32(c)).i32('shl')
      else f.constant(c).i32('mul')
    })
  }

  private atom(atom: Atom, depth: number): number {
    if (atom.kind === 'variable') {
      const bound = this.variables.get(atom.id)
      if (!bound) throw new Error(`loop variable v${atom.id} is not bound`)
      return bound.local
    }
    const { f } = this
    const { x, by, kind } = atom
    return this.scalar(indexKey({ offset: 0, terms: [{ coefficient: 1, atom }] }), depth, () => {
      this.index(x)
      const power = (by & (by - 1)) === 0
      if (power && kind === 'div') f.constant(31 - Math.clz32(by)).i32('shr_s')
      else if (power) f.constant(by - 1).i32('and')
      else if (range(x).low >= 0) f.constant(by).i32(kind === 'div' ? 'div_u' : 'rem_u')
      else this.floored(kind, by)
    })
  }

  /** Quotient and remainder of the i32 on the stack, rounded towards minus infinity. */
  private floored(kind: 'div' | 'mod', by: number): void {
    const { f } = this
    const x = this.temporary('i32')
    if (kind === 'div') {
      // x - ((by - 1) where x < 0), divided towards zero
      f.tee(x)
        .get(x)
        .constant(31)
        .i32('shr_s')
        .constant(by - 1)
        .i32('and')
        .i32('sub')
        .constant(by)
        .i32('div_s')
    } else {
      f.constant(by).i32('rem_s').tee(x).get(x).constant(31).i32('shr_s').constant(by).i32('and').i32('add')
    }
    this.done('i32', x)
  }

  /** The same index where the lane variable is `by` further. */
  protected shifted(x: Index, by: number): Index {
    if (this.lane === null || by === 0) return x
    return substitute(
      x,
      new Map([
        [
          this.lane,
          addConstant(
            { offset: 0, terms: [{ coefficient: 1, atom: { kind: 'variable', id: this.lane, size: this.laneSize } }] },
            by,
          ),
        ],
      ]),
    )
  }

  laneStep(x: Index): number | null {
    return laneStep(x, this.lane)
  }
  laneOffsets(x: Index): readonly number[] | null {
    return laneOffsets(x, this.lane)
  }
}

/** How an index changes from one lane to the next; null: not by a constant. */
export function laneStep(x: Index, lane: number | null): number | null {
  const offsets = laneOffsets(x, lane)
  if (!offsets) return null
  const [, step, second, third] = offsets as [number, number, number, number]
  return second === 2 * step && third === 3 * step ? step : null
}

/**
 * How much the four lanes' indices are larger than the first lane's, where that does not depend on the loops. The lane
 * variable's value in lane 0 is always a multiple of four, so quotients and remainders often behave.
 */
export function laneOffsets(x: Index, lane: number | null): readonly number[] | null {
  const sum = [0, 0, 0, 0]
  if (lane === null) return sum
  for (const { coefficient, atom } of x.terms) {
    let offsets: readonly number[] | null
    if (atom.kind === 'variable') offsets = atom.id === lane ? [0, 1, 2, 3] : [0, 0, 0, 0]
    else {
      offsets = laneOffsets(atom.x, lane)
      if (!offsets) return null
      if (offsets.some((o) => o !== 0)) {
        // In lane 0 the remainder is a multiple of `unit`.
        const unit = gcd(granularity(atom.x, lane), atom.by)
        const { kind, by } = atom
        const low = Math.min(...offsets)
        if (low < 0) return null
        if (unit === by) offsets = offsets.map((o) => (kind === 'div' ? Math.floor(o / by) : o % by))
        else if (Math.max(...offsets) >= unit) return null
        else if (kind === 'div') offsets = [0, 0, 0, 0]
      }
    }
    for (let j = 0; j < 4; j++) sum[j] = (sum[j] as number) + coefficient * (offsets[j] as number)
  }
  return sum
}

/** A number that divides every value of the expression in lane 0 (0: the value is always 0). */
function granularity(x: Index, lane: number): number {
  let result = Math.abs(x.offset)
  for (const { coefficient, atom } of x.terms) {
    let g = 1
    if (atom.kind === 'variable') g = atom.id === lane ? 4 : 1
    else {
      const inner = granularity(atom.x, lane)
      if (atom.kind === 'mod') g = gcd(inner, atom.by)
      else if (inner % atom.by === 0) g = inner / atom.by
    }
    result = gcd(result, Math.abs(coefficient) * g)
  }
  return result
}
function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
