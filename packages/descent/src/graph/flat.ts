/**
 * Flat kernels: elementwise over whole buffers, in row-major order. They do not depend on the buffers' sizes, so one
 * serves every parameter of an optimizer.
 */
import { sizeOf } from '../dtype.ts'
import * as E from '../kernel/expr.ts'
import * as I from '../kernel/index-expr.ts'
import type { Axis, Kernel, Stage } from '../kernel/kernel.ts'
import type { Node } from './graph.ts'
import type { Group } from './group.ts'

/** Whether every buffer that is read has as many elements as the domain, or one. */
export function looksFlat(group: Group, roots: ReadonlySet<Node>): boolean {
  const size = sizeOf(group.domain)
  const seen = new Set<Node>()
  const fits = (node: Node): boolean => {
    if (seen.has(node)) return true
    seen.add(node)
    if (!group.roles.has(node) && (node.leaf || roots.has(node))) {
      return sizeOf(node.shape) === size || sizeOf(node.shape) === 1
    }
    if (node.lowering.kind === 'map' && (node.lowering.form === 'guarded' || node.lowering.inMemory.length > 0))
      return false
    return node.inputs.every(fits)
  }
  return group.members.every(fits)
}

/** Whether all that is read and written is at the row variable, or at a fixed place. */
export function isFlat(stages: readonly Stage[], axis: Axis): boolean {
  const row = I.variable(axis.id, axis.size)
  const fits = (index: I.Index): boolean => index.terms.length === 0 || I.sameIndex(index, row)
  let flat = true
  for (const stage of stages) {
    E.walkExprs(
      stage.stores.map((s) => s.value),
      (e) => {
        if (e.kind === 'load' || e.kind === 'index') flat &&= fits(e.index)
        if (e.kind === 'gather') flat = false
      },
    )
    flat &&= stage.stores.every((s) => I.sameIndex(s.index, row))
  }
  return flat && axis.size > 1
}

/** A flat kernel's variable has no extent of its own: size 0 stands for any, so that launches of any size share it. */
export function unsized(kernel: Extract<Kernel, { kind: 'loops' }>, id: number): Kernel {
  const free: I.Index = { offset: 0, terms: [{ coefficient: 1, atom: { kind: 'variable', id, size: 0 } }] }
  const change = (index: I.Index): I.Index => (index.terms.length === 0 ? index : free)
  const memo = new Map<E.Expr, E.Expr>()
  const rewrite = (e: E.Expr): E.Expr =>
    E.mapExpr(e, (x) => (x.kind === 'load' || x.kind === 'index' ? { ...x, index: change(x.index) } : x), memo)
  const stages = kernel.stages.map((stage) => ({
    ...stage,
    stores: stage.stores.map((s) => ({ ...s, index: change(s.index), value: rewrite(s.value) })),
  }))
  return { ...kernel, stages }
}
