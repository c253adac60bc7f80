/**
 * Maximum mean discrepancy: how far apart two clouds of points lie, by the means of their images under random Fourier
 * features of a Gaussian kernel. Gretton et al., "A kernel two-sample test", 2012; Rahimi and Recht, "Random features for
 * large-scale kernel machines", 2007; the kernel's width is the median distance of points.
 */
import { seeded } from '../random.ts'
import { chiSquareTail } from './chi-square.ts'

/** Points, one after the other: [count, width]. */
export interface Points {
  readonly count: number
  readonly width: number
  readonly values: Float32Array
}

export interface Discrepancy {
  /** The squared distance of the two means in the kernel's space. */
  readonly distance: number
  /** What it is where nothing moved, on average: its expectation under the null. */
  readonly expected: number
  /** How likely a distance as large comes by chance. */
  readonly pValue: number
}

const FEATURES = 512

/**
 * What points looked like where nothing had moved yet, ready to be compared with. Each compare takes O(points · features).
 *
 * What holds: under the null the squared distance of two sample means is a weighted sum of chi-square numbers, with mean
 * tr Σ (1/n + 1/m) and variance 2 tr Σ² (1/n + 1/m)², Σ being the covariance of the features in the reference; its tail is
 * taken as that of one scaled chi-square with the same two moments (Satterthwaite).
 */
export class PointsReference {
  readonly count: number
  readonly #width: number
  readonly #center: Float64Array
  readonly #scale: Float64Array
  readonly #frequencies: Float32Array
  readonly #phases: Float64Array
  readonly #mean: Float64Array
  readonly #trace: number
  readonly #traceOfSquare: number

  /** @throws {RangeError} for fewer than 10 points */
  constructor(points: Points, { seed = 1 } = {}) {
    const { count, width } = points
    if (count < 10) throw new RangeError(`${count} points are too few to compare with: it takes at least 10.`)
    this.count = count
    this.#width = width
    const { center, scale } = standardization(points)
    this.#center = center
    this.#scale = scale
    const random = seeded(seed)
    const sigma = medianDistance(points, scale, seed)
    this.#frequencies = Float32Array.from({ length: FEATURES * width }, () => random.normal() / sigma)
    this.#phases = Float64Array.from({ length: FEATURES }, () => 2 * Math.PI * random.uniform())
    const features = Array.from({ length: count }, (_, i) => this.#image(points, i))
    this.#mean = meanOf(features)
    const { trace, traceOfSquare } = this.#spread(features)
    this.#trace = trace
    this.#traceOfSquare = traceOfSquare
  }

  /** @throws {RangeError} for points of another width, and for none */
  compare(points: Points): Discrepancy {
    const { count, width } = points
    if (width !== this.#width) throw new RangeError(`Points of width ${width} cannot be compared with ${this.#width}.`)
    if (count === 0) throw new RangeError('There is no point to compare.')
    const mean = meanOf(Array.from({ length: count }, (_, i) => this.#image(points, i)))
    const distance = mean.reduce((sum, value, f) => sum + (value - (this.#mean[f] as number)) ** 2, 0)
    const share = 1 / this.count + 1 / count
    const expected = this.#trace * share
    const variance = 2 * this.#traceOfSquare * share * share
    if (!(expected > 0)) return { distance, expected: 0, pValue: distance > 0 ? 0 : 1 }
    const freedom = (2 * expected * expected) / variance
    return { distance, expected, pValue: chiSquareTail((distance / expected) * freedom, freedom) }
  }

  /** How unlike the reference each point is: the mean is farther from it, the less the point is like others. */
  strangeness(points: Points): Float64Array {
    return Float64Array.from({ length: points.count }, (_, i) => {
      const image = this.#image(points, i)
      return image.reduce((sum, value, f) => sum + (value - (this.#mean[f] as number)) ** 2, 0)
    })
  }

  #image({ values }: Points, i: number): Float64Array {
    const width = this.#width
    const point = new Float64Array(width)
    for (let d = 0; d < width; d++)
      point[d] = ((values[i * width + d] as number) - (this.#center[d] as number)) / (this.#scale[d] as number)
    const amplitude = Math.sqrt(2 / FEATURES)
    const image = new Float64Array(FEATURES)
    for (let f = 0; f < FEATURES; f++) {
      let angle = this.#phases[f] as number
      for (let d = 0; d < width; d++) angle += (this.#frequencies[f * width + d] as number) * (point[d] as number)
      image[f] = amplitude * Math.cos(angle)
    }
    return image
  }

  /** tr Σ and tr Σ² of the features; tr Σ² from products of pairs, without its bias: E (x−y)·(u−v) over distinct points, squared. */
  #spread(features: readonly Float64Array[]): { trace: number; traceOfSquare: number } {
    const centered = features.map((image) => image.map((value, f) => value - (this.#mean[f] as number)))
    const n = centered.length
    const trace = centered.reduce((sum, x) => sum + dot(x, x), 0) / (n - 1)
    // Of a large reference a part does.
    const part = centered.slice(0, 600)
    let sum = 0
    for (let i = 0; i < part.length; i++)
      for (let j = 0; j < i; j++) sum += dot(part[i] as Float64Array, part[j] as Float64Array) ** 2
    return { trace, traceOfSquare: Math.max((2 * sum) / (part.length * (part.length - 1)), 1e-12 * trace * trace) }
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}

function meanOf(rows: readonly Float64Array[]): Float64Array {
  const mean = new Float64Array(FEATURES)
  for (const row of rows) for (let f = 0; f < FEATURES; f++) mean[f] = (mean[f] as number) + (row[f] as number)
  return mean.map((sum) => sum / rows.length)
}

/** Each coordinate's mean and standard deviation; 1 where it never changes. */
function standardization({ count, width, values }: Points) {
  const center = new Float64Array(width)
  const square = new Float64Array(width)
  for (let i = 0; i < count; i++)
    for (let d = 0; d < width; d++) center[d] = (center[d] as number) + (values[i * width + d] as number) / count
  for (let i = 0; i < count; i++)
    for (let d = 0; d < width; d++)
      square[d] = (square[d] as number) + ((values[i * width + d] as number) - (center[d] as number)) ** 2 / count
  return { center, scale: square.map((variance) => Math.sqrt(variance) || 1) }
}

/** Of up to 1,000 pairs drawn by lot, in standardized coordinates. */
function medianDistance({ count, width, values }: Points, scale: Float64Array, seed: number): number {
  const random = seeded(seed)
  const distances = Array.from({ length: 1000 }, () => {
    const [i, j] = [random.below(count), random.below(count)]
    let sum = 0
    for (let d = 0; d < width; d++)
      sum += (((values[i * width + d] as number) - (values[j * width + d] as number)) / (scale[d] as number)) ** 2
    return i === j ? 0 : Math.sqrt(sum)
  }).filter((distance) => distance > 0)
  return distances.sort((a, b) => a - b)[distances.length >> 1] ?? 1
}
