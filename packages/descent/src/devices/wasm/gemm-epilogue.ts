/** The epilogue of a GEMM: the stores of some rows of sums, four columns at a time. */
import type { GemmKernel } from '../../kernel/kernel.ts'
import type { Written } from '../vector/code.ts'
import { ExprEmitter } from '../vector/emit-expr.ts'
import type { WasmCode } from './code.ts'
import type { WasmTarget } from './target.ts'

const [m, mEnd, n, nEnd, tile, rowBytes, bind, scratch, firstBatch] = [0, 1, 2, 3, 4, 5, 6, 7, 8]

/**
 * Emits (m, mEnd, n, nEnd, tile, rowBytes, bind, scratch, batch variables…) → (), the stores of rows m … mEnd - 1 and columns
 * n … nEnd - 1. `tile` is the address of the first sum, readable in whole vectors; the next row is rowBytes further. n is a
 * multiple of four, nEnd too but for the last column of all.
 */
export function emitEpilogue(kernel: GemmKernel, target: WasmTarget): WasmCode {
  const f = target.newFunction([...new Array<'int'>(firstBatch).fill('int'), ...kernel.batch.map(() => 'int' as const)])
  const sums = f.local('v128')
  const column = f.local('i32')
  const from = f.local('i32')
  const e = new ExprEmitter(f, target, kernel.buffers, bind, scratch)
  const values = e.prepare(kernel.stores.map((store) => store.value))
  for (const [i, axis] of kernel.batch.entries()) e.bind(axis.id, firstBatch + i)

  const columns = (lanes: number): Written => {
    e.open()
    e.bind(kernel.n.id, column)
    e.lane = kernel.n.id
    e.laneSize = kernel.n.size
    e.active = lanes
    f.get(from).vectorLoad('v128.load').set(sums)
    e.giveTile(sums)
    kernel.stores.forEach((store, i) => {
      const result = e.temporary('vector')
      e.value(values[i] as (typeof values)[number])
      f.set(result)
      e.store(store.buffer, store.index, result, store.value.dtype)
      e.done('vector', result)
    })
    return e.close()
  }

  e.open()
  e.bind(kernel.m.id, m)
  f.get(n).set(column).get(tile).set(from)
  const last = kernel.n.size % 4
  if (kernel.n.size >= 4) {
    const whole = columns(4)
    const done = f.block()
    const again = f.loop()
    f.get(column).constant(4).i32('add').get(nEnd).i32('gt_s').brIf(done)
    f.append(whole)
    f.get(from).constant(16).i32('add').set(from)
    f.get(column).constant(4).i32('add').set(column)
    f.br(again).end().end()
  }
  if (last > 0) {
    const rest = columns(last)
    f.get(column).get(nEnd).i32('lt_s').if()
    f.append(rest).end()
  }
  const row = e.close()

  const done = f.block()
  const again = f.loop()
  f.get(m).get(mEnd).i32('ge_s').brIf(done)
  f.append(row)
  f.get(tile).get(rowBytes).i32('add').set(tile)
  f.get(m).constant(1).i32('add').set(m)
  f.br(again).end().end()
  return f
}
