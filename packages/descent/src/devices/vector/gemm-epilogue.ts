/** The epilogue of a GEMM: the stores of some rows of sums, a vector of columns at a time. */
import type { GemmKernel } from '../../kernel/kernel.ts'
import type { Callable, Kind, Written } from './code.ts'
import { ExprEmitter } from './emit-expr.ts'
import type { Target } from './target.ts'

const [m, mEnd, n, nEnd, tile, rowBytes, bind, scratch, firstBatch] = [0, 1, 2, 3, 4, 5, 6, 7, 8]

/**
 * Emits (m, mEnd, n, nEnd, tile, rowBytes, bind, scratch, batch variables…) → (), the stores of rows m … mEnd - 1 and columns
 * n … nEnd - 1. `tile` is the address of the first sum, readable in whole vectors; the next row is rowBytes further. n is a
 * multiple of the lanes, nEnd too but for the last column of all.
 */
export function emitEpilogue(kernel: GemmKernel, target: Target): Callable {
  const f = target.newFunction(new Array<Kind>(firstBatch + kernel.batch.length).fill('int'))
  const { lanes } = target
  const sums = f.local('vector')
  const column = f.local('int')
  const from = f.local('int')
  const e = new ExprEmitter(f, target, kernel.buffers, bind, scratch)
  const values = e.prepare(kernel.stores.map((store) => store.value))
  for (const [i, axis] of kernel.batch.entries()) e.bind(axis.id, firstBatch + i)

  const columns = (active: number): Written => {
    e.open()
    e.bind(kernel.n.id, column)
    e.lane = kernel.n.id
    e.laneSize = kernel.n.size
    e.active = active
    f.get(from).loadVector(0, lanes).set(sums)
    e.giveTile(sums)
    kernel.stores.forEach((store, i) => {
      const kind = store.value.dtype === 'bool' ? 'mask' : 'vector'
      const result = e.temporary(kind)
      e.value(values[i] as (typeof values)[number])
      f.set(result)
      e.store(store.buffer, store.index, result, store.value.dtype)
      e.done(kind, result)
    })
    return e.close()
  }

  e.open()
  e.bind(kernel.m.id, m)
  f.get(n).set(column).get(tile).set(from)
  const last = kernel.n.size % lanes
  if (kernel.n.size >= lanes) {
    const whole = columns(lanes)
    const done = f.block()
    const again = f.loop()
    f.get(column).constant(lanes).int('add').get(nEnd).int('gt_s').brIf(done)
    f.append(whole)
    f.get(from)
      .constant(4 * lanes)
      .int('add')
      .set(from)
    f.get(column).constant(lanes).int('add').set(column)
    f.br(again).end().end()
  }
  if (last > 0) {
    const rest = columns(last)
    f.get(column).get(nEnd).int('lt_s').if()
    f.append(rest).end()
  }
  const row = e.close()

  const done = f.block()
  const again = f.loop()
  f.get(m).get(mEnd).int('ge_s').brIf(done)
  f.append(row)
  f.get(tile).get(rowBytes).int('add').set(tile)
  f.get(m).constant(1).int('add').set(m)
  f.br(again).end().end()
  return f
}
