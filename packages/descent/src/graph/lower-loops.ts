/**
 * Elementwise kernels, and rows with reductions: stage after stage, each with what can be computed once the
 * reductions of those before are known.
 */
import { contiguousStrides, type Shape, sizeOf } from '../dtype.ts'
import type * as E from '../kernel/expr.ts'
import * as I from '../kernel/index-expr.ts'
import type { Axis, Reduction, Stage, Store } from '../kernel/kernel.ts'
import { unravel } from '../ops/movement.ts'
import { type Builder, Elsewhere, type Lowered, type MemberReader, placeIn, requirePlace } from './builder.ts'
import { isFlat, unsized } from './flat.ts'
import type { Node } from './graph.ts'
import { rowShape } from './group.ts'
import { reuse } from './reuse.ts'

/** A stored element of a row that costs more than this is loaded by later stages, rather than computed again. */
const LITTLE_COST = 3

/** A place in a shape, and its row-major number. */
interface Place {
  readonly at: readonly I.Index[]
  readonly flat: I.Index
  readonly shape: Shape
}

/** What earlier stages have computed. */
interface Before {
  readonly results: Map<Node, E.Expr>
  readonly stored: Set<Node>
}

/** `flat`: over one axis of any length; null where it does not fit. */
export function lowerLoops(builder: Builder, flat: boolean): Lowered | null {
  const { group, options } = builder
  const size = sizeOf(group.domain)
  const domain = flat ? [size] : group.domain
  const rowAxes = domain.map((extent, d) => (group.reduced?.includes(d) ? null : builder.axis(extent)))
  const rows = rowAxes.filter((axis) => axis !== null)
  const at = rowAxes.map((axis) => (axis ? I.variable(axis.id, axis.size) : I.constant(0)))
  const shape = flat ? domain : rowShape(group)
  const row: Place = {
    at,
    flat: I.dot(
      at.filter((_, d) => rowAxes[d]),
      contiguousStrides(shape),
    ),
    shape,
  }
  const stages: Stage[] = []
  const before: Before = { results: new Map(), stored: new Set() }
  const levels = levelsOf(builder)
  const last = Math.max(...levels.values())

  let finished: Store[] = []
  for (let level = 0; level <= last + 1; level++) {
    const here = group.members.filter((node) => levels.get(node) === level)
    const ofRows = here.filter((node) => group.roles.get(node) === 'row' && options.stored.has(node))
    const ofPoints = here.filter((node) => {
      const role = group.roles.get(node)
      return role === 'reduce' || ((role === 'full' || role === 'pieces') && options.stored.has(node))
    })
    if (ofRows.length > 0 || finished.length > 0) {
      builder.stage(memberReader(builder, row, null, before))
      const stores = ofRows.map((node) => {
        const place = unravel(row.flat, node.shape)
        return builder.store(node, place, builder.value(node, place, false))
      })
      stages.push({ axes: [], reductions: [], stores: [...finished, ...stores] })
      finished = []
    }
    if (ofPoints.length > 0) {
      const axes = group.reduced?.map((d) => builder.axis(domain[d] as number)) ?? []
      const { stage, results } = pointStage(builder, row, axes, domain, ofPoints, stages.length, before)
      stages.push(stage)
      for (const [node, result] of results) {
        before.results.set(node, result)
        if (options.stored.has(node)) finished.push(builder.store(node, row.at, result))
      }
    }
  }
  const [first] = rows as [Axis]
  if (!flat) {
    return builder.finish(reuse({ kind: 'loops', buffers: builder.buffers(), rows, stages, flat }), null)
  }
  if (!isFlat(stages, first)) return null
  const buffers = builder.buffers().map((use) => ({ ...use, length: 0 }))
  const kernel = { kind: 'loops', buffers, rows: [{ id: first.id, size: 0 }], stages, flat } as const
  return builder.finish(unsized(kernel, first.id), size)
}

/** A loop over the reduced axes (none: once a row) that makes reductions and stores elements at every point. */
function pointStage(
  builder: Builder,
  row: Place,
  axes: readonly Axis[],
  domain: Shape,
  members: readonly Node[],
  number: number,
  before: Before,
): { stage: Stage; results: [Node, E.Expr][] } {
  const { group } = builder
  const at = row.at.map((index, d) => {
    const axis = axes[group.reduced?.indexOf(d) ?? -1]
    return axis ? I.variable(axis.id, axis.size) : index
  })
  const point: Place = { at, flat: I.dot(at, contiguousStrides(domain)), shape: domain }
  builder.stage(memberReader(builder, row, point, before))
  const reductions: Reduction[] = []
  const stores: Store[] = []
  const results: [Node, E.Expr][] = []
  for (const node of members) {
    const { lowering, dtype } = node
    if (lowering.kind === 'reduce') {
      const input = node.inputs[0] as Node
      results.push([node, { kind: 'result', dtype, stage: number, slot: reductions.length }])
      const value = builder.read(input, placeIn(point.at, point.flat, domain, input.shape), false)
      reductions.push({ op: lowering.op, value })
    } else if (group.roles.get(node) === 'pieces') stores.push(...pieceStores(builder, node, point))
    else {
      const place = placeIn(point.at, point.flat, domain, node.shape)
      stores.push(builder.store(node, place, builder.read(node, place, false)))
    }
  }
  for (const node of members) if (group.roles.get(node) === 'full') before.stored.add(node)
  return { stage: { axes, reductions, stores }, results }
}

function pieceStores(builder: Builder, node: Node, point: Place): Store[] {
  const { lowering } = node
  const axis = lowering.kind === 'map' ? lowering.pieces : undefined
  return node.inputs.map((piece, i) => {
    const place = placeIn(point.at, point.flat, point.shape, piece.shape)
    const start = i * (piece.shape[axis as number] as number)
    const at = place.map((index, d) => (d === axis ? I.addConstant(index, start) : index))
    return builder.store(node, at, builder.read(piece, place, false))
  })
}

/** After how many reductions in a row a member can be computed. */
function levelsOf({ group, options }: Builder): Map<Node, number> {
  const levels = new Map<Node, number>()
  const levelOf = (node: Node, seen: Set<Node>): number => {
    let level = 0
    for (const input of node.inputs) {
      if (seen.has(input)) continue
      seen.add(input)
      const role = group.roles.get(input)
      if (role) level = Math.max(level, (levels.get(input) as number) + (role === 'reduce' ? 1 : 0))
      else if (!input.leaf && !options.roots.has(input)) level = Math.max(level, levelOf(input, seen))
    }
    return level
  }
  for (const node of group.members) levels.set(node, levelOf(node, new Set()))
  return levels
}

/** `point`: where the stage stands in the domain; null for a stage that runs once a row. */
function memberReader(builder: Builder, row: Place, point: Place | null, before: Before): MemberReader {
  return (node, role, at) => {
    switch (role) {
      case 'reduce': {
        requirePlace(at, row.at)
        const result = before.results.get(node)
        if (!result) throw new Elsewhere()
        return result
      }
      case 'row':
        requirePlace(at, unravel(row.flat, node.shape))
        return builder.value(node, at, false)
      case 'full': {
        if (!point) throw new Elsewhere()
        requirePlace(at, placeIn(point.at, point.flat, point.shape, node.shape))
        const load = before.stored.has(node) && (builder.options.cost[node.id] as number) > LITTLE_COST
        return load ? builder.loadRoot(node, at, false) : builder.value(node, at, false)
      }
      case 'pieces':
      case 'product':
      case 'single':
        throw new Elsewhere()
    }
  }
}
