/** The vector instructions of each operation on values. */
import type { BinaryOp, Expr, UnaryOp } from '../../kernel/expr.ts'
import type { Code, Comparison, FloatOp, WholeOp } from './code.ts'

export interface ValueEmitter {
  readonly f: Code
  /** Leaves the vector or mask of an expression on the stack. */
  value(e: Expr): void
  temporary(kind: 'mask'): number
  done(kind: 'mask', ...locals: number[]): void
}

export function emitOperation(e: Expr, to: ValueEmitter): void {
  const { f } = to
  switch (e.kind) {
    case 'unary':
      to.value(e.x)
      unary(f, e.op, e.x.dtype)
      return
    case 'binary':
      if (e.a.dtype === 'bool') logical(e, to)
      else binary(e, to)
      return
    case 'fma':
      to.value(e.a)
      to.value(e.b)
      to.value(e.c)
      f.multiplyAdd()
      return
    case 'select':
      select(e, to)
      return
    case 'cast':
      to.value(e.x)
      cast(f, e.x.dtype, e.dtype)
      return
    case 'bitcast':
      to.value(e.x)
      return
    default:
      throw new Error(`${e.kind} is not an operation`)
  }
}

function unary(f: Code, op: UnaryOp, dtype: Expr['dtype']): void {
  switch (op) {
    case 'neg':
    case 'abs':
      if (dtype === 'f32') f.floatUnary(op)
      else f.wholeUnary(op)
      return
    case 'sqrt':
    case 'floor':
    case 'ceil':
      f.floatUnary(op)
      return
    case 'round':
      f.floatUnary('nearest')
      return
    case 'not':
      f.mask('not')
      return
    case 'relu':
      f.splatF32(0).quick('max')
      return
    default:
      throw new Error(`${op} should have been expanded (see math.ts)`)
  }
}

function cast(f: Code, from: Expr['dtype'], to: Expr['dtype']): void {
  if (from === to) return
  if (to === 'bool') {
    if (from === 'f32') f.splatF32(0).compareF32('ne')
    else f.nonzero()
  } else if (from === 'bool') f.ones(to)
  else if (to === 'i32') f.truncate()
  else f.convert()
}

function select({ dtype, condition, a, b }: Extract<Expr, { kind: 'select' }>, to: ValueEmitter): void {
  const { f } = to
  to.value(a)
  to.value(b)
  if (dtype !== 'bool') {
    to.value(condition)
    f.choose()
    return
  }
  // ((a ^ b) & condition) ^ b
  const other = to.temporary('mask')
  f.tee(other).mask('xor')
  to.value(condition)
  f.mask('and').get(other).mask('xor')
  to.done('mask', other)
}

function binary({ op, a, b }: Extract<Expr, { kind: 'binary' }>, to: ValueEmitter): void {
  const { f } = to
  const float = a.dtype === 'f32'
  // Where one side is a number, the quick maximum gives NaN where the other side is NaN.
  if ((op === 'max' || op === 'min') && float && (isNumber(a) || isNumber(b))) {
    to.value(isNumber(b) ? a : b)
    to.value(isNumber(b) ? b : a)
    f.quick(op)
    return
  }
  to.value(a)
  if ((op === 'shl' || op === 'shr') && b.kind === 'const') {
    f.shift(op, b.value & 31)
    return
  }
  to.value(b)
  switch (op) {
    case 'lt':
    case 'le':
    case 'eq':
    case 'ne':
      if (float) f.compareF32(op satisfies Comparison)
      else f.compareI32(op satisfies Comparison)
      return
    case 'shl':
    case 'shr':
      f.shiftLanes(op)
      return
    default:
      if (float) f.float(floatOps[op] ?? missing(op))
      else f.whole(wholeOps[op] ?? missing(op))
  }
}

const floatOps: { readonly [op in BinaryOp]?: FloatOp } = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div: 'div',
  max: 'max',
  min: 'min',
}
const wholeOps: { readonly [op in BinaryOp]?: WholeOp } = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  and: 'and',
  or: 'or',
  xor: 'xor',
  max: 'max_s',
  min: 'min_s',
  mulhi: 'mulhi',
}

/** Operations on bools, false being less than true. */
function logical({ op, a, b }: Extract<Expr, { kind: 'binary' }>, to: ValueEmitter): void {
  const { f } = to
  to.value(a)
  if (op === 'lt' || op === 'le') f.mask('not')
  to.value(b)
  switch (op) {
    case 'and':
    case 'min':
    case 'lt':
      f.mask('and')
      return
    case 'or':
    case 'max':
    case 'le':
      f.mask('or')
      return
    case 'xor':
    case 'ne':
      f.mask('xor')
      return
    case 'eq':
      f.mask('xor').mask('not')
      return
    default:
      missing(op)
  }
}

function missing(op: BinaryOp): never {
  throw new Error(`no instruction for ${op}`)
}
function isNumber(e: Expr): boolean {
  return e.kind === 'const' && !Number.isNaN(e.value)
}
