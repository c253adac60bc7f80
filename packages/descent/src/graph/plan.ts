/**
 * The last stage before a device: groups in an order, their kernels, and a place for every buffer.
 *
 * What must hold: a kernel runs after all that it reads; a state is overwritten after all who read its old values
 * (the kernel that overwrites it may read it in place); states change after everything else, so that a failed check
 * leaves them as they were.
 */
import { sizeOf } from '../dtype.ts'
import * as E from '../kernel/expr.ts'
import { indexKey } from '../kernel/index-expr.ts'
import type { Check, Kernel, Launch, Plan, PlanBuffer } from '../kernel/kernel.ts'
import { kernelKey } from '../kernel/key.ts'
import { fuse } from './fuse.ts'
import type { Graph, Node, Source } from './graph.ts'
import type { Group } from './group.ts'
import { type Lowered, lowerGroup, type Target } from './lower.ts'
import { type Materialized, materialize } from './materialize.ts'
import { planMemory } from './memory.ts'

export interface Program {
  readonly graph: Graph
  readonly outputs: readonly Node[]
  /** A source's new values after the run, of as many elements as the source. */
  readonly updates: readonly { readonly source: Source; readonly value: Node }[]
}

export interface Planned {
  readonly plan: Plan
  /** What stands at each argument position: a source, or the number of an output. */
  readonly arguments: readonly (Source | number)[]
  readonly nodes: readonly Node[]
}

interface Item {
  readonly group: Group
  lowered: Lowered
  readonly after: Set<Item>
  readonly order: number
  readonly updatesState: boolean
}

export function buildPlan(program: Program): Planned {
  const { graph } = program
  const taken = new Set<Node>()
  const own = (node: Node): Node => {
    const result = node.leaf || taken.has(node) || node.constant !== null ? graph.copy(node) : node
    taken.add(result)
    return result
  }
  const updates = program.updates.map(({ source, value }) => ({ source, value: own(value) }))
  const outputs = program.outputs.map(own)
  let materialized = materialize([...outputs, ...updates.map((u) => u.value)])

  // A state whose new values cannot take the old ones' place at once is written to memory and copied at the end.
  const alone = new Set<Node>()
  const inMemory: Node[] = []
  for (;;) {
    const attempt = arrange(updates, outputs, materialized, alone)
    if ('items' in attempt) return assemble(program, attempt.items, attempt.checks, outputs, materialized)
    const conflict = updates.findIndex((u) => u.source === attempt.conflict)
    const { source, value } = updates[conflict] as { source: Source; value: Node }
    if (alone.has(value)) throw new Error(`state ${source.id} cannot be updated: its copy is read before it is written`)
    const copied = graph.copy(value)
    alone.add(copied)
    inMemory.push(value)
    updates[conflict] = { source, value: copied }
    materialized = materialize([...outputs, ...updates.map((u) => u.value), ...inMemory])
  }
}

function arrange(
  updates: readonly { source: Source; value: Node }[],
  outputs: readonly Node[],
  materialized: Materialized,
  alone: ReadonlySet<Node>,
): { items: Item[]; checks: Check[] } | { conflict: Source } {
  const groups = fuse(materialized, alone, new Set(updates.map((u) => u.value)))
  const inPlace = new Map(updates.map((u) => [u.value, u.source]))
  const external = new Set<Node>([...outputs, ...inPlace.keys()])
  for (const [node, group] of groups) {
    for (const read of materialized.reads.get(node) as ReadonlySet<Node>)
      if (groups.get(read) !== group) external.add(read)
  }
  const checks: Check[] = []
  const items = new Map<Group, Item>()
  for (const group of new Set(groups.values())) {
    const lowered = lowerGroup(group, {
      roots: materialized.roots,
      stored: external,
      cost: materialized.cost,
      inPlace,
      checks,
    })
    if (!lowered)
      throw new Error(`kernel of ${[...group.members.keys()].map((n) => n.op).join(', ')} cannot be lowered`)
    const updatesState = [...group.members.keys()].some((node) => inPlace.has(node))
    items.set(group, {
      group,
      lowered,
      after: new Set(),
      order: Math.max(...[...group.members.keys()].map((n) => n.id)),
      updatesState,
    })
  }
  for (const [node, group] of groups) {
    for (const read of materialized.reads.get(node) as ReadonlySet<Node>) {
      const producer = groups.get(read)
      if (producer && producer !== group) (items.get(group) as Item).after.add(items.get(producer) as Item)
    }
  }
  for (const { source, value } of updates) {
    const writer = items.get(groups.get(value) as Group) as Item
    for (const item of items.values()) {
      if (!readsOldValues(item, source, materialized)) continue
      if (item !== writer) writer.after.add(item)
      else if (!readsInPlace(item.lowered, source)) return { conflict: source }
    }
    if (waitsFor(writer, writer)) return { conflict: source }
  }
  return { items: [...items.values()], checks }
}

/** Whether the kernel reads a leaf of this source, rather than the new values that are kept there. */
function readsOldValues(item: Item, source: Source, { reads }: Materialized): boolean {
  for (const node of item.group.members.keys()) {
    for (const read of reads.get(node) as ReadonlySet<Node>) if (read.leaf?.source === source) return true
  }
  return false
}

function waitsFor(item: Item, target: Item): boolean {
  const seen = new Set<Item>()
  const stack = [...item.after]
  while (stack.length > 0) {
    const next = stack.pop() as Item
    if (next === target) return true
    if (seen.has(next)) continue
    seen.add(next)
    stack.push(...next.after)
  }
  return false
}

/** Whether all loads from the source are of the element that the same stage, or a later one, stores. */
function readsInPlace({ kernel, targets }: Lowered, source: Source): boolean {
  const buffer = targets.indexOf(source)
  if (buffer < 0) return true
  if (kernel.kind === 'gemm') {
    const key = kernel.stores.find((s) => s.buffer === buffer)?.index
    return (
      !loads([kernel.a, kernel.b], buffer).length &&
      loads(
        kernel.stores.map((s) => s.value),
        buffer,
      ).every((l) => key && indexKey(l) === indexKey(key))
    )
  }
  if (kernel.kind !== 'loops') return false
  const writers = kernel.stages.filter((stage) => stage.stores.some((s) => s.buffer === buffer))
  const writer = writers[0]
  if (!writer || writers.length > 1) return false
  const at = writer.stores.find((s) => s.buffer === buffer)?.index
  for (const stage of kernel.stages) {
    const read = loads([...stage.reductions.map((r) => r.value), ...stage.stores.map((s) => s.value)], buffer)
    if (read.length === 0) continue
    if (stage !== writer || !at || read.some((index) => indexKey(index) !== indexKey(at))) return false
  }
  return true
}

function loads(roots: readonly E.Expr[], buffer: number) {
  const found: Extract<E.Expr, { kind: 'load' }>['index'][] = []
  let gathered = false
  E.walkExprs(roots, (e) => {
    if (e.kind === 'load' && e.buffer === buffer) found.push(e.index)
    if (e.kind === 'gather' && e.buffer === buffer) gathered = true
  })
  return gathered ? [...found, { offset: Number.NaN, terms: [] }] : found
}

/** Kernels that are ready run in one step; states are updated in the last steps. */
function schedule(items: readonly Item[]): Item[][] {
  const steps: Item[][] = []
  const done = new Set<Item>()
  let waiting = [...items].sort((a, b) => a.order - b.order)
  while (waiting.length > 0) {
    const quiet = waiting.some((item) => !item.updatesState)
    const ready = (item: Item): boolean => [...item.after].every((other) => done.has(other))
    let step = waiting.filter((item) => ready(item) && !(quiet && item.updatesState))
    if (step.length === 0) step = waiting.filter(ready)
    if (step.length === 0) throw new Error('kernels wait for one another')
    for (const item of step) done.add(item)
    waiting = waiting.filter((item) => !done.has(item))
    steps.push(step)
  }
  return steps
}

function assemble(
  program: Program,
  items: readonly Item[],
  checks: Check[],
  outputs: readonly Node[],
  { order }: Materialized,
): Planned {
  const steps = schedule(items)
  const args: (Source | number)[] = []
  const buffers: { target: Target; access: 'read' | 'write' | 'readwrite'; first: number; last: number }[] = []
  const numbers = new Map<Target, number>()
  const bufferOf = (target: Target, access: 'read' | 'write' | 'readwrite', step: number): number => {
    let number = numbers.get(target)
    if (number === undefined) {
      number = buffers.length
      numbers.set(target, number)
      buffers.push({ target, access, first: step, last: step })
    }
    const buffer = buffers[number] as { access: string; last: number }
    if (buffer.access !== access) buffer.access = 'readwrite'
    buffer.last = step
    return number
  }
  const kernels: Kernel[] = []
  const kernelNumbers = new Map<string, number>()
  const launches = steps.map((step, s) =>
    step.map(({ lowered }): Launch => {
      const key = kernelKey(lowered.kernel)
      let kernel = kernelNumbers.get(key)
      if (kernel === undefined) {
        kernel = kernels.length
        kernelNumbers.set(key, kernel)
        kernels.push(lowered.kernel)
      }
      const bound = lowered.targets.map((target, i) => bufferOf(target, lowered.kernel.buffers[i]?.access ?? 'read', s))
      return { kernel, buffers: bound, size: lowered.size }
    }),
  )
  const inArena = buffers.filter(({ target }) => !isArgument(target, outputs))
  const { offsets, bytes } = planMemory(
    inArena.map((b) => ({ bytes: lengthOf(b.target) * 4, first: b.first, last: b.last })),
  )
  const placed = buffers.map((buffer): PlanBuffer => {
    const { target, access } = buffer
    const common = { dtype: dtypeOf(target), length: lengthOf(target) }
    if ('resident' in target) {
      const position = args.push(target) - 1
      return { ...common, place: { kind: 'argument', position, access, resident: target.resident } }
    }
    const output = 'scratch' in target ? -1 : outputs.indexOf(target)
    if (output >= 0) {
      const position = args.push(output) - 1
      return { ...common, place: { kind: 'argument', position, access, resident: false } }
    }
    return { ...common, place: { kind: 'arena', offset: offsets[inArena.indexOf(buffer)] as number } }
  })
  const plan: Plan = { kernels, buffers: placed, steps: launches, arenaBytes: bytes, checks }
  return { plan, arguments: args, nodes: order.length > 0 ? order : program.graph.nodes }
}

function isArgument(target: Target, outputs: readonly Node[]): boolean {
  return 'resident' in target || (!('scratch' in target) && outputs.includes(target))
}

function lengthOf(target: Target): number {
  return 'scratch' in target || 'resident' in target ? target.length : sizeOf(target.shape)
}

function dtypeOf(target: Target) {
  return 'scratch' in target ? target.scratch : target.dtype
}
