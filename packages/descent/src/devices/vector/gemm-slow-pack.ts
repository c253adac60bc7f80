/**
 * Packing of operands of any form (windows with padding, values of indices…): the expression is evaluated at each
 * place, lanes along k for A, along n for B.
 */
import type { Expr } from '../../kernel/expr.ts'
import type { Axis, BufferUse } from '../../kernel/kernel.ts'
import type { Callable, Code, Kind, Written } from './code.ts'
import { ExprEmitter } from './emit-expr.ts'
import type { Target } from './target.ts'

export interface GeneralOperand {
  readonly value: Expr
  readonly along: Axis
  readonly depth: Axis
  readonly batch: readonly Axis[]
  readonly buffers: readonly BufferUse[]
}

const [dst, p, k, kEnd, bind, scratch, firstBatch] = [0, 1, 2, 3, 4, 5, 6]

/** Emits (dst, p, k, kEnd, bind, scratch, batch variables…) → (): column p (clamped) of a panel, to dst + 4 · width · (k - first k). */
export function emitColumnPack(operand: GeneralOperand, width: number, target: Target): Callable {
  const { f, emitter } = begin(operand, target)
  const { along, depth } = operand
  const { lanes } = target
  f.constant(along.size - 1)
    .get(p)
    .get(p)
    .constant(along.size)
    .int('ge_s')
    .pick()
    .set(p)
  const { e, value } = emitter()
  e.bind(along.id, p)
  const step = (active: number): Written => {
    e.open()
    e.bind(depth.id, k)
    e.lane = depth.id
    e.laneSize = depth.size
    e.active = active
    const result = e.temporary('vector')
    e.value(value)
    f.set(result)
    f.get(dst)
      .get(result)
      .storeLanes(
        Array.from({ length: lanes }, (_, lane) => lane * width),
        0,
        active,
      )
    e.done('vector', result)
    return e.close()
  }
  const whole = step(lanes)
  const rest = depth.size % lanes === 0 ? null : step(depth.size % lanes)
  const done = f.block()
  const again = f.loop()
  f.get(k).constant(lanes).int('add').get(kEnd).int('gt_s').brIf(done)
  f.append(whole)
  f.get(dst)
    .constant(width * 4 * lanes)
    .int('add')
    .set(dst)
  f.get(k).constant(lanes).int('add').set(k)
  f.br(again).end().end()
  if (rest) {
    f.get(k).get(kEnd).int('lt_s').if()
    f.append(rest).end()
  }
  return f
}

/** The same for a vector of columns from p, a multiple of the lanes, below the last. */
export function emitGroupPack(operand: GeneralOperand, width: number, target: Target): Callable {
  const { f, emitter } = begin(operand, target)
  const { along, depth } = operand
  const { lanes } = target
  const loop = (active: number): void => {
    const { e, value } = emitter()
    e.bind(along.id, p)
    e.lane = along.id
    e.laneSize = along.size
    e.active = active
    e.open()
    e.bind(depth.id, k)
    const result = e.temporary('vector')
    e.value(value)
    f.set(result)
    f.get(dst).get(result).storeVector(0, lanes)
    e.done('vector', result)
    const body = e.close()
    const done = f.block()
    const again = f.loop()
    f.get(k).get(kEnd).int('ge_s').brIf(done)
    f.append(body)
    f.get(dst)
      .constant(width * 4)
      .int('add')
      .set(dst)
    f.get(k).constant(1).int('add').set(k)
    f.br(again).end().end()
  }
  if (along.size % lanes === 0) {
    loop(lanes)
    return f
  }
  f.get(p).constant(lanes).int('add').constant(along.size).int('le_s').if()
  loop(lanes)
  f.else()
  loop(along.size % lanes)
  f.end()
  return f
}

function begin(operand: GeneralOperand, target: Target): { f: Code; emitter: () => { e: ExprEmitter; value: Expr } } {
  const { batch, buffers } = operand
  const f = target.newFunction(new Array<Kind>(firstBatch + batch.length).fill('int'))
  const emitter = () => {
    const e = new ExprEmitter(f, target, buffers, bind, scratch)
    const [value] = e.prepare([operand.value]) as [Expr]
    for (const [i, axis] of batch.entries()) e.bind(axis.id, firstBatch + i)
    return { e, value }
  }
  return { f, emitter }
}
