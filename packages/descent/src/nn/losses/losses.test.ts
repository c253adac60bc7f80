import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compile } from '../../compile.ts'
import { tensor, zeros } from '../../create.ts'
import { gradCheck, valueAndGrad } from '../../gradient.ts'
import { manualSeed, rand, randint, randn } from '../../random.ts'
import type { Tensor } from '../../tensor.ts'
import { classes, close, formulas, type MakeCase, near, sum } from './formulas.ts'
import * as F from './index.ts'

describe('each loss is its formula, for every reduction, eager and compiled', () => {
  const sizes = fc.record({ n: fc.integer({ min: 1, max: 5 }), c: fc.integer({ min: 1, max: 6 }), seed: fc.nat() })
  for (const [name, make] of Object.entries(formulas)) {
    test(name, () => {
      fc.assert(
        fc.property(sizes, ({ n, c, seed }) => {
          manualSeed(seed)
          const { inputs, loss, elements, count = elements.length } = make(n, c)
          const all = (...xs: Tensor[]) => [loss(xs, 'none'), loss(xs, 'sum'), loss(xs, 'mean')] as const
          for (const [how, fn] of Object.entries({ eager: all, compiled: compile(all) })) {
            const [none, total, mean] = fn(...inputs)
            near(none, elements, `${how}, none`)
            near(total, [sum(elements)], `${how}, sum`, sum(elements.map(Math.abs)))
            near(mean, [sum(elements) / count], `${how}, mean`, sum(elements.map(Math.abs)) / count)
          }
        }),
        { numRuns: 6 },
      )
    })
  }
})

describe('the gradient of each loss is what differences give, and the same compiled', () => {
  for (const [name, make] of Object.entries(formulas)) {
    test(name, () => {
      manualSeed(11)
      const { inputs, loss } = make(4, 3)
      for (const reduction of ['none', 'sum', 'mean'] as const) gradCheck((...xs) => loss(xs, reduction), inputs)
      const both = compile(valueAndGrad((x: Tensor) => loss([x, ...inputs.slice(1)], 'mean')))
      const eager = valueAndGrad((x: Tensor) => loss([x, ...inputs.slice(1)], 'mean'))
      close(both(inputs[0] as Tensor).gradients[0] as Tensor, eager(inputs[0] as Tensor).gradients[0] as Tensor)
    })
  }
})

test('where a loss has a bend, its gradient is the one that PyTorch takes', () => {
  const at = (fn: (x: Tensor) => Tensor, x: number[]) => {
    const leaf = tensor(x).requiresGrad_()
    fn(leaf).sum().backward()
    // Zero without its sign.
    return Array.from(leaf.grad?.data() ?? [], (v) => v + 0)
  }
  const zero = (x: Tensor) => x.detach().zerosLike()
  const none = { reduction: 'none' } as const
  assert.deepEqual(
    at((x) => F.l1Loss(x, zero(x), none), [-2, 0, 2]),
    [-1, 0, 1],
  )
  assert.deepEqual(
    at((x) => F.huberLoss(x, zero(x), none), [1, -1, 0, 3]),
    [1, -1, 0, 1],
  )
  assert.deepEqual(
    at((x) => F.smoothL1Loss(x, zero(x), none), [1, -1, 0, 3]),
    [1, -1, 0, 1],
  )
  assert.deepEqual(
    at((x) => F.smoothL1Loss(x, zero(x), { ...none, beta: 0 }), [1, -1, 0]),
    [1, -1, 0],
  )
  assert.deepEqual(
    at((x) => F.softMarginLoss(x, tensor([1, -1]), none), [0, 0]),
    [-0.5, 0.5],
  )
  assert.deepEqual(
    at((x) => F.marginLoss(x, tensor([1, -1]), none), [1, -1]),
    [0, 0],
  )
  const hinge = (x: Tensor) => F.hingeEmbeddingLoss(x, tensor([-1, -1, -1, 1, 0]), none)
  assert.deepEqual(at(hinge, [1, 0.5, 2, 3, 0.25]), [0, -1, 0, 1, 0])
  const ranking = (x: Tensor) => F.marginRankingLoss(x, tensor([1, 1, 1]), tensor([1, 1, -1]), none)
  assert.deepEqual(at(ranking, [1, 2, 1]), [0, 0, 0])
  const multi = (x: Tensor) => F.multiMarginLoss(x.reshape(2, 3), classes([0, 1]), { reduction: 'sum' }).mul(3)
  assert.deepEqual(at(multi, [2, 1, 0, 0, 0.5, 1]).map(Math.round), [0, 0, 0, 1, -2, 1])
})

test('a class listed twice counts twice, and a list may be empty, as in PyTorch', () => {
  const x = tensor([
    [0.1, 0.2, 0.3],
    [1, 0, 2],
    [1, 1, 1],
  ]).requiresGrad_()
  const lists = classes([
    [1, -1, 0],
    [0, 0, -1],
    [-1, 2, 2],
  ])
  const loss = F.multilabelMarginLoss(x, lists, { reduction: 'none' })
  near(loss, [2 / 3, 4 / 3, 0], 'loss')
  loss.sum().backward()
  near(
    x.grad as Tensor,
    [1, -2, 1, -2, 0, 2, 0, 0, 0].map((v) => v / 3),
    'gradient',
  )
})

test("variances below eps count as eps, and a variance's gradient flows all the same", () => {
  const [x, v] = [tensor([0, 2, 2]).requiresGrad_(), tensor([0.1, 1, 4]).requiresGrad_()]
  const loss = F.gaussianNllLoss(x, tensor([0, 1, 2]), v, { eps: 0.5, full: true, reduction: 'none' })
  near(loss, [0.572364926, 1.418938518, 1.6120857], 'loss')
  loss.sum().backward()
  near(v.grad as Tensor, [1, 0, 0.125], "the variance's gradient")
  near(F.gaussianNllLoss(tensor([1]), tensor([3]), tensor([-1e6])), [(Math.log(1e-6) + 4e6) / 2], 'far below')
  close(F.gaussianNllLoss(randn([2]), zeros([2]), 1).mul(0), zeros([]))
})

test('cross-entropy of classes is that of their one-hot probabilities', () => {
  manualSeed(2)
  const logits = randn([5, 4])
  const target = classes([0, 3, 1, 1, 2])
  for (const options of [{}, { labelSmoothing: 0.3 }, { reduction: 'sum' }, { reduction: 'none' }] as const) {
    close(F.crossEntropy(logits, target, options), F.crossEntropy(logits, target.oneHot(4).float(), options))
  }
})

test('classes at every place of an image are as many rows', () => {
  manualSeed(8)
  const [x, y] = [randn([2, 4, 3, 2]), randint(0, 4, [2, 3, 2])]
  const rows = x.permute(0, 2, 3, 1).reshape(-1, 4)
  for (const loss of [F.crossEntropy, F.nllLoss]) {
    close(loss(x, y), loss(rows, y.reshape(-1)))
    assert.deepEqual(loss(x, y, { reduction: 'none' }).shape, [2, 3, 2])
  }
  close(F.crossEntropy(x, x.softmax(1)), F.crossEntropy(rows, rows.softmax(1)))
})

test('ignored targets count neither above nor below the line; 100 below zero is ignored unless said otherwise', () => {
  manualSeed(3)
  const logits = randn([4, 3])
  const chosen = logits.indexSelect(0, classes([1, 3]))
  for (const loss of [F.crossEntropy, F.nllLoss]) {
    close(loss(logits, classes([-100, 2, -100, 0])), loss(chosen, classes([2, 0])))
    close(loss(logits, classes([1, 2, 1, 0]), { ignoreIndex: 1 }), loss(chosen, classes([2, 0])))
    assert.ok(Number.isNaN(loss(logits, classes([-100, -100, -100, -100])).item()), 'nothing counts')
    assert.equal(loss(logits, classes([-100, -100, -100, -100]), { reduction: 'sum' }).item(), 0)
  }
})

test('batchmean is the divergence of a distribution, mean that divided by the number of classes', () => {
  manualSeed(9)
  const [p, q] = [randn([5, 4]).softmax(1), randn([5, 4]).softmax(1)]
  const divergence = F.klDiv(q.log(), p, { reduction: 'batchmean' })
  close(divergence, F.klDiv(q.log(), p, { reduction: 'sum' }).div(5))
  close(divergence, F.klDiv(q.log(), p).mul(4))
  close(divergence, F.klDiv(q.log(), p.log(), { reduction: 'batchmean', logTarget: true }))
  assert.ok(divergence.item() > 0)
  near(F.klDiv(p.log(), p, { reduction: 'batchmean' }), [0], 'of a distribution from itself')
  near(F.klDiv(tensor([-1]), tensor([0])), [0], 'where the target is 0')
})

test('one example without a batch is a batch of one', () => {
  manualSeed(10)
  const [x, y] = [randn([1, 4]), classes([2])]
  const row = x.reshape(4)
  const last = y.reshape([])
  for (const loss of [F.crossEntropy, F.nllLoss, F.multiMarginLoss]) close(loss(row, last), loss(x, y))
  close(F.multilabelMarginLoss(row, classes([2, 0, -1, -1])), F.multilabelMarginLoss(x, classes([[2, 0, -1, -1]])))
  const [other, third, sign] = [randn([4]), randn([4]), tensor(1)]
  assert.deepEqual(F.cosineEmbeddingLoss(row, other, sign, { reduction: 'none' }).shape, [])
  assert.deepEqual(F.tripletMarginLoss(row, other, third, { reduction: 'none' }).shape, [])
})

test('targets may be bool or whole numbers', () => {
  const x = tensor([0.25, 0.75])
  for (const loss of [F.binaryCrossEntropy, F.binaryCrossEntropyWithLogits, F.mseLoss, F.l1Loss])
    close(loss(x, tensor([true, false])), loss(x, tensor([1, 0])))
  close(F.softMarginLoss(x, classes([1, -1])), F.softMarginLoss(x, tensor([1, -1])))
})

test('binary cross-entropy is finite at 0 and 1, and exact for logits', () => {
  const p = tensor([0, 1, 0, 1]).requiresGrad_()
  const loss = F.binaryCrossEntropy(p, tensor([1, 0, 0, 1]), { reduction: 'none' })
  near(loss, [100, 100, 0, 0], 'loss')
  loss.sum().backward()
  assert.ok(p.grad?.data().every(Number.isFinite))
  manualSeed(4)
  const [logits, target] = [randn([20]), rand([20])]
  close(F.binaryCrossEntropyWithLogits(logits, target), F.binaryCrossEntropy(logits.sigmoid(), target))
})

test('second derivatives of the smooth losses exist', () => {
  manualSeed(15)
  const twice = (make: MakeCase) => {
    const { inputs, loss } = make(2, 3)
    gradCheck(
      (x) =>
        valueAndGrad((y: Tensor) => loss([y, ...inputs.slice(1).map((t) => on(t, y))], 'sum'))(x)
          .gradients[0] as Tensor,
      [inputs[0] as Tensor],
    )
  }
  const on = (t: Tensor, like: Tensor) => tensor(t.data(), { shape: t.shape, dtype: t.dtype, device: like.device })
  for (const name of [
    'mseLoss',
    'poissonNllLoss',
    'binaryCrossEntropyWithLogits',
    'crossEntropy',
    'softMarginLoss',
    'huberLoss',
  ])
    twice(formulas[name] as MakeCase)
})
