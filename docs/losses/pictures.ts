/** The pictures of the pages on losses: which curves they show. The library itself computes every curve. */
import * as D from '../../packages/descent/src/index.ts'
import type { Axis, Chart, Curve, Point } from './chart.ts'

type Tensor = D.Tensor
/** From places [n] to values [n]. */
type Elements = (x: Tensor) => Tensor
type Functions = Readonly<Record<string, Elements>>

const SAMPLES = 721
const none = { reduction: 'none' } as const

/** An input of so many places, all of one value. */
const same = (x: Tensor, value: number): Tensor => x.detach().onesLike().mul(value)
const classes = (x: Tensor, value = 0): Tensor => same(x, value).int()
/** Columns beside each other: [n, columns]. */
const columns = (...xs: Tensor[]): Tensor => D.stack(xs, 1)

function sampled(functions: Functions, { from, to }: Axis, slope: boolean): Curve[] {
  const places = D.linspace(from, to, SAMPLES)
  const at = places.values()
  return Object.entries(functions).map(([name, fn]) => {
    const x = places.detach().requiresGrad_()
    const y = fn(x)
    if (slope) y.sum().backward()
    const values = (slope ? (x.grad as Tensor) : y).values()
    return { name, points: Array.from(at, (a, i): Point => [a, values[i] as number]) }
  })
}

const axis = (label: string, from: number, to: number, step = 1): Axis => ({ label, from, to, step })

/** What a loss is over its input, and beside it its slope. */
function lossAndSlope(description: string, x: Axis, y: Axis, slope: Axis, functions: Functions): Chart {
  return {
    description,
    panels: [
      { title: 'Loss', x, y, curves: sampled(functions, x, false) },
      { title: 'Slope: what the network is told', x, y: slope, curves: sampled(functions, x, true) },
    ],
  }
}

const loss = (to: number, step = 1): Axis => axis('loss', 0, to, step)
const slope = (from: number, to: number, step = 1): Axis => axis('slope', from, to, step)

// ── regression ─────────────────────────────────────────────────────────────────────────────────────────────────────

const distances: Functions = {
  mseLoss: (x) => D.mseLoss(x, same(x, 0), none),
  l1Loss: (x) => D.l1Loss(x, same(x, 0), none),
  smoothL1Loss: (x) => D.smoothL1Loss(x, same(x, 0), none),
  'huberLoss, δ = 2': (x) => D.huberLoss(x, same(x, 0), { ...none, delta: 2 }),
}

/** The constant that has the least loss for values of 1, 2, 3, 4 and an outlier: where the slope changes its sign. */
function bestConstants(name: string, outliers: Axis): Curve {
  const fn = distances[name] as Elements
  const places = D.linspace(outliers.from, outliers.to, 121)
  let [low, high] = [same(places, -20), same(places, 20)]
  for (let i = 0; i < 50; i++) {
    const middle = low.add(high).div(2)
    const guess = middle.detach().requiresGrad_()
    const errors = [1, 2, 3, 4].map((value) => fn(guess.sub(value))).concat(fn(guess.sub(places)))
    errors
      .reduce((sum, error) => sum.add(error))
      .sum()
      .backward()
    const rises = (guess.grad as Tensor).gt(0)
    high = rises.where(middle, high)
    low = rises.where(low, middle)
  }
  const values = low.values()
  return { name, points: Array.from(places.values(), (a, i): Point => [a, values[i] as number]) }
}

const outliers = axis('the fifth value; the others are 1, 2, 3, 4', 0, 16, 4)

const regression: Readonly<Record<string, () => Chart>> = {
  'distances.svg': () =>
    lossAndSlope(
      'Squared, absolute, smooth absolute and Huber loss over the error, and their slopes',
      axis('prediction − target', -4, 4),
      loss(8, 2),
      slope(-4, 4, 2),
      distances,
    ),
  'outlier.svg': () => ({
    description: 'The best constant prediction for five values, one of which moves away, for each loss',
    panels: [
      {
        title: 'The best constant, with one outlier',
        x: outliers,
        y: axis('best constant', 0, 6),
        curves: Object.keys(distances).map((name) => bestConstants(name, outliers)),
      },
    ],
  }),
  'poisson.svg': () => {
    const functions = Object.fromEntries(
      [0, 2, 6].map((count): [string, Elements] => [
        `count ${count}`,
        (x) => D.poissonNllLoss(x, same(x, count), { ...none, full: true }),
      ]),
    )
    const x = axis('input: log of the expected count', -2, 3)
    return lossAndSlope('Poisson loss for counts of 0, 2 and 6', x, loss(12, 3), slope(-8, 16, 4), functions)
  },
  'gaussian.svg': () => {
    const errors = Object.fromEntries(
      [0.25, 1, 4].map((variance): [string, Elements] => [
        `variance ${variance}`,
        (x) => D.gaussianNllLoss(x, same(x, 0), variance, none),
      ]),
    )
    const variances = Object.fromEntries(
      [0, 1, 2].map((error): [string, Elements] => [
        `error ${error}`,
        (v) => D.gaussianNllLoss(same(v, error), same(v, 0), v, none),
      ]),
    )
    const x = axis('prediction − target', -4, 4)
    const v = axis('predicted variance', 0.02, 6)
    return {
      description: 'Gaussian loss over the error for three variances, and over the variance for three errors',
      panels: [
        { title: 'Over the error', x, y: axis('loss', -1, 6), curves: sampled(errors, x, false) },
        { title: 'Over the variance', x: v, y: axis('loss', -1, 6), curves: sampled(variances, v, false) },
      ],
    }
  },
  'kl.svg': () => {
    const functions = Object.fromEntries(
      [0.5, 0.8, 1].map((p): [string, Elements] => [
        `target ${p}`,
        (q) => {
          const logs = columns(q, q.neg().add(1)).log()
          return D.klDiv(logs, columns(same(q, p), same(q, 1 - p)), none).sum(1)
        },
      ]),
    )
    const x = axis('predicted probability of the first class', 0.01, 0.99, 0.1)
    return lossAndSlope(
      'Kullback-Leibler divergence of two classes over the predicted probability',
      x,
      loss(3),
      slope(-8, 8, 4),
      functions,
    )
  },
}

// ── classification ─────────────────────────────────────────────────────────────────────────────────────────────────

const classification: Readonly<Record<string, () => Chart>> = {
  'probability.svg': () =>
    lossAndSlope(
      'Binary cross-entropy over the probability, for targets 1 and 0',
      axis('predicted probability', 0.01, 0.99, 0.2),
      loss(5),
      slope(-10, 10, 5),
      {
        'target 1': (p) => D.binaryCrossEntropy(p, same(p, 1), none),
        'target 0': (p) => D.binaryCrossEntropy(p, same(p, 0), none),
        'target 0.5': (p) => D.binaryCrossEntropy(p, same(p, 0.5), none),
      },
    ),
  'binary.svg': () =>
    lossAndSlope(
      'Binary losses over the score of an example whose answer is yes, and their slopes',
      axis('score of an example whose answer is yes', -4, 4),
      loss(5),
      slope(-1.5, 0.5, 0.5),
      {
        'with logits, and soft margin': (x) => D.binaryCrossEntropyWithLogits(x, same(x, 1), none),
        margin: (x) => D.marginLoss(x, same(x, 1), none),
        mistakes: (x) => D.heaviside(x.neg()).add(x.mul(0)),
      },
    ),
  'cross-entropy.svg': () =>
    lossAndSlope(
      'Cross-entropy of three classes over the right class’s logit, without and with label smoothing',
      axis('logit of the right class; the other two are 0', -4, 8, 2),
      loss(5),
      slope(-1, 0.5, 0.5),
      Object.fromEntries(
        [0, 0.1, 0.3].map((labelSmoothing): [string, Elements] => [
          labelSmoothing ? `smoothing ${labelSmoothing}` : 'crossEntropy',
          (x) => {
            const rest = same(x, 0)
            return D.crossEntropy(columns(x, rest, rest), classes(x), { ...none, labelSmoothing })
          },
        ]),
      ),
    ),
  'multi-margin.svg': () =>
    lossAndSlope(
      'Multi-class margin losses and cross-entropy over the lead of the right class',
      axis('lead of the right class over the other', -2, 3),
      loss(5),
      slope(-3, 0, 1),
      {
        'p = 1': (x) => D.multiMarginLoss(columns(x, same(x, 0)), classes(x), none),
        'p = 2': (x) => D.multiMarginLoss(columns(x, same(x, 0)), classes(x), { ...none, p: 2 }),
        crossEntropy: (x) => D.crossEntropy(columns(x, same(x, 0)), classes(x), none),
      },
    ),
  'multilabel.svg': () =>
    lossAndSlope(
      'Multi-label losses of two classes over the score of the one that belongs to the example',
      axis('score of the class that belongs; that of the other is 0', -3, 3),
      loss(2.5, 0.5),
      slope(-0.75, 0.25, 0.25),
      {
        multilabelMarginLoss: (x) =>
          D.multilabelMarginLoss(columns(x, same(x, 0)), columns(classes(x), classes(x, -1)), none),
        multilabelSoftMarginLoss: (x) =>
          D.multilabelSoftMarginLoss(columns(x, same(x, 0)), columns(classes(x, 1), classes(x)), none),
      },
    ),
}

// ── embedding ──────────────────────────────────────────────────────────────────────────────────────────────────────

const degrees = Math.PI / 180

const embedding: Readonly<Record<string, () => Chart>> = {
  'hinge-embedding.svg': () =>
    lossAndSlope(
      'Hinge embedding loss over the distance of a pair, for pairs that belong together and pairs that do not',
      axis('distance', 0, 3),
      loss(3),
      slope(-1.5, 1.5, 0.5),
      {
        'together (1)': (x) => D.hingeEmbeddingLoss(x, same(x, 1), none),
        'apart (−1)': (x) => D.hingeEmbeddingLoss(x, same(x, -1), none),
        'apart, margin 2': (x) => D.hingeEmbeddingLoss(x, same(x, -1), { ...none, margin: 2 }),
      },
    ),
  'cosine.svg': () => {
    const pair = (target: number, margin: number): Elements => {
      return (angle) => {
        const radians = angle.mul(degrees)
        const other = columns(radians.cos(), radians.sin())
        return D.cosineEmbeddingLoss(columns(same(angle, 1), same(angle, 0)), other, same(angle, target), {
          ...none,
          margin,
        })
      }
    }
    const x = axis('angle between the two, in degrees', 0, 180, 45)
    const functions = {
      'together (1)': pair(1, 0),
      'apart (−1)': pair(-1, 0),
      'apart, margin 0.5': pair(-1, 0.5),
    }
    return lossAndSlope('Cosine embedding loss over the angle', x, loss(2, 0.5), slope(-0.02, 0.02, 0.01), functions)
  },
  'triplet.svg': () => {
    const x = axis('distance of the negative from the anchor', 0.02, 4)
    const functions = Object.fromEntries(
      [0.5, 1, 2].map((distance): [string, Elements] => [
        `positive at ${distance}`,
        (away) => {
          const at = (place: Tensor): Tensor => columns(place, same(away, 0))
          return D.tripletMarginLoss(at(same(away, 0)), at(same(away, distance)), at(away), none)
        },
      ]),
    )
    return lossAndSlope('Triplet loss over the negative’s distance', x, loss(3), slope(-1.5, 0.5, 0.5), functions)
  },
}

// ── miscellaneous ──────────────────────────────────────────────────────────────────────────────────────────────────

const elementwise =
  (fn: typeof D.mseLoss): D.LossFunction =>
  (x, y) =>
    fn(x, y, none)

const miscellaneous: Readonly<Record<string, () => Chart>> = {
  'weighted-sum.svg': () =>
    lossAndSlope(
      'The squared error, half the absolute error, and their sum',
      axis('prediction − target', -2, 2),
      loss(4),
      slope(-4, 4, 2),
      {
        mseLoss: (x) => D.mseLoss(x, same(x, 0), none),
        'l1Loss · 0.5': (x) => D.l1Loss(x, same(x, 0), none).mul(0.5),
        'their sum': (x) =>
          D.weightedSumLoss([elementwise(D.mseLoss), elementwise(D.l1Loss)], { weights: [1, 0.5] })(x, same(x, 0)),
      },
    ),
  'ranking.svg': () =>
    lossAndSlope(
      'Margin ranking loss over the difference of the two scores',
      axis('x1 − x2', -3, 3),
      loss(4),
      slope(-1.5, 1.5, 0.5),
      {
        'x1 first (1)': (x) => D.marginRankingLoss(x, same(x, 0), same(x, 1), none),
        'x2 first (−1)': (x) => D.marginRankingLoss(x, same(x, 0), same(x, -1), none),
        'x1 first, margin 1': (x) => D.marginRankingLoss(x, same(x, 0), same(x, 1), { ...none, margin: 1 }),
      },
    ),
}

export const pictures: Readonly<Record<string, () => Chart>> = {
  ...regression,
  ...classification,
  ...embedding,
  ...miscellaneous,
}

/** Draws with the reference device, whose doubles are the same everywhere. */
export function chartOf(picture: () => Chart): Chart {
  const before = D.device()
  D.setDevice('reference')
  try {
    return picture()
  } finally {
    D.setDevice(before)
  }
}
