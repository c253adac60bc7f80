import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { tensor } from '../create.ts'
import { ArrayDataset, column, images, TensorDataset } from './dataset.ts'
import { DataLoader } from './loader.ts'

const counting = (length: number) => {
  const numbers = Int32Array.from({ length }, (_, i) => i)
  return new ArrayDataset(column(Float32Array.from(numbers, (i) => i / 2)), column(numbers))
}

test('every epoch hands out each example once, in batches, inputs beside their targets', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(),
      (length, batchSize, seed) => {
        const loader = new DataLoader(counting(length), { batchSize, shuffle: true, seed })
        const seen: number[] = []
        let batches = 0
        for (const { x, y, numbers } of loader) {
          batches++
          assert.deepEqual(y.toArray(), [...numbers])
          assert.deepEqual(
            x.toArray(),
            Array.from(numbers, (i) => i / 2),
          )
          seen.push(...numbers)
        }
        assert.equal(batches, loader.length)
        assert.deepEqual(
          seen.sort((a, b) => a - b),
          Array.from({ length }, (_, i) => i),
        )
      },
    ),
    { numRuns: 25 },
  )
})

test('epochs have different orders, which the seed decides', () => {
  const orders = (seed: number) => {
    const loader = new DataLoader(counting(20), { batchSize: 20, shuffle: true, seed })
    return [1, 2].map(() => [...loader].map(({ numbers }) => [...numbers]))
  }
  const [first, second] = orders(1)
  assert.notDeepEqual(first, second)
  assert.deepEqual(orders(1), [first, second])
  assert.notDeepEqual(orders(2)[0], first)
})

test('a training taken up at an epoch sees that epoch again', () => {
  const one = new DataLoader(counting(20), { batchSize: 20, shuffle: true })
  const two = new DataLoader(counting(20), { batchSize: 20, shuffle: true })
  for (const _ of one);
  two.epoch = 1
  assert.deepEqual([...one][0]?.numbers, [...two][0]?.numbers)
})

test('dropLast leaves out a batch that is not full', () => {
  assert.deepEqual(
    [...new DataLoader(counting(7), { batchSize: 3, dropLast: true })].map(({ numbers }) => numbers.length),
    [3, 3],
  )
})

test('empty datasets, empty epochs and impossible batch sizes are errors that say so', () => {
  assert.throws(() => new DataLoader(counting(0)), /the dataset is empty/)
  assert.throws(
    () => new DataLoader(counting(3), { batchSize: 4, dropLast: true }),
    /3 examples do not fill one batch of 4/,
  )
  assert.throws(() => new DataLoader(counting(3), { batchSize: 0 }), /whole number above 0, not 0/)
  assert.throws(() => new DataLoader(counting(3), { batchSize: 1.5 }), /not 1.5/)
})

test('columns that do not fit are errors', () => {
  assert.throws(
    () => new ArrayDataset(column(new Float32Array(4)), column(new Int32Array(3))),
    /4 inputs and 3 targets/,
  )
  assert.throws(() => column(new Float32Array(5), [2]), /5 values do not divide into examples \[2\]/)
  assert.throws(() => counting(3).batch(Int32Array.of(3)), /Example 3 does not exist/)
  assert.throws(() => images({ shape: [4], values: new Uint8Array(4) }), /takes an array \[N, H, W\] of bytes/)
})

test('images are bytes / 255, moved and scaled', () => {
  const column = images({ shape: [1, 1, 2], values: Uint8Array.of(0, 255) }, { mean: 0.5, std: 0.25 })
  const { x } = new ArrayDataset(column, { shape: [], dtype: 'i32', values: Int32Array.of(1) }).batch(Int32Array.of(0))
  assert.deepEqual([x.shape, x.toArray()], [[1, 1, 1, 2], [[[[-2, 2]]]]])
})

test('tensors are datasets by their first dimension', () => {
  const pairs = new TensorDataset(
    tensor([
      [1, 2],
      [3, 4],
    ]),
    tensor([5, 6], { dtype: 'i32' }),
  )
  const { x, y } = pairs.batch(Int32Array.of(1, 0))
  assert.deepEqual(
    [x.toArray(), y.toArray(), y.dtype],
    [
      [
        [3, 4],
        [1, 2],
      ],
      [6, 5],
      'i32',
    ],
  )
})
