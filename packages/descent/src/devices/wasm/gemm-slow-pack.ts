/**
 * Packing of operands of any form (windows with padding, values of indices…): the expression is evaluated at each
 * place, four lanes along k for A, along n for B.
 */
import type { Expr } from '../../kernel/expr.ts'
import type { Axis, BufferUse } from '../../kernel/kernel.ts'
import type { Written } from '../vector/code.ts'
import { ExprEmitter } from '../vector/emit-expr.ts'
import type { WasmCode } from './code.ts'
import type { WasmTarget } from './target.ts'

export interface GeneralOperand {
  readonly value: Expr
  readonly along: Axis
  readonly depth: Axis
  readonly batch: readonly Axis[]
  readonly buffers: readonly BufferUse[]
}

const [dst, p, k, kEnd, bind, scratch, firstBatch] = [0, 1, 2, 3, 4, 5, 6]

/** Emits (dst, p, k, kEnd, bind, scratch, batch variables…) → (): column p (clamped) of a panel, to dst + 4 · width · (k - first k). */
export function emitColumnPack(operand: GeneralOperand, width: number, target: WasmTarget): WasmCode {
  const { f, emitter } = begin(operand, target)
  const { along, depth } = operand
  f.constant(along.size - 1)
    .get(p)
    .get(p)
    .constant(along.size)
    .i32('ge_s')
    .select()
    .set(p)
  const { e, value } = emitter()
  e.bind(along.id, p)
  const step = (lanes: number): Written => {
    e.open()
    e.bind(depth.id, k)
    e.lane = depth.id
    e.laneSize = depth.size
    e.active = lanes
    const result = e.temporary('vector')
    e.value(value)
    f.set(result)
    for (let lane = 0; lane < lanes; lane++)
      f.get(dst)
        .get(result)
        .laneAccess('v128.store32_lane', lane, lane * width * 4)
    e.done('vector', result)
    return e.close()
  }
  const whole = step(4)
  const rest = depth.size % 4 === 0 ? null : step(depth.size % 4)
  const done = f.block()
  const again = f.loop()
  f.get(k).constant(4).i32('add').get(kEnd).i32('gt_s').brIf(done)
  f.append(whole)
  f.get(dst)
    .constant(width * 16)
    .i32('add')
    .set(dst)
  f.get(k).constant(4).i32('add').set(k)
  f.br(again).end().end()
  if (rest) {
    f.get(k).get(kEnd).i32('lt_s').if()
    f.append(rest).end()
  }
  return f
}

/** The same for four columns from p, a multiple of four, below the last. */
export function emitGroupPack(operand: GeneralOperand, width: number, target: WasmTarget): WasmCode {
  const { f, emitter } = begin(operand, target)
  const { along, depth } = operand
  const loop = (lanes: number): void => {
    const { e, value } = emitter()
    e.bind(along.id, p)
    e.lane = along.id
    e.laneSize = along.size
    e.active = lanes
    e.open()
    e.bind(depth.id, k)
    const result = e.temporary('vector')
    e.value(value)
    f.set(result)
    f.get(dst).get(result).vectorStore()
    e.done('vector', result)
    const body = e.close()
    const done = f.block()
    const again = f.loop()
    f.get(k).get(kEnd).i32('ge_s').brIf(done)
    f.append(body)
    f.get(dst)
      .constant(width * 4)
      .i32('add')
      .set(dst)
    f.get(k).constant(1).i32('add').set(k)
    f.br(again).end().end()
  }
  if (along.size % 4 === 0) {
    loop(4)
    return f
  }
  f.get(p).constant(4).i32('add').constant(along.size).i32('le_s').if()
  loop(4)
  f.else()
  loop(along.size % 4)
  f.end()
  return f
}

function begin(
  operand: GeneralOperand,
  target: WasmTarget,
): { f: WasmCode; emitter: () => { e: ExprEmitter; value: Expr } } {
  const { batch, buffers } = operand
  const f = target.newFunction(['int', 'int', 'int', 'int', 'int', 'int', ...batch.map(() => 'int' as const)])
  const emitter = () => {
    const e = new ExprEmitter(f, target, buffers, bind, scratch)
    const [value] = e.prepare([operand.value]) as [Expr]
    for (const [i, axis] of batch.entries()) e.bind(axis.id, firstBatch + i)
    return { e, value }
  }
  return { f, emitter }
}
