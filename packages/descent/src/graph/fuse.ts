/**
 * Roots become groups, and groups are joined: first every root is a kernel of its own, then, in order, each is joined
 * with a kernel that it reads from (or that makes the same reductions over the same values), where
 *   - both can run in the same loops, reading one another only in place, and
 *   - no third kernel stands between them.
 */
import { Ancestry } from './ancestry.ts'
import type { Node } from './graph.ts'
import { type Group, groupOf, union } from './group.ts'
import type { KnownKernels } from './known-kernels.ts'
import type { Materialized } from './materialize.ts'

/** A kernel with more buffers than this runs out of registers for their addresses. */
const MOST_BUFFERS = 24

/** Every root's group; roots of one kernel share the same object. */
export type Grouping = Map<Node, Group>

/**
 * `alone`: roots that stay kernels of their own. `states`: new values of states, which join only one another, so that an
 * optimizer's updates of all parameters are one kernel, run at the end.
 */
export function fuse(
  program: Materialized,
  kernels: KnownKernels,
  alone: ReadonlySet<Node>,
  states: ReadonlyMap<Node, unknown>,
): Grouping {
  const groups: Grouping = new Map()
  const inOrder = program.order.filter((node) => program.roots.has(node))
  const ancestry = new Ancestry(inOrder, program.readers)
  for (const root of inOrder) {
    const single = groupOf(root, program.cost[root.id] as number)
    ancestry.add(single, program.reads[root.id] as readonly Node[], groups)
    groups.set(root, single)
    if (alone.has(root) || root.lowering.kind === 'gemm') continue
    const isState = states.has(root)
    for (const candidate of candidates(root, groups, program)) {
      const producer = groups.get(candidate) as Group
      const consumer = groups.get(root) as Group
      if (
        producer === consumer ||
        alone.has(candidate) ||
        !producer.members.every((node) => states.has(node) === isState)
      )
        continue
      const joined = union(producer, consumer)
      if (!joined || anotherBetween(producer, consumer, groups, program, ancestry)) continue
      const lowered = kernels.lower(joined, [])
      if (!lowered || lowered.targets.length > MOST_BUFFERS) continue
      ancestry.join(producer, consumer, joined)
      for (const node of joined.members) groups.set(node, joined)
    }
  }
  return groups
}

/** Roots whose kernel `root` may join: what it reads, latest first; for reductions also those of the same values. */
function candidates(root: Node, groups: Grouping, program: Materialized): Node[] {
  const found = new Set<Node>()
  for (const read of program.reads[root.id] as readonly Node[]) {
    if (groups.has(read)) found.add(read)
    if (root.lowering.kind !== 'reduce') continue
    for (const sibling of program.readers.get(read) ?? [])
      if (sibling.lowering.kind === 'reduce' && sibling.id < root.id) found.add(sibling)
  }
  return [...found].sort((a, b) => b.id - a.id)
}

/** Whether some way from the producer to the consumer passes through another kernel (either way round). */
function anotherBetween(
  producer: Group,
  consumer: Group,
  groups: Grouping,
  program: Materialized,
  ancestry: Ancestry,
): boolean {
  const passes = (from: Group, to: Group): boolean => {
    if (!ancestry.waitsFor(from, to)) return false
    for (const node of from.members) {
      for (const read of program.reads[node.id] as readonly Node[]) {
        const other = groups.get(read)
        if (other && other !== from && other !== to && ancestry.waitsFor(other, to)) return true
      }
    }
    return false
  }
  return passes(consumer, producer) || passes(producer, consumer)
}
