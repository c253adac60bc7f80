/**
 * Groups that look alike are one kernel over other buffers (equal layers, say; or a group that was tried before), so
 * that each look is lowered once.
 */
import { sizeOf } from '../dtype.ts'
import type { Check } from '../kernel/kernel.ts'
import type { Lowered, LowerOptions, Target } from './builder.ts'
import type { Node, Source } from './graph.ts'
import type { Group } from './group.ts'
import { lookOf } from './look.ts'
import { lowerGroup } from './lower.ts'
import type { Materialized } from './materialize.ts'

/** A kernel whose buffers are numbers in the look's order; 'checked' where every group needs its own check numbers. */
type Known = { readonly lowered: Lowered; readonly buffers: readonly number[] } | 'checked' | 'none'

export class KnownKernels {
  readonly #program: Materialized
  readonly #inPlace: ReadonlyMap<Node, Source>
  readonly #needed: ReadonlySet<Node>
  readonly #known = new Map<string, Known>()
  readonly #tried = new Map<Group, Lowered>()

  /** `needed`: roots whose values are read outside of the program. */
  constructor(program: Materialized, inPlace: ReadonlyMap<Node, Source>, needed: ReadonlySet<Node>) {
    this.#program = program
    this.#inPlace = inPlace
    this.#needed = needed
  }

  /** The group's kernel, null where it is none. Its checks are added to `checks`. */
  lower(group: Group, checks: Check[]): Lowered | null {
    const tried = this.#tried.get(group)
    if (tried) return tried
    const { roots, cost } = this.#program
    const options: LowerOptions = { roots, stored: this.#stored(group), cost, inPlace: this.#inPlace, checks }
    if (group.kind === 'single') return lowerGroup(group, options)
    const look = lookOf(group, options)
    const known = this.#known.get(look.key)
    if (known === 'none') return null
    if (known && known !== 'checked') {
      const targets = known.buffers.map((number) => look.targets[number] as Target)
      const size = known.lowered.size === null ? null : sizeOf(group.domain)
      return this.#keep(group, { kernel: known.lowered.kernel, targets, size })
    }
    const before = checks.length
    const lowered = lowerGroup(group, options)
    if (!lowered || checks.length > before) {
      this.#known.set(look.key, lowered ? 'checked' : 'none')
      return lowered
    }
    const buffers = lowered.targets.map((target) => look.targets.indexOf(target))
    const says = !buffers.includes(-1) && (look.sized || lowered.size !== null)
    if (says) this.#known.set(look.key, { lowered, buffers })
    return this.#keep(group, lowered)
  }

  #keep(group: Group, lowered: Lowered): Lowered {
    this.#tried.set(group, lowered)
    return lowered
  }

  /** Members whose values someone outside of the group needs. */
  #stored(group: Group): Set<Node> {
    const stored = new Set<Node>()
    for (const node of group.members) {
      const readers = this.#program.readers.get(node)
      if (this.#needed.has(node) || readers?.some((reader) => !group.roles.has(reader))) stored.add(node)
    }
    return stored
  }
}
