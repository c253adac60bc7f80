/** The vector instructions of each operation on values. */
import type { BinaryOp, Expr, UnaryOp } from '../../kernel/expr.ts'
import type { FunctionBuilder } from './encode.ts'
import type * as opcodes from './opcodes.ts'

export interface ValueEmitter {
  readonly f: FunctionBuilder
  /** Leaves the vector of an expression on the stack. */
  value(e: Expr): void
  temporary(type: 'v128'): number
  done(type: 'v128', ...locals: number[]): void
}

export function emitOperation(
  e: Expr,
  to: ValueEmitter,
  relaxedSimd: boolean,
  variesByLane: (e: Expr) => boolean,
): void {
  const { f } = to
  switch (e.kind) {
    case 'unary':
      to.value(e.x)
      unary(f, e.op, e.x.dtype)
      return
    case 'binary':
      binary(e, to, variesByLane)
      return
    case 'fma':
      to.value(e.a)
      to.value(e.b)
      if (relaxedSimd) {
        to.value(e.c)
        f.f32x4('relaxed_madd')
      } else {
        f.f32x4('mul')
        to.value(e.c)
        f.f32x4('add')
      }
      return
    case 'select':
      to.value(e.a)
      to.value(e.b)
      to.value(e.condition)
      if (relaxedSimd) f.i32x4('relaxed_laneselect')
      else f.v128('bitselect')
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

function unary(f: FunctionBuilder, op: UnaryOp, dtype: Expr['dtype']): void {
  switch (op) {
    case 'neg':
    case 'abs':
      if (dtype === 'f32') f.f32x4(op)
      else f.i32x4(op)
      return
    case 'sqrt':
    case 'floor':
    case 'ceil':
      f.f32x4(op)
      return
    case 'round':
      f.f32x4('nearest')
      return
    case 'not':
      f.v128('not')
      return
    case 'relu':
      f.splatF32(0).f32x4('pmax')
      return
    default:
      throw new Error(`${op} should have been expanded (see math.ts)`)
  }
}

function cast(f: FunctionBuilder, from: Expr['dtype'], to: Expr['dtype']): void {
  if (from === to) return
  if (to === 'bool') {
    if (from === 'f32') f.splatF32(0).f32x4('ne')
    else f.constantI32x4(0).i32x4('ne')
  } else if (from === 'bool') {
    if (to === 'f32') f.splatF32(1)
    else f.constantI32x4(1)
    f.v128('and')
  } else if (to === 'i32') f.i32x4('trunc_sat_f32x4_s')
  else f.f32x4('convert_i32x4_s')
}

function binary(e: Extract<Expr, { kind: 'binary' }>, to: ValueEmitter, variesByLane: (e: Expr) => boolean): void {
  const { f } = to
  const { op, a, b } = e
  const dtype = a.dtype
  if (op === 'shl' || op === 'shr') {
    shift(e, to, variesByLane)
    return
  }
  // Where one side is a number, the quick maximum gives NaN where the other side is NaN.
  if ((op === 'max' || op === 'min') && dtype === 'f32' && (isNumber(a) || isNumber(b))) {
    to.value(isNumber(b) ? a : b)
    to.value(isNumber(b) ? b : a)
    f.f32x4(op === 'max' ? 'pmax' : 'pmin')
    return
  }
  // As masks, true is below false.
  const swap = dtype === 'bool' && (op === 'lt' || op === 'le')
  to.value(swap ? b : a)
  if (op === 'mulhi') {
    mulhi(to, b)
    return
  }
  to.value(swap ? a : b)
  if (op === 'and' || op === 'or' || op === 'xor') f.v128(op)
  else if (dtype === 'f32') f.f32x4(floatOps[op] ?? missing(op))
  else if (dtype === 'bool' && (op === 'max' || op === 'min')) f.v128(op === 'max' ? 'or' : 'and')
  else f.i32x4(integerOps[op] ?? missing(op))
}

const floatOps: { readonly [op in BinaryOp]?: keyof typeof opcodes.f32x4 } = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div: 'div',
  max: 'max',
  min: 'min',
  lt: 'lt',
  le: 'le',
  eq: 'eq',
  ne: 'ne',
}
const integerOps: { readonly [op in BinaryOp]?: keyof typeof opcodes.i32x4 } = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  max: 'max_s',
  min: 'min_s',
  lt: 'lt_s',
  le: 'le_s',
  eq: 'eq',
  ne: 'ne',
}

function missing(op: BinaryOp): never {
  throw new Error(`no instruction for ${op}`)
}
function isNumber(e: Expr): boolean {
  return e.kind === 'const' && !Number.isNaN(e.value)
}

/** Stack: a. High words of the unsigned products. */
function mulhi(to: ValueEmitter, b: Expr): void {
  const { f } = to
  const x = to.temporary('v128')
  const y = to.temporary('v128')
  f.set(x)
  to.value(b)
  f.set(y)
  f.get(x).get(y).i64x2('extmul_low_i32x4_u').get(x).get(y).i64x2('extmul_high_i32x4_u').shuffle32(1, 3, 5, 7)
  to.done('v128', x, y)
}

function shift(e: Extract<Expr, { kind: 'binary' }>, to: ValueEmitter, variesByLane: (e: Expr) => boolean): void {
  const { f } = to
  const left = e.op === 'shl'
  const vector = left ? 'shl' : 'shr_u'
  to.value(e.a)
  if (e.b.kind === 'const') {
    f.constant(e.b.value).i32x4(vector)
    return
  }
  if (!variesByLane(e.b)) {
    to.value(e.b)
    f.lane('i32x4.extract_lane', 0).i32x4(vector)
    return
  }
  const x = to.temporary('v128')
  const by = to.temporary('v128')
  f.set(x)
  to.value(e.b)
  f.set(by)
  f.get(x)
  for (let j = 0; j < 4; j++) {
    f.get(x).lane('i32x4.extract_lane', j).get(by).lane('i32x4.extract_lane', j).i32(vector)
    f.lane('i32x4.replace_lane', j)
  }
  to.done('v128', x, by)
}
