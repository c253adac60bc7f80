import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../../compile.ts'
import { tensor } from '../../create.ts'
import { gradCheck, valueAndGrad } from '../../gradient.ts'
import { manualSeed, rand, randint, randn } from '../../random.ts'
import type { Tensor } from '../../tensor.ts'
import { classes, close, near } from './formulas.ts'
import * as F from './index.ts'
import * as L from './modules.ts'

test('a weighted sum is the sum of its parts, and its weights can change without a new plan', () => {
  manualSeed(12)
  const [x, y, weight] = [randn([6]), randn([6]), tensor(0.5)]
  const loss = F.weightedSumLoss([F.mseLoss, new L.L1Loss()], { weights: [2, weight] })
  const expected = () => F.mseLoss(x, y).mul(2).add(F.l1Loss(x, y).mul(weight))
  const run = compile((a: Tensor, b: Tensor) => loss(a, b))
  for (const value of [0.5, 3]) {
    weight.fill_(value)
    close(loss(x, y), expected())
    close(run(x, y), expected())
  }
  assert.match(run.explain(), /^1 plan was made/)
  close(new L.WeightedSumLoss([F.mseLoss, F.l1Loss]).forward(x, y), F.mseLoss(x, y).add(F.l1Loss(x, y)))
  assert.throws(() => F.weightedSumLoss([]), /needs at least one loss/)
  assert.throws(() => F.weightedSumLoss([F.mseLoss], { weights: [1, 2] }), /2 weights for 1 losses; give one for each/)
  const mixed = F.weightedSumLoss([F.mseLoss, (a, b) => F.mseLoss(a, b, { reduction: 'none' })])
  assert.throws(() => mixed(x, y), { name: 'ShapeError', message: /the losses give \[\] and \[6\]/ })
})

test('each of several outputs has its own loss, and gradients reach each, eager and compiled', () => {
  manualSeed(13)
  const [a, b, y, k] = [randn([4]), randn([4, 3]), randn([4]), classes([0, 2, 1, 1])]
  const loss = new L.MultiOutputLoss([F.mseLoss, F.crossEntropy], { weights: [1, 0.25] })
  const both = (...xs: Tensor[]) => loss.forward([xs[0] as Tensor, xs[1] as Tensor], [y, k])
  gradCheck((p, q, t) => F.multiOutputLoss([F.mseLoss, F.l1Loss])([p, q], [t, t]), [randn([3]), randn([3]), randn([3])])
  near(both(a, b), [F.mseLoss(a, y).item() + 0.25 * F.crossEntropy(b, k).item()], 'value')
  const [eager, compiled] = [valueAndGrad(both)(a, b), compile(valueAndGrad(both))(a, b)]
  for (const i of [0, 1]) close(compiled.gradients[i] as Tensor, eager.gradients[i] as Tensor)
  assert.throws(() => loss.forward([a], [y, k]), /1 outputs for 2 losses; each loss takes one/)
  assert.throws(() => loss.forward([a, b], [y]), /1 targets for 2 losses/)
})

test('each module computes the function of its name, with its options', () => {
  manualSeed(14)
  const [x, y, z, k, sign] = [rand([3, 4]), rand([3, 4]), rand([3, 4]), randint(0, 4, [3]), tensor([1, -1, 1])]
  const yes = y.gt(0.5).float()
  const both: [Tensor, Tensor][] = [
    [new L.MSELoss({ reduction: 'sum' }).forward(x, y), F.mseLoss(x, y, { reduction: 'sum' })],
    [new L.L1Loss().forward(x, y), F.l1Loss(x, y)],
    [new L.SmoothL1Loss({ beta: 0.1 }).forward(x, y), F.smoothL1Loss(x, y, { beta: 0.1 })],
    [new L.HuberLoss({ delta: 0.1 }).forward(x, y), F.huberLoss(x, y, { delta: 0.1 })],
    [
      new L.PoissonNLLLoss({ full: true }).forward(x, k.unsqueeze(1).expand(3, 4)),
      F.poissonNllLoss(x, k.unsqueeze(1).expand(3, 4), { full: true }),
    ],
    [new L.GaussianNLLLoss({ full: true }).forward(x, y, z), F.gaussianNllLoss(x, y, z, { full: true })],
    [new L.KLDivLoss({ reduction: 'batchmean' }).forward(x, y), F.klDiv(x, y, { reduction: 'batchmean' })],
    [new L.BCELoss().forward(x, yes), F.binaryCrossEntropy(x, yes)],
    [
      new L.BCEWithLogitsLoss({ posWeight: z }).forward(x, yes),
      F.binaryCrossEntropyWithLogits(x, yes, { posWeight: z }),
    ],
    [new L.CrossEntropyLoss({ labelSmoothing: 0.1 }).forward(x, k), F.crossEntropy(x, k, { labelSmoothing: 0.1 })],
    [new L.NLLLoss({ ignoreIndex: 0 }).forward(x, k), F.nllLoss(x, k, { ignoreIndex: 0 })],
    [new L.MarginLoss({ margin: 2 }).forward(x, yes), F.marginLoss(x, yes, { margin: 2 })],
    [new L.SoftMarginLoss().forward(x, yes), F.softMarginLoss(x, yes)],
    [new L.MultiMarginLoss({ p: 2 }).forward(x, k), F.multiMarginLoss(x, k, { p: 2 })],
    [new L.MultiLabelMarginLoss().forward(x, yes.int().sub(1)), F.multilabelMarginLoss(x, yes.int().sub(1))],
    [new L.MultiLabelSoftMarginLoss().forward(x, yes), F.multilabelSoftMarginLoss(x, yes)],
    [new L.HingeEmbeddingLoss({ margin: 2 }).forward(x, yes), F.hingeEmbeddingLoss(x, yes, { margin: 2 })],
    [new L.L1HingeEmbeddingLoss({ margin: 4 }).forward(x, y, sign), F.l1HingeEmbeddingLoss(x, y, sign, { margin: 4 })],
    [
      new L.CosineEmbeddingLoss({ margin: 0.1 }).forward(x, y, sign),
      F.cosineEmbeddingLoss(x, y, sign, { margin: 0.1 }),
    ],
    [new L.TripletMarginLoss({ swap: true }).forward(x, y, z), F.tripletMarginLoss(x, y, z, { swap: true })],
    [new L.MarginRankingLoss({ margin: 1 }).forward(x, y, z), F.marginRankingLoss(x, y, z, { margin: 1 })],
  ]
  for (const [module, fn] of both) close(module, fn)
  // One class for each loss, and each with its own: those without another answer have options without effect.
  const plain = new Set(both.map(([value]) => value.item()))
  assert.equal(plain.size, both.length)
})
