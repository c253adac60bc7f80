/**
 * A group becomes a kernel: every member's element is written as an expression over the kernel's loop variables, by
 * asking each node on the way for the place that it reads from, until a buffer is reached.
 *
 * What must hold: a member is read only at the very place that the loops stand at. If some place differs the group
 * is no kernel, and `lowerGroup` gives null.
 */
import { contiguousStrides, type DType, type Shape, sizeOf } from '../dtype.ts'
import type * as E from '../kernel/expr.ts'
import * as I from '../kernel/index-expr.ts'
import type { Axis, BufferUse, Check, Kernel, Stage, Store } from '../kernel/kernel.ts'
import { unravel } from '../ops/movement.ts'
import type { LowerContext } from '../ops/op.ts'
import { isFlat, looksFlat, unsized } from './flat.ts'
import type { Node, Source } from './graph.ts'
import { type Group, type Role, rowShape } from './group.ts'
import { lowerSingle } from './lower-single.ts'

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
  readonly cost: ReadonlyMap<Node, number>
  /** A root that takes its values' place in a source (a state that is updated), rather than in memory of its own. */
  readonly inPlace: ReadonlyMap<Node, Source>
  readonly checks: Check[]
}

class Elsewhere extends Error {}

export function lowerGroup(group: Group, options: LowerOptions): Lowered | null {
  const checks = options.checks.length
  try {
    if (group.kind === 'gemm') return new Builder(group, options).gemm()
    if (group.kind === 'single') return lowerSingle(new Builder(group, options))
    if (!group.reduced && looksFlat(group, options.roots)) {
      const flat = new Builder(group, options).loops(true)
      if (flat) return flat
      options.checks.length = checks
    }
    return new Builder(group, options).loops(false)
  } catch (error) {
    options.checks.length = checks
    if (error instanceof Elsewhere) return null
    throw error
  }
}

/** The member at the place where the loops stand, or Elsewhere. */
type MemberReader = (node: Node, role: Role, at: readonly I.Index[]) => E.Expr

export class Builder {
  readonly group: Group
  readonly options: LowerOptions
  readonly targets: Target[] = []
  readonly uses: { dtype: DType; access: BufferUse['access']; length: number }[] = []
  #variables = 0
  #memo = new Map<string, E.Expr>()
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
    this.#memo = new Map()
    this.#readMember = reader
  }

  read(node: Node, at: readonly I.Index[], guarded: boolean): E.Expr {
    const key = `${node.id}${guarded ? 'g' : ''}@${at.map(I.indexKey).join(',')}`
    const known = this.#memo.get(key)
    if (known) return known
    const result = this.#compute(node, at, guarded)
    this.#memo.set(key, result)
    return result
  }

  #compute(node: Node, at: readonly I.Index[], guarded: boolean): E.Expr {
    const role = this.group.members.get(node)
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

  /** Where a root's values are kept. */
  home(node: Node): Target {
    return this.options.inPlace.get(node) ?? node
  }

  #load(buffer: number, dtype: DType, index: I.Index, guarded: boolean): E.Expr {
    const key = `b${buffer}${guarded ? 'g' : ''}[${I.indexKey(index)}]`
    const known = this.#memo.get(key)
    if (known) return known
    const load: E.Expr = { kind: 'load', dtype, buffer, index, guarded }
    this.#memo.set(key, load)
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
    if (this.group.members.has(node)) throw new Elsewhere()
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

  /** Elementwise kernels, and rows with reductions. `flat`: over one axis of any length; null where it does not fit. */
  loops(flat: boolean): Lowered | null {
    const { group } = this
    const size = sizeOf(group.domain)
    const domain = flat ? [size] : group.domain
    const rowAxes = domain.map((extent, d) => (group.reduced?.includes(d) ? null : this.axis(extent)))
    const rowIndex = rowAxes.map((axis) => (axis ? I.variable(axis.id, axis.size) : I.constant(0)))
    const rowFlat = I.dot(
      rowIndex.filter((_, d) => rowAxes[d]),
      contiguousStrides(rowShape(group.reduced ? group : { ...group, domain })),
    )
    const stages: Stage[] = []
    const results = new Map<Node, E.Expr>()
    const kept = new Set<Node>()
    const levels = this.#levels()
    const last = Math.max(...levels.values())

    let finished: Store[] = []
    for (let level = 0; level <= last + 1; level++) {
      const here = [...group.members].filter(([node]) => levels.get(node) === level)
      const rows = here.filter(([node, role]) => role === 'row' && this.options.stored.has(node))
      const points = here.filter(
        ([node, role]) => role === 'reduce' || (role === 'full' && this.options.stored.has(node)),
      )
      if (rows.length > 0 || finished.length > 0) {
        this.stage(this.#reader(rowIndex, rowFlat, null, results, kept, domain))
        const stores = rows.map(([node]) => {
          const at = unravel(rowFlat, node.shape)
          return this.store(node, at, this.value(node, at, false))
        })
        stages.push({ axes: [], reductions: [], stores: [...finished, ...stores] })
        finished = []
      }
      if (points.length > 0) {
        const axes = group.reduced ? group.reduced.map((d) => this.axis(domain[d] as number)) : []
        const point = rowIndex.map((index, d) => {
          const inner = group.reduced?.indexOf(d) ?? -1
          const axis = axes[inner]
          return axis ? I.variable(axis.id, axis.size) : index
        })
        const pointFlat = I.dot(point, contiguousStrides(domain))
        this.stage(this.#reader(rowIndex, rowFlat, { point, flat: pointFlat }, results, kept, domain))
        const reductions: { op: Stage['reductions'][number]['op']; value: E.Expr }[] = []
        const stores: Store[] = []
        const fresh: [Node, E.Expr][] = []
        for (const [node, role] of points) {
          if (role === 'reduce') {
            if (node.lowering.kind !== 'reduce') throw new Error('a reduction was expected')
            const input = node.inputs[0] as Node
            fresh.push([node, { kind: 'result', dtype: node.dtype, stage: stages.length, slot: reductions.length }])
            reductions.push({
              op: node.lowering.op,
              value: this.read(input, unravelIn(point, pointFlat, domain, input.shape), false),
            })
          } else {
            const at = unravelIn(point, pointFlat, domain, node.shape)
            stores.push(this.store(node, at, this.read(node, at, false)))
          }
        }
        for (const [node, result] of fresh) {
          results.set(node, result)
          if (this.options.stored.has(node)) finished.push(this.store(node, rowIndex, result))
        }
        for (const [node, role] of points) if (role === 'full') kept.add(node)
        stages.push({ axes, reductions, stores })
      }
    }
    const rows = rowAxes.filter((axis) => axis !== null)
    if (flat && !isFlat(stages, rows[0] as Axis)) return null
    const kernel: Kernel = {
      kind: 'loops',
      buffers: flat ? this.uses.map((use) => ({ ...use, length: 0 })) : this.buffers(),
      rows: flat ? [{ id: (rows[0] as Axis).id, size: 0 }] : rows,
      stages,
      flat,
    }
    return this.finish(flat ? unsized(kernel, (rows[0] as Axis).id) : kernel, flat ? size : null)
  }

  /** After how many reductions in a row a member can be computed. */
  #levels(): Map<Node, number> {
    const levels = new Map<Node, number>()
    const levelOf = (node: Node, seen: Set<Node>): number => {
      let level = 0
      for (const input of node.inputs) {
        if (seen.has(input)) continue
        seen.add(input)
        const role = this.group.members.get(input)
        if (role) level = Math.max(level, (levels.get(input) as number) + (role === 'reduce' ? 1 : 0))
        else if (!input.leaf && !this.options.roots.has(input)) level = Math.max(level, levelOf(input, seen))
      }
      return level
    }
    for (const [node] of this.group.members) levels.set(node, levelOf(node, new Set()))
    return levels
  }

  #reader(
    rowIndex: readonly I.Index[],
    rowFlat: I.Index,
    inner: { point: readonly I.Index[]; flat: I.Index } | null,
    results: ReadonlyMap<Node, E.Expr>,
    kept: ReadonlySet<Node>,
    domain: Shape,
  ): MemberReader {
    return (node, role, at) => {
      switch (role) {
        case 'reduce': {
          require(at, rowIndex)
          const result = results.get(node)
          if (!result) throw new Elsewhere()
          return result
        }
        case 'row':
          require(at, unravel(rowFlat, node.shape))
          return this.value(node, at, false)
        case 'full': {
          if (!inner) throw new Elsewhere()
          require(at, unravelIn(inner.point, inner.flat, domain, node.shape))
          if (kept.has(node) && (this.options.cost.get(node) as number) > 3) return this.loadRoot(node, at, false)
          return this.value(node, at, false)
        }
        case 'product':
        case 'single':
          throw new Elsewhere()
      }
    }
  }

  gemm(): Lowered {
    const [product] = [...this.group.members].find(([, role]) => role === 'product') as [Node, Role]
    const { lowering } = product
    if (lowering.kind !== 'gemm') throw new Error('a matrix product was expected')
    const batch = lowering.batch.map((extent) => this.axis(extent))
    const [m, n, k] = [this.axis(lowering.m), this.axis(lowering.n), this.axis(lowering.k)]
    const index = (axis: Axis): I.Index => I.variable(axis.id, axis.size)
    const batchIndex = batch.map(index)
    this.stage(() => {
      throw new Elsewhere()
    })
    const [left, right] = lowering.operands.map((i) => product.inputs[i] as Node) as [Node, Node]
    const a = this.read(left, lowering.a(batchIndex, index(m), index(k)), false)
    const b = this.read(right, lowering.b(batchIndex, index(k), index(n)), false)
    const place = lowering.out(batchIndex, index(m), index(n))
    const flat = I.dot(place, contiguousStrides(product.shape))
    const tile: E.Expr = { kind: 'tile', dtype: 'f32' }
    this.stage((node, role, at) => {
      require(at, unravelIn(place, flat, product.shape, node.shape))
      return role === 'product' ? tile : this.value(node, at, false)
    })
    const stores: Store[] = []
    for (const [node] of this.group.members) {
      if (!this.options.stored.has(node)) continue
      const at = unravelIn(place, flat, product.shape, node.shape)
      stores.push(this.store(node, at, this.read(node, at, false)))
    }
    return this.finish({ kind: 'gemm', buffers: this.buffers(), batch, m, n, k, a, b, stores }, null)
  }
}

function require(at: readonly I.Index[], expected: readonly I.Index[]): void {
  if (at.length !== expected.length || at.some((index, d) => !I.sameIndex(index, expected[d] as I.Index)))
    throw new Elsewhere()
}

/** The same place in another shape with as many elements. */
function unravelIn(point: readonly I.Index[], flat: I.Index, domain: Shape, shape: Shape): readonly I.Index[] {
  return String(domain) === String(shape) ? point : unravel(flat, shape)
}
