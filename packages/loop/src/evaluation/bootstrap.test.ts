import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metrics, tensor } from 'descent'
import fc from 'fast-check'
import { seeded } from '../random.ts'
import { bootstrap, meanOf, pairedBootstrap, type Statistic } from './bootstrap.ts'
import { metricStatistic } from './metric-statistic.ts'
import { normalCdf, normalQuantile } from './normal.ts'
import { wilson } from './wilson.ts'

const near = (got: number, want: number, tolerance: number) =>
  assert.ok(Math.abs(got - want) <= tolerance, `${got} is not ${want}`)
const everyone = (count: number) => Int32Array.from({ length: count }, (_, i) => i)

test('the normal distribution: known values, and each function undoes the other', () => {
  near(normalCdf(1.959963984540054), 0.975, 1e-14)
  near(normalCdf(-6), 9.865876450376946e-10, 1e-22)
  near(normalQuantile(0.975), 1.959963984540054, 1e-12)
  fc.assert(
    fc.property(fc.double({ min: -8, max: 8, noNaN: true }), (z) => {
      near(normalCdf(z) + normalCdf(-z), 1, 1e-14)
      if (z < 5) near(normalQuantile(normalCdf(z)), z, 1e-8 * (1 + Math.abs(z)))
    }),
  )
})

test('Wilson’s interval: published values, within 0 and 1, around the share, narrower for more', () => {
  // Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3.
  for (const [hits, count, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const) {
    near(wilson(hits, count).low, low, 5e-5)
    near(wilson(hits, count).high, high, 5e-5)
  }
  fc.assert(
    fc.property(fc.nat(50), fc.nat(50), (hits, misses) => {
      const { estimate, low, high } = wilson(hits, hits + misses)
      assert.ok(low >= 0 && high <= 1)
      if (hits + misses === 0) return
      assert.ok(low <= estimate && estimate <= high)
      const more = wilson(4 * hits, 4 * (hits + misses))
      assert.ok(more.high - more.low < high - low)
    }),
  )
  assert.throws(() => wilson(3, 2), /3 of 2 is no share/)
})

test('intervals of 95 % hold the truth in about 95 % of samples, of a mean and of a skewed statistic', () => {
  const random = seeded(1)
  const variance: (values: Float64Array) => Statistic = (values) => (indices) => {
    const mean = meanOf(values)(indices)
    return indices.reduce((sum, i) => sum + ((values[i] as number) - mean) ** 2, 0) / indices.length
  }
  const coverage = (
    draw: () => number,
    statistic: (values: Float64Array) => Statistic,
    truth: number,
    method: 'bca' | 'percentile',
  ) => {
    let held = 0
    for (let seed = 0; seed < 300; seed++) {
      const values = Float64Array.from({ length: 50 }, draw)
      const { low, high } = bootstrap(50, statistic(values), { seed, resamples: 400, method })
      held += Number(low <= truth && truth <= high)
    }
    return held / 300
  }
  near(coverage(random.normal, meanOf, 0, 'percentile'), 0.94, 0.04)
  near(coverage(random.normal, meanOf, 0, 'bca'), 0.94, 0.04)
  const [skewed, plain] = (['bca', 'percentile'] as const).map((method) =>
    coverage(() => random.normal() ** 2, variance, 2, method),
  ) as [number, number]
  assert.ok(skewed > plain, `BCa holds the truth in ${skewed}, percentile in ${plain}`)
})

test('the bootstrap’s interval of accuracy is near Wilson’s, with the standard error of a share', () => {
  const right = Float64Array.from({ length: 400 }, (_, i) => Number(i % 10 !== 0))
  const found = bootstrap(400, meanOf(right), { seed: 1 })
  const { low, high } = wilson(360, 400)
  assert.equal(found.estimate, 0.9)
  near(found.low, low, 0.01)
  near(found.high, high, 0.01)
  near(found.standardError, Math.sqrt((0.9 * 0.1) / 400), 0.001)
})

test('resamples are the same for a seed, keep the sizes of strata, and skip what cannot be measured', () => {
  const values = Float64Array.from({ length: 30 }, (_, i) => i)
  assert.deepEqual(bootstrap(30, meanOf(values), { seed: 4 }), bootstrap(30, meanOf(values), { seed: 4 }))
  const strata = Int32Array.from(values, (i) => Number(i >= 20))
  const share = bootstrap(30, meanOf(Float64Array.from(strata)), { seed: 1, strata })
  assert.deepEqual([share.low, share.high], [share.estimate, share.estimate])
  near(share.standardError, 0, 1e-12)
  const rarely: Statistic = (indices) => (indices.includes(3) ? 1 : Number.NaN)
  const skipped = bootstrap(30, rarely, { seed: 1, resamples: 100 })
  assert.ok(skipped.resamples < 100 && skipped.resamples > 30 && skipped.low === 1)
  const never = bootstrap(30, () => Number.NaN, { seed: 1, resamples: 10 })
  assert.ok(Number.isNaN(never.low) && never.resamples === 0)
})

test('a better model is told from a worse on the same examples, one that is as good is not, and a is not b', () => {
  const random = seeded(2)
  const count = 500
  const hard = Float64Array.from({ length: count }, () => 3 * random.normal())
  const losses = (shift: number) => hard.map((h) => h + shift + 0.5 * random.normal())
  const [a, better, same] = [losses(0), losses(-0.3), losses(0)].map(meanOf) as [Statistic, Statistic, Statistic]
  const options = { seed: 1, higherIsBetter: false }
  const clear = pairedBootstrap(count, a, better, options)
  assert.ok(clear.pValue < 0.01 && clear.probabilityBetter > 0.99 && clear.difference.high < 0)
  // Unpaired the two intervals overlap: what is hard is hard for both.
  assert.ok(clear.b.high > clear.a.low)
  assert.ok(pairedBootstrap(count, a, same, options).pValue > 0.05)
  const turned = pairedBootstrap(count, better, a, options)
  near(turned.difference.estimate, -clear.difference.estimate, 1e-12)
  near(turned.probabilityBetter, 1 - clear.probabilityBetter, 1e-12)
  const itself = pairedBootstrap(count, a, a, options)
  assert.deepEqual([itself.pValue, itself.probabilityBetter, itself.difference.high], [1, 0.5, 0])
})

test('p-values of models that are equally good are below 0.05 in about one of twenty comparisons', () => {
  const random = seeded(3)
  let mistaken = 0
  for (let seed = 0; seed < 300; seed++) {
    const [a, b] = [0, 1].map(() => meanOf(Float64Array.from({ length: 60 }, random.normal))) as [Statistic, Statistic]
    mistaken += Number(pairedBootstrap(60, a, b, { seed, resamples: 300, method: 'percentile' }).pValue < 0.05)
  }
  near(mistaken / 300, 0.05, 0.035)
})

test('a metric of the library can be resampled: on all examples it is itself', () => {
  const random = seeded(6)
  const output = Float32Array.from({ length: 120 }, random.normal)
  const target = Int32Array.from({ length: 40 }, () => random.below(3))
  const makes = [() => new metrics.F1(), () => new metrics.Accuracy(), () => new metrics.AUC({ logits: true })]
  for (const make of makes) {
    const whole = make()
    whole.update(tensor(output, { shape: [40, 3] }), tensor(target, { shape: [40] }))
    const statistic = metricStatistic(make, output, target)
    assert.equal(statistic(everyone(40)), whole.compute())
    const { low, high, estimate } = bootstrap(40, statistic, { seed: 1, resamples: 100, strata: target })
    assert.ok(low < estimate && estimate < high)
  }
  const numbers = Float32Array.from({ length: 10 }, random.normal)
  assert.equal(metricStatistic(() => new metrics.R2(), numbers, numbers)(everyone(10)), 1)
})

test('options that are none are errors', () => {
  const one = meanOf(Float64Array.of(1))
  assert.throws(() => bootstrap(0, one, { seed: 1 }), /at least one example/)
  assert.throws(() => bootstrap(1, one, { seed: 1, level: 95 }), /between 0 and 1, as 0.95 does; not 95/)
  assert.throws(() => bootstrap(1, one, { seed: 1, resamples: 0 }), /resamples must be/)
  assert.throws(() => bootstrap(1, one, { seed: 1, strata: Int32Array.of(1, 2) }), /2 strata for 1 examples/)
})
