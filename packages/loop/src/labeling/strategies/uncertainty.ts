/**
 * Strategies that give each example a score of its own, from 0 (certain) up. The examples of the highest scores are often
 * copies of one doubt; so, where the pool has an embedding, a batch is chosen among the diversity × count most uncertain,
 * greedily: first the most uncertain, then always the one with the largest score × squared distance to those chosen (as
 * k-means++ seeds, without its dice; after Zhdanov, "Diverse mini-batch active learning", 2019). Equal scores are ordered
 * by lot.
 */
import { updateNearest } from './distance.ts'
import { type BatchSettings, type Need, type Pool, type Strategy, type StrategyName, widthOf } from './strategy.ts'

export interface Uncertainty {
  readonly name: StrategyName
  readonly needs: readonly Need[]
  readonly otherwise: StrategyName
  /** A score an example, 0 for certain. */
  scores(pool: Pool): Float64Array
  reason(pool: Pool, index: number, score: number): string
}

/** The strategy that picks by these scores. */
export function byUncertainty({ name, needs, otherwise, scores, reason }: Uncertainty): Strategy {
  return {
    name,
    needs,
    otherwise,
    pick(pool, settings) {
      const values = scores(pool)
      return mostUncertain(pool, values, settings).map((index) => {
        const score = values[index] as number
        return { index, score, reason: reason(pool, index, score) }
      })
    },
  }
}

function mostUncertain(pool: Pool, scores: Float64Array, { count, diversity, random }: BatchSettings): number[] {
  const order = random.permutation(pool.count).sort((a, b) => (scores[b] as number) - (scores[a] as number))
  if (!pool.embedding || diversity <= 1) return [...order.subarray(0, count)]
  const candidates = order.subarray(0, Math.ceil(diversity * count))
  return spread(pool.embedding, widthOf(pool.embedding, pool.count), candidates, scores, count)
}

/** `count` of the candidates (best first), far from each other and of high scores. */
function spread(
  embedding: Float32Array,
  width: number,
  candidates: Int32Array,
  scores: Float64Array,
  count: number,
): number[] {
  const points = new Float32Array(candidates.length * width)
  for (const [i, row] of candidates.entries()) points.set(embedding.subarray(row * width, (row + 1) * width), i * width)
  const nearest = new Float64Array(candidates.length).fill(Infinity)
  const open = new Uint8Array(candidates.length).fill(1)
  const picked: number[] = []
  while (picked.length < Math.min(count, candidates.length)) {
    let best = -1
    let most = -1
    for (const [i, row] of candidates.entries()) {
      if (open[i] === 0) continue
      // Before the first pick all are infinitely far: the candidates' own order decides.
      const gain = picked.length === 0 ? 0 : (scores[row] as number) * (nearest[i] as number)
      if (gain > most) [best, most] = [i, gain]
    }
    open[best] = 0
    picked.push(candidates[best] as number)
    updateNearest(points, width, points.subarray(best * width, (best + 1) * width), nearest)
  }
  return picked
}
