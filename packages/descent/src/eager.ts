/**
 * Eager operations: each is a graph of one operation, sent through the same stages as a whole program, its runner
 * kept for the next time that the same operation meets the same shapes and strides.
 */

import type { Device, Runner, Storage } from './devices/device.ts'
import { contiguousStrides, type Meta, sizeOf } from './dtype.ts'
import { Graph } from './graph/graph.ts'
import { buildPlan } from './graph/plan.ts'
import { attrsText, type OpDef } from './ops/op.ts'
import type { Stored } from './trace.ts'

interface Kept {
  readonly runner: Runner
  /** For each argument the number of the input, or -1 for the result. */
  readonly arguments: readonly number[]
  lastUse: number
}

const MOST_KEPT = 1024
const kept = new Map<Device, Map<string, Kept>>()
let uses = 0

export interface EagerInput extends Meta {
  readonly stored: Stored
}

/** Parts of a larger storage up to this many elements are copied out of it. */
const SMALL_PART = 1 << 18

export function runEager<A>(device: Device, op: OpDef<A>, attrs: A, views: readonly EagerInput[], out: Meta): Storage {
  const result = device.allocate(out.dtype, sizeOf(out.shape))
  if (result.length === 0) return result
  const inputs = views.map((view) => withoutPlace(device, view))
  let runners = kept.get(device)
  if (!runners) {
    runners = new Map()
    kept.set(device, runners)
  }
  let key = `${op.name} ${attrsText(attrs)}`
  for (const { shape, dtype, stored } of inputs)
    key += ` ${dtype}[${shape}]${stored.strides}+${stored.offset}/${stored.storage.length}`
  let ready = runners.get(key)
  if (!ready) {
    ready = prepare(device, op, attrs, inputs)
    if (runners.size >= MOST_KEPT) forgetOldest(runners)
    runners.set(key, ready)
  }
  ready.lastUse = uses++
  ready.runner.run(ready.arguments.map((i) => (i < 0 ? result : (inputs[i] as EagerInput).stored.storage)))
  return result
}

/**
 * A small part of a storage as a storage of its own: so rows of a matrix, read one after the other, are served by one
 * kernel, rather than by one for each place.
 */
function withoutPlace(device: Device, input: EagerInput): EagerInput {
  const { shape, dtype, stored } = input
  let low = stored.offset
  let high = stored.offset
  for (let d = 0; d < shape.length; d++) {
    const reach = (stored.strides[d] as number) * ((shape[d] as number) - 1)
    if (reach < 0) low += reach
    else high += reach
  }
  const length = high - low + 1
  if (length >= stored.storage.length || length > SMALL_PART || sizeOf(shape) === 0) return input
  const storage = device.allocate(dtype, length)
  device.write(storage, 0, device.read(stored.storage, low, length))
  return { shape, dtype, stored: { storage, strides: stored.strides, offset: stored.offset - low } }
}

function prepare<A>(device: Device, op: OpDef<A>, attrs: A, inputs: readonly EagerInput[]): Kept {
  const graph = new Graph()
  const leaves = inputs.map(({ shape, dtype, stored }) =>
    graph.leaf(graph.source(dtype, stored.storage.length, false), shape, stored.strides, stored.offset),
  )
  const planned = buildPlan({ graph, outputs: [graph.apply(op, attrs, leaves)], updates: [] })
  return {
    runner: device.prepare(planned.plan),
    arguments: planned.arguments.map((argument) => (typeof argument === 'number' ? -1 : argument.id)),
    lastUse: 0,
  }
}

function forgetOldest(runners: Map<string, Kept>): void {
  let oldest: [string, Kept] | undefined
  for (const entry of runners) if (!oldest || entry[1].lastUse < oldest[1].lastUse) oldest = entry
  if (oldest) runners.delete(oldest[0])
}

/** The values of a view in row-major order, on the host. */
export function gatherView(device: Device, { storage, strides, offset }: Stored, shape: readonly number[]) {
  const size = sizeOf(shape)
  if (String(strides) === String(contiguousStrides(shape))) return device.read(storage, offset, size)
  const all = device.read(storage, 0, storage.length)
  const result =
    all instanceof Int32Array
      ? new Int32Array(size)
      : all instanceof Float32Array
        ? new Float32Array(size)
        : new Float64Array(size)
  const index = new Array<number>(shape.length).fill(0)
  let from = offset
  for (let i = 0; i < size; i++) {
    result[i] = all[from] as number
    for (let d = shape.length - 1; d >= 0; d--) {
      index[d] = (index[d] as number) + 1
      from += strides[d] as number
      if ((index[d] as number) < (shape[d] as number)) break
      from -= (strides[d] as number) * (shape[d] as number)
      index[d] = 0
    }
  }
  return result
}
