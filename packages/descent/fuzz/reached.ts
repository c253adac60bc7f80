/** Which primitive operations came up in plans, and how often. */
import { Graph, type Node } from '../src/graph/graph.ts'
import type { OpDef } from '../src/ops/op.ts'

/** Counts from here on, in this process. */
export function countOperations(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  const apply = Graph.prototype.apply
  Graph.prototype.apply = function <A>(this: Graph, op: OpDef<A>, attrs: A, inputs: readonly Node[]): Node {
    counts.set(op.name, (counts.get(op.name) ?? 0) + 1)
    return apply.call(this, op as OpDef<unknown>, attrs, inputs)
  }
  return counts
}
