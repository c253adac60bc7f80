import assert from 'node:assert/strict'
import test from 'node:test'
import type { Interval } from '../evaluation/interval.ts'
import { accuracyWording, advise, type Judged } from './advice.ts'

const interval = (estimate: number, low: number, high: number): Interval => ({ estimate, low, high, level: 0.95 })
const model = (
  kind: Judged['kind'],
  name: string,
  score: number,
  behind: Interval | null,
  [training, prediction, bytes]: readonly [number, number, number],
): Judged => ({
  kind,
  name,
  score: interval(score, score - 0.01, score + 0.01),
  behind,
  costs: { training, prediction, bytes },
})

test('of models that the interval cannot tell apart, the one that costs least is to be used', () => {
  const judged = [
    model('network', 'net', 0.98, null, [100, 50, 1e6]),
    model('baseline', 'logistic regression', 0.978, interval(-0.002, -0.01, 0.006), [1, 5, 1e4]),
  ]
  const { use, networkLoses, sentence } = advise(judged, accuracyWording)
  assert.equal(use, 1)
  assert.equal(networkLoses, false)
  assert.match(sentence, /^Use logistic regression: its 97\.80 % is as good as the network's 98\.00 %/)
  assert.match(sentence, /paired difference −0\.20 points, 95 % interval −1\.00 points to \+0\.60 points/)
  assert.match(
    sentence,
    /1\/100 of the training time, 1\/10 of the time a prediction and 1\/100 of the size of the network/,
  )
})

test('a network that is surely better is to be used, whatever it costs', () => {
  const judged = [
    model('network', 'net', 0.99, null, [100, 50, 1e6]),
    model('baseline', 'random forest', 0.96, interval(-0.03, -0.04, -0.02), [1, 5, 1e4]),
  ]
  const { use, sentence } = advise(judged, accuracyWording)
  assert.equal(use, 0)
  assert.match(sentence, /^Use the network: its 99\.00 % is better than random forest's 96\.00 %/)
  assert.match(sentence, /by 3\.00 points \(paired 95 % interval 2\.00 points to 4\.00 points\)/)
})

test('a network that loses is said to lose', () => {
  const judged = [
    model('baseline', 'gradient boosting', 0.95, null, [2, 5, 1e5]),
    model('network', 'net', 0.9, interval(-0.05, -0.08, -0.02), [100, 50, 1e6]),
  ]
  const { use, networkLoses, sentence } = advise(judged, accuracyWording)
  assert.equal(use, 0)
  assert.equal(networkLoses, true)
  assert.match(sentence, /the network loses\. It has 90\.00 %, gradient boosting has 95\.00 %, 5\.00 points more/)
})

test('where nothing is better than the most frequent class, none is to be used', () => {
  const judged = [
    model('network', 'net', 0.71, null, [100, 50, 1e6]),
    model('baseline', 'majority class', 0.7, interval(-0.01, -0.05, 0.03), [0, 0, 8]),
  ]
  const { sentence } = advise(judged, accuracyWording)
  assert.match(sentence, /^Use none of them/)
})

test('an interval that ends at zero is no sign of being as good', () => {
  const judged = [
    model('network', 'net', 0.99, null, [100, 50, 1e6]),
    model('baseline', 'naive Bayes', 0.96, interval(-0.03, -0.06, 0), [1, 5, 1e4]),
  ]
  assert.equal(advise(judged, accuracyWording).use, 0)
})

test('without a network the baselines are held against one another', () => {
  const judged = [
    model('baseline', 'random forest', 0.95, null, [2, 5, 1e6]),
    model('baseline', 'logistic regression', 0.95, interval(0, -0.01, 0.01), [1, 1, 1e3]),
  ]
  const { use, networkLoses, sentence } = advise(judged, accuracyWording)
  assert.equal(use, 1)
  assert.equal(networkLoses, false)
  assert.match(sentence, /^Use logistic regression: its 95\.00 % is as good as random forest's 95\.00 %/)
})
