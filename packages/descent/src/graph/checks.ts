/**
 * A check is an effect: an index out of range is an error even where nobody needs what it leads to. Every operation that
 * checks therefore has its check made, either by the kernels that compute its elements, where they compute all of them,
 * or by a root of its own, which looks at the indices alone.
 *
 * Left out are checks that cannot fail (positions of a sort, say) and those that another one includes: of the same
 * values, with the same bound or a smaller one.
 */
import { sizeOf } from '../dtype.ts'
import { checkIndex } from '../ops/elementwise.ts'
import type { SliceSpec } from '../ops/movement.ts'
import type { Graph, Node } from './graph.ts'
import type { Materialized } from './materialize.ts'

/** Whether a node checks values, itself or in the body of its loop. */
export function hasChecks({ lowering }: Pick<Node, 'lowering'>): boolean {
  switch (lowering.kind) {
    case 'map':
      return lowering.checks === true
    case 'scatter':
      return true
    case 'loop':
      return lowering.loop.body.graph.checking.length > 0
    default:
      return false
  }
}

/** The roots that make the checks which a program of these roots does not make. */
export function missingChecks(graph: Graph, { order, roots }: Materialized): Node[] {
  if (graph.checking.length === 0) return []
  const complete = completeNodes(order, roots)
  const made = new Map<Node, number>()
  const left: { label: string; x: Node; size: number }[] = []
  const missing: Node[] = []
  for (const node of graph.checking) {
    if (node.lowering.kind === 'loop') {
      if (!complete.has(node)) missing.push(node)
      continue
    }
    const check = checkOf(node)
    if (complete.has(node)) made.set(check.x, Math.min(check.size, made.get(check.x) ?? check.size))
    else if ((boundOf(check.x) ?? Number.POSITIVE_INFINITY) > check.size) left.push(check)
  }
  for (const { label, x, size } of left.sort((a, b) => a.size - b.size)) {
    if ((made.get(x) ?? Number.POSITIVE_INFINITY) <= size) continue
    made.set(x, size)
    missing.push(graph.apply(checkIndex, { size, label }, [x]))
  }
  return missing
}

/** What a node checks: all elements of `x` must lie in 0…size−1. */
function checkOf({ op, attrs, inputs, lowering, shape }: Node): { label: string; x: Node; size: number } {
  if (lowering.kind === 'scatter')
    return { label: lowering.label, x: unmoved(inputs[1] as Node), size: shape[lowering.axis] as number }
  const { label, size, axis } = JSON.parse(attrs) as { label: string; size: number; axis: number }
  if (op === 'checkIndex') return { label, x: unmoved(inputs[0] as Node), size }
  const [x, index] = inputs as readonly [Node, Node]
  return { label, x: unmoved(index), size: x.shape[axis] as number }
}

/** The values themselves, which a node repeats or has in another order; a check gives the values that it checks. */
function unmoved(node: Node): Node {
  const [x] = node.inputs
  return x && ['reshape', 'permute', 'expand', 'copy', 'checkIndex'].includes(node.op) ? unmoved(x) : node
}

/** The nodes all of whose elements are computed. */
function completeNodes(order: readonly Node[], roots: ReadonlySet<Node>): Set<Node> {
  const complete = new Set(roots)
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as Node
    if (complete.has(node)) for (const input of node.inputs) if (readsAll(node, input)) complete.add(input)
  }
  return complete
}

/** Whether computing all elements of a node takes every element of its input. */
function readsAll({ op, attrs, lowering }: Node, input: Node): boolean {
  switch (lowering.kind) {
    case 'map':
      if (op === 'slice') {
        const { specs } = JSON.parse(attrs) as { specs: readonly SliceSpec[] }
        return sizeOf(specs.map(({ length }) => length)) === sizeOf(input.shape)
      }
      return lowering.form === 'pointwise' || ['reshape', 'permute', 'expand', 'cat', 'gather'].includes(op)
    case 'gemm':
      return op === 'matmul'
    default:
      return true
  }
}

/** A number above all values of an i32 node, none of which is below 0; null where that is not known beforehand. */
function boundOf(node: Node): number | null {
  const { op, attrs, inputs, shape, constant, lowering } = node
  if (constant !== null) return constant >= 0 ? constant + 1 : null
  switch (lowering.kind) {
    case 'argsort':
      return shape.at(-1) as number
    case 'reduce':
      return lowering.op.startsWith('arg')
        ? sizeOf(lowering.axes.map((d) => (inputs[0] as Node).shape[d] as number))
        : lowering.op === 'max' || lowering.op === 'min'
          ? boundOf(inputs[0] as Node)
          : null
    case 'map':
      break
    default:
      return null
  }
  switch (op) {
    case 'checkIndex':
      return (JSON.parse(attrs) as { size: number }).size
    case 'positions':
      return sizeOf((JSON.parse(attrs) as { axes: number[] }).axes.map((d) => shape[d] as number))
    case 'cast':
      return (inputs[0] as Node).dtype === 'bool' ? 2 : null
    case 'where':
      return greatest(inputs.slice(1).map(boundOf))
    case 'cat':
      return greatest(inputs.map(boundOf))
    case 'reshape':
    case 'permute':
    case 'expand':
    case 'slice':
    case 'copy':
    case 'windows':
    case 'diagonal':
    case 'asStrided':
    case 'gather':
      return boundOf(inputs[0] as Node)
    default:
      return null
  }
}

function greatest(bounds: readonly (number | null)[]): number | null {
  return bounds.reduce((a, b) => (a === null || b === null ? null : Math.max(a, b)))
}
