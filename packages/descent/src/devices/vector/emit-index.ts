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
import type { Code, Kind, Written } from './code.ts'
import { laneOffsets, laneStep } from './lane-steps.ts'
import { bindParam, type Target } from './target.ts'
import { emitQuotient } from './vector-division.ts'

interface Scope {
  readonly code: Written
  readonly bound: number[]
  /** Vectors and masks already computed here, by what they are. */
  readonly vectors: Map<unknown, number>
  /** Whole numbers already computed here. */
  readonly scalars: Map<unknown, number>
}

/** An address: local (bytes) + 4 · more (elements; null: none) + a constant that fits a memory instruction. */
export interface Address {
  readonly local: number
  readonly more: number | null
  readonly offset: number
}

/** Constants of this size and below may stand in memory instructions. */
const mostOffset = 2 ** 30

export class IndexEmitter {
  readonly f: Code
  readonly target: Target
  readonly lanes: number
  protected readonly scopes: Scope[] = []
  /** The local of each bound variable, and the depth of the scope that bound it. */
  private readonly variables = new Map<number, { local: number; depth: number }>()
  /** The variable whose consecutive values are the lanes; null: all lanes hold the same. */
  lane: number | null = null
  laneSize = 0
  /** How many lanes count, 1 to `lanes`. */
  active: number
  private readonly table: number
  private readonly temporaries: Record<Kind, number[]> = { int: [], vector: [], mask: [] }

  /** `table`: the local that holds the address of the table of buffers. */
  constructor(f: Code, target: Target, table = bindParam) {
    this.f = f
    this.target = target
    this.lanes = target.lanes
    this.active = target.lanes
    this.table = table
    const before = f.redirect(f.apart())
    f.redirect(before)
    this.scopes.push({ code: before, bound: [], vectors: new Map(), scalars: new Map() })
  }

  /**
   * A local for a moment. Not `f.local` and `f.release`: a value that is later moved out of a loop must not get a
   * local that the loop's code, written before, changes.
   */
  temporary(kind: Kind): number {
    return this.temporaries[kind].pop() ?? this.f.local(kind)
  }
  done(kind: Kind, ...locals: number[]): void {
    this.temporaries[kind].push(...locals)
  }

  get depth(): number {
    return this.scopes.length - 1
  }
  protected scope(depth: number): Scope {
    return this.scopes[depth] as Scope
  }

  /** Begins the inside of a loop: what follows is written apart until `close`. */
  open(): void {
    const code = this.f.apart()
    this.scopes.push({ code, bound: [], vectors: new Map(), scalars: new Map() })
    this.f.redirect(code)
  }
  /** Ends it, and returns its code. */
  close(): Written {
    const scope = this.scopes.pop() as Scope
    for (const id of scope.bound) this.variables.delete(id)
    this.f.redirect(this.scope(this.depth).code)
    return scope.code
  }
  /** Gives variable `id` (a loop variable, or any number that expressions depend on) its local in this scope. */
  bind(id: number, local: number): void {
    this.bindIn(this.depth, id, local)
  }
  protected bindIn(depth: number, id: number, local: number): void {
    this.variables.set(id, { local, depth })
    this.scope(depth).bound.push(id)
  }
  protected depthOf(id: number): number {
    return this.variables.get(id)?.depth ?? (id >= 0 ? 0 : this.depth)
  }
  protected inScope(depth: number, write: () => void): void {
    const before = this.f.redirect(this.scope(depth).code)
    write()
    this.f.redirect(before)
  }

  /** A whole number computed once in the scope at `depth`; returns its local. */
  protected scalar(key: unknown, depth: number, write: () => void): number {
    return this.once('int', this.scope(depth).scalars, key, depth, write)
  }
  /** The same for a vector. */
  protected vector(key: unknown, depth: number, write: () => void): number {
    return this.once('vector', this.scope(depth).vectors, key, depth, write)
  }
  private once(kind: Kind, known: Map<unknown, number>, key: unknown, depth: number, write: () => void): number {
    let local = known.get(key)
    if (local === undefined) {
      local = this.f.local(kind)
      this.inScope(depth, () => {
        write()
        this.f.set(local as number)
      })
      known.set(key, local)
    }
    return local
  }

  /** The address of local buffer `n`. */
  base(n: number): number {
    return this.scalar(`base ${n}`, 0, () => this.f.get(this.table).loadAddress(n))
  }

  /** Leaves the value of an index on the stack. */
  index(x: Index): void {
    const { f } = this
    const sum = this.sum(x.terms, null, 0)
    if (sum === null) f.constant(x.offset)
    else {
      f.get(sum)
      if (x.offset !== 0) f.constant(x.offset).int('add')
    }
  }

  /** The address of element `x` of a buffer; `x` must lie in or near it. */
  address(buffer: number, x: Index): Address {
    if (this.target.scaledAddresses) return this.scaledAddress(buffer, x)
    const bytes = scale(x, 4)
    const low = range({ offset: 0, terms: bytes.terms }).low
    const inner = low < 0 || bytes.offset < 0 ? bytes.offset : 0
    const local = this.sum(bytes.terms, buffer, inner) as number
    return { local, more: null, offset: bytes.offset - inner }
  }

  /** What changes in the innermost loop is left to be added, times 4, where the address is used. */
  private scaledAddress(buffer: number, x: Index): Address {
    const isInner = (term: Term): boolean => this.depth > 0 && this.depthOfAtom(term.atom) === this.depth
    const outer = { offset: 4 * x.offset, terms: x.terms.filter((term) => !isInner(term)) }
    const constant = Math.abs(outer.offset) < mostOffset ? 0 : outer.offset
    const local = this.sum(scale({ offset: 0, terms: outer.terms }, 4).terms, buffer, constant) as number
    return { local, more: this.sum(x.terms.filter(isInner), null, 0), offset: outer.offset - constant }
  }

  /** Leaves an address, but for its constant offset, on the stack. */
  pushAddress({ local, more }: Address): void {
    this.f.get(local)
    if (more !== null) this.addElements(more)
  }
  /** Stack: address → the address that many elements (in a local) further. */
  protected addElements(elements: number): void {
    this.f.get(elements).constant(2).int('shl').int('add')
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
      local = this.scalar(key, 0, () => this.f.get(before).constant(constant).int('add'))
    }
    for (const depth of [...byDepth.keys()].sort((a, b) => a - b)) {
      for (const term of byDepth.get(depth) as Term[]) {
        key += `+${indexKey({ offset: 0, terms: [term] })}`
        const before = local
        const product = this.product(term, depth)
        local = before === null ? product : this.scalar(key, depth, () => this.f.get(before).get(product).int('add'))
      }
    }
    return local
  }

  private depthOfAtom(atom: Atom): number {
    return atom.kind === 'variable' ? this.depthOf(atom.id) : this.depthOfIndex(atom.x)
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
      if (c > 0 && isPower(c)) f.constant(log2(c)).int('shl')
      else f.constant(c).int('mul')
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
    return this.scalar(atomKey(atom), depth, () => {
      this.index(x)
      if (isPower(by) && kind === 'div') f.constant(log2(by)).int('shr_s')
      else if (isPower(by)) f.constant(by - 1).int('and')
      else if (range(x).low >= 0) f.constant(by).int(kind === 'div' ? 'div_u' : 'rem_u')
      else this.floored(kind, by)
    })
  }

  /** Quotient and remainder of the number on the stack, rounded towards minus infinity. */
  private floored(kind: 'div' | 'mod', by: number): void {
    const { f } = this
    const x = this.temporary('int')
    if (kind === 'div') {
      // x - ((by - 1) where x < 0), divided towards zero
      f.tee(x)
        .get(x)
        .constant(31)
        .int('shr_s')
        .constant(by - 1)
        .int('and')
        .int('sub')
        .constant(by)
        .int('div_s')
    } else {
      f.constant(by).int('rem_s').tee(x).get(x).constant(31).int('shr_s').constant(by).int('and').int('add')
    }
    this.done('int', x)
  }

  /** Leaves the vector of an index's values on the stack. */
  indexVector(x: Index): void {
    const { f, lanes } = this
    const offsets = this.laneOffsets(x)
    if (offsets !== null) {
      this.index(x)
      f.splat()
      if (offsets.some((o) => o !== 0)) f.lanesI32(offsets).whole('add')
    } else if (this.byLane) {
      this.index(x)
      f.splat()
      for (let j = 1; j < this.active; j++) {
        this.index(this.shifted(x, j))
        f.withLane(j)
      }
    } else {
      // The terms that behave as one number and constant steps, then each of the others as a vector.
      const behaves = (term: Term): boolean => laneOffsets({ offset: 0, terms: [term] }, this.lane, lanes) !== null
      this.indexVector({ offset: x.offset, terms: x.terms.filter(behaves) })
      for (const { coefficient, atom } of x.terms.filter((term) => !behaves(term))) {
        f.get(this.atomVector(atom))
        if (coefficient > 0 && isPower(coefficient)) {
          if (coefficient > 1) f.shift('shl', log2(coefficient))
        } else f.splatI32(coefficient).whole('mul')
        f.whole('add')
      }
    }
  }
  /** Where there are few lanes and no instruction for it, vectors of indices are put together lane by lane. */
  protected get byLane(): boolean {
    return this.lanes === 4
  }

  /** The local with the vector of a quotient or remainder. */
  private atomVector(atom: Atom): number {
    if (atom.kind === 'variable') throw new Error('a loop variable has constant steps')
    const { f } = this
    const { x, by, kind } = atom
    const depth = this.depthOfIndex(x)
    return this.vector(atomKey(atom), depth, () => {
      if (kind === 'mod' && isPower(by)) {
        this.indexVector(x)
        f.splatI32(by - 1).whole('and')
        return
      }
      // What may be negative is divided where it is a multiple of `by` larger.
      const { low } = range(x)
      const more = low < 0 ? Math.ceil(-low / by) : 0
      const dividend = this.vector(`${indexKey(x)}+${more * by} vector`, depth, () =>
        this.indexVector(addConstant(x, more * by)),
      )
      const quotient = this.vector(`(${indexKey(x)}+${more * by})/${by} vector`, depth, () => {
        f.get(dividend)
        emitQuotient(f, by)
      })
      if (kind === 'mod') f.get(dividend).get(quotient).splatI32(by).whole('mul').whole('sub')
      else {
        f.get(quotient)
        if (more > 0) f.splatI32(more).whole('sub')
      }
    })
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
    return laneStep(x, this.lane, this.lanes)
  }
  laneOffsets(x: Index): readonly number[] | null {
    return laneOffsets(x, this.lane, this.lanes)
  }
}

function atomKey(atom: Atom): string {
  return indexKey({ offset: 0, terms: [{ coefficient: 1, atom }] })
}
function isPower(x: number): boolean {
  return (x & (x - 1)) === 0
}
function log2(power: number): number {
  return 31 - Math.clz32(power)
}
