/**
 * A group is a set of roots that become one kernel, and how each of its members stands in the kernel's loops.
 *
 * loops: the kernel runs over `domain`. Where `reduced` names axes, every point of the others is a row:
 *   - 'reduce': a reduction of the domain over those axes;
 *   - 'full': an element for every point of the domain;
 *   - 'row': an element for every row.
 * gemm: one matrix product ('product') and 'full' members that use its elements in their own places.
 * single: a scan, a scatter or a sort, alone.
 */
import type { Shape } from '../dtype.ts'
import { sizeOf } from '../dtype.ts'
import type { Node } from './graph.ts'

export type Role = 'reduce' | 'full' | 'row' | 'product' | 'single'

export interface Group {
  readonly kind: 'loops' | 'gemm' | 'single'
  readonly domain: Shape
  /** The reduced axes of the domain, sorted; null where there is no reduction. */
  readonly reduced: readonly number[] | null
  /** In order of creation. */
  readonly members: ReadonlyMap<Node, Role>
}

/** The group of a single root. */
export function groupOf(root: Node): Group {
  const { lowering } = root
  switch (lowering.kind) {
    case 'leaf':
      throw new Error(`a leaf has no kernel: ${root.op}`)
    case 'map':
      return { kind: 'loops', domain: root.shape, reduced: null, members: new Map([[root, 'full']]) }
    case 'reduce': {
      const input = root.inputs[0] as Node
      return { kind: 'loops', domain: input.shape, reduced: lowering.axes, members: new Map([[root, 'reduce']]) }
    }
    case 'gemm':
      return { kind: 'gemm', domain: root.shape, reduced: null, members: new Map([[root, 'product']]) }
    case 'scan':
    case 'scatter':
    case 'argsort':
      return { kind: 'single', domain: root.shape, reduced: null, members: new Map([[root, 'single']]) }
  }
}

/** The extents of the domain's axes that are not reduced. */
export function rowShape(group: Group): Shape {
  return group.domain.filter((_, d) => !group.reduced?.includes(d))
}

/**
 * Both groups as one, where their loops can be the same; null where they cannot. Whether elements meet in the same
 * places is known only when the kernel is lowered.
 */
export function union(producer: Group, consumer: Group): Group | null {
  if (producer.kind === 'single' || consumer.kind !== 'loops') return null
  if (producer.kind === 'gemm') {
    if (consumer.reduced || sizeOf(consumer.domain) !== sizeOf(producer.domain)) return null
    return joined(producer, producer, consumer, () => 'full')
  }
  if (consumer.reduced) {
    if (sizeOf(consumer.domain) !== sizeOf(producer.domain)) return null
    if (!producer.reduced) return joined(consumer, producer, consumer, (role) => role)
    const same =
      String(producer.domain) === String(consumer.domain) && String(producer.reduced) === String(consumer.reduced)
    return same ? joined(producer, producer, consumer, (role) => role) : null
  }
  const size = sizeOf(consumer.domain)
  if (producer.reduced && size === sizeOf(rowShape(producer))) return joined(producer, producer, consumer, () => 'row')
  if (size === sizeOf(producer.domain)) return joined(producer, producer, consumer, (role) => role)
  return null
}

function joined(base: Group, first: Group, second: Group, role: (role: Role) => Role): Group {
  const all: [Node, Role][] = [
    ...first.members,
    ...[...second.members].map(([node, r]): [Node, Role] => [node, role(r)]),
  ]
  all.sort((a, b) => a[0].id - b[0].id)
  return { kind: base.kind, domain: base.domain, reduced: base.reduced, members: new Map(all) }
}
