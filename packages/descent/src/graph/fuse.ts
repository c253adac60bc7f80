/**
 * Roots become groups, and groups are joined: first every root is a kernel of its own, then, in order, each is joined
 * with a kernel that it reads from (or that makes the same reductions over the same values), where
 *   - both can run in the same loops, reading one another only in place, and
 *   - no third kernel stands between them.
 */
import type { Node } from './graph.ts'
import { type Group, groupOf, union } from './group.ts'
import { type LowerOptions, lowerGroup } from './lower.ts'
import type { Materialized } from './materialize.ts'

/** A kernel with more buffers than this runs out of registers for their addresses. */
const MOST_BUFFERS = 24

/** Every root's group; roots of one kernel share the same object. */
export type Grouping = Map<Node, Group>

/**
 * `alone`: roots that stay kernels of their own. `states`: new values of states, which join only one another, so that an
 * optimizer's updates of all parameters are one kernel, run at the end.
 */
export function fuse(program: Materialized, alone: ReadonlySet<Node>, states: ReadonlySet<Node>): Grouping {
  const groups: Grouping = new Map()
  const inOrder = program.order.filter((node) => program.roots.has(node))
  for (const root of inOrder) groups.set(root, groupOf(root))
  const users = rootUsers(inOrder, program)
  for (const root of inOrder) {
    if (alone.has(root) || root.lowering.kind === 'gemm') continue
    for (const candidate of candidates(root, groups, program, users)) {
      const group = groups.get(candidate) as Group
      if (alone.has(candidate) || [...group.members.keys()].some((node) => states.has(node) !== states.has(root)))
        continue
      join(group, root, groups, program, users)
    }
  }
  return groups
}

/** Roots whose kernel `root` may join: what it reads, latest first; for reductions also those of the same values. */
function candidates(root: Node, groups: Grouping, program: Materialized, users: Map<Node, Node[]>): Node[] {
  const reads = [...(program.reads.get(root) as ReadonlySet<Node>)]
  const found = new Set(reads.filter((node) => groups.has(node)))
  if (root.lowering.kind === 'reduce') {
    for (const read of reads) {
      for (const sibling of users.get(read) ?? [])
        if (sibling.lowering.kind === 'reduce' && sibling.id < root.id) found.add(sibling)
    }
  }
  return [...found].sort((a, b) => b.id - a.id)
}

function rootUsers(roots: readonly Node[], program: Materialized): Map<Node, Node[]> {
  const users = new Map<Node, Node[]>()
  for (const root of roots) {
    for (const read of program.reads.get(root) as ReadonlySet<Node>) {
      const list = users.get(read)
      if (list) list.push(root)
      else users.set(read, [root])
    }
  }
  return users
}

function join(producer: Group, root: Node, groups: Grouping, program: Materialized, users: Map<Node, Node[]>): void {
  const consumer = groups.get(root) as Group
  if (producer === consumer) return
  const joined = union(producer, consumer)
  if (!joined || anotherBetween(producer, consumer, groups, program)) return
  const lowered = lowerGroup(joined, lowerOptions(joined, program, users))
  if (!lowered || lowered.targets.length > MOST_BUFFERS) return
  for (const node of joined.members.keys()) groups.set(node, joined)
}

/** For trying whether a group can be lowered: members that are read elsewhere are stored. */
function lowerOptions(group: Group, program: Materialized, users: Map<Node, Node[]>): LowerOptions {
  const stored = new Set<Node>()
  for (const node of group.members.keys()) {
    const readers = users.get(node) ?? []
    if (readers.length === 0 || readers.some((reader) => !group.members.has(reader))) stored.add(node)
  }
  return { roots: program.roots, stored, cost: program.cost, inPlace: new Map(), checks: [] }
}

/** Whether some way from the producer to the consumer passes through another kernel (either way round). */
function anotherBetween(producer: Group, consumer: Group, groups: Grouping, program: Materialized): boolean {
  return reaches(consumer, producer, groups, program) || reaches(producer, consumer, groups, program)
}

function reaches(from: Group, to: Group, groups: Grouping, program: Materialized): boolean {
  const seen = new Set<Group>([from])
  const stack: Group[] = []
  const readsOf = (group: Group): Set<Group> => {
    const found = new Set<Group>()
    for (const node of group.members.keys()) {
      for (const read of program.reads.get(node) as ReadonlySet<Node>) {
        const other = groups.get(read)
        if (other && other !== group) found.add(other)
      }
    }
    return found
  }
  for (const group of readsOf(from)) if (group !== to) stack.push(group)
  while (stack.length > 0) {
    const group = stack.pop() as Group
    if (group === to) return true
    if (seen.has(group)) continue
    seen.add(group)
    stack.push(...readsOf(group))
  }
  return false
}
