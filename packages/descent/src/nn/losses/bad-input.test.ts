import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compile } from '../../compile.ts'
import { zeros } from '../../create.ts'
import type { Tensor } from '../../tensor.ts'
import { classes } from './formulas.ts'
import * as F from './index.ts'

test('a class out of range is an IndexError that names it and the range, eager and compiled', () => {
  for (const [name, loss] of Object.entries({
    crossEntropy: F.crossEntropy,
    nllLoss: F.nllLoss,
    multiMarginLoss: F.multiMarginLoss,
  })) {
    for (const fn of [(x: Tensor, y: Tensor) => loss(x, y), compile((x: Tensor, y: Tensor) => loss(x, y))]) {
      for (const wrong of [3, -1, 2_000_000_000]) {
        assert.throws(() => fn(zeros([2, 3]), classes([0, wrong])), {
          name: 'IndexError',
          index: wrong,
          size: 3,
          message: `${name} target: index ${wrong} is out of range; it must be at least 0 and below 3.`,
        })
      }
      assert.ok(Number.isFinite(fn(zeros([2, 3]), classes([0, 2])).item()))
    }
  }
  assert.throws(() => F.multilabelMarginLoss(zeros([1, 3]), classes([[0, 3, -1]])), { name: 'IndexError', index: 3 })
  assert.throws(() => F.multilabelMarginLoss(zeros([1, 3]), classes([[-2, 0, -1]])), { name: 'IndexError', index: -2 })
})

describe('shapes and dtypes that do not fit are errors that name the loss and what it was given', () => {
  const [a, b, wholes] = [zeros([4, 1]), zeros([4]), zeros([4, 1], { dtype: 'i32' })]
  const pairLosses: Record<string, (x: Tensor, y: Tensor) => Tensor> = {
    mseLoss: F.mseLoss,
    l1Loss: F.l1Loss,
    smoothL1Loss: F.smoothL1Loss,
    huberLoss: F.huberLoss,
    poissonNllLoss: F.poissonNllLoss,
    gaussianNllLoss: (x, y) => F.gaussianNllLoss(x, y, 1),
    klDiv: F.klDiv,
    binaryCrossEntropy: F.binaryCrossEntropy,
    binaryCrossEntropyWithLogits: F.binaryCrossEntropyWithLogits,
    multilabelSoftMarginLoss: F.multilabelSoftMarginLoss,
    marginLoss: F.marginLoss,
    softMarginLoss: F.softMarginLoss,
    hingeEmbeddingLoss: F.hingeEmbeddingLoss,
    marginRankingLoss: (x, y) => F.marginRankingLoss(x, x, y),
  }
  for (const [name, loss] of Object.entries(pairLosses)) {
    test(name, () => {
      assert.throws(() => loss(a, b), {
        name: 'ShapeError',
        message: `${name}: input [4, 1] and target [4] differ. Reshape one of them to the shape of the other.`,
      })
      assert.throws(() => loss(a, zeros([5, 1])), { name: 'ShapeError', message: /\[5, 1\] differ\.$/ })
      assert.throws(() => loss(wholes, wholes), {
        name: 'DTypeError',
        message: new RegExp(`^${name}: input.* is i32`),
      })
    })
  }

  test('losses of classes', () => {
    assert.throws(() => F.crossEntropy(zeros([2, 3]), zeros([2])), {
      name: 'DTypeError',
      message: /convert them with \.int\(\)/,
    })
    assert.throws(() => F.crossEntropy(zeros([2, 3]), classes([0])), {
      name: 'ShapeError',
      message: /logits \[2, 3\] and target \[1\] i32: needs classes \[2\] i32, or probabilities \[2, 3\] f32/,
    })
    assert.throws(() => F.crossEntropy(zeros([]), classes([0])), /takes logits \[N, C, \.\.\.\]/)
    assert.throws(() => F.nllLoss(zeros([2, 3]), zeros([2, 3])), /needs classes \[2\] i32\.$/)
    assert.throws(() => F.multiMarginLoss(zeros([2, 3, 1]), classes([[0], [0]])), /takes scores \[N, C\] or \[C\]/)
    assert.throws(() => F.multilabelMarginLoss(zeros([2, 3]), classes([0, 1])), /lists of classes of the same shape/)
    assert.throws(() => F.multilabelMarginLoss(zeros([2, 3]), zeros([2, 3])), { name: 'DTypeError' })
    for (const loss of [F.crossEntropy, F.nllLoss, F.multiMarginLoss])
      assert.throws(
        () => loss(zeros([2, 3]), classes([0, 1]), { weight: zeros([2]) }),
        /one factor for each class, \[3\]/,
      )
    assert.throws(
      () => F.binaryCrossEntropyWithLogits(zeros([2, 3]), zeros([2, 3]), { posWeight: zeros([2]) }),
      /posWeight \[2\] does not broadcast to the input's shape \[2, 3\]/,
    )
  })

  test('losses of embeddings', () => {
    for (const loss of [F.cosineEmbeddingLoss, F.l1HingeEmbeddingLoss]) {
      assert.throws(() => loss(zeros([2, 3]), zeros([2, 4]), zeros([2])), /in pairs, got \[2, 3\] and \[2, 4\]/)
      assert.throws(() => loss(zeros([2, 3]), zeros([2, 3]), zeros([2, 1])), /one value for each pair, \[2\]/)
    }
    assert.throws(() => F.tripletMarginLoss(zeros([2, 3]), zeros([2, 3]), zeros([3])), /must have one shape/)
    assert.throws(() => F.marginRankingLoss(zeros([2]), zeros([3]), zeros([2])), /input \[2\] and input2 \[3\] differ/)
    assert.throws(() => F.gaussianNllLoss(a, a, zeros([3])), /variance \[3\] must be a number, \[4, 1\] as the input/)
  })
})

test('options that cannot be are errors that say so', () => {
  const x = zeros([2, 3])
  assert.throws(() => F.smoothL1Loss(x, x, { beta: -1 }), /beta must be at least 0, not -1/)
  assert.throws(() => F.huberLoss(x, x, { delta: 0 }), /delta must be above 0, not 0/)
  assert.throws(() => F.gaussianNllLoss(x, x, -1), /variance must be at least 0, not -1/)
  assert.throws(() => F.crossEntropy(x, x, { labelSmoothing: 1.5 }), /labelSmoothing must be from 0 to 1, not 1\.5/)
  assert.throws(() => F.crossEntropy(x, x, { ignoreIndex: 1 }), /names a class, but the target holds probabilities/)
  assert.throws(() => F.multiMarginLoss(x, classes([0, 1]), { p: 3 as 2 }), /p must be 1 or 2, not 3/)
  assert.throws(() => F.cosineEmbeddingLoss(x, x, zeros([2]), { margin: 2 }), /margin must be from -1 to 1/)
  assert.throws(() => F.tripletMarginLoss(x, x, x, { margin: 0 }), /margin must be above 0/)
  assert.throws(() => F.mseLoss(x, x, { reduction: 'average' as 'mean' }), /cannot be reduced by 'average': choose/)
})
