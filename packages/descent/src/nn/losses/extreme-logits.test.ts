import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { tensor } from '../../create.ts'
import type { Tensor } from '../../tensor.ts'
import { classes, near, sum } from './formulas.ts'
import * as F from './index.ts'

/** exp(x) / Σ exp(x), and 1 / (1 + exp(−x)), in double precision. */
const softmaxOf = (x: readonly number[]): number[] => {
  const e = x.map((v) => Math.exp(v - Math.max(...x)))
  return e.map((v) => v / sum(e))
}
const sigmoidOf = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))

const C = 4
const extreme = fc.constantFrom(-1000, -999, -100, -1, 0, 0.5, 100, 1000)
const extremeRow = fc.array(extreme, { minLength: C, maxLength: C })
const label = fc.integer({ min: 0, max: C - 1 })
const yesNo = fc.array(fc.constantFrom(0, 1), { minLength: C, maxLength: C })

/** For a row of logits: the loss, and its value and gradient in double precision, of the sum. */
interface Extreme {
  readonly loss: (x: Tensor, row: { label: number; labels: number[] }) => Tensor
  readonly gradient: (x: number[], row: { label: number; labels: number[] }) => number[]
  readonly value: (x: number[], row: { label: number; labels: number[] }) => number
}
const log1pExp = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
const logSum = (x: number[]): number => Math.max(...x) + Math.log(sum(x.map((v) => Math.exp(v - Math.max(...x)))))
const signed = (y: number): number => 2 * y - 1

const extremes: Record<string, Extreme> = {
  crossEntropy: {
    loss: (x, { label }) => F.crossEntropy(x, classes([label])),
    value: (x, { label }) => logSum(x) - (x[label] as number),
    gradient: (x, { label }) => softmaxOf(x).map((p, c) => p - Number(c === label)),
  },
  'crossEntropy, smoothed': {
    loss: (x, { label }) => F.crossEntropy(x, classes([label]), { labelSmoothing: 0.5 }),
    value: (x, { label }) => logSum(x) - 0.5 * (x[label] as number) - (0.5 / C) * sum(x),
    gradient: (x, { label }) => softmaxOf(x).map((p, c) => p - 0.5 * Number(c === label) - 0.5 / C),
  },
  'crossEntropy of probabilities': {
    loss: (x, { label }) => F.crossEntropy(x, classes([label]).oneHot(C).float()),
    value: (x, { label }) => logSum(x) - (x[label] as number),
    gradient: (x, { label }) => softmaxOf(x).map((p, c) => p - Number(c === label)),
  },
  'nllLoss of logSoftmax': {
    loss: (x, { label }) => F.nllLoss(x.logSoftmax(1), classes([label])),
    value: (x, { label }) => logSum(x) - (x[label] as number),
    gradient: (x, { label }) => softmaxOf(x).map((p, c) => p - Number(c === label)),
  },
  'klDiv of logSoftmax': {
    loss: (x, { label }) => F.klDiv(x.logSoftmax(1), classes([label]).oneHot(C).float(), { reduction: 'sum' }),
    value: (x, { label }) => logSum(x) - (x[label] as number),
    gradient: (x, { label }) => softmaxOf(x).map((p, c) => p - Number(c === label)),
  },
  binaryCrossEntropyWithLogits: {
    loss: (x, { labels }) => F.binaryCrossEntropyWithLogits(x, tensor([labels]), { reduction: 'sum' }),
    value: (x, { labels }) => sum(x.map((v, c) => log1pExp(labels[c] ? -v : v))),
    gradient: (x, { labels }) => x.map((v, c) => sigmoidOf(v) - (labels[c] as number)),
  },
  'binaryCrossEntropy of sigmoid': {
    loss: (x, { labels }) => F.binaryCrossEntropy(x.sigmoid(), tensor([labels]), { reduction: 'sum' }),
    // Its logarithms end at −100; near p = 1 it has only what f32 keeps of 1 − p.
    value: (x, { labels }) => sum(x.map((v, c) => Math.min(100, log1pExp(labels[c] ? -v : v)))),
    gradient: (x, { labels }) =>
      x.map((v, c) => (Math.abs(v) < 100 ? sigmoidOf(v) - (labels[c] as number) : Number.NaN)),
  },
  multilabelSoftMarginLoss: {
    loss: (x, { labels }) => F.multilabelSoftMarginLoss(x, tensor([labels])),
    value: (x, { labels }) => sum(x.map((v, c) => log1pExp(labels[c] ? -v : v))) / C,
    gradient: (x, { labels }) => x.map((v, c) => (sigmoidOf(v) - (labels[c] as number)) / C),
  },
  softMarginLoss: {
    loss: (x, { labels }) => F.softMarginLoss(x, tensor([labels]).mul(2).sub(1), { reduction: 'sum' }),
    value: (x, { labels }) => sum(x.map((v, c) => log1pExp(-signed(labels[c] as number) * v))),
    gradient: (x, { labels }) =>
      x.map((v, c) => -signed(labels[c] as number) * sigmoidOf(-signed(labels[c] as number) * v)),
  },
  multiMarginLoss: {
    loss: (x, { label }) => F.multiMarginLoss(x, classes([label]), { margin: 0.75 }),
    value: (x, { label }) => sum(x.map((v, c) => (c === label ? 0 : Math.max(0, 0.75 - (x[label] as number) + v)))) / C,
    gradient: (x, { label }) => {
      const short = x.map((v, c) => Number(c !== label && 0.75 - (x[label] as number) + v > 0))
      return short.map((s, c) => (c === label ? -sum(short) : s) / C)
    },
  },
}

describe('logits of ±1000 have finite and right losses and gradients', () => {
  for (const [name, { loss, value, gradient }] of Object.entries(extremes)) {
    test(name, () => {
      fc.assert(
        fc.property(extremeRow, label, yesNo, (x, k, labels) => {
          const row = { label: k, labels }
          const logits = tensor([x]).requiresGrad_()
          const got = loss(logits, row)
          got.backward()
          const ofProbabilities = name.startsWith('binaryCrossEntropy of')
          if (!ofProbabilities || x.every((v) => Math.abs(v) < 10)) near(got, [value(x, row)], 'loss')
          assert.ok(Number.isFinite(got.item()))
          const found = logits.grad as Tensor
          assert.ok(found.data().every(Number.isFinite), `${found}`)
          const want = gradient(x, row).map((g, i) => (Number.isNaN(g) ? (found.values()[i] as number) : g))
          near(found, want, 'gradient')
        }),
        { numRuns: 40 },
      )
    })
  }
})

test('masked logits, −∞, leave loss and gradients of the other classes what they are', () => {
  const x = tensor([[1, Number.NEGATIVE_INFINITY, 2]]).requiresGrad_()
  const loss = F.crossEntropy(x, classes([2]))
  loss.backward()
  near(loss, [logSum([1, 2]) - 2], 'loss')
  near(x.grad as Tensor, [softmaxOf([1, 2])[0] as number, 0, (softmaxOf([1, 2])[1] as number) - 1], 'gradient')
})
