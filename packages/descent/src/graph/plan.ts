/**
 * The last stage before a device: groups in an order, their kernels, and a place for every buffer.
 *
 * What must hold: a kernel runs after all that it reads; a state is overwritten after all who read its old values
 * (the kernel that overwrites it may read it in place); states change after everything else, so that a failed check
 * leaves them as they were.
 */
import { sizeOf } from '../dtype.ts'
import * as E from '../kernel/expr.ts'
import { type Index, sameIndex } from '../kernel/index-expr.ts'
import type { Check, Launch, Loop, Plan, PlanBuffer } from '../kernel/kernel.ts'
import { KernelNumbers } from '../kernel/key.ts'
import { homeOf, type Lowered, type Target } from './builder.ts'
import { missingChecks } from './checks.ts'
import { isEmpty } from './empty.ts'
import { fuse } from './fuse.ts'
import type { Graph, Node, Source } from './graph.ts'
import type { Group } from './group.ts'
import { KnownKernels } from './known-kernels.ts'
import { type LoopLaunch, type LoweredLoop, lowerLoop } from './loop.ts'
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
  readonly lowered: Lowered | LoweredLoop
  /** Kernels that must run before, and those that wait for it. */
  readonly after: Set<Item>
  readonly before: Set<Item>
  readonly order: number
  readonly updatesState: boolean
}

/** `checks`: those that other kernels of the same plan have already. */
export function buildPlan(program: Program, checks: readonly Check[] = []): Planned {
  const { graph } = program
  const taken = new Set<Node>()
  const own = (node: Node, copied = false): Node => {
    const result = copied || node.leaf || taken.has(node) || node.constant !== null ? graph.copy(node) : node
    taken.add(result)
    return result
  }
  const updates = program.updates
    .filter(({ value }) => !isEmpty(value))
    .map(({ source, value }) => ({ source, value: own(value, value.lowering.kind === 'loop') }))
  const outputs = program.outputs.map((node) => own(node))
  const computed = outputs.filter((node) => !isEmpty(node))
  let materialized = materialize([...computed, ...updates.map((u) => u.value)])
  const checked = missingChecks(graph, materialized)
  if (checked.length > 0) {
    computed.push(...checked)
    materialized = materialize([...computed, ...updates.map((u) => u.value)])
  }

  // A state whose new values cannot take the old ones' place at once is written to memory and copied at the end.
  const alone = new Set<Node>()
  const inMemory: Node[] = []
  for (;;) {
    const attempt = arrange(updates, computed, materialized, alone, [...checks])
    if ('items' in attempt) return assemble(program, attempt.items, attempt.checks, outputs, materialized)
    const conflict = updates.findIndex((u) => u.source === attempt.conflict)
    const { source, value } = updates[conflict] as { source: Source; value: Node }
    if (alone.has(value)) throw new Error(`state ${source.id} cannot be updated: its copy is read before it is written`)
    const copied = graph.copy(value)
    alone.add(copied)
    inMemory.push(value)
    updates[conflict] = { source, value: copied }
    materialized = materialize([...computed, ...updates.map((u) => u.value), ...inMemory])
  }
}

function arrange(
  updates: readonly { source: Source; value: Node }[],
  outputs: readonly Node[],
  materialized: Materialized,
  alone: ReadonlySet<Node>,
  checks: Check[],
): { items: Item[]; checks: Check[] } | { conflict: Source } {
  const inPlace = new Map(updates.map((u) => [u.value, u.source]))
  const kernels = new KnownKernels(materialized, inPlace, new Set([...outputs, ...inPlace.keys()]))
  const groups = fuse(materialized, kernels, alone, inPlace)
  const items = new Map<Group, Item>()
  for (const group of new Set(groups.values())) {
    const { members } = group
    const lowered = lowerAny(group, kernels, materialized.roots, inPlace, checks)
    if (!lowered) throw new Error(`kernel of ${members.map((n) => n.op).join(', ')} cannot be lowered`)
    items.set(group, {
      lowered,
      after: new Set(),
      before: new Set(),
      order: (members.at(-1) as Node).id,
      updatesState: members.some((node) => inPlace.has(node)),
    })
  }
  const itemOf = (node: Node): Item => items.get(groups.get(node) as Group) as Item
  for (const node of groups.keys()) {
    for (const read of materialized.reads[node.id] as readonly Node[])
      if (groups.has(read)) runAfter(itemOf(node), itemOf(read))
  }
  // Who reads a leaf of a source, rather than the new values that are kept there, reads the old ones.
  const readersOfOld = new Map<Source, Set<Item>>()
  for (const [node, readers] of materialized.readers) {
    if (!node.leaf) continue
    const found = readersOfOld.get(node.leaf.source) ?? new Set()
    readersOfOld.set(node.leaf.source, found)
    for (const reader of readers) found.add(itemOf(reader))
  }
  for (const { source, value } of updates) {
    const writer = itemOf(value)
    for (const item of readersOfOld.get(source) ?? []) {
      if (item !== writer) runAfter(writer, item)
      else if (!readsInPlace(item.lowered, source)) return { conflict: source }
    }
    if (waitsForItself(writer)) return { conflict: source }
  }
  return { items: [...items.values()], checks }
}

function lowerAny(
  group: Group,
  kernels: KnownKernels,
  roots: ReadonlySet<Node>,
  inPlace: ReadonlyMap<Node, Source>,
  checks: Check[],
): Lowered | LoweredLoop | null {
  const [node] = group.members as [Node]
  const { lowering } = node
  if (lowering.kind !== 'loop') return kernels.lower(group, checks)
  const ofBody = (program: Program, before: Check[]): Planned => {
    const planned = buildPlan(program, before)
    checks.push(...planned.plan.checks.slice(before.length))
    return planned
  }
  return lowerLoop(node, lowering.loop, roots, (root) => homeOf(root, { inPlace }), ofBody, checks)
}

function runAfter(item: Item, earlier: Item): void {
  if (item === earlier) return
  item.after.add(earlier)
  earlier.before.add(item)
}

function waitsForItself(item: Item): boolean {
  if (item.before.size === 0) return false
  const seen = new Set<Item>()
  const stack = [...item.after]
  while (stack.length > 0) {
    const next = stack.pop() as Item
    if (next === item) return true
    if (seen.has(next)) continue
    seen.add(next)
    stack.push(...next.after)
  }
  return false
}

/** Whether all loads from the source are of the element that the same stage, or a later one, stores. */
function readsInPlace(lowered: Lowered | LoweredLoop, source: Source): boolean {
  if ('steps' in lowered) return false
  const { kernel, targets } = lowered
  const buffer = targets.indexOf(source)
  if (buffer < 0) return true
  if (kernel.kind === 'gemm') {
    const at = kernel.stores.find((s) => s.buffer === buffer)?.index
    return (
      !loads([kernel.a, kernel.b], buffer).length &&
      loads(
        kernel.stores.map((s) => s.value),
        buffer,
      ).every((index) => at && sameIndex(index, at))
    )
  }
  if (kernel.kind !== 'loops') return false
  const writers = kernel.stages.filter((stage) => stage.stores.some((s) => s.buffer === buffer))
  const writer = writers[0]
  if (!writer || writers.length > 1) return false
  const [own, ...others] = writer.stores.filter((s) => s.buffer === buffer)
  if (others.length > 0) return false
  const at = own?.index
  for (const stage of kernel.stages) {
    const read = loads([...stage.reductions.map((r) => r.value), ...stage.stores.map((s) => s.value)], buffer)
    if (read.length === 0) continue
    if (stage !== writer || !at || read.some((index) => !sameIndex(index, at))) return false
  }
  return true
}

function loads(roots: readonly E.Expr[], buffer: number): Index[] {
  const found: Index[] = []
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
  const missing = new Map(items.map((item) => [item, item.after.size]))
  let quiet = items.filter((item) => !item.updatesState).length
  let ready = items.filter((item) => item.after.size === 0)
  while (ready.length > 0) {
    const first = quiet > 0 ? ready.filter((item) => !item.updatesState) : ready
    const step = first.length > 0 ? first : ready
    ready = step === ready ? [] : ready.filter((item) => item.updatesState)
    for (const item of step) {
      if (!item.updatesState) quiet--
      for (const next of item.before) {
        const left = (missing.get(next) as number) - 1
        missing.set(next, left)
        if (left === 0) ready.push(next)
      }
    }
    steps.push(step.sort((a, b) => a.order - b.order))
  }
  if (steps.flat().length < items.length) throw new Error('kernels wait for one another')
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
  const numbered = new KernelNumbers()
  const launches: Launch[][] = []
  const loops: Loop[] = []
  /** Adds steps that run one after the other while all their buffers are needed. */
  const add = (added: readonly (readonly (Lowered | LoopLaunch)[])[]): void => {
    const [first, last] = [launches.length, launches.length + added.length - 1]
    for (const step of added) {
      const bind = (launch: Lowered | LoopLaunch): Launch => {
        const { kernel, targets, size } = launch
        const buffers = targets.map((target, i) => {
          const access = kernel.buffers[i]?.access ?? 'read'
          bufferOf(target, access, first)
          return bufferOf(target, access, last)
        })
        const plain = { kernel: numbered.numberOf(kernel), buffers, size }
        return 'parts' in launch ? { ...plain, parts: launch.parts } : plain
      }
      launches.push(step.map(bind))
    }
  }
  for (const step of steps) {
    const kernels = step.flatMap(({ lowered }) => ('steps' in lowered ? [] : [lowered]))
    if (kernels.length > 0) add([kernels])
    for (const { lowered } of step) {
      if (!('steps' in lowered)) continue
      if (lowered.start.length > 0) add([lowered.start])
      loops.push({ first: launches.length, length: lowered.steps.length, count: lowered.count })
      add(lowered.steps)
    }
  }
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
  // Outputs without elements have a position, too, but nothing writes them.
  for (const [output, node] of outputs.entries()) if (isEmpty(node)) args.push(output)
  const plan: Plan = { kernels: numbered.kernels, buffers: placed, steps: launches, loops, arenaBytes: bytes, checks }
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
