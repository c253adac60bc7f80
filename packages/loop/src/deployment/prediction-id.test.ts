import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isInRandomSlice, isPredictionId, predictionId } from './prediction-id.ts'

test('ids are UUIDs of version 7, all different, and sort by the millisecond they were made in', () => {
  const ids = Array.from({ length: 2000 }, (_, i) => predictionId(1_764_000_000_000 + i))
  assert.ok(ids.every(isPredictionId))
  assert.deepEqual([...ids].sort(), ids)
  assert.equal(new Set(ids).size, ids.length)
  assert.equal(Number.parseInt((ids[5] as string).replace('-', '').slice(0, 12), 16), 1_764_000_000_005)
})

test('what is no id is not taken for one', () => {
  for (const text of [
    '',
    'x',
    predictionId().toUpperCase(),
    predictionId().slice(1),
    '0199c1f2-7d1e-4a63-9b0c-5f6f1f0e9a11',
  ])
    assert.equal(isPredictionId(text), false, text)
})

test('the random slice has its share of the predictions, and a larger share holds the smaller', () => {
  const ids = Array.from({ length: 20_000 }, () => predictionId())
  const slice = ids.filter((id) => isInRandomSlice(id, 0.1))
  // Five standard deviations of a binomial share.
  assert.ok(Math.abs(slice.length - 2000) < 5 * Math.sqrt(20_000 * 0.1 * 0.9), `${slice.length}`)
  assert.ok(slice.every((id) => isInRandomSlice(id, 0.2)))
  assert.ok(!ids.some((id) => isInRandomSlice(id, 0)))
  assert.ok(ids.every((id) => isInRandomSlice(id, 1)))
})
