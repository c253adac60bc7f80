import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Comparison } from '../registry/gate-report.ts'
import { gainLines } from './gain-text.ts'

const accuracy: Comparison = {
  figure: 'accuracy',
  pValue: 0.1,
  examples: 1000,
  champion: 0.9,
  challenger: 0.95,
  difference: { estimate: 0.05, low: -0.01, high: 0.11 },
}
const error: Comparison = {
  figure: 'mean absolute error',
  pValue: 0.1,
  examples: 30,
  champion: 2.108,
  challenger: 1.843,
  difference: { estimate: -0.265, low: -0.73, high: 0.0758 },
}

test('what labels bought is said in points, with the interval, and a hundred labels each', () => {
  assert.equal(
    gainLines({ labels: 200, test: accuracy, traffic: null }),
    'What 200 new labels bought:\n  on the test set (1,000): 90.0 % → 95.0 %, +5.0 points (−1.0 to +11.0), +2.5 a hundred labels',
  )
})

test('numbers are said in their own unit; without new labels nothing is said of a hundred', () => {
  assert.equal(
    gainLines({ labels: 0, test: error, traffic: null }),
    'What training again bought, without new labels:\n  on the test set (30): mean absolute error 2.11 → 1.84, −0.265 (−0.73 to +0.0758)',
  )
})

test('where nothing could be compared, that is said', () => {
  assert.match(gainLines({ labels: 1, test: null, traffic: null }), /^What 1 new label bought cannot be told/)
})
