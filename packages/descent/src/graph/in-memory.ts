/** Where a node's values lie already, in order: a reshape, or a slice of a vector, of what is in memory is a part of it. */
import type { SliceSpec } from '../ops/movement.ts'
import type { Node } from './graph.ts'

/** The node whose buffer it is, and how many elements further. */
export function inMemory(node: Node): { readonly node: Node; readonly offset: number } {
  const [input] = node.inputs
  if (!input || node.lowering.kind !== 'map') return { node, offset: 0 }
  if (node.op === 'reshape' && isRowMajor(input)) return inMemory(input)
  if (node.op !== 'slice' || input.shape.length !== 1 || !isRowMajor(input)) return { node, offset: 0 }
  const { specs } = JSON.parse(node.attrs) as { specs: readonly SliceSpec[] }
  const [{ start, step }] = specs as [SliceSpec]
  if (step !== 1) return { node, offset: 0 }
  const base = inMemory(input)
  return { node: base.node, offset: base.offset + start }
}

/** Leaves may be seen through strides. */
function isRowMajor({ leaf, shape }: Node): boolean {
  if (!leaf) return true
  let stride = 1
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] !== 1 && leaf.strides[d] !== stride) return false
    stride *= shape[d] as number
  }
  return true
}
