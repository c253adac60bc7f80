import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { noGrad } from '../../autograd.ts'
import { tensor, zeros } from '../../create.ts'
import { manualSeed, rand, randint, randn } from '../../random.ts'
import type { Tensor } from '../../tensor.ts'
import * as A from '../activations/modules.ts'
import { Dropout } from '../dropout.ts'
import { Flatten } from '../flatten.ts'
import { Linear } from '../linear.ts'
import { Module } from '../module.ts'
import { Sequential } from '../sequential.ts'
import * as F from './index.ts'
import { checkLossFit } from './loss-fit.ts'
import * as L from './modules.ts'

type Net = Module<[Tensor], Tensor>

const N = 8
const C = 3

/** What a network may end with. */
const endings: Record<string, () => Module[]> = {
  nothing: () => [],
  softmax: () => [new A.Softmax(1)],
  logSoftmax: () => [new A.LogSoftmax(1)],
  sigmoid: () => [new A.Sigmoid()],
  tanh: () => [new A.Tanh()],
}

/** Ways to write the same network. */
const wrappings: Record<string, (layers: Module[]) => Net> = {
  flat: (layers) => new Sequential(...layers),
  nested: (layers) => new Sequential(...layers.slice(0, 1), new Sequential(new Sequential(...layers.slice(1)))),
  'with dropout and flatten': (layers) => new Sequential(...layers, new Dropout(0), new Flatten()),
  'of its own class': (layers) => {
    const inner = new Sequential(...layers)
    return new (class extends Module {
      readonly inner = inner
      override forward(x: Tensor): Tensor {
        return this.inner.forward(x)
      }
    })()
  },
}

/** Ways to hand over a loss. */
const forms = ['function', 'module', 'closure', 'sum', 'view'] as const

interface Known {
  readonly fn: F.LossFunction
  readonly module: Module<[Tensor, Tensor]>
  readonly target: () => Tensor
  /** The endings that fit. */
  readonly fits: readonly (keyof typeof endings)[]
  /** Those that do not, with what is said. */
  readonly misfits: Readonly<Record<string, RegExp>>
}

const classes = () => randint(0, C, [N])
const yesNo = () => randint(0, 2, [N, C]).float()
const signs = () => yesNo().mul(2).sub(1)

const losses: Record<string, Known> = {
  crossEntropy: {
    fn: F.crossEntropy,
    module: new L.CrossEntropyLoss(),
    target: classes,
    fits: ['nothing', 'tanh'],
    misfits: { softmax: /remove the softmax/, logSoftmax: /or use nllLoss/, sigmoid: /remove the sigmoid/ },
  },
  'crossEntropy of probabilities': {
    fn: F.crossEntropy,
    module: new L.CrossEntropyLoss({ labelSmoothing: 0.1 }),
    target: () => randn([N, C]).softmax(1),
    fits: ['nothing', 'tanh'],
    misfits: { softmax: /remove the softmax/, logSoftmax: /or use nllLoss/, sigmoid: /remove the sigmoid/ },
  },
  binaryCrossEntropyWithLogits: {
    fn: F.binaryCrossEntropyWithLogits,
    module: new L.BCEWithLogitsLoss(),
    target: yesNo,
    fits: ['nothing', 'tanh'],
    misfits: { sigmoid: /remove the sigmoid, or use binaryCrossEntropy/, softmax: /remove the softmax/ },
  },
  multilabelSoftMarginLoss: {
    fn: F.multilabelSoftMarginLoss,
    module: new L.MultiLabelSoftMarginLoss(),
    target: yesNo,
    fits: ['nothing', 'tanh'],
    misfits: { sigmoid: /remove the sigmoid\.$/ },
  },
  binaryCrossEntropy: {
    fn: F.binaryCrossEntropy,
    module: new L.BCELoss(),
    target: yesNo,
    fits: ['sigmoid', 'softmax'],
    misfits: { nothing: /end the network with nn\.Sigmoid/, tanh: /nn\.Sigmoid/, logSoftmax: /nn\.Sigmoid/ },
  },
  nllLoss: {
    fn: F.nllLoss,
    module: new L.NLLLoss(),
    target: classes,
    fits: ['logSoftmax'],
    misfits: { softmax: /use logSoftmax instead/, nothing: /or use crossEntropy without it/ },
  },
  klDiv: {
    fn: F.klDiv,
    module: new L.KLDivLoss({ reduction: 'batchmean' }),
    target: () => randn([N, C]).softmax(1),
    fits: ['logSoftmax'],
    misfits: { softmax: /use logSoftmax instead/ },
  },
  marginLoss: {
    fn: F.marginLoss,
    module: new L.MarginLoss(),
    target: signs,
    fits: ['nothing', 'tanh'],
    misfits: {},
  },
  softMarginLoss: {
    fn: F.softMarginLoss,
    module: new L.SoftMarginLoss(),
    target: signs,
    fits: ['nothing', 'tanh'],
    misfits: {},
  },
  hingeEmbeddingLoss: {
    fn: F.hingeEmbeddingLoss,
    module: new L.HingeEmbeddingLoss(),
    target: signs,
    fits: ['nothing', 'sigmoid', 'softmax', 'tanh'],
    misfits: {},
  },
  mseLoss: {
    fn: F.mseLoss,
    module: new L.MSELoss(),
    target: () => randn([N, C]),
    fits: ['nothing', 'sigmoid', 'softmax', 'tanh', 'logSoftmax'],
    misfits: {},
  },
  multiMarginLoss: {
    fn: F.multiMarginLoss,
    module: new L.MultiMarginLoss(),
    target: classes,
    fits: ['nothing', 'tanh', 'softmax'],
    misfits: {},
  },
}

function handed(known: Known, form: (typeof forms)[number]): Parameters<typeof checkLossFit>[1] {
  switch (form) {
    case 'function':
      return known.fn
    case 'module':
      return known.module
    case 'closure':
      return (x: Tensor, y: Tensor) => known.fn(x, y).mul(2)
    case 'sum':
      return F.weightedSumLoss([(x) => x.square().mean(), known.fn], { weights: [0.1, 1] })
    case 'view':
      return (x: Tensor, y: Tensor) => known.fn(x.reshape([1, N, C]).reshape([N, C]), y)
  }
}

function network(ending: string, wrapping: string): Net {
  const make = endings[ending] as () => Module[]
  return (wrappings[wrapping] as (layers: Module[]) => Net)([
    new Linear(4, 16),
    new A.ReLU(),
    new Linear(16, C),
    ...make(),
  ])
}

/** A network with weights of several sizes, so that what it gives is not all near zero. */
function outputOf(net: Net, recorded: boolean): Tensor {
  const x = randn([N, 4]).mul(3)
  return recorded ? net.forward(x) : noGrad(() => net.forward(x))
}

const ways = fc.record({
  wrapping: fc.constantFrom(...Object.keys(wrappings)),
  form: fc.constantFrom(...forms),
  recorded: fc.boolean(),
  seed: fc.nat(),
})

describe('a loss that fits is no cause for alarm', () => {
  for (const [name, known] of Object.entries(losses)) {
    for (const ending of known.fits) {
      test(`${name} after ${ending}`, () => {
        fc.assert(
          fc.property(ways, ({ wrapping, form, recorded, seed }) => {
            manualSeed(seed)
            const net = network(ending, wrapping)
            const output = outputOf(net, recorded)
            assert.equal(checkLossFit(net, handed(known, form), output, known.target()), null)
          }),
          { numRuns: 12 },
        )
      })
    }
  }
})

describe('a loss that does not fit is noticed, however it is written', () => {
  for (const [name, known] of Object.entries(losses)) {
    for (const [ending, says] of Object.entries(known.misfits)) {
      test(`${name} after ${ending}`, () => {
        fc.assert(
          fc.property(ways, ({ wrapping, form, recorded, seed }) => {
            // Of a class of its own, and without records, only values can tell, and a sigmoid's could be logits.
            if (wrapping === 'of its own class' && !recorded && /sigmoid|logSoftmax/.test(ending)) return
            if (wrapping === 'of its own class' && !recorded && name.startsWith('binary') && ending === 'softmax')
              return
            manualSeed(seed)
            const net = network(ending, wrapping)
            const output = outputOf(net, recorded)
            // By chance all values may be such as the loss takes: then there is nothing to notice.
            const takes = { binaryCrossEntropy: [0, 1], nllLoss: [-Infinity, 0] }[name]
            if (takes && !/softmax/i.test(ending)) {
              const [low, high] = takes as [number, number]
              if (output.data().every((value) => value >= low && value <= high)) return
            }
            const found = checkLossFit(net, handed(known, form), output, known.target())
            assert.match(found ?? 'nothing was noticed', wrapping === 'of its own class' && !recorded ? /./ : says)
            assert.equal(found?.split('. ').length, 1, `one sentence: ${found}`)
          }),
          { numRuns: 12 },
        )
      })
    }
  }
})

test('targets of 0 and 1 where signs are needed are noticed, and signs where 0 and 1 are needed', () => {
  manualSeed(3)
  const net = new Linear(4, C)
  const output = outputOf(net, true)
  for (const loss of [F.marginLoss, F.softMarginLoss, F.hingeEmbeddingLoss]) {
    assert.match(checkLossFit(net, loss, output, yesNo()) ?? '', /takes targets -1 and 1, but these are 0 and 1: use/)
  }
  const pair: F.LossFunction = (x, y) => F.cosineEmbeddingLoss(x, x.mul(2), y)
  assert.match(checkLossFit(net, pair, output, tensor([0, 1, 1, 0, 0, 1, 1, 1])) ?? '', /^cosineEmbeddingLoss takes/)
  const ranking: F.LossFunction = (x, y) => F.marginRankingLoss(x, x.neg(), y)
  assert.match(checkLossFit(net, ranking, output, yesNo()) ?? '', /^marginRankingLoss takes/)
  for (const loss of [F.binaryCrossEntropyWithLogits, F.multilabelSoftMarginLoss])
    assert.match(checkLossFit(net, loss, output, signs()) ?? '', /targets from 0 to 1, but these are -1 and 1/)
  assert.match(checkLossFit(net, F.binaryCrossEntropy, output.sigmoid(), signs()) ?? '', /are -1 and 1/)
  assert.match(checkLossFit(net, F.klDiv, output.logSoftmax(1), randn([N, C]).logSoftmax(1)) ?? '', /logTarget/)
  // Targets of one value alone may be either.
  assert.equal(checkLossFit(net, F.softMarginLoss, output, output.detach().onesLike()), null)
  assert.equal(checkLossFit(net, F.binaryCrossEntropyWithLogits, output, output.detach().onesLike()), null)
})

test('cross-entropy of one output is noticed', () => {
  const net = new Linear(4, 1)
  const target = zeros([N], { dtype: 'i32' })
  assert.match(checkLossFit(net, F.crossEntropy, outputOf(net, true), target) ?? '', /of one output is always 0: give/)
})

test('a softmax by hand, in a network of any kind, is seen by its values', () => {
  manualSeed(4)
  const own = (rows: number) =>
    new (class extends Module {
      readonly inner = new Linear(4, C)
      override forward(): Tensor {
        const e = this.inner.forward(randn([rows, 4])).exp()
        return e.div(e.sum(1, true))
      }
    })()
  const net = own(N)
  const output = net.forward()
  assert.match(
    checkLossFit(net, F.crossEntropy, output, classes()) ?? '',
    /looks like probabilities: remove the softmax/,
  )
  assert.match(checkLossFit(net, F.nllLoss, output, classes()) ?? '', /logSoftmax instead of softmax/)
  // One row alone, or rows of 0 and 1, may sum to 1 by chance.
  const one = own(1)
  assert.equal(checkLossFit(one, F.crossEntropy, one.forward(), tensor([1], { dtype: 'i32' })), null)
  const oneHot = randint(0, C, [N]).oneHot(C).float()
  assert.equal(checkLossFit(new Flatten(), F.crossEntropy, oneHot, classes()), null)
})

test('of several outputs each is looked at, with its own loss', () => {
  manualSeed(5)
  const loss = F.multiOutputLoss([F.mseLoss, F.crossEntropy])
  const net = new Flatten()
  const [a, b] = [randn([N, 1]), new Linear(4, C).forward(randn([N, 4]))]
  const targets = [randn([N, 1]), classes()]
  assert.equal(checkLossFit(net, loss, [a, b], targets), null)
  assert.match(checkLossFit(net, loss, [a, b.softmax(1)], targets) ?? '', /^crossEntropy takes logits/)
  assert.match(
    checkLossFit(net, new L.MultiOutputLoss([F.mseLoss, F.crossEntropy]), [a, b.softmax(1)], targets) ?? '',
    /^c/,
  )
})

test('what a loss makes of the output itself is its own affair', () => {
  manualSeed(6)
  const net = new Sequential(new Linear(4, C), new A.Sigmoid())
  const output = outputOf(net, true)
  const logit: F.LossFunction = (p, y) => F.binaryCrossEntropyWithLogits(p.div(p.neg().add(1)).log(), y)
  assert.equal(checkLossFit(net, logit, output, yesNo()), null)
  const weighted: F.LossFunction = (p, y) => F.nllLoss(p.log().mul(randn([N, 1])), y)
  assert.equal(checkLossFit(net, weighted, output, classes()), null)
  const twice: F.LossFunction = (x, y) => F.crossEntropy(x.softmax(1), y)
  assert.match(checkLossFit(new Linear(4, C), twice, randn([N, C]), classes()) ?? '', /comes from a softmax/)
})

test('it changes nothing: neither gradients, nor the random numbers that follow', () => {
  const net = new Linear(4, C)
  const noisy: F.LossFunction = (x, y) => F.mseLoss(x.add(randn([N, C])), y)
  manualSeed(7)
  const [output, target] = [outputOf(net, true), randn([N, C])]
  const next = rand([3]).data()
  manualSeed(7)
  outputOf(net, true)
  randn([N, C])
  assert.equal(checkLossFit(net, noisy, output, target), null)
  assert.deepEqual(rand([3]).data(), next)
  assert.ok(net.parameters().every((p) => p.grad === null))
})

test('a loss that throws is left to the training step', () => {
  const net = new Linear(4, C)
  assert.equal(checkLossFit(net, F.crossEntropy, outputOf(net, true), zeros([2])), null)
})
