import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compile } from '../../compile.ts'
import { tensor } from '../../create.ts'
import type { Tensor } from '../../tensor.ts'
import { accuracy } from '../metrics.ts'
import * as metrics from './index.ts'

const classes = (values: readonly number[]) => tensor([...values], { dtype: 'i32' })
const close = (got: number, want: number, tolerance = 1e-12) =>
  assert.ok(Math.abs(got - want) <= tolerance, `${got} is not ${want}`)

/** Scores [N, C] in steps of 1/4, so that ties occur, and classes. */
const classified = (most: number) =>
  fc.tuple(fc.integer({ min: 2, max: most }), fc.integer({ min: 1, max: 30 })).chain(([c, n]) =>
    fc.record({
      scores: fc.array(
        fc.array(
          fc.integer({ min: -6, max: 6 }).map((x) => x / 4),
          { minLength: c, maxLength: c },
        ),
        {
          minLength: n,
          maxLength: n,
        },
      ),
      truths: fc.array(fc.integer({ min: 0, max: c - 1 }), { minLength: n, maxLength: n }),
      cut: fc.integer({ min: 0, max: n }),
    }),
  )

const all: Record<string, () => metrics.AccumulatingMetric> = {
  Accuracy: () => new metrics.Accuracy(),
  TopK: () => new metrics.TopK(2),
  Precision: () => new metrics.Precision({ average: 'macro' }),
  Recall: () => new metrics.Recall({ average: 'weighted' }),
  F1: () => new metrics.F1({ average: 'micro' }),
  ConfusionMatrix: () => new metrics.ConfusionMatrix(),
  CalibrationError: () => new metrics.CalibrationError({ logits: true }),
  AUC: () => new metrics.AUC({ logits: true }),
}
const regressions: Record<string, () => metrics.AccumulatingMetric> = {
  MAE: () => new metrics.MAE(),
  MSE: () => new metrics.MSE(),
  RMSE: () => new metrics.RMSE(),
  R2: () => new metrics.R2(),
}

function computed(metric: metrics.AccumulatingMetric): number | string {
  try {
    return metric.compute()
  } catch (error) {
    return (error as Error).message
  }
}

test('a metric of batches is the metric of the whole, whatever their sizes, and reset forgets', () => {
  const same = (
    make: () => metrics.AccumulatingMetric,
    whole: [Tensor, Tensor],
    parts: (readonly [Tensor, Tensor])[],
  ) => {
    const [one, many] = [make(), make()]
    many.update(...whole)
    many.reset()
    one.update(...whole)
    for (const [output, target] of parts) many.update(output, target)
    const [want, got] = [computed(one), computed(many)]
    if (typeof want === 'string' || Number.isNaN(want)) assert.deepEqual(got, want)
    else close(got as number, want, 1e-9)
  }
  const parts = (output: Tensor, target: Tensor, cut: number) =>
    [[0, cut] as const, [cut, output.shape[0] as number] as const]
      .filter(([from, to]) => from < to)
      .map(([from, to]) => [output.slice([from, to]), target.slice([from, to])] as const)
  fc.assert(
    fc.property(classified(4), ({ scores, truths, cut }) => {
      const [output, target] = [tensor(scores), classes(truths)]
      for (const make of Object.values(all)) same(make, [output, target], parts(output, target, cut))
    }),
    { numRuns: 40 },
  )
  const values = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), { minLength: 1 })
  fc.assert(
    fc.property(values, fc.nat(5), (pairs, cut) => {
      const [output, target] = [0, 1].map((i) => tensor(pairs.map((pair) => pair[i] as number))) as [Tensor, Tensor]
      for (const make of Object.values(regressions))
        same(make, [output, target], parts(output, target, Math.min(cut, pairs.length)))
    }),
    { numRuns: 40 },
  )
})

test('AUC is the share of pairs in the right order, ties counting half, and does not see monotone changes', () => {
  const pairs = fc.array(fc.tuple(fc.integer({ min: -5, max: 5 }), fc.boolean()), { minLength: 2, maxLength: 40 })
  fc.assert(
    fc.property(pairs, (examples) => {
      const own = examples.filter(([, truth]) => truth).map(([score]) => score)
      const others = examples.filter(([, truth]) => !truth).map(([score]) => score)
      fc.pre(own.length > 0 && others.length > 0)
      const wins = own.flatMap((p) => others.map((n) => (p > n ? 1 : p === n ? 0.5 : 0) as number))
      const want = wins.reduce((a, b) => a + b) / wins.length
      const target = classes(examples.map(([, truth]) => Number(truth)))
      for (const change of [(x: number) => x, (x: number) => 1 / (1 + Math.exp(-x)), (x: number) => x ** 3 + 7]) {
        const auc = new metrics.AUC()
        auc.update(tensor(examples.map(([score]) => change(score))), target)
        close(auc.compute(), want)
      }
      const two = new metrics.AUC({ logits: true })
      two.update(tensor(examples.map(([score]) => [30, 30 + score])), target)
      close(two.compute(), want)
    }),
  )
})

test('precision, recall and F1 are those of the confusion matrix; micro averages are the accuracy', () => {
  fc.assert(
    fc.property(classified(4), ({ scores, truths }) => {
      const [output, target] = [tensor(scores), classes(truths)]
      const measured = (metric: metrics.AccumulatingMetric) => {
        metric.update(output, target)
        return metric.compute()
      }
      const confusion = new metrics.ConfusionMatrix()
      const right = measured(confusion)
      close(measured(new metrics.Accuracy()), right)
      close(accuracy(output, target).item(), right, 1e-6)
      for (const Metric of [metrics.Precision, metrics.Recall, metrics.F1])
        close(measured(new Metric({ average: 'micro' })), right)
      const matrix = confusion.matrix()
      const [precision, recall, f1] = [new metrics.Precision(), new metrics.Recall(), new metrics.F1()]
      for (const metric of [precision, recall, f1]) metric.update(output, target)
      for (const [c, row] of matrix.entries()) {
        const hits = row[c] as number
        const said = matrix.reduce((sum, other) => sum + (other[c] as number), 0)
        const meant = row.reduce((a, b) => a + b)
        const p = said === 0 ? 0 : hits / said
        const r = meant === 0 ? 0 : hits / meant
        close(precision.perClass()[c] as number, p)
        close(recall.perClass()[c] as number, r)
        close(f1.perClass()[c] as number, p + r === 0 ? 0 : (2 * p * r) / (p + r))
      }
    }),
  )
})

test('top-k counts classes before the true one: as a class and as a function, compiled or not; top-1 is accuracy', () => {
  fc.assert(
    fc.property(classified(5), ({ scores, truths }) => {
      const [output, target] = [tensor(scores), classes(truths)]
      for (const k of [1, 2]) {
        const top = new metrics.TopK(k)
        top.update(output, target)
        const of = (o: Tensor, t: Tensor) => metrics.topKAccuracy(o, t, { k })
        close(of(output, target).item(), top.compute(), 1e-6)
        close(compile(of)(output, target).item(), top.compute(), 1e-6)
        if (k === 1) close(accuracy(output, target).item(), top.compute(), 1e-6)
      }
    }),
    { numRuns: 25 },
  )
})

test('known values: scikit-learn says the same', () => {
  const output = tensor([
    [3, 1, 0],
    [0, 2, 1],
    [1, 0, 5],
    [2, 3, 1],
    [4, 0, 1],
    [0, 1, 2],
  ])
  const target = classes([0, 1, 2, 0, 0, 1])
  const measured = (metric: metrics.AccumulatingMetric, x = output, y = target) => {
    metric.update(x, y)
    return metric.compute()
  }
  close(measured(new metrics.Accuracy()), 4 / 6)
  close(measured(new metrics.Precision()), (1 + 0.5 + 0.5) / 3)
  close(measured(new metrics.Recall({ average: 'weighted' })), 4 / 6)
  close(measured(new metrics.F1({ average: 'weighted' })), (3 * 0.8 + 2 * 0.5 + 2 / 3) / 6)
  close(
    measured(
      new metrics.R2(),
      tensor([
        [0.5, 1],
        [-1, 1],
        [7, -6],
      ]),
      tensor([
        [0, 2],
        [-1, 2],
        [8, -5],
      ]),
    ),
    0.9412391668996365,
    1e-12,
  )
  close(measured(new metrics.RMSE(), tensor([3, 4]), tensor([0, 0])), Math.sqrt(12.5))
  const p = [0.1, 0.4, 0.35, 0.8]
  close(measured(new metrics.AUC(), tensor(p), classes([0, 0, 1, 1])), 0.75)
})

test('R² does not lose digits to targets far from 0, and constant targets are 1 or 0', () => {
  const r2 = (output: number[], target: number[]) => {
    const metric = new metrics.R2()
    metric.update(tensor(output), tensor(target))
    return metric.compute()
  }
  const far = 2 ** 23
  close(r2([far + 1, far + 2, far + 4], [far + 1, far + 2, far + 3]), 0.5)
  assert.equal(r2([4, 4], [4, 4]), 1)
  assert.equal(r2([4, 5], [4, 4]), 0)
  assert.ok(Number.isNaN(r2([4], [4])))
})

test('a certainty that is as often right has no calibration error; one that is never right has it all', () => {
  const certain = (truths: number[]) => {
    const error = new metrics.CalibrationError({ bins: 5 })
    error.update(tensor(truths.map(() => 0.75)), classes(truths))
    return error.compute()
  }
  close(certain([1, 1, 1, 0]), 0)
  close(certain([0, 0, 0, 0]), 0.75)
  close(certain([1, 1, 1, 1]), 0.25)
})

test('places of [N, C, L] count each, one score an example takes a threshold, and padding is ignored', () => {
  const accuracyOf = (metric: metrics.Accuracy, output: Tensor, target: Tensor) => {
    metric.update(output, target)
    return metric.compute()
  }
  const scores = tensor([
    [
      [1, 0],
      [0, 1],
    ],
    [
      [1, 1],
      [0, 0],
    ],
  ])
  close(
    accuracyOf(
      new metrics.Accuracy(),
      scores,
      tensor(
        [
          [0, 1],
          [1, 0],
        ],
        { dtype: 'i32' },
      ),
    ),
    0.75,
  )
  close(
    accuracyOf(
      new metrics.Accuracy(),
      scores,
      tensor(
        [
          [0, -100],
          [1, -100],
        ],
        { dtype: 'i32' },
      ),
    ),
    0.5,
  )
  close(accuracyOf(new metrics.Accuracy({ threshold: 0 }), tensor([[0.2], [-0.2]]), tensor([[1], [0]])), 1)
  close(accuracyOf(new metrics.Accuracy(), tensor([[0.2], [-0.2]]), classes([1, 0])), 0.5)
})

test('the matrix is printed with names', () => {
  const confusion = new metrics.ConfusionMatrix({ names: ['cat', 'hippopotamus', 'dog'] })
  confusion.update(
    tensor([
      [1, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
    ]),
    classes([0, 1, 1]),
  )
  assert.deepEqual(confusion.toString().split('\n'), [
    ' true \\ said │ cat hippopotamus dog │ found',
    '         cat │   1            ·   · │ 100.0 %',
    'hippopotamus │   1            1   · │ 50.0 %',
    '         dog │   ·            ·   · │ –',
  ])
})

test('what cannot be measured is an error that says so, and changes nothing', () => {
  const [output, target] = [
    tensor([
      [1, 2],
      [3, 4],
    ]),
    classes([0, 1]),
  ]
  for (const make of [...Object.values(all), ...Object.values(regressions)])
    assert.throws(() => make().compute(), /nothing was measured yet; call update\(\) before compute/)
  for (const make of Object.values(all)) {
    const metric = make()
    metric.update(output, target)
    const before = computed(metric)
    assert.throws(() => metric.update(output, classes([0, 1, 0])), { name: 'ShapeError', message: /\[2,2\].*\[3\]/ })
    assert.throws(() => metric.update(output, classes([0, 2])), {
      name: 'IndexError',
      message: /target of example 1: index 2 is out of range/,
    })
    assert.throws(
      () =>
        metric.update(
          tensor([
            [1, Number.NaN],
            [0, 1],
          ]),
          target,
        ),
      /the output holds NaN/,
    )
    assert.equal(computed(metric), before)
  }
  for (const make of Object.values(regressions))
    assert.throws(() => make().update(tensor([[1]]), tensor([1])), /output \[1,1\] and target \[1\] must have the same/)
  assert.throws(() => new metrics.TopK(0), /k must be a whole number above 0, not 0/)
  assert.throws(() => new metrics.TopK(3).update(output, target), /k = 3 needs scores of at least 3 classes/)
  assert.throws(() => metrics.topKAccuracy(output, target), /k = 5 is no whole number from 1 to the 2 classes/)
  assert.throws(() => metrics.meanAbsoluteError(output, tensor([1])), { name: 'ShapeError' })
  assert.throws(() => new metrics.CalibrationError({ bins: 0 }), /bins must be/)
  assert.throws(() => new metrics.CalibrationError().update(output, target), /add up to 3.*say \{ logits: true \}/)
  assert.throws(() => new metrics.CalibrationError().update(tensor([2, 0]), target), /2 lies outside of 0…1/)
  const three = tensor([
    [1, 0, 0],
    [0, 1, 0],
  ])
  assert.throws(() => new metrics.F1({ average: 'binary' }).update(three, target), /'binary' is for two classes, not 3/)
  const one = new metrics.AUC()
  one.update(tensor([1, 2]), classes([1, 1]))
  assert.throws(() => one.compute(), /every example is of class 1/)
})
