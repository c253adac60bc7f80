/**
 * Typical: one example from the middle of each cluster of the data, the largest clusters without a label first. For the time
 * when there are few labels: what is typical teaches most then, while the uncertain and the far are outliers (Hacohen,
 * Dekel and Weinshall, "Active learning on a budget: opposite strategies suit high and low budgets", 2022). Clusters are
 * of raw features, or of the last hidden layer where there is a model; by k-means, with k-means++ to begin.
 */
import { noGrad, tensor } from 'descent'
import type { Random } from '../../random.ts'
import { updateNearest } from './distance.ts'
import { pointsOf, type Strategy, type Suggestion, widthOf } from './strategy.ts'

/** More clusters would take long, and hold too few examples to have a middle. */
const MOST_CLUSTERS = 500
const ROUNDS = 10

export const typical: Strategy = {
  name: 'typical',
  needs: ['embedding'],
  otherwise: 'random',
  pick(pool, { count, random }) {
    if (count === 0) return []
    const [points, labelled] = pointsOf(pool, 'Typical')
    const width = widthOf(points, pool.count)
    const all = new Float32Array(points.length + labelled.length)
    all.set(points)
    all.set(labelled, points.length)
    const rows = pool.count + (width === 0 ? 0 : labelled.length / width)
    const wanted = Math.min(count + (rows - pool.count), MOST_CLUSTERS, rows)
    const { cluster, distance, clusters } = kMeans(all, width, wanted, random)
    const members = Array.from({ length: clusters }, () => ({ open: [] as number[], size: 0, labelled: 0 }))
    for (let i = 0; i < rows; i++) {
      const own = members[cluster[i] as number] as (typeof members)[0]
      own.size++
      if (i < pool.count) own.open.push(i)
      else own.labelled++
    }
    for (const { open } of members) open.sort((a, b) => (distance[a] as number) - (distance[b] as number))
    const picks: Suggestion[] = []
    // One of each cluster, those with the fewest labels first; then, where more are wanted, a second of each.
    for (let round = 0; picks.length < Math.min(count, pool.count); round++) {
      const left = members.filter(({ open }) => open.length > round)
      left.sort((a, b) => a.labelled - b.labelled || b.size - a.size)
      for (const { open, size, labelled: known } of left.slice(0, count - picks.length))
        picks.push({ index: open[round] as number, score: size / (1 + known + round), reason: reason(size, known) })
    }
    return picks
  },
}

function reason(size: number, known: number): string {
  const labels =
    known === 0 ? 'none of which has a label' : `of which ${known} ${known === 1 ? 'has a label' : 'have labels'}`
  return size === 1 ? 'unlike all others' : `typical of ${size} similar examples, ${labels}`
}

interface Clusters {
  readonly clusters: number
  /** [N] */
  readonly cluster: Int32Array
  /** [N]: squared, to the cluster's mean. */
  readonly distance: Float32Array
}

function kMeans(points: Float32Array, width: number, wanted: number, random: Random): Clusters {
  const rows = width === 0 ? 0 : points.length / width
  let centres = seeds(points, width, rows, wanted, random)
  let found = assign(points, centres, width)
  for (let round = 0; round < ROUNDS; round++) {
    centres = means(points, centres, width, found.cluster)
    const next = assign(points, centres, width)
    const settled = next.cluster.every((c, i) => c === found.cluster[i])
    found = next
    if (settled) break
  }
  return { ...found, clusters: centres.length / Math.max(1, width) }
}

/** Each next with a chance proportional to its squared distance to those before; fewer, where points coincide. */
function seeds(points: Float32Array, width: number, rows: number, wanted: number, random: Random): Float32Array {
  const nearest = new Float64Array(rows).fill(1)
  const chosen: number[] = []
  while (chosen.length < wanted) {
    const total = nearest.reduce((a, b) => a + b, 0)
    if (total === 0) break
    let left = random.uniform() * total
    const index = Math.max(
      nearest.findIndex((weight) => {
        left -= weight
        return left < 0
      }),
      0,
    )
    if (chosen.length === 0) nearest.fill(Infinity)
    chosen.push(index)
    updateNearest(points, width, points.subarray(index * width, (index + 1) * width), nearest)
  }
  const centres = new Float32Array(chosen.length * width)
  for (const [c, i] of chosen.entries()) centres.set(points.subarray(i * width, (i + 1) * width), c * width)
  return centres
}

const blockRows = 4096

function assign(points: Float32Array, centres: Float32Array, width: number): Omit<Clusters, 'clusters'> {
  const rows = width === 0 ? 0 : points.length / width
  const cluster = new Int32Array(rows)
  const distance = new Float32Array(rows)
  return noGrad(() => {
    const right = tensor(centres, { shape: [centres.length / width, width] })
    const lengths = right.square().sum(1)
    const transposed = right.transpose(0, 1)
    for (let row = 0; row < rows; row += blockRows) {
      const some = points.slice(row * width, (row + blockRows) * width)
      const left = tensor(some, { shape: [some.length / width, width] })
      const far = lengths.sub(left.matmul(transposed).mul(2))
      cluster.set(far.argmin(1).data() as Int32Array, row)
      distance.set(far.min(1).add(left.square().sum(1)).data() as Float32Array, row)
    }
    return { cluster, distance }
  })
}

/** A cluster that has lost all its members stays where it was. */
function means(points: Float32Array, before: Float32Array, width: number, cluster: Int32Array): Float32Array {
  const sums = new Float64Array(before.length)
  const counts = new Float64Array(before.length / width)
  for (const [i, c] of cluster.entries()) {
    counts[c] = (counts[c] as number) + 1
    for (let d = 0; d < width; d++)
      sums[c * width + d] = (sums[c * width + d] as number) + (points[i * width + d] as number)
  }
  return before.map((old, at) => {
    const members = counts[Math.floor(at / width)] as number
    return members === 0 ? old : (sums[at] as number) / members
  })
}
