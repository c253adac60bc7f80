/**
 * A group is a set of roots that become one kernel, and how each of its members stands in the kernel's loops.
 *
 * loops: the kernel runs over `domain`. Where `reduced` names axes, every point of the others is a row:
 *   - 'reduce': a reduction of the domain over those axes;
 *   - 'full': an element for every point of the domain;
 *   - 'row': an element for every row;
 *   - 'pieces': an element of each of several parts, which lie one after the other, for every point of the domain.
 * gemm: one matrix product ('product') and 'full' members that use its elements in their own places.
 * single: a scan, a scatter, a sort or a whole loop, alone.
 */
import type { Shape } from '../dtype.ts'
import { sameShape, sizeOf } from '../dtype.ts'
import type { Node } from './graph.ts'
import { worthParting } from './materialize.ts'

export type Role = 'reduce' | 'full' | 'row' | 'pieces' | 'product' | 'single'

export interface Group {
  readonly kind: 'loops' | 'gemm' | 'single'
  readonly domain: Shape
  /** The reduced axes of the domain, sorted; null where there is no reduction. */
  readonly reduced: readonly number[] | null
  /** In order of creation. */
  readonly members: readonly Node[]
  readonly roles: ReadonlyMap<Node, Role>
}

/** The group of a single root; `cost`: of one of its elements. */
export function groupOf(root: Node, cost: number): Group {
  const { lowering } = root
  switch (lowering.kind) {
    case 'leaf':
      throw new Error(`a leaf has no kernel: ${root.op}`)
    case 'map':
      return worthParting(root, cost)
        ? alone(root, 'loops', (root.inputs[0] as Node).shape, null, 'pieces')
        : alone(root, 'loops', root.shape, null, 'full')
    case 'reduce': {
      const input = root.inputs[0] as Node
      return alone(root, 'loops', input.shape, lowering.axes, 'reduce')
    }
    case 'gemm':
      return alone(root, 'gemm', root.shape, null, 'product')
    case 'scan':
    case 'scatter':
    case 'argsort':
    case 'loop':
      return alone(root, 'single', root.shape, null, 'single')
  }
}

function alone(root: Node, kind: Group['kind'], domain: Shape, reduced: readonly number[] | null, role: Role): Group {
  return { kind, domain, reduced, members: [root], roles: new Map([[root, role]]) }
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
  if (inPieces(consumer) && (producer.kind === 'gemm' || producer.reduced)) return null
  if (inPieces(producer) && consumer.reduced) return null
  if (producer.kind === 'gemm') {
    if (consumer.reduced || sizeOf(consumer.domain) !== sizeOf(producer.domain)) return null
    return joined(producer, producer, consumer, () => 'full')
  }
  if (consumer.reduced) {
    if (sizeOf(consumer.domain) !== sizeOf(producer.domain)) return null
    if (!producer.reduced) return joined(consumer, producer, consumer, (role) => role)
    const same =
      sameShape(producer.domain, consumer.domain) && producer.reduced && sameShape(producer.reduced, consumer.reduced)
    return same ? joined(producer, producer, consumer, (role) => role) : null
  }
  const size = sizeOf(consumer.domain)
  if (producer.reduced && size === sizeOf(rowShape(producer))) return joined(producer, producer, consumer, () => 'row')
  if (size === sizeOf(producer.domain)) return joined(producer, producer, consumer, (role) => role)
  return null
}

function inPieces({ roles }: Group): boolean {
  return [...roles.values()].includes('pieces')
}

function joined(base: Group, first: Group, second: Group, role: (role: Role) => Role): Group {
  const members = [...first.members, ...second.members].sort((a, b) => a.id - b.id)
  const roles = new Map(first.roles)
  for (const node of second.members) roles.set(node, role(second.roles.get(node) as Role))
  return { kind: base.kind, domain: base.domain, reduced: base.reduced, members, roles }
}
