/** Running sums and products, one element after the other. */
import type { Expr } from '../../kernel/expr.ts'
import type { ScanKernel } from '../../kernel/kernel.ts'
import { ExprEmitter } from './emit-expr.ts'
import { countRows, emitLoop, emitRows } from './row-loop.ts'
import { type EmitKernel, newBody } from './target.ts'

export const emitScan: EmitKernel<ScanKernel> = ({ buffers, rows, axis, op, value, buffer, index }, target) => {
  const f = newBody(target)
  const e = new ExprEmitter(f, target, buffers)
  const [prepared] = e.prepare([value]) as [Expr]
  const running = f.local('vector')
  const stored = f.local('vector')
  emitRows(e, rows, () => {
    if (value.dtype === 'f32') f.splatF32(op === 'sum' ? 0 : 1)
    else f.splatI32(op === 'sum' ? 0 : 1)
    f.set(running)
    emitLoop(e, axis, () => {
      f.get(running)
      e.value(prepared)
      const combine = op === 'sum' ? 'add' : 'mul'
      if (value.dtype === 'f32') f.float(combine)
      else f.whole(combine)
      f.tee(running).set(stored)
      e.store(buffer, index, stored, value.dtype)
    })
  })
  const count = countRows(rows)
  return {
    phases: [{ body: f, chunks: () => (axis.size === 0 ? 0 : count) }],
    sharedBytes: 0,
    scratchBytes: 64,
    work: () => count * axis.size * 2,
  }
}
