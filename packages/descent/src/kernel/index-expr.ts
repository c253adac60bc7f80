/**
 * Integer index expressions over loop variables: `offset + Σ coefficient · atom`, where an atom is a loop
 * variable, or the quotient or remainder of another expression by a positive constant.
 *
 * Every expression is kept in one normal form (terms sorted by atom, no zero coefficient, quotient and remainder
 * of the same expression joined again), so that equal expressions are built alike: `sameIndex` compares term by term,
 * and `indexKey` is an identity.
 * Quotients round towards minus infinity and remainders are never negative.
 */
export interface Index {
  readonly offset: number
  readonly terms: readonly Term[]
}
export interface Term {
  readonly coefficient: number
  readonly atom: Atom
}
export type Atom = Variable | { readonly kind: 'div' | 'mod'; readonly x: Index; readonly by: number }

/** A loop variable: 0 ≤ value < size. `id` is unique within a kernel. */
export interface Variable {
  readonly kind: 'variable'
  readonly id: number
  readonly size: number
}

export function constant(offset: number): Index {
  return { offset, terms: [] }
}

export function variable(id: number, size: number): Index {
  if (size === 1) return constant(0)
  return { offset: 0, terms: [{ coefficient: 1, atom: { kind: 'variable', id, size } }] }
}

const keys = new WeakMap<Index, string>()

/** A printed form that is the same exactly for equal expressions. */
export function indexKey(x: Index): string {
  let key = keys.get(x)
  if (key === undefined) {
    const parts = x.terms.map((t) => (t.coefficient === 1 ? atomKey(t.atom) : `${t.coefficient}*${atomKey(t.atom)}`))
    if (x.offset !== 0 || parts.length === 0) parts.push(String(x.offset))
    key = parts.join('+')
    keys.set(x, key)
  }
  return key
}

function atomKey(atom: Atom): string {
  if (atom.kind === 'variable') return `v${atom.id}`
  return `(${indexKey(atom.x)})${atom.kind === 'div' ? '/' : '%'}${atom.by}`
}

export function sameIndex(a: Index, b: Index): boolean {
  if (a === b) return true
  if (a.offset !== b.offset || a.terms.length !== b.terms.length) return false
  for (let i = 0; i < a.terms.length; i++) {
    const [s, t] = [a.terms[i] as Term, b.terms[i] as Term]
    if (s.coefficient !== t.coefficient || !sameAtom(s.atom, t.atom)) return false
  }
  return true
}

export function sameIndices(a: readonly Index[], b: readonly Index[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!sameIndex(a[i] as Index, b[i] as Index)) return false
  return true
}

function sameAtom(a: Atom, b: Atom): boolean {
  if (a === b) return true
  if (a.kind === 'variable') return b.kind === 'variable' && a.id === b.id
  return a.kind === b.kind && a.by === b.by && sameIndex(a.x, b.x)
}

/** Quotients and remainders first, in the order of their keys, then variables in the order of their ids. */
function compareAtoms(a: Atom, b: Atom): number {
  if (a.kind === 'variable') return b.kind === 'variable' ? a.id - b.id : 1
  if (b.kind === 'variable') return -1
  if (sameAtom(a, b)) return 0
  return atomKey(a) < atomKey(b) ? -1 : 1
}

/** The smallest and largest value that the expression can take. */
export function range(x: Index): { low: number; high: number } {
  let low = x.offset
  let high = x.offset
  for (const { coefficient, atom } of x.terms) {
    const r = atomRange(atom)
    low += coefficient * (coefficient > 0 ? r.low : r.high)
    high += coefficient * (coefficient > 0 ? r.high : r.low)
  }
  return { low, high }
}

/** Whether 0 ≤ x < size. */
function isWithin(x: Index, size: number): boolean {
  const { low, high } = range(x)
  return low >= 0 && high < size
}

function atomRange(atom: Atom): { low: number; high: number } {
  if (atom.kind === 'variable') return { low: 0, high: atom.size - 1 }
  const inner = range(atom.x)
  if (atom.kind === 'div') return { low: Math.floor(inner.low / atom.by), high: Math.floor(inner.high / atom.by) }
  if (inner.low >= 0 && inner.high < atom.by) return inner
  return { low: 0, high: atom.by - 1 }
}

export function add(a: Index, b: Index): Index {
  if (a.terms.length === 0) return a.offset === 0 ? b : { offset: a.offset + b.offset, terms: b.terms }
  if (b.terms.length === 0) return b.offset === 0 ? a : { offset: a.offset + b.offset, terms: a.terms }
  return normalize(a.offset + b.offset, [...a.terms, ...b.terms])
}

export function addConstant(a: Index, c: number): Index {
  return c === 0 ? a : { offset: a.offset + c, terms: a.terms }
}

export function scale(a: Index, by: number): Index {
  if (by === 1) return a
  if (by === 0) return constant(0)
  return {
    offset: a.offset * by,
    terms: a.terms.map((t) => ({ coefficient: t.coefficient * by, atom: t.atom })),
  }
}

/** `Σ parts[i] · strides[i]`, the address of an element. */
export function dot(parts: readonly Index[], strides: readonly number[]): Index {
  let offset = 0
  const terms: Term[] = []
  for (let i = 0; i < parts.length; i++) {
    const part = scale(parts[i] as Index, strides[i] as number)
    offset += part.offset
    terms.push(...part.terms)
  }
  return normalize(offset, terms)
}

export function div(x: Index, by: number): Index {
  if (by === 1) return x
  const { whole, rest } = split(x, by)
  if (isWithin(rest, by)) return whole
  const grain = grainOf(rest, by)
  return add(whole, grain ? div(grain.high, by / grain.size) : quotient(rest, by))
}

export function mod(x: Index, by: number): Index {
  if (by === 1) return constant(0)
  const { rest } = split(x, by)
  if (isWithin(rest, by)) return rest
  const grain = grainOf(rest, by)
  if (grain) return add(scale(mod(grain.high, by / grain.size), grain.size), grain.low)
  return { offset: 0, terms: [{ coefficient: 1, atom: { kind: 'mod', x: rest, by } }] }
}

/**
 * x = size·high + low with size a divisor of `by` and 0 ≤ low < size: then `low` matters neither to the quotient,
 * high / (by / size), nor to the wrapping of the remainder. (6·v0 + v1) / 12 with v1 < 6 is v0 / 2.
 */
function grainOf(x: Index, by: number): { size: number; high: Index; low: Index } | null {
  const sizes = new Set(x.terms.map((t) => commonDivisor(Math.abs(t.coefficient), by)))
  for (const size of [...sizes].sort((a, b) => b - a)) {
    if (size === 1) break
    const { whole, rest } = split(x, size)
    if (isWithin(rest, size)) return { size, high: whole, low: rest }
  }
  return null
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b)
}

/** x = by·whole + rest, every term that is a multiple of `by` moved into `whole`. */
function split(x: Index, by: number): { whole: Index; rest: Index } {
  const whole: Term[] = []
  const rest: Term[] = []
  for (const t of x.terms) {
    if (t.coefficient % by === 0) whole.push({ coefficient: t.coefficient / by, atom: t.atom })
    else rest.push(t)
  }
  const high = Math.floor(x.offset / by)
  return {
    whole: { offset: high, terms: whole },
    rest: { offset: x.offset - high * by, terms: rest },
  }
}

/** Nested quotients become one: (r + x / a) / b = (a·r + x) / (a·b). */
function quotient(x: Index, by: number): Index {
  for (const t of x.terms) {
    if (t.coefficient !== 1 || t.atom.kind !== 'div') continue
    const rest = { offset: x.offset, terms: x.terms.filter((other) => other !== t) }
    return div(add(scale(rest, t.atom.by), t.atom.x), t.atom.by * by)
  }
  return { offset: 0, terms: [{ coefficient: 1, atom: { kind: 'div', x, by } }] }
}

function normalize(offset: number, terms: readonly Term[]): Index {
  const sorted: Term[] = []
  for (const t of terms) insert(sorted, t)
  const present = sorted.some((t) => t.coefficient === 0) ? sorted.filter((t) => t.coefficient !== 0) : sorted
  return rejoined(offset, present) ?? { offset, terms: present }
}

function insert(sorted: Term[], t: Term): void {
  let at = sorted.length
  for (; at > 0; at--) {
    const before = sorted[at - 1] as Term
    const order = compareAtoms(before.atom, t.atom)
    if (order < 0) break
    if (order === 0) {
      sorted[at - 1] = { coefficient: before.coefficient + t.coefficient, atom: t.atom }
      return
    }
  }
  if (at === sorted.length) sorted.push(t)
  else sorted.splice(at, 0, t)
}

/** by·c·(x / by) + c·(x % by) is c·x; null where no quotient meets its remainder. */
function rejoined(offset: number, terms: readonly Term[]): Index | null {
  for (const t of terms) {
    const { atom, coefficient } = t
    if (atom.kind === 'variable') return null
    if (atom.kind === 'div') continue
    const wanted = coefficient * atom.by
    if (!terms.some((other) => other.coefficient === wanted && other !== t)) continue
    const { terms: whole, offset: extra } = quotient(atom.x, atom.by)
    const partner = whole[0]
    if (partner?.coefficient !== 1 || whole.length > 1 || extra !== 0) continue
    const other = terms.find((o) => o.coefficient === wanted && sameAtom(o.atom, partner.atom))
    if (!other) continue
    const joined = scale(atom.x, coefficient)
    return normalize(offset + joined.offset, [...terms.filter((o) => o !== t && o !== other), ...joined.terms])
  }
  return null
}

/** Replaces loop variables by expressions; variables that the map does not hold stay. */
export function substitute(x: Index, values: ReadonlyMap<number, Index>): Index {
  let result = constant(x.offset)
  for (const { coefficient, atom } of x.terms) result = add(result, scale(substituteAtom(atom, values), coefficient))
  return result
}

function substituteAtom(atom: Atom, values: ReadonlyMap<number, Index>): Index {
  switch (atom.kind) {
    case 'variable':
      return values.get(atom.id) ?? { offset: 0, terms: [{ coefficient: 1, atom }] }
    case 'div':
      return div(substitute(atom.x, values), atom.by)
    case 'mod':
      return mod(substitute(atom.x, values), atom.by)
  }
}

/** The value of the expression for given loop variables. */
export function evaluate(x: Index, values: ReadonlyMap<number, number>): number {
  let sum = x.offset
  for (const { coefficient, atom } of x.terms) sum += coefficient * evaluateAtom(atom, values)
  return sum
}

function evaluateAtom(atom: Atom, values: ReadonlyMap<number, number>): number {
  switch (atom.kind) {
    case 'variable':
      return values.get(atom.id) ?? 0
    case 'div':
      return Math.floor(evaluate(atom.x, values) / atom.by)
    case 'mod': {
      const value = evaluate(atom.x, values) % atom.by
      return value < 0 ? value + atom.by : value
    }
  }
}

/** The loop variables that the expression depends on. */
export function variablesOf(x: Index, into: Set<number> = new Set()): Set<number> {
  for (const { atom } of x.terms) {
    if (atom.kind === 'variable') into.add(atom.id)
    else variablesOf(atom.x, into)
  }
  return into
}

/**
 * How the expression changes when variable `id` grows by one: the constant step where it is affine in that
 * variable, 0 where it does not depend on it, null where the variable stands inside a quotient or remainder.
 */
export function strideIn(x: Index, id: number): number | null {
  let stride = 0
  for (const { coefficient, atom } of x.terms) {
    if (atom.kind === 'variable') {
      if (atom.id === id) stride += coefficient
    } else if (variablesOf(atom.x).has(id)) return null
  }
  return stride
}
