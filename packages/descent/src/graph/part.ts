/** Which values are a part of others that lie in memory: the same elements in the same order, from some place on. */
import { contiguousStrides, sameShape } from '../dtype.ts'
import type { SliceSpec } from '../ops/movement.ts'
import type { Node } from './graph.ts'

export interface PartOf {
  readonly base: Node
  /** The number of the base's element (of the leaf's source) that comes first. */
  readonly offset: number
}

/** The nearest base: a leaf, one of the roots, or what cannot be seen as a part of anything. */
export function partOf(node: Node, roots?: ReadonlySet<Node>): PartOf {
  const [x] = node.inputs
  if (node.leaf) return { base: node, offset: node.leaf.offset }
  if (roots?.has(node)) return { base: node, offset: 0 }
  if (x && node.op === 'reshape') return partOf(x, roots)
  const offset = x && node.op === 'slice' ? sliceOffset(node, x) : null
  if (!x || offset === null) return { base: node, offset: 0 }
  const part = partOf(x, roots)
  return { base: part.base, offset: part.offset + offset }
}

/** Null where the slice's elements do not follow one another. */
function sliceOffset(node: Node, { shape }: Node): number | null {
  const { specs } = JSON.parse(node.attrs) as { specs: readonly SliceSpec[] }
  const strides = contiguousStrides(shape)
  let offset = 0
  let whole = true
  for (let d = specs.length - 1; d >= 0; d--) {
    const { start, step, length } = specs[d] as SliceSpec
    if (length > 1 && (step !== 1 || !whole)) return null
    if (length !== shape[d]) whole = false
    offset += start * (strides[d] as number)
  }
  return offset
}

/** Whether a loop can read it where it lies, or will once its base has a buffer. */
export function liesInMemory(node: Node): boolean {
  const { base } = partOf(node)
  if (base.leaf) return sameShape(base.leaf.strides, contiguousStrides(base.shape))
  return base.constant === null
}
