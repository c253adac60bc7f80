/** A matrix product, and what uses its elements in their own places. */
import { contiguousStrides } from '../dtype.ts'
import type * as E from '../kernel/expr.ts'
import * as I from '../kernel/index-expr.ts'
import type { Axis, Store } from '../kernel/kernel.ts'
import { type Builder, Elsewhere, type Lowered, placeIn, requirePlace } from './builder.ts'
import type { Node } from './graph.ts'

export function lowerGemm(builder: Builder): Lowered {
  const { group, options } = builder
  const product = group.members.find((node) => group.roles.get(node) === 'product') as Node
  const { lowering, shape } = product
  if (lowering.kind !== 'gemm') throw new Error('a matrix product was expected')
  const batch = lowering.batch.map((extent) => builder.axis(extent))
  const [m, n, k] = [builder.axis(lowering.m), builder.axis(lowering.n), builder.axis(lowering.k)]
  const index = (axis: Axis): I.Index => I.variable(axis.id, axis.size)
  const batchIndex = batch.map(index)
  builder.stage(() => {
    throw new Elsewhere()
  })
  const [left, right] = lowering.operands.map((i) => product.inputs[i] as Node) as [Node, Node]
  const a = builder.read(left, lowering.a(batchIndex, index(m), index(k)), false)
  const b = builder.read(right, lowering.b(batchIndex, index(k), index(n)), false)
  const out = lowering.out(batchIndex, index(m), index(n))
  const flat = I.dot(out, contiguousStrides(shape))
  const tile: E.Expr = { kind: 'tile', dtype: 'f32' }
  builder.stage((node, role, at) => {
    requirePlace(at, placeIn(out, flat, shape, node.shape))
    return role === 'product' ? tile : builder.value(node, at, false)
  })
  const stores: Store[] = []
  for (const node of group.members) {
    if (!options.stored.has(node)) continue
    const at = placeIn(out, flat, shape, node.shape)
    stores.push(builder.store(node, at, builder.read(node, at, false)))
  }
  return builder.finish({ kind: 'gemm', buffers: builder.buffers(), batch, m, n, k, a, b, stores }, null)
}
