/** Values added at computed places, in order, so that sums are the same every time. */
import type { Expr } from '../../kernel/expr.ts'
import type { ScatterKernel } from '../../kernel/kernel.ts'
import { ExprEmitter } from './emit-expr.ts'
import { countRows, emitLoop, emitRows } from './row-loop.ts'
import { type EmitKernel, newBody } from './target.ts'

export const emitScatter: EmitKernel<ScatterKernel> = (kernel, target) => {
  const { buffers, rows, buffer, fill, index, initial, source, base, stride, position, value } = kernel
  const f = newBody(target)
  const e = new ExprEmitter(f, target, buffers)
  const [first, place, added] = e.prepare([initial, position, value]) as [Expr, Expr, Expr]
  const stored = f.local('vector')
  const at = f.local('int')
  emitRows(e, rows, () => {
    emitLoop(e, fill, () => {
      e.value(first)
      f.set(stored)
      e.store(buffer, index, stored, initial.dtype)
    })
    emitLoop(e, source, () => {
      e.value(place)
      f.firstLane()
        .constant(4 * stride)
        .int('mul')
      const row = e.address(buffer, base)
      e.pushAddress(row)
      f.int('add').set(at)
      e.value(added)
      f.set(stored)
      f.get(at).get(at).loadSplat(row.offset).get(stored)
      if (value.dtype === 'f32') f.float('add')
      else f.whole('add')
      f.storeLane(0, row.offset)
    })
  })
  const count = countRows(rows)
  return {
    phases: [{ body: f, chunks: () => count }],
    sharedBytes: 0,
    scratchBytes: 64,
    work: () => count * (fill.size + 3 * source.size) * 2,
  }
}
