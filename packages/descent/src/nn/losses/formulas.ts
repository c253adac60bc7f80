/**
 * For tests: every loss with inputs at random and, element by element, its formula in double precision as a textbook
 * writes it. Targets that are signs or counts are i32, so that no derivative is taken for them.
 */
import assert from 'node:assert/strict'
import { tensor } from '../../create.ts'
import { rand, randint, randn } from '../../random.ts'
import type { Tensor } from '../../tensor.ts'
import * as F from './index.ts'

export interface Case {
  readonly inputs: readonly Tensor[]
  readonly loss: (inputs: readonly Tensor[], reduction: F.Reduction) => Tensor
  /** What 'none' gives. */
  readonly elements: readonly number[]
  /** What the mean divides the sum by, where that is not the number of elements. */
  readonly count?: number
}

/** A case of n rows of c columns. */
export type MakeCase = (n: number, c: number) => Case

type Numbers = readonly number[]

/** The values, as 64-bit floats of what the f32 are. */
export const numbers = (x: Tensor): number[] => Array.from(x.values())
export const sum = (x: Numbers): number => x.reduce((total, v) => total + v, 0)
export const logSumExp = (x: Numbers): number => {
  const largest = Math.max(...x)
  return largest + Math.log(sum(x.map((v) => Math.exp(v - largest))))
}
/** log(1 + exp(x)). */
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
export const classes = (values: readonly unknown[]): Tensor => tensor(values as number[], { dtype: 'i32' })

/** `summed`: how large what was added up is together, whose rounding stays where the sum is small. */
export function near(got: Tensor, want: readonly number[], what: string, summed = 0): void {
  const values = got.values()
  assert.equal(values.length, want.length, what)
  for (const [i, w] of want.entries()) {
    const g = values[i] as number
    assert.ok(
      Math.abs(g - w) <= 2e-6 * (1 + summed) + 2e-5 * Math.abs(w),
      `${what}, element ${i}: ${g} instead of ${w}`,
    )
  }
}

export function close(a: Tensor, b: Tensor): void {
  near(a, numbers(b), 'values')
}

const rowsOf = (x: Tensor): number[][] => {
  const flat = numbers(x)
  const columns = x.shape.at(-1) as number
  return Array.from({ length: flat.length / columns }, (_, i) => flat.slice(i * columns, (i + 1) * columns))
}
const at = (x: Numbers, i: number): number => x[i] as number
const weighing = (c: number): Tensor => rand([c]).add(0.5)
const signs = (shape: number[]): Tensor => randint(0, 2, shape).mul(2).sub(1)

/** Of an input and a target of one shape. */
function elementwise(
  loss: (x: Tensor, y: Tensor, options: { reduction: F.Reduction }) => Tensor,
  formula: (x: number, y: number) => number,
  input: (shape: number[]) => Tensor = randn,
  target: (shape: number[]) => Tensor = randn,
): MakeCase {
  return (n, c) => {
    const [x, y] = [input([n, c]), target([n, c])]
    const ys = numbers(y)
    return {
      inputs: [x, y],
      loss: ([a, b], reduction) => loss(a as Tensor, b as Tensor, { reduction }),
      elements: numbers(x).map((v, i) => formula(v, at(ys, i))),
    }
  }
}

const wide = (shape: number[]): Tensor => randn(shape).mul(3)
const inside = (shape: number[]): Tensor => rand(shape).mul(0.9).add(0.05)
const yesNo = (shape: number[]): Tensor => randint(0, 2, shape)
const counts = (shape: number[]): Tensor => randint(0, 6, shape)
const distribution = (shape: number[]): Tensor => randn(shape).softmax(-1)
const stirling = (y: number): number => (y > 1 ? y * Math.log(y) - y + Math.log(2 * Math.PI * y) / 2 : 0)
const huber = (d: number, bend: number): number => (d <= bend ? d ** 2 / 2 : bend * (d - bend / 2))

const regression: Record<string, MakeCase> = {
  mseLoss: elementwise(F.mseLoss, (x, y) => (x - y) ** 2),
  l1Loss: elementwise(F.l1Loss, (x, y) => Math.abs(x - y)),
  smoothL1Loss: elementwise(F.smoothL1Loss, (x, y) => huber(Math.abs(x - y), 1)),
  'smoothL1Loss, beta': elementwise(
    (x, y, o) => F.smoothL1Loss(x, y, { ...o, beta: 0.5 }),
    (x, y) => huber(Math.abs(x - y), 0.5) / 0.5,
  ),
  'smoothL1Loss, beta 0': elementwise(
    (x, y, o) => F.smoothL1Loss(x, y, { ...o, beta: 0 }),
    (x, y) => Math.abs(x - y),
  ),
  huberLoss: elementwise(
    (x, y, o) => F.huberLoss(x, y, { ...o, delta: 0.7 }),
    (x, y) => huber(Math.abs(x - y), 0.7),
  ),
  poissonNllLoss: elementwise(F.poissonNllLoss, (x, y) => Math.exp(x) - y * x, randn, counts),
  'poissonNllLoss of counts, full': elementwise(
    (x, y, o) => F.poissonNllLoss(x, y, { ...o, logInput: false, full: true, eps: 0.1 }),
    (x, y) => x - y * Math.log(x + 0.1) + stirling(y),
    inside,
    counts,
  ),
  gaussianNllLoss: (n, c) => {
    const [x, y, v] = [randn([n, c]), randn([n, c]), rand([n, c]).add(0.1)]
    const [ys, vs] = [numbers(y), numbers(v)]
    return {
      inputs: [x, y, v],
      loss: ([a, b, d], reduction) => F.gaussianNllLoss(a as Tensor, b as Tensor, d as Tensor, { reduction }),
      elements: numbers(x).map((m, i) => (Math.log(at(vs, i)) + (m - at(ys, i)) ** 2 / at(vs, i)) / 2),
    }
  },
  'gaussianNllLoss, one variance a row, full': (n, c) => {
    const [x, y, v] = [randn([n, c]), randn([n, c]), rand([n]).add(0.1)]
    const [ys, vs] = [numbers(y), numbers(v)]
    return {
      inputs: [x, y, v],
      loss: ([a, b, d], reduction) =>
        F.gaussianNllLoss(a as Tensor, b as Tensor, d as Tensor, { reduction, full: true }),
      elements: numbers(x).map((m, i) => {
        const variance = at(vs, Math.floor(i / c))
        return (Math.log(2 * Math.PI * variance) + (m - at(ys, i)) ** 2 / variance) / 2
      }),
    }
  },
  klDiv: elementwise(
    F.klDiv,
    (x, y) => y * (Math.log(y) - x),
    (s) => randn(s).logSoftmax(-1),
    distribution,
  ),
  'klDiv, logTarget': elementwise(
    (x, y, o) => F.klDiv(x, y, { ...o, logTarget: true }),
    (x, y) => Math.exp(y) * (y - x),
    (s) => randn(s).logSoftmax(-1),
    (s) => randn(s).logSoftmax(-1),
  ),
}

/** log-probabilities, classes and weights to the loss of a row. */
function ofClasses(
  loss: (x: Tensor, y: Tensor, options: F.NLLLossOptions) => Tensor,
  row: (x: Numbers, y: number, weight: Numbers) => number,
  options: 'plain' | 'weight' | 'weight and ignored',
  counted: 'weights' | 'rows',
): MakeCase {
  return (n, c) => {
    const [x, weight] = [randn([n, c]), weighing(c)]
    const w = options === 'plain' ? Array.from({ length: c }, () => 1) : numbers(weight)
    const classes = numbers(randint(0, c, [n]))
    // At least one counts.
    const ignored = options === 'weight and ignored' ? numbers(randint(0, 2, [n])).map((v, i) => i > 0 && v > 0) : []
    const target = classes.map((y, i) => (ignored[i] ? -100 : y))
    return {
      inputs: [x, tensor(target, { dtype: 'i32' }), weight],
      loss: ([a, y, k], reduction) =>
        loss(a as Tensor, y as Tensor, { reduction, ...(options === 'plain' ? {} : { weight: k as Tensor }) }),
      elements: rowsOf(x).map((v, i) => (ignored[i] ? 0 : row(v, at(classes, i), w))),
      count: counted === 'rows' ? n : sum(classes.map((y, i) => (ignored[i] ? 0 : at(w, y)))),
    }
  }
}

const crossEntropyRow = (x: Numbers, y: number, w: Numbers): number => at(w, y) * (logSumExp(x) - at(x, y))
const multiMargin =
  (margin: number, p: number) =>
  (x: Numbers, y: number, w: Numbers): number =>
    sum(x.map((v, c) => (c === y ? 0 : at(w, y) * Math.max(0, margin - at(x, y) + v) ** p))) / x.length

const classification: Record<string, MakeCase> = {
  binaryCrossEntropy: elementwise(
    F.binaryCrossEntropy,
    (p, y) => -(y * Math.log(p) + (1 - y) * Math.log(1 - p)),
    inside,
    rand,
  ),
  binaryCrossEntropyWithLogits: elementwise(
    F.binaryCrossEntropyWithLogits,
    (x, y) => y * softplus(-x) + (1 - y) * softplus(x),
    wide,
    rand,
  ),
  'binaryCrossEntropyWithLogits, weights': (n, c) => {
    const [x, y, w, p] = [wide([n, c]), rand([n, c]), weighing(c), weighing(c)]
    const [ys, ws, ps] = [numbers(y), numbers(w), numbers(p)]
    return {
      inputs: [x, y, w, p],
      loss: ([a, b, weight, posWeight], reduction) =>
        F.binaryCrossEntropyWithLogits(a as Tensor, b as Tensor, {
          weight: weight as Tensor,
          posWeight: posWeight as Tensor,
          reduction,
        }),
      elements: numbers(x).map(
        (v, i) => at(ws, i % c) * (at(ps, i % c) * at(ys, i) * softplus(-v) + (1 - at(ys, i)) * softplus(v)),
      ),
    }
  },
  crossEntropy: ofClasses(F.crossEntropy, crossEntropyRow, 'plain', 'weights'),
  'crossEntropy, weights and ignored': ofClasses(F.crossEntropy, crossEntropyRow, 'weight and ignored', 'weights'),
  'crossEntropy, smoothed': ofClasses(
    (x, y, o) => F.crossEntropy(x, y, { ...o, labelSmoothing: 0.2 }),
    (x, y, w) =>
      0.8 * crossEntropyRow(x, y, w) + (0.2 / x.length) * sum(x.map((v, c) => at(w, c) * (logSumExp(x) - v))),
    'weight and ignored',
    'weights',
  ),
  'crossEntropy of probabilities': (n, c) => {
    const [x, y, w] = [randn([n, c]), distribution([n, c]), weighing(c)]
    const [ys, ws] = [rowsOf(y), numbers(w)]
    return {
      inputs: [x, y, w],
      loss: ([a, b, weight], reduction) =>
        F.crossEntropy(a as Tensor, b as Tensor, { weight: weight as Tensor, labelSmoothing: 0.1, reduction }),
      elements: rowsOf(x).map((row, i) =>
        sum(row.map((v, k) => at(ws, k) * (0.9 * at(ys[i] as Numbers, k) + 0.1 / c) * (logSumExp(row) - v))),
      ),
    }
  },
  nllLoss: ofClasses(F.nllLoss, (x, y) => -at(x, y), 'plain', 'weights'),
  'nllLoss, weights and ignored': ofClasses(
    F.nllLoss,
    (x, y, w) => -at(w, y) * at(x, y),
    'weight and ignored',
    'weights',
  ),
  marginLoss: elementwise(
    (x, y, o) => F.marginLoss(x, y, { ...o, margin: 0.8 }),
    (x, y) => Math.max(0, 0.8 - x * y),
    randn,
    signs,
  ),
  softMarginLoss: elementwise(F.softMarginLoss, (x, y) => softplus(-x * y), wide, signs),
  multiMarginLoss: ofClasses(F.multiMarginLoss, multiMargin(1, 1), 'plain', 'rows'),
  'multiMarginLoss, squared and weighted': ofClasses(
    (x, y, o) => F.multiMarginLoss(x, y, { ...o, p: 2, margin: 0.7 }),
    multiMargin(0.7, 2),
    'weight',
    'rows',
  ),
  multilabelMarginLoss: (n, c) => {
    const [x, lengths] = [randn([n, c]), numbers(randint(0, c + 1, [n]))]
    const lists = lengths.map((length) => Array.from({ length: c }, (_, i) => (i < length ? (i * 7 + length) % c : -1)))
    // After the first −1 nothing counts.
    for (const list of lists) if (list[0] === -1 && c > 1) list[1] = 0
    return {
      inputs: [x, tensor(lists, { dtype: 'i32' })],
      loss: ([a, y], reduction) => F.multilabelMarginLoss(a as Tensor, y as Tensor, { reduction }),
      elements: rowsOf(x).map((row, i) => {
        const listed = (lists[i] as Numbers).slice(0, lengths[i])
        const others = row.filter((_, k) => !listed.includes(k))
        return sum(listed.flatMap((y) => others.map((v) => Math.max(0, 1 - at(row, y) + v)))) / c
      }),
    }
  },
  multilabelSoftMarginLoss: (n, c) => {
    const [x, y, w] = [wide([n, c]), yesNo([n, c]), weighing(c)]
    const [ys, ws] = [rowsOf(y), numbers(w)]
    return {
      inputs: [x, y, w],
      loss: ([a, b, weight], reduction) =>
        F.multilabelSoftMarginLoss(a as Tensor, b as Tensor, { weight: weight as Tensor, reduction }),
      elements: rowsOf(x).map(
        (row, i) => sum(row.map((v, k) => at(ws, k) * softplus(at(ys[i] as Numbers, k) > 0 ? -v : v))) / c,
      ),
    }
  },
}

/** Of two embeddings a row and a sign. */
function pairs(
  loss: (a: Tensor, b: Tensor, y: Tensor, options: { reduction: F.Reduction }) => Tensor,
  row: (a: Numbers, b: Numbers, y: number) => number,
): MakeCase {
  return (n, c) => {
    const [a, b, y] = [randn([n, c]), randn([n, c]), signs([n])]
    const [bs, ys] = [rowsOf(b), numbers(y)]
    return {
      inputs: [a, b, y],
      loss: (xs, reduction) => loss(xs[0] as Tensor, xs[1] as Tensor, xs[2] as Tensor, { reduction }),
      elements: rowsOf(a).map((v, i) => row(v, bs[i] as Numbers, at(ys, i))),
    }
  }
}

const norm = (x: Numbers, p: number): number => sum(x.map((v) => Math.abs(v) ** p)) ** (1 / p)
const minus = (a: Numbers, b: Numbers, eps = 0): number[] => a.map((v, i) => v - at(b, i) + eps)
const dot = (a: Numbers, b: Numbers): number => sum(a.map((v, i) => v * at(b, i)))

function triplets(options: F.TripletMarginLossOptions): MakeCase {
  const { p = 2, swap = false, margin = 1, eps = 1e-6 } = options
  return (n, c) => {
    const xs = [randn([n, c]), randn([n, c]), randn([n, c])]
    const [anchors, positives, negatives] = xs.map(rowsOf) as [number[][], number[][], number[][]]
    return {
      inputs: xs,
      loss: ([a, b, d], reduction) =>
        F.tripletMarginLoss(a as Tensor, b as Tensor, d as Tensor, { ...options, reduction }),
      elements: anchors.map((a, i) => {
        const [b, d] = [positives[i] as Numbers, negatives[i] as Numbers]
        const away = norm(minus(a, d, eps), p)
        const farther = swap ? Math.min(away, norm(minus(b, d, eps), p)) : away
        return Math.max(0, margin + norm(minus(a, b, eps), p) - farther)
      }),
    }
  }
}

const others: Record<string, MakeCase> = {
  hingeEmbeddingLoss: elementwise(
    (x, y, o) => F.hingeEmbeddingLoss(x, y, { ...o, margin: 0.6 }),
    (x, y) => (y > 0 ? x : Math.max(0, 0.6 - x)),
    rand,
    signs,
  ),
  l1HingeEmbeddingLoss: pairs(
    (a, b, y, o) => F.l1HingeEmbeddingLoss(a, b, y, { ...o, margin: 3 }),
    (a, b, y) => (y > 0 ? norm(minus(a, b), 1) : Math.max(0, 3 - norm(minus(a, b), 1))),
  ),
  cosineEmbeddingLoss: pairs(
    (a, b, y, o) => F.cosineEmbeddingLoss(a, b, y, { ...o, margin: 0.2 }),
    (a, b, y) => {
      const cosine = dot(a, b) / Math.sqrt((dot(a, a) + 1e-12) * (dot(b, b) + 1e-12))
      return y > 0 ? 1 - cosine : Math.max(0, cosine - 0.2)
    },
  ),
  tripletMarginLoss: triplets({}),
  'tripletMarginLoss, swapped': triplets({ swap: true, margin: 2 }),
  'tripletMarginLoss, p 1': triplets({ p: 1, margin: 0.5 }),
  'tripletMarginLoss, p 3': triplets({ p: 3, eps: 1e-3 }),
  marginRankingLoss: (n, c) => {
    const [a, b, y] = [randn([n, c]), randn([n, c]), signs([n, c])]
    const [bs, ys] = [numbers(b), numbers(y)]
    return {
      inputs: [a, b, y],
      loss: ([x1, x2, t], reduction) =>
        F.marginRankingLoss(x1 as Tensor, x2 as Tensor, t as Tensor, { margin: 0.3, reduction }),
      elements: numbers(a).map((v, i) => Math.max(0, -at(ys, i) * (v - at(bs, i)) + 0.3)),
    }
  },
}

export const formulas: Readonly<Record<string, MakeCase>> = { ...regression, ...classification, ...others }
