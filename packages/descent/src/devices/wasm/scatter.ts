/** Values added at computed places, in order, so that sums are the same every time. */
import type { Expr } from '../../kernel/expr.ts'
import type { ScatterKernel } from '../../kernel/kernel.ts'
import { type EmitKernel, newBody } from './emit.ts'
import { ExprEmitter } from './emit-expr.ts'
import { countRows, emitLoop, emitRows } from './row-loop.ts'

export const emitScatter: EmitKernel<ScatterKernel> = (kernel, target) => {
  const { buffers, rows, buffer, fill, index, initial, source, base, stride, position, value } = kernel
  const f = newBody(target)
  const e = new ExprEmitter(f, target, buffers)
  const [first, place, added] = e.prepare([initial, position, value]) as [Expr, Expr, Expr]
  const stored = f.local('v128')
  const at = f.local('i32')
  emitRows(e, rows, () => {
    emitLoop(e, fill, () => {
      e.value(first)
      f.set(stored)
      e.store(buffer, index, stored, initial.dtype)
    })
    emitLoop(e, source, () => {
      e.value(place)
      f.lane('i32x4.extract_lane', 0)
        .constant(4 * stride)
        .i32('mul')
      const row = e.address(buffer, base)
      f.get(row.local).i32('add').set(at)
      e.value(added)
      f.set(stored)
      f.get(at).get(at).vectorLoad('v128.load32_zero', row.offset).get(stored)
      if (value.dtype === 'f32') f.f32x4('add')
      else f.i32x4('add')
      f.laneAccess('v128.store32_lane', 0, row.offset)
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
