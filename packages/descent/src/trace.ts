/**
 * The program that is being traced, if any. Tensors that exist outside become leaves of its graph as they are used;
 * values copied into them become updates; conditions that the trace relied on become guards.
 */

import type { Storage } from './devices/device.ts'
import { contiguousStrides, type DType, type Shape, sameShape, sizeOf } from './dtype.ts'
import { TraceError } from './errors.ts'
import { Graph, type Node, type Source } from './graph/graph.ts'
import { asStrided, reshape } from './ops/movement.ts'
import type { Tensor } from './tensor.ts'

export interface Guard {
  readonly read: () => unknown
  readonly value: unknown
}

/** A tensor's values outside of a trace. */
export interface Stored {
  readonly storage: Storage
  readonly strides: readonly number[]
  readonly offset: number
}

export class Trace {
  readonly graph = new Graph()
  readonly guards: Guard[] = []
  /** Storages found while tracing, by source number; null for the arguments of each call. */
  readonly captured: (Storage | null)[] = []
  /** Tensors whose `.grad` was set while tracing, and what it was before. */
  readonly withGradients = new Set<Tensor>()
  readonly gradientsBefore = new Map<Tensor, Tensor>()
  /** Tensors whose `.grad` the function has set itself: what it was before does not matter. */
  readonly gradientsSet = new Set<Tensor>()
  readonly #sources = new Map<Storage, Source>()
  readonly #updates = new Map<Storage, Node>()
  readonly #leaves = new Map<Stored, Node>()

  /** A source that is handed over at each call. */
  input(dtype: DType, shape: Shape): Node {
    const source = this.graph.source(dtype, sizeOf(shape), false)
    this.captured.push(null)
    return this.graph.leaf(source, shape, contiguousStrides(shape), 0)
  }

  sourceOf(storage: Storage): Source {
    let source = this.#sources.get(storage)
    if (!source) {
      source = this.graph.source(storage.dtype, storage.length, true)
      this.captured.push(storage)
      this.#sources.set(storage, source)
    }
    return source
  }

  /** What a tensor that exists outside of the trace holds now. */
  read(stored: Stored, shape: Shape): Node {
    const { storage, strides, offset } = stored
    const updated = this.#updates.get(storage)
    if (!updated) {
      let leaf = this.#leaves.get(stored)
      if (!leaf || !sameShape(leaf.shape, shape)) {
        leaf = this.graph.leaf(this.sourceOf(storage), shape, strides, offset)
        this.#leaves.set(stored, leaf)
      }
      return leaf
    }
    if (offset === 0 && sizeOf(shape) === storage.length && sameShape(strides, contiguousStrides(shape))) {
      return this.graph.apply(reshape, { shape }, [updated])
    }
    const flat = this.graph.apply(reshape, { shape: [storage.length] }, [updated])
    return this.graph.apply(asStrided, { shape, strides, offset }, [flat])
  }

  /** From here on the tensor holds `value`, and so it does after each run. */
  update({ storage, strides, offset }: Stored, shape: Shape, value: Node): void {
    if (offset !== 0 || sizeOf(shape) !== storage.length || !sameShape(strides, contiguousStrides(shape))) {
      throw new TraceError(
        'copy_ into a view is not possible inside compile(): write the whole tensor, or do it outside.',
      )
    }
    this.sourceOf(storage)
    this.#updates.set(storage, value)
  }

  /** `backward` is about to add to `tensor.grad`. */
  accumulates(tensor: Tensor): void {
    const { grad } = tensor
    if (!grad?.isTraced) {
      if (!this.gradientsSet.has(tensor)) this.guards.push({ read: () => tensor.grad, value: grad })
      if (grad) this.gradientsBefore.set(tensor, grad)
    }
    this.withGradients.add(tensor)
  }

  /** What an operation of this trace reads instead of tensors from outside. */
  inside(inputs: readonly Tensor[]): readonly Tensor[] {
    return inputs
  }

  updates(): { source: Source; value: Node }[] {
    return [...this.#updates].map(([storage, value]) => ({ source: this.sourceOf(storage), value }))
  }
}

let active: Trace | null = null

export function activeTrace(): Trace | null {
  return active
}

export function withTrace<T>(trace: Trace, fn: () => T): T {
  if (active) throw new TraceError('compile() inside a compiled function: call the inner function as it is.')
  active = trace
  try {
    return fn()
  } finally {
    active = null
  }
}

/** Traces the body of a loop, for whoever runs or traces the loop itself. */
export function withBody<T>(trace: Trace, fn: () => T): T {
  const suspended = active
  active = trace
  try {
    return fn()
  } finally {
    active = suspended
  }
}

/** Runs `fn` outside of the trace: for values that must exist at once. */
export function outsideTrace<T>(fn: () => T): T {
  const suspended = active
  active = null
  try {
    return fn()
  } finally {
    active = suspended
  }
}

/**
 * A value that a compiled function may depend on (a module's mode, say): while tracing, the plan becomes valid only
 * as long as `read()` gives the same.
 */
export function guard<T>(read: () => T): T {
  const value = read()
  if (active && !active.guards.some((g) => g.read === read)) active.guards.push({ read, value })
  return value
}
