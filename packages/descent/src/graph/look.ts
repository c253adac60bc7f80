/**
 * What a group looks like: groups of the same look become the same kernel.
 *
 * What must hold: a look says all that lowering depends on: how the group stands in its loops, the rules of its nodes
 * and how they read one another (which give their shapes and costs), shapes and strides of what is in memory, and what
 * is stored; nodes and buffers by their number alone.
 */
import { contiguousStrides, type DType, sameShape, sizeOf } from '../dtype.ts'
import { homeOf, type LowerOptions, type Target } from './builder.ts'
import type { Node } from './graph.ts'
import type { Group, Role } from './group.ts'

export interface Look {
  /** Equal for equal looks. */
  readonly key: string
  /** The buffers, by number. */
  readonly targets: readonly Target[]
  /** Whether it says the size of the domain, which the look of a flat kernel may leave out. */
  readonly sized: boolean
}

const dtypes: readonly DType[] = ['f32', 'i32', 'bool']
const roles: readonly Role[] = ['reduce', 'full', 'row', 'pieces', 'product', 'single']

/** What stands where a node's description begins. Numbers, rules and sizes are 0 or more. */
const AGAIN = -1
const LEAF = -2
const ROOT = -3
const MEMBER = -4
const NODE = -5
/** One value, the same at every place of the domain. */
const SPREAD = -6
/** Instead of a shape, of strides, or of a length: those of the domain. */
const WHOLE = -7

export function lookOf(group: Group, options: LowerOptions): Look {
  const writer = new Writer(group, options)
  for (const member of group.members) writer.visit(member)
  const { codes, targets, sized } = writer
  const loops = sized ? `${group.kind} ${group.domain} ${group.reduced}` : 'flat'
  return { key: `${loops} ${codes}`, targets, sized }
}

class Writer {
  readonly codes: number[] = []
  readonly targets: Target[] = []
  sized: boolean
  readonly #numbers = new Map<Node, number>()
  readonly #group: Group
  readonly #options: LowerOptions
  readonly #size: number

  constructor(group: Group, options: LowerOptions) {
    this.#group = group
    this.#options = options
    this.#size = sizeOf(group.domain)
    this.sized = group.kind !== 'loops' || group.reduced !== null || this.#size === 1
  }

  visit(node: Node): void {
    const { codes } = this
    const number = this.#numbers.get(node)
    if (number !== undefined) {
      codes.push(AGAIN, number)
      return
    }
    this.#numbers.set(node, this.#numbers.size)
    const role = this.#group.roles.get(node)
    if (!role && (node.leaf || this.#options.roots.has(node))) this.#memory(node)
    else if (role) this.#member(node, role)
    else this.#node(node)
  }

  /** Values that are in memory. */
  #memory(node: Node): void {
    const { codes } = this
    const { leaf, shape } = node
    codes.push(leaf ? LEAF : ROOT, dtypes.indexOf(node.dtype))
    const whole = sameShape(shape, this.#group.domain)
    if (whole) codes.push(WHOLE)
    else codes.push(shape.length, ...shape)
    let scattered = false
    if (leaf) {
      scattered = leaf.offset !== 0 || !sameShape(leaf.strides, contiguousStrides(shape))
      if (scattered) codes.push(leaf.offset, ...leaf.strides)
      else codes.push(WHOLE)
    }
    if (whole ? scattered : sizeOf(shape) !== 1) this.sized = true
    this.#target(leaf ? leaf.source : homeOf(node, this.#options))
  }

  #member(node: Node, role: Role): void {
    const stored = this.#options.stored.has(node)
    this.codes.push(MEMBER, roles.indexOf(role), Number(stored))
    if (stored) this.#target(homeOf(node, this.#options))
    this.#node(node)
  }

  /** Values that the kernel computes. */
  #node(node: Node): void {
    const { lowering, inputs, shape } = node
    const whole = sameShape(shape, this.#group.domain)
    const spread = node.op === 'expand' && whole && sizeOf((inputs[0] as Node).shape) === 1
    if (spread) this.codes.push(SPREAD)
    else {
      this.codes.push(NODE, node.rule, inputs.length)
      const pointwise = lowering.kind === 'map' && lowering.form === 'pointwise' && lowering.inMemory.length === 0
      if (!pointwise || !(whole || sizeOf(shape) === 1)) this.sized = true
    }
    for (let i = 0; i < inputs.length; i++) this.visit(inputs[i] as Node)
  }

  #target(target: Target): void {
    const number = this.targets.indexOf(target)
    this.codes.push(number)
    if (number >= 0) return
    this.targets.push(target)
    if ('resident' in target) this.codes.push(target.length === this.#size ? WHOLE : target.length)
  }
}
