/**
 * Which groups a group waits for, directly or through others, kept while groups are joined: a set of bits for each
 * group, a bit for each root.
 *
 * What must hold: if a group waits for another, it has the bits of all its roots, and of all that this one waits for.
 */
import type { Node } from './graph.ts'
import type { Group } from './group.ts'
import type { Materialized } from './materialize.ts'

export class Ancestry {
  /** By node id: the root's bit. */
  readonly #bits: number[] = []
  readonly #words: number
  readonly #readers: Materialized['readers']
  readonly #slots = new Map<Group, number>()
  /** By slot; null where a group has gone. */
  readonly #ancestors: (Uint32Array | null)[] = []

  constructor(roots: readonly Node[], readers: Materialized['readers']) {
    for (const [bit, { id }] of roots.entries()) this.#bits[id] = bit
    this.#words = (roots.length + 31) >>> 5
    this.#readers = readers
  }

  /** The group of the next root, which reads these roots (and leaves, which have no group). */
  add(group: Group, reads: readonly Node[], groups: ReadonlyMap<Node, Group>): void {
    const ancestors = new Uint32Array(this.#words)
    for (const read of reads) {
      const other = groups.get(read)
      if (other && !has(ancestors, this.#bitOf(other))) this.#include(ancestors, other)
    }
    this.#slots.set(group, this.#ancestors.push(ancestors) - 1)
  }

  /** Two groups become one. */
  join(a: Group, b: Group, joined: Group): void {
    const ancestors = this.#ancestorsOf(a)
    unite(ancestors, this.#ancestorsOf(b))
    const slot = this.#slots.get(a) as number
    this.#ancestors[this.#slots.get(b) as number] = null
    this.#slots.set(joined, slot)
    if (!this.#isRead(joined)) return
    const [inA, inB] = [this.#bitOf(a), this.#bitOf(b)]
    for (const other of this.#ancestors) {
      if (other && other !== ancestors && (has(other, inA) || has(other, inB))) this.#include(other, joined)
    }
  }

  /** Whether a group that was added already reads it. Groups are added in the order of their roots. */
  #isRead({ members, roles }: Group): boolean {
    const isOther = (reader: Node): boolean =>
      !roles.has(reader) && (this.#bits[reader.id] as number) < this.#ancestors.length
    return members.some((node) => this.#readers.get(node)?.some(isOther))
  }

  waitsFor(group: Group, other: Group): boolean {
    return has(this.#ancestorsOf(group), this.#bitOf(other))
  }

  #include(ancestors: Uint32Array, group: Group): void {
    unite(ancestors, this.#ancestorsOf(group))
    for (const { id } of group.members) {
      const bit = this.#bits[id] as number
      ancestors[bit >>> 5] = (ancestors[bit >>> 5] as number) | (1 << (bit & 31))
    }
  }

  #ancestorsOf(group: Group): Uint32Array {
    return this.#ancestors[this.#slots.get(group) as number] as Uint32Array
  }

  /** One root stands for all of the group. */
  #bitOf({ members }: Group): number {
    return this.#bits[(members[0] as Node).id] as number
  }
}

function has(bits: Uint32Array, number: number): boolean {
  return (((bits[number >>> 5] as number) >>> (number & 31)) & 1) === 1
}

function unite(bits: Uint32Array, others: Uint32Array): void {
  for (let w = 0; w < bits.length; w++) bits[w] = (bits[w] as number) | (others[w] as number)
}
