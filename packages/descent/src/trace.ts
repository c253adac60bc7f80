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
  readonly gradientsSet = new Map<Tensor, Tensor | null>()
  /** Gradients from outside, as the trace sees them, to which `backward` has added. */
  readonly addedTo = new Map<Tensor, Tensor>()
  /** Sources, by number, that are the `.grad` of a tensor from outside: whichever it has at each call. */
  readonly gradientOwners = new Map<number, Tensor>()
  readonly #gradients = new Map<Tensor, Tensor | null>()
  readonly #gradientSources = new Map<Stored, Source>()
  /** What stands for the arguments; their `.grad` is the arguments'. */
  readonly standIns = new Set<Tensor>()
  readonly #sources = new Map<Storage, Source>()
  readonly #updates = new Map<Source, Node>()
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

  #sourceOfStored(stored: Stored): Source {
    return this.#gradientSources.get(stored) ?? this.sourceOf(stored.storage)
  }

  /**
   * What reading `owner.grad` gives. A gradient from outside is not the one of the first call for ever: `alias`, which
   * stands for it, becomes at each call the one that the owner has then.
   */
  gradientOf(owner: Tensor, gradient: Tensor | null, alias: (gradient: Tensor) => Tensor): Tensor | null {
    if (gradient?.isTraced || this.gradientsSet.has(owner) || this.isInside(owner)) return gradient
    const known = this.#gradients.get(owner)
    if (known !== undefined) return known
    const kind = gradientKind(gradient, owner)
    this.guards.push({ read: () => gradientKind(owner.grad, owner), value: kind })
    let seen = gradient
    if (gradient && typeof kind === 'string') {
      seen = alias(gradient)
      const source = this.graph.source(seen.dtype, seen.size, false)
      this.captured.push(gradient.stored.storage)
      this.gradientOwners.set(source.id, owner)
      this.#gradientSources.set(seen.stored, source)
    }
    this.#gradients.set(owner, seen)
    return seen
  }

  /** What a tensor that exists outside of the trace holds now. */
  read(stored: Stored, shape: Shape): Node {
    const { storage, strides, offset } = stored
    const source = this.#sourceOfStored(stored)
    const updated = this.#updates.get(source)
    if (!updated) {
      let leaf = this.#leaves.get(stored)
      if (!leaf || !sameShape(leaf.shape, shape)) {
        leaf = this.graph.leaf(source, shape, strides, offset)
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
  update(stored: Stored, shape: Shape, value: Node): void {
    const { storage, strides, offset } = stored
    if (offset !== 0 || sizeOf(shape) !== storage.length || !sameShape(strides, contiguousStrides(shape))) {
      throw new TraceError(
        'copy_ into a view is not possible inside compile(): write the whole tensor, or do it outside.',
      )
    }
    this.#updates.set(this.#sourceOfStored(stored), value)
  }

  /** `backward` is about to add to `tensor.grad`. */
  accumulates(tensor: Tensor): void {
    const { grad } = tensor
    if (grad && !grad.isTraced && !this.isInside(tensor)) this.addedTo.set(tensor, grad)
  }

  /** Whether a tensor was made by the function itself: nobody outside ever sees its gradient. */
  isInside(tensor: Tensor): boolean {
    return tensor.isTraced && !this.standIns.has(tensor)
  }

  /** What an operation of this trace reads instead of tensors from outside. */
  inside(inputs: readonly Tensor[]): readonly Tensor[] {
    return inputs
  }

  updates(): { source: Source; value: Node }[] {
    return [...this.#updates].map(([source, value]) => ({ source, value }))
  }
}

/** Gradients that fill a storage of their own can stand for one another; others only for themselves. */
function gradientKind(gradient: Tensor | null, owner: Tensor): string | Tensor {
  if (!gradient) return 'no gradient'
  const { storage, strides, offset } = gradient.stored
  const whole =
    offset === 0 && storage.length === gradient.size && sameShape(strides, contiguousStrides(gradient.shape))
  const usual = whole && gradient.dtype === 'f32' && gradient.device === owner.device
  return usual && sameShape(gradient.shape, owner.shape) ? 'a gradient' : gradient
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
