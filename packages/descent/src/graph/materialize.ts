/**
 * Which nodes get a buffer. Every other node is computed where it is read: a root is a node whose values are needed
 * in memory, by someone outside, by a kernel that must find them there, or because computing them again would cost
 * more than reading them.
 */
import { sizeOf } from '../dtype.ts'
import type { MapLowering } from '../ops/op.ts'
import type { Node } from './graph.ts'
import { basesOf } from './loop.ts'

/** Vector instructions for which it is cheaper to compute an element again than to store and load it. */
const CHEAP = 2
/** An element that is repeated many times is computed once if it costs more than this. */
const CHEAP_TO_REPEAT = 8
/** An element that is repeated this often costs next to nothing where it is. */
const MANY = 64
/** A kernel that computes more than this at one point is cut. */
const LARGE = 160

/** A value of several pieces is computed piece by piece where an element costs more than finding out which piece it is in. */
const WORTH_PARTING = 16
const MOST_PIECES = 8

export interface Materialized {
  /** All reachable nodes, inputs before users. */
  readonly order: readonly Node[]
  readonly roots: ReadonlySet<Node>
  /** By node id: the roots and leaves that the node's own kernel reads to compute it. */
  readonly reads: readonly (readonly Node[])[]
  /** For each root and leaf, the roots whose kernels read it, in order. */
  readonly readers: ReadonlyMap<Node, readonly Node[]>
  /** By node id: the cost of an element, counted from what the kernel reads. */
  readonly cost: readonly number[]
}

export function materialize(outputs: readonly Node[]): Materialized {
  const order = reachable(outputs)
  const users = usersOf(order)
  const roots = new Set<Node>(outputs.filter((node) => node.lowering.kind !== 'leaf'))
  for (const node of order) {
    if (node.lowering.kind === 'loop') for (const base of basesOf(node, roots)) roots.add(base)
    if (node.lowering.kind !== 'gemm') continue
    for (const input of node.inputs) {
      const operand = throughMovements(input)
      if (!isFastOperand(operand, users)) roots.add(operand)
    }
  }
  const reads: (readonly Node[])[] = []
  const cost: number[] = []
  const checking = new Set<Node>()
  for (const node of order) {
    const { lowering, id, inputs } = node
    if (lowering.kind === 'leaf') continue
    const read = readsOf(node, roots, reads)
    let own = lowering.kind === 'map' ? lowering.cost : 1
    for (const input of inputs) if (!input.leaf && !roots.has(input)) own += cost[input.id] as number
    // What is the same everywhere is computed once a kernel, before its loops; what is the same along a row, once a row.
    if (node.op === 'expand' && own > 1) {
      const before = sizeOf((inputs[0] as Node).shape)
      if (before <= 1 || before * MANY <= sizeOf(node.shape)) own = 1
    }
    reads[id] = read
    cost[id] = own
    if (lowering.kind !== 'map') {
      roots.add(node)
      continue
    }
    const usedBy = users[id] ?? []
    if (lowering.checks || (checking.size > 0 && inputs.some((input) => checking.has(input) && !roots.has(input)))) {
      checking.add(node)
      if (usedBy.some(discardsSome)) roots.add(node)
    }
    if (needsBuffer(node, own, read.length, usedBy)) roots.add(node)
  }
  return { order, roots, reads, readers: readersOf(order, roots, reads), cost }
}

/** `cost`: of one of its elements, as part of whichever piece. */
export function worthParting(node: Node, cost: number): boolean {
  return hasPieces(node) && cost - (node.lowering as MapLowering).cost > WORTH_PARTING
}

function hasPieces({ lowering, inputs }: Node): boolean {
  return lowering.kind === 'map' && lowering.pieces !== undefined && inputs.length > 1 && inputs.length <= MOST_PIECES
}

/** By node id: the nodes that have it as an input, in order. */
function usersOf(order: readonly Node[]): readonly (readonly Node[])[] {
  const users: Node[][] = []
  for (const node of order) {
    for (let i = 0; i < node.inputs.length; i++) {
      const { id } = node.inputs[i] as Node
      const list = users[id]
      if (!list) users[id] = [node]
      else if (list.at(-1) !== node) list.push(node)
    }
  }
  return users
}

function readersOf(
  order: readonly Node[],
  roots: ReadonlySet<Node>,
  reads: readonly (readonly Node[])[],
): Map<Node, Node[]> {
  const readers = new Map<Node, Node[]>()
  for (const root of order) {
    if (!roots.has(root)) continue
    for (const read of reads[root.id] as readonly Node[]) {
      const list = readers.get(read)
      if (list) list.push(root)
      else readers.set(read, [root])
    }
  }
  return readers
}

const nothing: readonly Node[] = []

/** Without doubles. A list may be shared by nodes that read the same. */
function readsOf({ inputs }: Node, roots: ReadonlySet<Node>, reads: readonly (readonly Node[])[]): readonly Node[] {
  let found = nothing
  let own: Node[] | null = null
  for (const input of inputs) {
    const isRead = input.leaf !== null || roots.has(input)
    const further = isRead ? null : (reads[input.id] as readonly Node[])
    if (further?.length === 0 || further === found) continue
    if (further && found.length === 0) {
      found = further
      continue
    }
    if (!own) found = own = [...found]
    if (!further) addOnce(own, input)
    else for (const read of further) addOnce(own, read)
  }
  return found
}

function addOnce(list: Node[], node: Node): void {
  if (!list.includes(node)) list.push(node)
}

function needsBuffer(node: Node, cost: number, reads: number, users: readonly Node[]): boolean {
  if (node.constant !== null) return false
  for (const user of users) {
    const { lowering } = user
    if (lowering.kind === 'map') {
      if (lowering.inMemory.length > 0 && lowering.inMemory.some((i) => user.inputs[i] === node)) return true
      continue
    }
    if (lowering.kind === 'argsort') return true
    if (lowering.kind === 'scatter' && node.inputs.length > 0 && cost > CHEAP) return true
  }
  if (reads > 16 || cost > LARGE || worthParting(node, cost)) return true
  if (cost <= CHEAP) return false
  const size = sizeOf(node.shape)
  if (size <= 1) return users.length > 2 && cost > 20
  if (users.length > 1) return true
  const repeats = (user: Node): boolean => sizeOf(user.shape) > size && user.lowering.kind === 'map' && !hasPieces(user)
  return cost > CHEAP_TO_REPEAT && users.some(repeats)
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
function isFastOperand(node: Node, users: readonly (readonly Node[])[]): boolean {
  const { lowering } = node
  if (lowering.kind !== 'map' || node.constant !== null) return true
  if (lowering.form !== 'pointwise' || node.inputs.length === 0 || lowering.cost > 2) return false
  if ((users[node.id]?.length ?? 0) > 1) return false
  return node.inputs.every((input) => isFastOperand(throughMovements(input), users))
}

/** Inputs are older than their users, so that one way back over all numbers finds every node. */
function reachable(outputs: readonly Node[]): Node[] {
  const found: (Node | undefined)[] = []
  for (const node of outputs) found[node.id] = node
  for (let id = found.length - 1; id >= 0; id--) {
    const inputs = found[id]?.inputs ?? nothing
    for (let i = 0; i < inputs.length; i++) found[(inputs[i] as Node).id] = inputs[i]
  }
  return found.filter((node) => node !== undefined)
}
