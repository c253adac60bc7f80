/**
 * BADGE: uncertain and diverse in one. The gradient that an example would send to the last layer, were the model's guess
 * ŷ its label, is the outer product g = (p − e_ŷ) ⊗ h: long where the model is unsure, and pointing where it would learn.
 * k-means++ seeding on these picks a batch: the longest first, then each with a chance proportional to its squared distance
 * to those picked. Ash et al., "Deep batch active learning by diverse, uncertain gradient lower bounds", 2020.
 *
 * g is never stored (N × K·D numbers): ⟨g, g'⟩ = ⟨a, a'⟩ ⟨h, h'⟩ with a = p − e_ŷ, so that K + D numbers an example are
 * enough.
 */
import { topTwo } from './probabilities.ts'
import { className, needed, type Pool, percent, type Strategy, type Suggestion, widthOf } from './strategy.ts'

export const badge: Strategy = {
  name: 'badge',
  needs: ['probabilities', 'embedding'],
  otherwise: 'margin',
  pick(pool, { count, random }) {
    const gradients = gradientsOf(pool)
    const { lengths } = gradients
    const nearest = Float64Array.from(lengths)
    const picks: Suggestion[] = []
    const taken = new Uint8Array(pool.count)
    while (picks.length < Math.min(count, pool.count)) {
      const index = picks.length === 0 ? longest(lengths) : drawn(nearest, taken, random.uniform())
      picks.push({ index, score: Math.sqrt(nearest[index] as number), reason: reason(pool, index, picks.length === 0) })
      taken[index] = 1
      bringNearer(gradients, index, nearest)
    }
    return picks
  },
}

/** The two factors of each example's gradient [N, K] and [N, D], its squared length [N], and ‖h‖ [N]. */
interface Gradients {
  readonly a: Float32Array
  readonly h: Float32Array
  readonly classes: number
  readonly width: number
  readonly lengths: Float64Array
  readonly sizes: Float64Array
}

function gradientsOf(pool: Pool): Gradients {
  const a = needed(pool.probabilities, 'probabilities').slice()
  const h = needed(pool.embedding, 'an embedding')
  const [classes, width] = [widthOf(a, pool.count), widthOf(h, pool.count)]
  const lengths = new Float64Array(pool.count)
  const sizes = new Float64Array(pool.count)
  for (let i = 0; i < pool.count; i++) {
    const guess = i * classes + topTwo(a, classes, i).first
    a[guess] = (a[guess] as number) - 1
    const square = dot(h, i, h, i, width)
    sizes[i] = Math.sqrt(square)
    lengths[i] = dot(a, i, a, i, classes) * square
  }
  return { a, h, classes, width, lengths, sizes }
}

function dot(x: Float32Array, i: number, y: Float32Array, j: number, width: number): number {
  let [p, q] = [i * width, j * width]
  const end = p + width
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  // Four sums, so that an addition need not wait for the one before.
  for (const four = end - (width % 4); p < four; p += 4, q += 4) {
    s0 += (x[p] as number) * (y[q] as number)
    s1 += (x[p + 1] as number) * (y[q + 1] as number)
    s2 += (x[p + 2] as number) * (y[q + 2] as number)
    s3 += (x[p + 3] as number) * (y[q + 3] as number)
  }
  for (; p < end; p++, q++) s0 += (x[p] as number) * (y[q] as number)
  return s0 + s1 + s2 + s3
}

/** Lowers the squared distances to those to the gradient of example j. */
function bringNearer({ a, h, classes, width, lengths, sizes }: Gradients, j: number, nearest: Float64Array): void {
  const own = lengths[j] as number
  for (let i = 0; i < nearest.length; i++) {
    const both = (lengths[i] as number) + own
    const before = nearest[i] as number
    if (before === 0) continue
    const angle = dot(a, i, a, j, classes)
    // |⟨h, h'⟩| ≤ ‖h‖ ‖h'‖: what cannot come nearer needs no product. Most of a pool is certain, and falls out here.
    if (both - 2 * Math.abs(angle) * (sizes[i] as number) * (sizes[j] as number) >= before) continue
    const distance = both - 2 * angle * dot(h, i, h, j, width)
    if (distance < before) nearest[i] = Math.max(0, distance)
  }
}

function longest(lengths: Float64Array): number {
  let best = 0
  for (let i = 1; i < lengths.length; i++) if ((lengths[i] as number) > (lengths[best] as number)) best = i
  return best
}

/** An example with a chance proportional to its weight; any that is left where all weights are 0. */
function drawn(weights: Float64Array, taken: Uint8Array, uniform: number): number {
  let total = 0
  for (let i = 0; i < weights.length; i++) if (taken[i] === 0) total += weights[i] as number
  let left = uniform * total
  let last = -1
  for (let i = 0; i < weights.length; i++) {
    if (taken[i] !== 0) continue
    last = i
    left -= weights[i] as number
    if (left < 0) return i
  }
  if (total > 0) return last
  const open = weights.length - taken.reduce((a, b) => a + b, 0)
  let rank = Math.floor(uniform * open)
  return taken.findIndex((t) => t === 0 && rank-- === 0)
}

function reason(pool: Pool, index: number, first: boolean): string {
  const values = needed(pool.probabilities, 'probabilities')
  const { first: guess, p } = topTwo(values, widthOf(values, pool.count), index)
  const said = `${className(pool, guess)} (${percent(p)})`
  return first
    ? `its label would change the model most; the guess is ${said}`
    : `its label would teach something that the others here do not; the guess is ${said}`
}
