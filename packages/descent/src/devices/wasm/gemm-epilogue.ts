/** The epilogue of a GEMM: the stores of one row of sums, four columns at a time. */
import type { GemmKernel } from '../../kernel/kernel.ts'
import { ExprEmitter } from './emit-expr.ts'
import type { Target } from './emit.ts'
import type { FunctionBuilder } from './encode.ts'

const [m, n, nEnd, tile, bind, scratch, firstBatch] = [0, 1, 2, 3, 4, 5, 6]

/**
 * Emits (m, n, nEnd, tile, bind, scratch, batch variables…) → (): `tile` is the address of the sums of columns n … nEnd - 1 of row
 * m, readable in whole vectors. n is a multiple of four, nEnd too but for the last column of all.
 */
export function emitEpilogue(kernel: GemmKernel, target: Target): FunctionBuilder {
  const f = target.module.function(['i32', 'i32', 'i32', 'i32', 'i32', 'i32', ...kernel.batch.map(() => 'i32' as const)])
  const vector = f.local('v128')
  const e = new ExprEmitter(f, target, kernel.buffers, bind, scratch)
  const values = e.prepare(kernel.stores.map((store) => store.value))
  e.bind(kernel.m.id, m)
  kernel.batch.forEach((axis, i) => e.bind(axis.id, firstBatch + i))

  const columns = (lanes: number): number[] => {
    e.open()
    e.bind(kernel.n.id, n)
    e.lane = kernel.n.id
    e.laneSize = kernel.n.size
    e.active = lanes
    f.get(tile).vectorLoad('v128.load').set(vector)
    e.giveTile(vector)
    kernel.stores.forEach((store, i) => {
      const result = e.temporary('v128')
      e.value(values[i] as (typeof values)[number])
      f.set(result)
      e.store(store.buffer, store.index, result, store.value.dtype)
      e.done('v128', result)
    })
    return e.close()
  }

  const whole = columns(4)
  const last = kernel.n.size % 4
  const rest = last === 0 ? null : columns(last)
  const done = f.block()
  const again = f.loop()
  f.get(n).constant(4).i32('add').get(nEnd).i32('gt_s').brIf(done)
  f.append(whole)
  f.get(tile).constant(16).i32('add').set(tile)
  f.get(n).constant(4).i32('add').set(n)
  f.br(again).end().end()
  if (rest) {
    f.get(n).get(nEnd).i32('lt_s').if()
    f.append(rest).end()
  }
  return f
}
