/**
 * Core-set: the example farthest from everything that has a label, again and again, so that no example of the pool stays
 * far from a labelled one (k-centre greedy: at most twice the best possible radius). Sener and Savarese, "Active learning
 * for convolutional neural networks: a core-set approach", 2018. Distances are of the last hidden layer, or of raw features
 * where there is no model yet. Without labelled examples it begins at the one nearest to the mean.
 */
import { nearestDistances, updateNearest } from './distance.ts'
import { pointsOf, type Strategy, type Suggestion, widthOf } from './strategy.ts'

export const coreSet: Strategy = {
  name: 'coreSet',
  needs: ['embedding'],
  otherwise: 'random',
  pick(pool, { count }) {
    const [points, labelled] = pointsOf(pool, 'Core-set')
    const width = widthOf(points, pool.count)
    const nearest = nearestDistances(points, labelled, width)
    const taken = new Uint8Array(pool.count)
    const picks: Suggestion[] = []
    while (picks.length < Math.min(count, pool.count)) {
      const first = picks.length === 0 && labelled.length === 0
      const index = first ? central(points, width) : farthest(nearest, taken)
      const distance = first ? 0 : Math.sqrt(nearest[index] as number)
      picks.push({
        index,
        score: distance,
        reason: first
          ? 'the most typical of all: nearest to the mean'
          : `unlike everything labelled or chosen so far (distance ${distance.toPrecision(3)})`,
      })
      taken[index] = 1
      updateNearest(points, width, points.subarray(index * width, (index + 1) * width), nearest)
    }
    return picks
  },
}

function farthest(nearest: Float64Array, taken: Uint8Array): number {
  let best = -1
  for (let i = 0; i < nearest.length; i++) {
    if (taken[i] === 0 && (best < 0 || (nearest[i] as number) > (nearest[best] as number))) best = i
  }
  return best
}

function central(points: Float32Array, width: number): number {
  const mean = new Float64Array(width)
  const count = width === 0 ? 1 : points.length / width
  for (let i = 0; i < points.length; i += width)
    for (let d = 0; d < width; d++) mean[d] = (mean[d] as number) + (points[i + d] as number) / count
  const distances = new Float64Array(count).fill(Infinity)
  updateNearest(points, width, Float32Array.from(mean), distances)
  return distances.reduce((best, distance, i) => (distance < (distances[best] as number) ? i : best), 0)
}
