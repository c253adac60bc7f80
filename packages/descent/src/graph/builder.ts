/**
 * What the kernels of all groups are built with: the element of a node at a place, as an expression, by asking each node
 * on the way for the places that it reads, until a buffer or another member of the group is reached.
 */
import { contiguousStrides, type DType, type Shape, sameShape, sizeOf } from '../dtype.ts'
import type * as E from '../kernel/expr.ts'
import * as I from '../kernel/index-expr.ts'
import type { Axis, BufferUse, Check, Kernel, Store } from '../kernel/kernel.ts'
import { unravel } from '../ops/movement.ts'
import type { LowerContext } from '../ops/op.ts'
import type { Node, Source } from './graph.ts'
import type { Group, Role } from './group.ts'

/** What a kernel's local buffer stands for: a root's values, a source, or memory that only the kernel uses. */
export type Target = Node | Source | { readonly scratch: DType; readonly length: number }

export interface Lowered {
  readonly kernel: Kernel
  readonly targets: readonly Target[]
  readonly size: number | null
}

export interface LowerOptions {
  readonly roots: ReadonlySet<Node>
  /** Members whose values someone outside of the group needs. */
  readonly stored: ReadonlySet<Node>
  /** By node id: the cost of an element. */
  readonly cost: readonly number[]
  /** A root that takes its values' place in a source (a state that is updated), rather than in memory of its own. */
  readonly inPlace: ReadonlyMap<Node, Source>
  readonly checks: Check[]
}

/** Some member is read at another place than where the loops stand: the group is no kernel. */
export class Elsewhere extends Error {}

/** Where a root's values are kept. */
export function homeOf(node: Node, { inPlace }: Pick<LowerOptions, 'inPlace'>): Target {
  return inPlace.get(node) ?? node
}

/** What a node's element at a place is, in the stage that is being written. */
interface Element {
  readonly at: readonly I.Index[]
  readonly guarded: boolean
  readonly value: E.Expr
}

/** The member at the place where the loops stand, or Elsewhere. */
export type MemberReader = (node: Node, role: Role, at: readonly I.Index[]) => E.Expr

export class Builder {
  readonly group: Group
  readonly options: LowerOptions
  readonly targets: Target[] = []
  readonly uses: { dtype: DType; access: BufferUse['access']; length: number }[] = []
  #variables = 0
  #elements = new Map<Node, Element[]>()
  #loads = new Map<number, Extract<E.Expr, { kind: 'load' }>[]>()
  #readMember: MemberReader = () => {
    throw new Elsewhere()
  }

  constructor(group: Group, options: LowerOptions) {
    this.group = group
    this.options = options
  }

  axis(size: number): Axis {
    return { id: this.#variables++, size }
  }

  local(target: Target, access: 'read' | 'write'): number {
    const known = this.targets.indexOf(target)
    if (known >= 0) {
      const use = this.uses[known] as { access: BufferUse['access'] }
      if (use.access !== access) use.access = 'readwrite'
      return known
    }
    const dtype = 'scratch' in target ? target.scratch : target.dtype
    const length = 'scratch' in target || 'resident' in target ? target.length : sizeOf(target.shape)
    this.targets.push(target)
    this.uses.push({ dtype, access, length })
    return this.targets.length - 1
  }

  /** Starts a stage: expressions of another stage are not shared with it. */
  stage(reader: MemberReader): void {
    this.#elements = new Map()
    this.#loads = new Map()
    this.#readMember = reader
  }

  read(node: Node, at: readonly I.Index[], guarded: boolean): E.Expr {
    const known = this.#elements.get(node)
    const found = known?.find((e) => e.guarded === guarded && I.sameIndices(e.at, at))
    if (found) return found.value
    const value = this.#compute(node, at, guarded)
    const element = { at, guarded, value }
    if (known) known.push(element)
    else this.#elements.set(node, [element])
    return value
  }

  #compute(node: Node, at: readonly I.Index[], guarded: boolean): E.Expr {
    const role = this.group.roles.get(node)
    if (role && guarded) throw new Elsewhere()
    if (role) return this.#readMember(node, role, at)
    if (node.leaf) {
      const { source, strides, offset } = node.leaf
      return this.#load(this.local(source, 'read'), node.dtype, I.addConstant(I.dot(at, strides), offset), guarded)
    }
    if (this.options.roots.has(node)) return this.loadRoot(node, at, guarded)
    return this.value(node, at, guarded)
  }

  loadRoot(node: Node, at: readonly I.Index[], guarded: boolean): E.Expr {
    return this.#load(
      this.local(this.home(node), 'read'),
      node.dtype,
      I.dot(at, contiguousStrides(node.shape)),
      guarded,
    )
  }

  home(node: Node): Target {
    return homeOf(node, this.options)
  }

  #load(buffer: number, dtype: DType, index: I.Index, guarded: boolean): E.Expr {
    const known = this.#loads.get(buffer)
    const found = known?.find((e) => e.guarded === guarded && I.sameIndex(e.index, index))
    if (found) return found
    const load = { kind: 'load', dtype, buffer, index, guarded } as const
    if (known) known.push(load)
    else this.#loads.set(buffer, [load])
    return load
  }

  /** The node's own rule at a place, whether or not it is a root. */
  value(node: Node, at: readonly I.Index[], guarded: boolean): E.Expr {
    const { lowering } = node
    if (lowering.kind !== 'map') throw new Error(`${node.op} cannot be computed in another kernel`)
    const context: LowerContext = {
      read: (input, place, outside = false) => this.read(node.inputs[input] as Node, place, guarded || outside),
      gather: (input, place, axis, position) => this.#gather(node.inputs[input] as Node, place, axis, position),
      check: (x, label, size) => {
        if (guarded) throw new Elsewhere()
        const id = this.options.checks.length
        this.options.checks.push({ label, size })
        return { kind: 'check', dtype: 'i32', x, size, id }
      },
    }
    return lowering.value(at, context)
  }

  #gather(node: Node, at: readonly I.Index[], axis: number, position: E.Expr): E.Expr {
    if (this.group.roles.has(node)) throw new Elsewhere()
    const { source, strides, offset } = node.leaf ?? {
      source: this.home(node),
      strides: contiguousStrides(node.shape),
      offset: 0,
    }
    const others = at.map((index, d) => (d === axis ? I.constant(0) : index))
    return {
      kind: 'gather',
      dtype: node.dtype,
      buffer: this.local(source, 'read'),
      base: I.addConstant(I.dot(others, strides), offset),
      stride: strides[axis] as number,
      position,
    }
  }

  store(node: Node, at: readonly I.Index[], value: E.Expr): Store {
    return { buffer: this.local(this.home(node), 'write'), index: I.dot(at, contiguousStrides(node.shape)), value }
  }

  finish(kernel: Kernel, size: number | null): Lowered {
    return { kernel, targets: this.targets, size }
  }

  buffers(): BufferUse[] {
    return this.uses
  }
}

export function requirePlace(at: readonly I.Index[], expected: readonly I.Index[]): void {
  if (!I.sameIndices(at, expected)) throw new Elsewhere()
}

/** The same place in another shape with as many elements. */
export function placeIn(point: readonly I.Index[], flat: I.Index, domain: Shape, shape: Shape): readonly I.Index[] {
  return sameShape(domain, shape) ? point : unravel(flat, shape)
}
