/**
 * Small matrix products as ordinary loops over rows: for them packing, panels and tiles cost more than they save.
 */
import { binary, type Expr, mapExpr } from '../../kernel/expr.ts'
import type { GemmKernel, LoopKernel } from '../../kernel/kernel.ts'
import type { GemmMachine } from './gemm-machine.ts'
import { chooseLanes, joinLoops } from './loop-shape.ts'

/** Sums over more than this, one product after the other, round more than a packed product's. */
const mostDepth = 24
/** What a packed product costs beside its arithmetic, about: nanoseconds, and for each element packed or stored. */
const [overhead, overheadPerElement] = [200, 0.4]

/** The product as loops, where these are quicker; else null. */
export function smallAsLoops(kernel: GemmKernel, vectorLanes: number, machine: GemmMachine): LoopKernel | null {
  const { m, n, k } = kernel
  const batch = kernel.batch.reduce((size, axis) => size * axis.size, 1)
  if (batch * m.size * n.size * k.size > machine.mostAsLoops) return null
  const loops = asLoops(kernel)
  const { lanes, cost } = chooseLanes(joinLoops(loops), vectorLanes)
  if (k.size > mostDepth && !(lanes.kind === 'inner' && lanes.axes[0])) return null
  const elements = batch * (m.size * n.size + (m.size + n.size) * k.size)
  const packed = overhead + overheadPerElement * elements + (batch * m.size * n.size * k.size) / machine.rate
  return cost < packed ? loops : null
}

function asLoops({ buffers, batch, m, n, k, a, b, stores }: GemmKernel): LoopKernel {
  const sum: Expr = { kind: 'result', dtype: 'f32', stage: 0, slot: 0 }
  const memo = new Map<Expr, Expr>()
  const withSum = (e: Expr): Expr => mapExpr(e, (x) => (x.kind === 'tile' ? sum : x), memo)
  return {
    kind: 'loops',
    buffers,
    rows: [...batch, m, n],
    flat: false,
    stages: [
      { axes: [k], reductions: [{ op: 'sum', value: binary('mul', a, b) }], stores: [] },
      { axes: [], reductions: [], stores: stores.map((store) => ({ ...store, value: withSum(store.value) })) },
    ],
  }
}
