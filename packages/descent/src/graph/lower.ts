/**
 * A group becomes a kernel: every member's element is written as an expression over the kernel's loop variables.
 *
 * What must hold: a member is read only at the very place that the loops stand at. If some place differs the group
 * is no kernel, and `lowerGroup` gives null.
 */
import { Builder, Elsewhere, type Lowered, type LowerOptions } from './builder.ts'
import { looksFlat } from './flat.ts'
import type { Group } from './group.ts'
import { lowerGemm } from './lower-gemm.ts'
import { lowerLoops } from './lower-loops.ts'
import { lowerSingle } from './lower-single.ts'

export function lowerGroup(group: Group, options: LowerOptions): Lowered | null {
  const checks = options.checks.length
  try {
    if (group.kind === 'gemm') return lowerGemm(new Builder(group, options))
    if (group.kind === 'single') return lowerSingle(new Builder(group, options))
    if (!group.reduced && looksFlat(group, options.roots)) {
      const flat = lowerLoops(new Builder(group, options), true)
      if (flat) return flat
      options.checks.length = checks
    }
    return lowerLoops(new Builder(group, options), false)
  } catch (error) {
    options.checks.length = checks
    if (error instanceof Elsewhere) return null
    throw error
  }
}
