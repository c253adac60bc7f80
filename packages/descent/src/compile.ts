/**
 * compile(fn): `fn` is traced once for each signature (structure, shapes and dtypes of its arguments, and the
 * conditions that it read through `guard`) and from then on runs as one plan. Tensors from outside that it reads or
 * writes are the plan's state, found while tracing.
 */
import { isRecording } from './autograd.ts'
import { currentDevice } from './backend.ts'
import type { Device, Runner, Storage } from './devices/device.ts'
import { contiguousStrides, type DType, type Shape, sameShape, sizeOf } from './dtype.ts'
import type { Node, Source } from './graph/graph.ts'
import { buildPlan, type Planned } from './graph/plan.ts'
import { inspection } from './inspection.ts'
import type { Plan } from './kernel/kernel.ts'
import { Tensor } from './tensor.ts'
import { type Guard, Trace, withTrace } from './trace.ts'

export type PrintStage = 'graph' | 'plan' | 'kernels' | 'code'

/** A compiled function. */
export interface Compiled<A extends readonly unknown[], R> {
  (...args: A): R
  /** How many plans there are, why the last one was made, and what the one in use is like. */
  explain(): string
  /**
   * The last plan in use, at a stage of the compiler: the traced graph, the whole plan, its kernels, the device's code.
   * In a page after `await loadInspection()`.
   */
  print(stage: PrintStage): string
}

/** What one argument position holds: a tensor's meta, 'number', or a value that is part of the signature. */
type Slot =
  | { readonly shape: Shape; readonly dtype: DType; readonly requiresGrad: boolean }
  | 'number'
  | { readonly value: unknown }

interface Entry {
  readonly device: Device
  readonly recording: boolean
  readonly structure: string
  readonly slots: readonly Slot[]
  readonly guards: readonly Guard[]
  readonly planned: Planned
  readonly runner: Runner
  /** One storage an argument position; those of inputs and outputs are replaced at each call. */
  readonly storages: Storage[]
  readonly inputs: readonly { readonly slot: number; readonly position: number }[]
  /** The `.grad` of these at each call. */
  readonly gradientInputs: readonly { readonly owner: Tensor; readonly position: number; readonly written: boolean }[]
  /** What the plan overwrites, at a time of its own: an argument that shares it is copied first. */
  readonly written: ReadonlySet<Storage>
  readonly scalars: ReadonlyMap<number, Storage>
  readonly outputs: readonly { readonly position: number; readonly shape: Shape; readonly dtype: DType }[]
  /** Builds the result from the output tensors. */
  readonly result: (outputs: readonly Tensor[]) => unknown
  readonly gradients: readonly Gradient[]
  /** The tensors that stood for arguments with gradients while tracing: conditions on these are on the arguments. */
  readonly proxies: ReadonlyMap<Tensor, number>
  /** How long tracing, planning and emitting took. */
  readonly milliseconds: number
}

/** What becomes the `.grad` of a tensor: of the argument at `slot`, whichever it is, or of one from outside. */
interface Gradient {
  readonly tensor: Tensor
  readonly slot: number | null
  /** An output by number, or what it is after every call. */
  readonly becomes: number | Tensor | null
}

const MOST_PLANS = 16

/**
 * The same function as one plan of fused kernels: forward, backward and update of a training step alike. Arguments
 * and results are tensors, or arrays and objects of them; number arguments may change freely, other values are part
 * of the signature. Reading a value inside throws TraceError. Gradients left in `.grad` stay inside where an update
 * of the same function has used them; otherwise they are handed out.
 *
 * @example
 * ```ts
 * import { compile, tensor } from 'descent'
 * const w = tensor([1, 2], { requiresGrad: true })
 * const step = compile((x, rate: number) => {
 *   w.grad = null
 *   const loss = w.mul(x).sum()
 *   loss.backward()
 *   w.copy_(w.sub(w.grad.mul(rate)))
 *   return loss
 * })
 * console.log(step(tensor([3, 4]), 0.5).item()) // → 11
 * console.log(w.toArray()) // → [ -0.5, 0 ]
 * ```
 */
export function compile<A extends readonly unknown[], R>(fn: (...args: A) => R): Compiled<A, R> {
  const entries: Entry[] = []
  let made = 0
  let reason = 'it has not been called yet'
  const call = (...args: A): R => {
    const flat = flatten(args)
    let entry = entries.find((candidate) => difference(candidate, flat) === null)
    const isNew = !entry
    if (!entry) {
      const [latest] = entries
      reason = latest ? (difference(latest, flat) as string) : 'it was the first call'
      entry = build(fn, args, flat)
      made++
      entries.unshift(entry)
      if (entries.length > MOST_PLANS) entries.pop()
    } else if (entry !== entries[0]) {
      entries.splice(entries.indexOf(entry), 1)
      entries.unshift(entry)
    }
    return run(entry, flat, isNew) as R
  }
  const print = (stage: PrintStage): string => {
    const [entry] = entries
    if (!entry) return 'not called yet'
    const { printGraph, printKernel, printPlan } = inspection('print')
    switch (stage) {
      case 'graph':
        return printGraph(entry.planned.nodes)
      case 'plan':
        return printPlan(entry.planned.plan)
      case 'kernels':
        return entry.planned.plan.kernels.map((kernel, i) => `kernel ${i}: ${printKernel(kernel)}`).join('\n\n')
      case 'code':
        return entry.runner.listing()
    }
  }
  const explain = (): string => {
    const [entry] = entries
    const last = entry ? ` ${described(entry)}` : ''
    return `${counted(made, 'plan was', 'plans were')} made; the last one because ${reason}.${last}`
  }
  return Object.assign(call, { explain, print })
}

function described({ planned: { plan }, milliseconds }: Entry): string {
  const kernels = counted(plan.steps.flat().length, 'kernel', 'kernels')
  const loops = plan.loops?.length ? ` (${counted(plan.loops.length, 'loop', 'loops')} among them)` : ''
  const steps = counted(plan.steps.length, 'step', 'steps') + loops
  return `The plan in use has ${kernels} in ${steps} and ${plan.arenaBytes} bytes of intermediate values; making it took ${milliseconds.toFixed(0)} ms.`
}

function counted(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`
}

interface Flat {
  readonly structure: string
  readonly leaves: readonly unknown[]
}

/** Tensors, numbers and other values in order, and how they hang together. */
function flatten(args: readonly unknown[]): Flat {
  const leaves: unknown[] = []
  const walk = (value: unknown): string => {
    if (value instanceof Tensor) {
      leaves.push(value)
      return 't'
    }
    if (Array.isArray(value)) return `[${value.map(walk).join('')}]`
    if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
      return `{${Object.entries(value)
        .map(([name, item]) => `${JSON.stringify(name)}:${walk(item)}`)
        .join('')}}`
    }
    leaves.push(value)
    return typeof value === 'number' ? 'n' : 'v'
  }
  let structure = ''
  for (const arg of args) structure += walk(arg)
  return { structure, leaves }
}

function rebuild(args: readonly unknown[], leaves: readonly unknown[]): unknown[] {
  let next = 0
  const walk = (value: unknown): unknown => {
    if (value instanceof Tensor) return leaves[next++]
    if (Array.isArray(value)) return value.map(walk)
    if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item)]))
    }
    return leaves[next++]
  }
  return args.map(walk)
}

/** The first reason why an entry does not serve a call; null where it does. */
function difference(entry: Entry, { structure, leaves }: Flat): string | null {
  if (entry.structure !== structure)
    return `the arguments are built differently: ${structure} instead of ${entry.structure}`
  for (let i = 0; i < leaves.length; i++) {
    const slot = entry.slots[i] as Slot
    const leaf = leaves[i]
    if (slot === 'number') continue
    if ('value' in slot) {
      if (!Object.is(slot.value, leaf)) return `argument value ${i} is ${String(leaf)} instead of ${String(slot.value)}`
      continue
    }
    const { shape, dtype, requiresGrad } = leaf as Tensor
    if (!sameShape(slot.shape, shape))
      return `tensor ${i} of the arguments has shape [${shape.join(', ')}] instead of [${slot.shape.join(', ')}]`
    if (slot.dtype !== dtype) return `tensor ${i} of the arguments is ${dtype} instead of ${slot.dtype}`
    if (slot.requiresGrad !== requiresGrad)
      return `tensor ${i} of the arguments ${requiresGrad ? 'has' : 'has no'} gradient now`
  }
  if (entry.device !== currentDevice()) return `the device is ${currentDevice().name} instead of ${entry.device.name}`
  if (entry.recording !== isRecording()) return `gradients are ${isRecording() ? '' : 'not '}recorded now`
  for (const [proxy, slot] of entry.proxies) proxy.grad = (leaves[slot] as Tensor).grad
  for (const { read, value } of entry.guards) {
    const now = read()
    if (!Object.is(now, value))
      return `a condition that the function reads is ${String(now)} instead of ${String(value)}`
  }
  return null
}

/** What a function computes for arguments like these, as a plan that no device has prepared. For the library's own use. */
export function planOf<A extends readonly unknown[], R>(fn: (...args: A) => R, args: A): Unprepared {
  return build(fn, args, flatten(args), () => idle)
}
export type Unprepared = Pick<Entry, 'planned' | 'storages' | 'inputs' | 'outputs' | 'slots' | 'gradients'>

function build<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  args: A,
  { structure, leaves }: Flat,
  prepare = (device: Device, plan: Plan): Runner => device.prepare(plan),
): Entry {
  const began = performance.now()
  const device = currentDevice()
  const trace = new Trace()
  const scalarSlots: number[] = []
  const withGradients = new Map<Tensor, number>()
  const proxies = leaves.map((leaf, i) => {
    if (leaf instanceof Tensor) {
      const proxy = Tensor.traced(trace, trace.input(leaf.dtype, leaf.shape))
      trace.standIns.add(proxy)
      if (leaf.requiresGrad) {
        proxy.requiresGrad_()
        proxy.grad = leaf.grad
        withGradients.set(proxy, i)
      }
      return proxy
    }
    if (typeof leaf !== 'number') return leaf
    scalarSlots.push(i)
    return Tensor.traced(trace, trace.input('f32', []))
  })
  const inputSlots = leaves
    .map((leaf, i) => (leaf instanceof Tensor || typeof leaf === 'number' ? i : -1))
    .filter((i) => i >= 0)
  let value: R
  try {
    value = withTrace(trace, () => fn(...(rebuild(args, proxies) as unknown as A)))
  } catch (error) {
    for (const [tensor, before] of trace.gradientsSet) tensor.grad = before
    throw error
  }
  const outputs: Node[] = []
  const result = template(value, trace, outputs)
  const gradients = handOutGradients(trace, outputs, withGradients)
  const updates = trace.updates()
  const overwritten = new Set(updates.map(({ source }) => source.id))
  const written = new Set(
    [...overwritten].filter((id) => !trace.gradientOwners.has(id)).map((id) => trace.captured[id] as Storage),
  )
  const planned = buildPlan({ graph: trace.graph, outputs, updates })
  const runner = planned.plan.steps.length > 0 ? prepare(device, planned.plan) : idle

  const scalars = new Map(scalarSlots.map((slot) => [slot, device.allocate('f32', 1)]))
  const storages: Storage[] = []
  const inputs: { slot: number; position: number }[] = []
  const gradientInputs: { owner: Tensor; position: number; written: boolean }[] = []
  const places: { position: number; shape: Shape; dtype: DType }[] = []
  planned.arguments.forEach((argument, position) => {
    if (typeof argument === 'number') {
      const { shape, dtype } = outputs[argument] as Node
      places[argument] = { position, shape, dtype }
      return
    }
    const captured = trace.captured[(argument as Source).id]
    if (captured) {
      if (captured.device !== device)
        throw new Error(
          `compile: a tensor on ${captured.device.name} is used by a function that runs on ${device.name}.`,
        )
      storages[position] = captured
      const { id } = argument as Source
      const owner = trace.gradientOwners.get(id)
      if (owner) gradientInputs.push({ owner, position, written: overwritten.has(id) })
    } else inputs.push({ slot: inputSlots[inputNumber(trace, (argument as Source).id)] as number, position })
  })
  const slots = leaves.map((leaf): Slot => {
    if (leaf instanceof Tensor) return { shape: leaf.shape, dtype: leaf.dtype, requiresGrad: leaf.requiresGrad }
    return typeof leaf === 'number' ? 'number' : { value: leaf }
  })
  return {
    device,
    recording: isRecording(),
    structure,
    slots,
    guards: trace.guards,
    planned,
    runner,
    storages,
    inputs,
    gradientInputs,
    written,
    scalars,
    outputs: places,
    result,
    gradients,
    proxies: withGradients,
    milliseconds: performance.now() - began,
  }
}

/** For a plan that computes nothing, where all that it gives was there before, or has no elements. */
const idle: Runner = { run() {}, listing: () => 'nothing to run' }

/** How many inputs come before this source. */
function inputNumber(trace: Trace, source: number): number {
  let number = 0
  for (let i = 0; i < source; i++) if (trace.captured[i] === null) number++
  return number
}

/** Notes the tensors of a result as outputs, and how to put the result together from them. */
function template(value: unknown, trace: Trace, outputs: Node[]): (tensors: readonly Tensor[]) => unknown {
  if (value instanceof Tensor) {
    const number = outputs.push(value.nodeIn(trace)) - 1
    return (tensors) => tensors[number]
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => template(item, trace, outputs))
    return (tensors) => items.map((item) => item(tensors))
  }
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    const items = Object.entries(value).map(([name, item]) => [name, template(item, trace, outputs)] as const)
    return (tensors) => Object.fromEntries(items.map(([name, item]) => [name, item(tensors)]))
  }
  return () => value
}

/**
 * What the function has set as `.grad`: where an update came from a gradient it has served, and goes; a sum onto a
 * gradient from outside becomes an update of that; others become outputs. What was set to null or to a tensor from
 * outside is set again after each call.
 */
function handOutGradients(trace: Trace, outputs: Node[], proxies: ReadonlyMap<Tensor, number>): Gradient[] {
  const used = ancestors(trace.updates().map((u) => u.value))
  const handed: Gradient[] = []
  for (const [tensor, before] of trace.gradientsSet) {
    const gradient = tensor.grad
    const place = trace.addedTo.get(tensor)
    let becomes: Gradient['becomes'] = gradient
    tensor.grad = null
    if (trace.isInside(tensor)) continue
    if (gradient?.isTraced) {
      const node = gradient.nodeIn(trace)
      if (place) {
        trace.update(place.stored, place.shape, node)
        tensor.grad = before
        continue
      }
      becomes = used.has(node) ? null : outputs.push(node) - 1
    }
    handed.push({ tensor, slot: proxies.get(tensor) ?? null, becomes })
  }
  return handed
}

function ancestors(nodes: readonly Node[]): Set<Node> {
  const seen = new Set<Node>()
  const stack = [...nodes]
  while (stack.length > 0) {
    const node = stack.pop() as Node
    if (seen.has(node)) continue
    seen.add(node)
    stack.push(...node.inputs)
  }
  return seen
}

/** `isNew`: the storages are still those that building found. */
function run(entry: Entry, { leaves }: Flat, isNew: boolean): unknown {
  const { storages, device } = entry
  if (!isNew) {
    for (const { owner, position } of entry.gradientInputs) storages[position] = (owner.grad as Tensor).stored.storage
  }
  for (const { slot, position } of entry.inputs) {
    const leaf = leaves[slot]
    if (leaf instanceof Tensor) storages[position] = wholeStorage(leaf, entry)
    else {
      const storage = entry.scalars.get(slot) as Storage
      device.write(storage, 0, [leaf as number])
      storages[position] = storage
    }
  }
  const results: Tensor[] = []
  for (const { position, shape, dtype } of entry.outputs) {
    const storage = device.allocate(dtype, sizeOf(shape))
    storages[position] = storage
    results.push(Tensor.fromStorage(storage, shape))
  }
  entry.runner.run(storages)
  for (const { tensor, slot, becomes } of entry.gradients) {
    const target = slot === null ? tensor : (leaves[slot] as Tensor)
    target.grad = typeof becomes === 'number' ? (results[becomes] as Tensor) : becomes
  }
  return entry.result(results)
}

/** The storage of a tensor that fills one row-major; a copy for other views, and of what the plan overwrites. */
function wholeStorage(x: Tensor, { device, storages, written, gradientInputs }: Entry): Storage {
  const { storage, strides, offset } = x.stored
  if (storage.device !== device) {
    throw new Error(`compile: an argument lives on ${storage.device.name}, but the function runs on ${device.name}.`)
  }
  const whole = offset === 0 && storage.length === x.size && sameShape(strides, contiguousStrides(x.shape))
  const overwritten =
    written.has(storage) || gradientInputs.some((input) => input.written && storages[input.position] === storage)
  return whole && !overwritten ? storage : x.detach().clone().stored.storage
}
