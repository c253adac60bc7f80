import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../../compile.ts'
import { tensor, zeros } from '../../create.ts'
import { gradCheck } from '../../gradient.ts'
import { manualSeed, rand, randn } from '../../random.ts'
import type { Tensor } from '../../tensor.ts'
import { binaryCrossEntropy, binaryCrossEntropyWithLogits } from './binary.ts'
import { CrossEntropyLoss, crossEntropy } from './cross-entropy.ts'
import { mseLoss } from './regression.ts'

const classes = (values: number[]) => tensor(values, { dtype: 'i32' })
const close = (a: Tensor, b: Tensor, within = 1e-6) => assert.ok(a.sub(b).abs().max().item() <= within, `${a} ${b}`)

test('the gradients of losses agree with differences', () => {
  manualSeed(1)
  const [x, y] = [randn([4, 3]), rand([4, 3])]
  const on = (values: Tensor, like: Tensor) => tensor(values.data(), { shape: values.shape, device: like.device })
  gradCheck((a, b) => mseLoss(a, b), [x, y])
  gradCheck(
    (a) => binaryCrossEntropyWithLogits(a, on(y, a), { posWeight: tensor([1, 2, 3], { device: a.device }) }),
    [x],
  )
  gradCheck((a) => binaryCrossEntropy(a, on(y, a)), [rand([4, 3]).mul(0.9).add(0.05)])
  gradCheck((a, b) => crossEntropy(a, b, { labelSmoothing: 0.1 }), [x, y])
  for (const reduction of ['mean', 'sum', 'none'] as const) {
    gradCheck(
      (a) => {
        const target = tensor([0, 2, 1, 2], { dtype: 'i32', device: a.device })
        const weight = tensor([1, 2, 0.5], { device: a.device })
        return crossEntropy(a, target, { weight, labelSmoothing: 0.2, ignoreIndex: 1, reduction })
      },
      [x],
    )
  }
})

test('cross-entropy of classes is that of their one-hot probabilities', () => {
  manualSeed(2)
  const logits = randn([5, 4])
  const target = classes([0, 3, 1, 1, 2])
  for (const options of [{}, { labelSmoothing: 0.3 }, { reduction: 'sum' }, { reduction: 'none' }] as const) {
    close(crossEntropy(logits, target, options), crossEntropy(logits, target.oneHot(4).float(), options))
  }
})

test('a class out of range is an IndexError that names it and the range, eager and compiled', () => {
  const loss = (x: Tensor, y: Tensor) => crossEntropy(x, y)
  for (const fn of [loss, compile(loss)]) {
    for (const wrong of [3, -1, 2_000_000_000]) {
      assert.throws(() => fn(zeros([2, 3]), classes([0, wrong])), {
        name: 'IndexError',
        index: wrong,
        size: 3,
        message: `crossEntropy target: index ${wrong} is out of range; it must be at least 0 and below 3.`,
      })
    }
    assert.ok(Math.abs(fn(zeros([2, 3]), classes([0, 2])).item() - Math.log(3)) < 1e-6)
  }
})

test('ignored targets count neither above nor below the line', () => {
  manualSeed(3)
  const logits = randn([4, 3])
  const some = crossEntropy(logits, classes([-100, 2, -100, 0]), { ignoreIndex: -100 })
  const chosen = logits.indexSelect(0, classes([1, 3]))
  close(some, crossEntropy(chosen, classes([2, 0])))
})

test('targets of another kind or shape are errors that say what is needed', () => {
  assert.throws(() => crossEntropy(zeros([2, 3]), zeros([2])), {
    name: 'DTypeError',
    message: /convert them with \.int\(\)/,
  })
  assert.throws(() => crossEntropy(zeros([2, 3]), classes([0])), {
    name: 'ShapeError',
    message: /logits \[2, 3\] and target \[1\] i32: needs classes \[2\] i32, or probabilities \[2, 3\] f32/,
  })
  assert.throws(() => crossEntropy(zeros([]), classes([0])), /takes logits \[N, C, \.\.\.\]/)
  assert.throws(
    () => mseLoss(zeros([4, 1]), zeros([4])),
    /input \[4, 1\] and target \[4\] differ\. Reshape one of them/,
  )
  assert.throws(() => binaryCrossEntropy(zeros([4]), zeros([5])), { name: 'ShapeError' })
})

test('binary cross-entropy is finite at 0 and 1, and exact for logits', () => {
  const p = tensor([0, 1, 0, 1]).requiresGrad_()
  const loss = binaryCrossEntropy(p, tensor([1, 0, 0, 1]), { reduction: 'none' })
  close(loss, tensor([100, 100, 0, 0]))
  loss.sum().backward()
  assert.ok(p.grad?.data().every(Number.isFinite))
  const x = tensor([-100, 100, -100, 100]).requiresGrad_()
  const exact = binaryCrossEntropyWithLogits(x, tensor([1, 0, 0, 1]), { reduction: 'none' })
  close(exact, tensor([100, 100, 0, 0]))
  exact.sum().backward()
  close(x.grad as Tensor, tensor([-1, 1, 0, 0]))
  manualSeed(4)
  const [logits, target] = [randn([20]), rand([20])]
  close(binaryCrossEntropyWithLogits(logits, target), binaryCrossEntropy(logits.sigmoid(), target))
})

test('the module carries its options', () => {
  const [x, y] = [randn([3, 4]), classes([1, 2, 3])]
  close(new CrossEntropyLoss({ labelSmoothing: 0.1 }).forward(x, y), crossEntropy(x, y, { labelSmoothing: 0.1 }))
})
