/** Labelers of known skill, to measure consensus by: who is right how often, and sees which share of the examples. */
import { seeded } from '../random.ts'
import type { Votes } from './votes.ts'

export interface SimulatedLabeler {
  /** How often right; or `confusion[truth][said]`. */
  readonly skill: number | readonly (readonly number[])[]
  /** The share of examples that it labels. */
  readonly share: number
}

/** True classes and the votes of labelers on them. A wrong labeler says each other class equally often. */
export function simulateLabelers(
  labelers: readonly SimulatedLabeler[],
  { examples, prior, seed }: { readonly examples: number; readonly prior: readonly number[]; readonly seed: number },
): { readonly truth: Int32Array; readonly votes: Votes } {
  const random = seeded(seed)
  const draw = (weights: readonly number[]) => {
    let left = random.uniform()
    return Math.max(
      weights.findIndex((weight) => {
        left -= weight
        return left < 0
      }),
      0,
    )
  }
  const truth = Int32Array.from({ length: examples }, () => draw(prior))
  const rows: (readonly [number, number, number])[] = []
  for (let i = 0; i < examples; i++) {
    const k = truth[i] as number
    for (const [l, { skill, share }] of labelers.entries()) {
      if (random.uniform() >= share) continue
      const weights =
        typeof skill === 'number'
          ? prior.map((_, c) => (c === k ? skill : (1 - skill) / (prior.length - 1)))
          : (skill[k] as readonly number[])
      rows.push([i, l, draw(weights)])
    }
  }
  const votes = {
    examples,
    labelers: labelers.length,
    example: Int32Array.from(rows, ([i]) => i),
    labeler: Int32Array.from(rows, ([, l]) => l),
    value: Float64Array.from(rows, ([, , value]) => value),
  }
  return { truth, votes }
}
