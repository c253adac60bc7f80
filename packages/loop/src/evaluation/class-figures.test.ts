import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metrics } from 'descent'
import fc from 'fast-check'
import { seeded } from '../random.ts'
import { fitTemperature, logitsOf, reliability, withTemperature } from './calibration.ts'
import { type ClassPredictions, guesses, logLosses } from './class-predictions.ts'
import { areaUnderCurve, macroF1 } from './class-statistics.ts'
import { classificationMetrics } from './classification.ts'
import { confusion } from './confusion.ts'
import { metricStatistic } from './metric-statistic.ts'
import { largestErrors, worstMistakes } from './mistakes.ts'
import { perClass } from './per-class.ts'
import { regressionMetrics } from './regression.ts'

const near = (got: number, want: number, tolerance: number) =>
  assert.ok(Math.abs(got - want) <= tolerance, `${got} is not ${want}`)

/** Logits whose softmax is the true distribution of the classes, which are drawn from it. */
function honest(count: number, classes: number, seed: number) {
  const random = seeded(seed)
  const logits = Float32Array.from({ length: count * classes }, () => 2 * random.normal())
  const probabilities = withTemperature(logits, classes, 1)
  const truths = Int32Array.from({ length: count }, (_, i) => {
    let left = random.uniform()
    let k = 0
    while (k < classes - 1 && left >= (probabilities[i * classes + k] as number))
      left -= probabilities[i * classes + k++] as number
    return k
  })
  const names = Array.from({ length: classes }, (_, k) => `c${k}`)
  return { logits, predictions: { probabilities, truths, classes: names } satisfies ClassPredictions }
}
const sized = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 2, max: 5 }), fc.nat(999))

test('an honest model has temperature 1 and hardly any calibration error; a boastful one gets its factor back', () => {
  for (const factor of [0.25, 1, 3]) {
    const { logits, predictions } = honest(8000, 4, 1)
    const boastful = logits.map((z) => z * factor)
    const { temperature, before, after, atBound } = fitTemperature(boastful, predictions.truths)
    near(temperature / factor, 1, 0.05)
    assert.ok(after <= before && !atBound)
    const said = { ...predictions, probabilities: withTemperature(boastful, 4, 1) }
    const mended = { ...predictions, probabilities: withTemperature(boastful, 4, temperature) }
    assert.deepEqual(guesses(mended), guesses(said))
    assert.ok(reliability(mended).error < 0.02)
    if (factor !== 1) assert.ok(reliability(said).error > 0.1)
  }
})

test('no other temperature is likelier, for many classes and for one logit of two', () => {
  fc.assert(
    fc.property(sized, fc.double({ min: 0.02, max: 50, noNaN: true }), ([count, classes, seed], other) => {
      const { logits, predictions } = honest(count, classes, seed)
      const { truths } = predictions
      const loss = (t: number) => {
        const losses = logLosses({ ...predictions, probabilities: withTemperature(logits, classes, t) })
        return losses.reduce((a, b) => a + b) / count
      }
      const { temperature, after } = fitTemperature(logits, truths)
      near(loss(temperature), after, 1e-3)
      assert.ok(after <= loss(other) + 1e-4)
      if (classes !== 2) return
      const single = Float32Array.from(truths, (_, i) => (logits[2 * i + 1] as number) - (logits[2 * i] as number))
      near(fitTemperature(single, truths).after, after, 1e-5)
    }),
  )
  near(fitTemperature(Float32Array.of(4, 4, 4, -4), Int32Array.of(1, 1, 0, 0)).temperature, 4 / Math.log(3), 1e-6)
})

test('a temperature without an optimum is at its bound: all right, or all wrong', () => {
  const logits = Float32Array.of(2, 0, 0, 2)
  assert.deepEqual([0.01, true], [fitTemperature(logits, Int32Array.of(0, 1)).temperature, true])
  const wrong = fitTemperature(logits, Int32Array.of(1, 0))
  near(wrong.temperature, 100, 1e-9)
  assert.ok(wrong.atBound)
  assert.throws(() => fitTemperature(Float32Array.of(1, Infinity), Int32Array.of(0)), /logit of example 0 is Infinity/)
  assert.throws(() => fitTemperature(logits, Int32Array.of(0, 2)), /Example 1 is of class 2/)
})

test('the reliability diagram holds every prediction once, accuracy within its interval; ln p are logits of p', () => {
  fc.assert(
    fc.property(sized, ([count, classes, seed]) => {
      const { predictions } = honest(count, classes, seed)
      const { bins } = reliability(predictions, { bins: 10 })
      assert.equal(
        bins.reduce((sum, bin) => sum + bin.count, 0),
        count,
      )
      for (const { from, to, count: n, confidence, accuracy } of bins) {
        if (n === 0) continue
        assert.ok(confidence >= from - 1e-6 && confidence <= to + 1e-6)
        assert.ok(accuracy.low <= accuracy.estimate && accuracy.estimate <= accuracy.high)
      }
      const again = withTemperature(logitsOf(predictions.probabilities), classes, 1)
      for (const [i, p] of again.entries()) near(p, predictions.probabilities[i] as number, 1e-5)
    }),
  )
})

test('figures of classes are those of the confusion matrix, each within its interval', () => {
  fc.assert(
    fc.property(sized, ([count, classes, seed]) => {
      const { predictions } = honest(count, classes, seed)
      const { matrix, pairs } = confusion(predictions)
      const reports = perClass(predictions)
      for (const [k, { support, said, precision, recall, f1 }] of reports.entries()) {
        const hits = matrix[k]?.[k] as number
        assert.equal(
          support,
          matrix[k]?.reduce((a, b) => a + b),
        )
        assert.equal(
          said,
          matrix.reduce((sum, row) => sum + (row[k] as number), 0),
        )
        near(recall.estimate, support === 0 ? 0 : hits / support, 1e-12)
        near(precision.estimate, said === 0 ? 0 : hits / said, 1e-12)
        near(f1.estimate, support + said === 0 ? 0 : (2 * hits) / (support + said), 1e-12)
        for (const { low, estimate, high } of [precision, recall, f1]) assert.ok(low <= estimate && estimate <= high)
      }
      const wrong = count - matrix.reduce((sum, row, k) => sum + (row[k] as number), 0)
      assert.equal(
        pairs.reduce((sum, pair) => sum + pair.count, 0),
        wrong,
      )
      for (let i = 1; i < pairs.length; i++) assert.ok((pairs[i]?.count ?? 0) <= (pairs[i - 1]?.count ?? 0))
    }),
  )
})

test('the interval of F1 holds the truth in about 95 % of samples', () => {
  // Known rates: class 1 in 30 %, found in 80 %; of the others 10 % said to be of it.
  const truth = (2 * 0.24) / (2 * 0.24 + 0.06 + 0.07)
  const random = seeded(1)
  let held = 0
  for (let sample = 0; sample < 300; sample++) {
    const truths = Int32Array.from({ length: 200 }, () => Number(random.uniform() < 0.3))
    const probabilities = Float32Array.from(
      [...truths].flatMap((k) => {
        const said = Number(random.uniform() < (k === 1 ? 0.8 : 0.1))
        return [1 - said, said]
      }),
    )
    const f1 = perClass({ probabilities, truths, classes: ['no', 'yes'] })[1]?.f1
    held += Number((f1?.low ?? 1) <= truth && truth <= (f1?.high ?? 0))
  }
  near(held / 300, 0.95, 0.035)
})

test('the sums of a classifier hold what they are the mean of, and AUC where there are two classes', () => {
  const { predictions } = honest(400, 2, 3)
  const found = classificationMetrics(predictions, { seed: 1, resamples: 200 })
  const right = guesses(predictions).filter((guess, i) => guess === predictions.truths[i]).length
  near(found.accuracy.estimate, right / 400, 1e-12)
  const reports = perClass(predictions)
  near(found.macroF1.estimate, reports.reduce((sum, { f1 }) => sum + f1.estimate, 0) / 2, 1e-12)
  for (const interval of Object.values(found))
    assert.ok(interval.low < interval.estimate && interval.estimate < interval.high)
  assert.equal(classificationMetrics(honest(50, 3, 1).predictions, { seed: 1, resamples: 20 }).auc, null)
})

test('F1 and AUC that can be resampled are the library’s, on any examples, ties and repeats included', () => {
  fc.assert(
    fc.property(sized, fc.array(fc.nat(), { minLength: 1, maxLength: 40 }), ([count, classes, seed], draws) => {
      const { probabilities, truths, classes: names } = honest(count, classes, seed).predictions
      const indices = Int32Array.from(draws, (draw) => draw % count)
      const f1 = metricStatistic(() => new metrics.F1({ average: 'macro' }), probabilities, truths)
      const said = guesses({ probabilities, truths, classes: names })
      near(macroF1(said, truths, classes)(indices), f1(indices), 1e-12)
      const binary = truths.map((truth) => Number(truth > 0))
      const scores = Float32Array.from(binary, (_, i) => Math.round(4 * (probabilities[i * classes] as number)) / 4)
      const own = areaUnderCurve(scores, binary)(indices)
      const drawn = new Set(Array.from(indices, (i) => binary[i]))
      if (drawn.size < 2) assert.ok(Number.isNaN(own))
      else near(own, metricStatistic(() => new metrics.AUC(), scores, binary)(indices), 1e-12)
    }),
  )
})

test('the worst mistakes come first, and planted wrong labels among them are flagged', () => {
  const random = seeded(4)
  const truths = Int32Array.from({ length: 600 }, () => random.below(3))
  const logits = Float32Array.from({ length: 1800 }, (_, at) =>
    at % 3 === truths[Math.floor(at / 3)] ? 5 + random.normal() : random.normal(),
  )
  const labels = truths.map((k, i) => (i < 30 ? (k + 1) % 3 : k))
  const predictions = { probabilities: withTemperature(logits, 3, 1), truths: labels, classes: ['a', 'b', 'c'] }
  const mistakes = worstMistakes(predictions, 20)
  assert.equal(mistakes.length, 20)
  assert.ok(mistakes.filter(({ index, likelyLabelError }) => index < 30 && likelyLabelError).length >= 18)
  for (const [i, { index, truth, said, loss, confidence }] of mistakes.entries()) {
    assert.notEqual(truth, said)
    assert.equal(truth, predictions.classes[labels[index] as number])
    assert.ok(confidence > 1 / 3 && (i === 0 || loss <= (mistakes[i - 1]?.loss as number)))
  }
  const perfect = { probabilities: Float32Array.of(1, 0), truths: Int32Array.of(0), classes: ['a', 'b'] }
  assert.deepEqual(worstMistakes(perfect, 5), [])
})

test('a regression’s figures are the library’s, with intervals; the largest errors come first', () => {
  const random = seeded(5)
  const targets = Float32Array.from({ length: 300 }, random.normal)
  const outputs = targets.map((t) => t + 0.5 * random.normal())
  const found = regressionMetrics(outputs, targets, { seed: 1, resamples: 300 })
  const everyone = Int32Array.from(targets.keys())
  const library = { mae: () => new metrics.MAE(), rmse: () => new metrics.RMSE(), r2: () => new metrics.R2() }
  for (const [name, make] of Object.entries(library))
    near(found[name as keyof typeof library].estimate, metricStatistic(make, outputs, targets)(everyone), 1e-12)
  near(found.rmse.estimate, 0.5, 0.06)
  near(found.r2.estimate, 1 - 0.5 ** 2, 0.06)
  for (const { low, estimate, high } of Object.values(found)) assert.ok(low < estimate && estimate < high)
  near(found.rmse.standardError, 0.5 / Math.sqrt(600), 0.008)
  const errors = largestErrors(outputs, targets, 7)
  assert.equal(errors.length, 7)
  const all = [...targets.keys()].map((i) => Math.abs((outputs[i] as number) - (targets[i] as number)))
  assert.deepEqual(
    errors.map(({ error }) => Math.abs(error)),
    all.sort((a, b) => b - a).slice(0, 7),
  )
  assert.throws(() => largestErrors(outputs, targets.subarray(1), 1), /300 predictions for 299 targets/)
  assert.throws(
    () => regressionMetrics(Float32Array.of(1), Float32Array.of(Number.NaN), { seed: 1 }),
    /target of example 0/,
  )
})

test('predictions that are none are errors that name the example', () => {
  const classes = ['a', 'b']
  const judge = (probabilities: number[], truths: number[]) =>
    perClass({ probabilities: Float32Array.from(probabilities), truths: Int32Array.from(truths), classes })
  assert.throws(() => judge([0.5, 0.5, 3, 1], [0, 1]), /probabilities of example 1 are none: 3,1/)
  assert.throws(() => judge([0.5, 0.5], [2]), /Example 0 is of class 2; there are 2/)
  assert.throws(() => judge([0.5, 0.5], [0, 1]), /2 probabilities are not 2 examples × 2/)
  assert.throws(() => judge([], []), /no predictions to judge/)
})
