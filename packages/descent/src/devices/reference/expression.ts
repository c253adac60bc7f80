/**
 * Expressions made into closures: `(…) => number` over a frame that holds the loop variables and the bound buffers.
 * f32 values are doubles, i32 values integers in 32 bits, bools 0 or 1. Both sides of a `select` are computed, as
 * on the vector devices. Whatever the kernel form forbids (a load outside of its buffer that is not marked as
 * guarded, operands of unequal types, a row that touches what another row wrote) throws: this device is the oracle.
 */
import type { DType } from '../../dtype.ts'
import { type BinaryOp, type Expr, operands, type UnaryOp } from '../../kernel/expr.ts'
import type { Atom, Index } from '../../kernel/index-expr.ts'
import type { BufferUse } from '../../kernel/kernel.ts'
import { printExpr } from '../../kernel/print.ts'
import { bitsOfFloat, erf, floatOfBits, mulHigh, power, roundHalfEven, sigmoid, truncate } from './special.ts'

export type Elements = Float64Array | Int32Array
export type Value = () => number

/** One local buffer of a launch. `writers` (where the launch writes this memory): who last wrote each element. */
export interface Binding {
  data: Elements
  length: number
  writers: Float64Array | null
}

/** All that the closures of one kernel read and write. */
export interface Frame {
  readonly title: string
  readonly uses: readonly BufferUse[]
  /** Values of the loop variables; `slots` says where each id stands. */
  readonly variables: number[]
  readonly slots: Map<number, number>
  bindings: Binding[]
  readonly results: number[][]
  tile: number
  /** Grows with every point: shared parts are computed once for each value. */
  point: number
  /** `firstRow` is the first stamp of this launch, `row` the stamp of the present row; stamps are never reused. */
  firstRow: number
  row: number
  failure: { readonly id: number; readonly value: number } | null
}

export function newFrame(title: string, uses: readonly BufferUse[]): Frame {
  return {
    title,
    uses,
    variables: [],
    slots: new Map(),
    bindings: [],
    results: [],
    tile: 0,
    point: 0,
    firstRow: 0,
    row: 0,
    failure: null,
  }
}

/** The place of a loop variable's value. */
export function slotOf(frame: Frame, id: number): number {
  let slot = frame.slots.get(id)
  if (slot === undefined) {
    slot = frame.variables.length
    frame.slots.set(id, slot)
    frame.variables.push(0)
  }
  return slot
}

export function invalid(frame: Frame, what: string): Error {
  const at = [...frame.slots].map(([id, slot]) => `v${id}=${frame.variables[slot]}`).join(' ')
  return new Error(`reference device: ${frame.title}: ${what}${at ? ` (${at})` : ''}`)
}

export function compileIndex(x: Index, frame: Frame): Value {
  const { offset, terms } = x
  const values = frame.variables
  if (terms.length === 0) return () => offset
  const parts = terms.map((t) => {
    const { coefficient } = t
    const atom = compileAtom(t.atom, frame)
    return coefficient === 1 ? atom : () => coefficient * atom()
  })
  const only = terms[0]
  if (terms.length === 1 && only?.atom.kind === 'variable') {
    const slot = slotOf(frame, only.atom.id)
    const { coefficient } = only
    return () => offset + coefficient * (values[slot] as number)
  }
  if (parts.length === 2) {
    const [a, b] = parts as [Value, Value]
    return () => offset + a() + b()
  }
  return () => {
    let sum = offset
    for (const part of parts) sum += part()
    return sum
  }
}

function compileAtom(atom: Atom, frame: Frame): Value {
  if (atom.kind === 'variable') {
    const values = frame.variables
    const slot = slotOf(frame, atom.id)
    return () => values[slot] as number
  }
  const x = compileIndex(atom.x, frame)
  const { by } = atom
  if (atom.kind === 'div') return () => Math.floor(x() / by)
  return () => {
    const rest = x() % by
    return rest < 0 ? rest + by : rest
  }
}

/** Reads element `i`, which must lie inside and must not have been written by another row of this launch. */
function read(frame: Frame, buffer: number, i: number): number {
  const binding = frame.bindings[buffer] as Binding
  if (!(i >= 0 && i < binding.length)) {
    throw invalid(frame, `reads b${buffer}[${i}], outside of its ${binding.length} elements`)
  }
  if (binding.writers) {
    const writer = binding.writers[i] as number
    if (writer >= frame.firstRow && writer !== frame.row) {
      throw invalid(frame, `reads b${buffer}[${i}], which another row of the same kernel wrote`)
    }
  }
  return binding.data[i] as number
}

/** Writes element `i`, which must lie inside and must not have been written by another row of this launch. */
export function write(frame: Frame, buffer: number, i: number, value: number): void {
  const binding = frame.bindings[buffer] as Binding
  if (!(i >= 0 && i < binding.length)) {
    throw invalid(frame, `writes b${buffer}[${i}], outside of its ${binding.length} elements`)
  }
  if (binding.writers) {
    const writer = binding.writers[i] as number
    if (writer >= frame.firstRow && writer !== frame.row) {
      throw invalid(frame, `writes b${buffer}[${i}], which another row of the same kernel wrote`)
    }
    binding.writers[i] = frame.row
  }
  binding.data[i] = value
}

/** Makes closures for the expressions of one loop body; parts that these share are computed once for each point. */
export function compileExprs(roots: readonly Expr[], frame: Frame): Value[] {
  const uses = new Map<Expr, number>()
  const count = (e: Expr): void => {
    const seen = uses.get(e) ?? 0
    uses.set(e, seen + 1)
    if (seen === 0) for (const x of operands(e)) count(x)
  }
  for (const root of roots) count(root)
  const made = new Map<Expr, Value>()
  const make = (e: Expr): Value => {
    let value = made.get(e)
    if (value) return value
    const xs = operands(e).map(make)
    value = compileNode(e, xs, frame)
    if ((uses.get(e) ?? 0) > 1 && e.kind !== 'const') value = oncePerPoint(value, frame)
    made.set(e, value)
    return value
  }
  return roots.map(make)
}

function oncePerPoint(compute: Value, frame: Frame): Value {
  let point = -1
  let value = 0
  return () => {
    if (point !== frame.point) {
      value = compute()
      point = frame.point
    }
    return value
  }
}

function expect(ok: boolean, e: Expr, frame: Frame, what: string): void {
  if (!ok) throw new Error(`reference device: ${frame.title}: ${what} in ${printExpr(e)}`)
}

function compileNode(e: Expr, xs: readonly Value[], frame: Frame): Value {
  const [a, b, c] = xs as [Value, Value, Value]
  switch (e.kind) {
    case 'const': {
      const { value } = e
      return () => value
    }
    case 'load': {
      expect(frame.uses[e.buffer]?.dtype === e.dtype, e, frame, `the buffer is not ${e.dtype}`)
      const { buffer } = e
      const index = compileIndex(e.index, frame)
      if (!e.guarded) return () => read(frame, buffer, index())
      return () => {
        const i = index()
        return i >= 0 && i < (frame.bindings[buffer] as Binding).length ? read(frame, buffer, i) : 0
      }
    }
    case 'gather': {
      expect(frame.uses[e.buffer]?.dtype === e.dtype, e, frame, `the buffer is not ${e.dtype}`)
      expect(e.position.dtype === 'i32', e, frame, 'the position is not i32')
      const { buffer, stride } = e
      const base = compileIndex(e.base, frame)
      return () => read(frame, buffer, base() + stride * a())
    }
    case 'check': {
      expect(e.x.dtype === 'i32', e, frame, 'the checked value is not i32')
      const { size, id } = e
      return () => {
        const value = a()
        if (value >= 0 && value < size) return value
        frame.failure ??= { id, value }
        return 0
      }
    }
    case 'index': {
      const index = compileIndex(e.index, frame)
      return () => index() | 0
    }
    case 'result': {
      const { stage, slot } = e
      return () => (frame.results[stage] as number[])[slot] as number
    }
    case 'tile':
      return () => frame.tile
    case 'unary':
      return compileUnary(e.op, e.x.dtype, a, e, frame)
    case 'binary':
      expect(e.a.dtype === e.b.dtype, e, frame, `operands of type ${e.a.dtype} and ${e.b.dtype}`)
      return compileBinary(e.op, e.a.dtype, a, b, e, frame)
    case 'fma':
      return () => a() * b() + c()
    case 'select':
      expect(e.condition.dtype === 'bool', e, frame, 'the condition is not bool')
      expect(e.a.dtype === e.b.dtype, e, frame, `branches of type ${e.a.dtype} and ${e.b.dtype}`)
      return () => {
        const condition = a()
        const yes = b()
        const no = c()
        return condition !== 0 ? yes : no
      }
    case 'cast':
      if (e.dtype === 'bool') return () => (a() !== 0 ? 1 : 0)
      if (e.dtype === 'i32' && e.x.dtype === 'f32') return () => truncate(a())
      return a
    case 'bitcast':
      if (e.dtype === e.x.dtype) return a
      return e.dtype === 'i32' ? () => bitsOfFloat(a()) : () => floatOfBits(a())
  }
}

const functions: Record<Exclude<UnaryOp, 'not'>, (x: number) => number> = {
  neg: (x) => -x,
  abs: Math.abs,
  sqrt: Math.sqrt,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfEven,
  exp: Math.exp,
  log: Math.log,
  log1p: Math.log1p,
  expm1: Math.expm1,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  atan: Math.atan,
  tanh: Math.tanh,
  sinh: Math.sinh,
  cosh: Math.cosh,
  sigmoid,
  erf,
  relu: (x) => Math.max(x, 0),
}

function compileUnary(op: UnaryOp, dtype: DType, x: Value, e: Expr, frame: Frame): Value {
  if (op === 'not') {
    expect(dtype === 'bool', e, frame, `not on ${dtype}`)
    return () => (x() === 0 ? 1 : 0)
  }
  if (dtype === 'i32' && op === 'neg') return () => -x() | 0
  if (dtype === 'i32' && op === 'abs') return () => Math.abs(x()) | 0
  expect(dtype === 'f32', e, frame, `${op} on ${dtype}`)
  const f = functions[op]
  return () => f(x())
}

function compileBinary(op: BinaryOp, dtype: DType, a: Value, b: Value, e: Expr, frame: Frame): Value {
  const float = dtype === 'f32'
  const allow = (...dtypes: DType[]): void => expect(dtypes.includes(dtype), e, frame, `${op} on ${dtype}`)
  switch (op) {
    case 'add':
      allow('f32', 'i32')
      return float ? () => a() + b() : () => (a() + b()) | 0
    case 'sub':
      allow('f32', 'i32')
      return float ? () => a() - b() : () => (a() - b()) | 0
    case 'mul':
      allow('f32', 'i32')
      return float ? () => a() * b() : () => Math.imul(a(), b())
    case 'div':
      allow('f32')
      return () => a() / b()
    case 'pow':
      allow('f32')
      return () => power(a(), b())
    case 'max':
      allow('f32', 'i32')
      return () => Math.max(a(), b())
    case 'min':
      allow('f32', 'i32')
      return () => Math.min(a(), b())
    case 'lt':
      return () => (a() < b() ? 1 : 0)
    case 'le':
      return () => (a() <= b() ? 1 : 0)
    case 'eq':
      return () => (a() === b() ? 1 : 0)
    case 'ne':
      return () => (a() !== b() ? 1 : 0)
    case 'and':
      allow('i32', 'bool')
      return () => a() & b()
    case 'or':
      allow('i32', 'bool')
      return () => a() | b()
    case 'xor':
      allow('i32', 'bool')
      return () => a() ^ b()
    case 'shl':
      allow('i32')
      return () => a() << b()
    case 'shr':
      allow('i32')
      return () => (a() >>> b()) | 0
    case 'mulhi':
      allow('i32')
      return () => mulHigh(a(), b())
  }
}
