/**
 * Which nodes get a buffer. Every other node is computed where it is read: a root is a node whose values are needed
 * in memory, by someone outside, by a kernel that must find them there, or because computing them again would cost
 * more than reading them.
 */
import { sizeOf } from '../dtype.ts'
import type { Node } from './graph.ts'

/** Vector instructions for which it is cheaper to compute an element again than to store and load it. */
const CHEAP = 2
/** An element that is repeated many times is computed once if it costs more than this. */
const CHEAP_TO_REPEAT = 8
/** A kernel that computes more than this at one point is cut. */
const LARGE = 160

export interface Materialized {
  /** All reachable nodes, inputs before users. */
  readonly order: readonly Node[]
  readonly roots: ReadonlySet<Node>
  /** For each node, the roots and leaves that its own kernel reads to compute it. */
  readonly reads: ReadonlyMap<Node, ReadonlySet<Node>>
  /** For each node, the cost of an element, counted from those. */
  readonly cost: ReadonlyMap<Node, number>
}

export function materialize(outputs: readonly Node[]): Materialized {
  const order = reachable(outputs)
  const users = new Map<Node, Node[]>()
  for (const node of order) {
    for (const input of new Set(node.inputs)) {
      const list = users.get(input)
      if (list) list.push(node)
      else users.set(input, [node])
    }
  }
  const roots = new Set<Node>(outputs.filter((node) => node.lowering.kind !== 'leaf'))
  for (const node of order) {
    if (node.lowering.kind !== 'gemm') continue
    for (const input of node.inputs) {
      const operand = throughMovements(input)
      if (!isFastOperand(operand, users)) roots.add(operand)
    }
  }
  const reads = new Map<Node, ReadonlySet<Node>>()
  const cost = new Map<Node, number>()
  const checking = new Set<Node>()
  for (const node of order) {
    const { lowering } = node
    if (lowering.kind === 'leaf') continue
    const read = new Set<Node>()
    let own = lowering.kind === 'map' ? lowering.cost : 1
    for (const input of node.inputs) {
      if (roots.has(input) || input.leaf) read.add(input)
      else {
        for (const source of reads.get(input) as ReadonlySet<Node>) read.add(source)
        own += cost.get(input) as number
      }
    }
    // What is the same everywhere is computed once a kernel, before its loops.
    if (node.op === 'expand' && node.inputs.every((input) => sizeOf(input.shape) <= 1)) own = Math.min(own, 1)
    reads.set(node, read)
    cost.set(node, own)
    if (lowering.kind !== 'map') roots.add(node)
    else if (lowering.checks || node.inputs.some((input) => checking.has(input) && !roots.has(input))) {
      checking.add(node)
      if (users.get(node)?.some(discardsSome)) roots.add(node)
    }
    if (lowering.kind === 'map' && needsBuffer(node, own, read.size, users.get(node) ?? [])) roots.add(node)
  }
  return { order, roots, reads, cost }
}

function needsBuffer(node: Node, cost: number, reads: number, users: readonly Node[]): boolean {
  if (node.constant !== null) return false
  for (const user of users) {
    const { lowering } = user
    if (lowering.kind === 'map' && lowering.inMemory.some((i) => user.inputs[i] === node)) return true
    if (lowering.kind === 'argsort') return true
    if (lowering.kind === 'scatter' && node.inputs.length > 0 && cost > CHEAP) return true
  }
  const size = sizeOf(node.shape)
  if (reads > 16 || cost > LARGE) return true
  if (size <= 1) return users.length > 2 && cost > 20
  if (users.length > 1 && cost > CHEAP) return true
  return cost > CHEAP_TO_REPEAT && users.some((user) => sizeOf(user.shape) > size && user.lowering.kind === 'map')
}

/** Whether the user computes this at places whose values it discards: there a check must not fail. */
function discardsSome({ lowering }: Node): boolean {
  return lowering.kind === 'scatter' || (lowering.kind === 'map' && lowering.form === 'guarded')
}

/** What a matrix product's operand is made of, in whatever order it reads it. */
function throughMovements(node: Node): Node {
  const { lowering } = node
  const moves =
    lowering.kind === 'map' &&
    lowering.form === 'movement' &&
    lowering.inMemory.length === 0 &&
    node.inputs.length === 1
  return moves ? throughMovements(node.inputs[0] as Node) : node
}

/** Whether a matrix product can compute this while it packs: memory, or little arithmetic that nobody else needs. */
function isFastOperand(node: Node, users: ReadonlyMap<Node, readonly Node[]>): boolean {
  const { lowering } = node
  if (lowering.kind !== 'map' || node.constant !== null) return true
  if (lowering.form !== 'pointwise' || node.inputs.length === 0 || lowering.cost > 2) return false
  if ((users.get(node)?.length ?? 0) > 1) return false
  return node.inputs.every((input) => isFastOperand(throughMovements(input), users))
}

function reachable(outputs: readonly Node[]): Node[] {
  const seen = new Set<Node>()
  const stack = [...outputs]
  while (stack.length > 0) {
    const node = stack.pop() as Node
    if (seen.has(node)) continue
    seen.add(node)
    stack.push(...node.inputs)
  }
  return [...seen].sort((a, b) => a.id - b.id)
}
