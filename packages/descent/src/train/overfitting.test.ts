import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ArrayDataset, column } from '../data/dataset.ts'
import { Tanh } from '../nn/activations/modules.ts'
import { AlphaDropout, Dropout } from '../nn/dropout.ts'
import { Linear } from '../nn/linear.ts'
import { crossEntropy } from '../nn/losses/cross-entropy.ts'
import { Sequential } from '../nn/sequential.ts'
import { AdamW } from '../optim/adam.ts'
import { SGD } from '../optim/sgd.ts'
import { manualSeed } from '../random.ts'
import { fit } from './fit.ts'
import { overfitting, remediesInUse } from './overfitting.ts'
import type { EpochReport } from './progress.ts'

function history(training: (epoch: number) => number, validation: ((epoch: number) => number) | null, epochs: number) {
  return Array.from({ length: epochs }, (_, i): EpochReport => {
    const scores = validation ? { loss: validation(i + 1), metrics: {} } : null
    return { epoch: i + 1, loss: training(i + 1), metrics: {}, validation: scores, seconds: 1, examplesPerSecond: 1 }
  })
}

/** Normal noise from a seed (a sum of twelve uniform numbers). */
function noise(seed: number): () => number {
  let s = Math.imul(seed + 1, 2654435761) >>> 0
  return () => {
    let sum = -6
    for (let i = 0; i < 12; i++) {
      s = (Math.imul(s ^ (s >>> 15), 2246822519) + 3266489917) >>> 0
      sum += s / 2 ** 32
    }
    return sum
  }
}

const falling = (epoch: number) => Math.exp(-epoch / 8)
const seeds = fc.nat(1e6)
const epochs = fc.integer({ min: 6, max: 100 })
const scales = fc.double({ min: 1e-3, max: 1e3, noNaN: true })
const sizes = fc.double({ min: 0, max: 0.3, noNaN: true })

test('no alarm: both fall, at a constant gap, flat, or the validation levels off, through noise of any size', () => {
  fc.assert(
    fc.property(seeds, epochs, scales, sizes, (seed, count, scale, size) => {
      const random = noise(seed)
      const shapes = [falling, (e: number) => falling(e) + 0.5, () => 0.7, (e: number) => 0.4 + Math.exp(-e / 3)]
      for (const shape of shapes) {
        const reports = history(
          (e) => scale * falling(e),
          (e) => scale * (shape(e) + 1 + size * random()),
          count,
        )
        const found = overfitting(reports)
        assert.equal(found, null, found?.message)
      }
    }),
    { numRuns: 300, seed: 1 },
  )
})

test('no alarm for single outliers, for a training that falls apart, and without enough to judge from', () => {
  for (const at of [3, 12, 20]) {
    assert.equal(overfitting(history(falling, (e) => falling(e) + (e === at ? 5 : 0), 20)), null)
  }
  const apart = (e: number) => 1 + (e - 5) ** 2 / 50
  assert.equal(overfitting(history(apart, apart, 20)), null)
  assert.equal(overfitting(history(falling, (e) => e, 5)), null)
  assert.equal(overfitting(history(falling, null, 50)), null)
  assert.equal(overfitting(history(falling, (e) => (e === 9 ? Number.NaN : e), 20)), null)
  assert.equal(overfitting([]), null)
})

test('a validation loss that turns is found, at about its turn, whatever the scale, through noise', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 4, max: 15 }), scales, (seed, turn, scale) => {
      const random = noise(seed)
      const bowl = (e: number) => 1 + Math.abs(e - turn) / 20 + 0.005 * random()
      const found = overfitting(
        history(
          (e) => scale * falling(e),
          (e) => scale * bowl(e),
          turn + 12,
        ),
      )
      assert.ok(found && Math.abs(found.since - 1 - turn) <= 2, `${found?.since} instead of ${turn + 1}`)
    }),
    { numRuns: 200, seed: 1 },
  )
})

test('the sentence says since when, what is seen and what to try, but not what is in use', () => {
  const reports = history(
    (e) => 1 / e,
    (e) => 1 + Math.abs(e - 8) / 8,
    16,
  )
  assert.equal(
    overfitting(reports)?.message,
    'Over-fitting since epoch 9: the validation loss rose from 1 to 2 while the training loss fell from 0.125 to 0.0625; try dropout, weight decay, more data or augmentation, early stopping (at epoch 8), or a smaller network.',
  )
  const advice = (...inUse: Parameters<typeof overfitting>[1] & string[]) =>
    overfitting(reports, inUse as never)?.message.split('; ')[1]
  assert.equal(advice('dropout', 'weightDecay', 'augmentation', 'earlyStopping'), 'try more data or a smaller network.')
  assert.equal(advice('dropout', 'weightDecay', 'augmentation', 'earlyStopping', 'smallerNetwork'), 'try more data.')
})

test('what a network and its optimizer use is seen', () => {
  const plain = new Linear(2, 2)
  const dropping = new Sequential(plain, new Dropout(0.1))
  assert.deepEqual(remediesInUse(plain, new SGD(plain.parameters(), { lr: 1 })), [])
  assert.deepEqual(remediesInUse(dropping, new AdamW(plain.parameters())), ['dropout', 'weightDecay'])
  assert.deepEqual(remediesInUse(new AlphaDropout(0), new SGD(plain.parameters(), { lr: 1 })), [])
})

test('a large network on few noisy examples over-fits, and one that cannot learn by heart does not', async () => {
  const random = noise(4)
  const points = (count: number) => {
    const x = Float32Array.from({ length: 8 * count }, () => random())
    const y = Int32Array.from({ length: count }, (_, i) => Number((x[8 * i] as number) + random() > 0))
    return new ArrayDataset(column(x, [8]), column(y))
  }
  const [few, many, validation] = [points(40), points(800), points(300)]
  const trained = async (net: Sequential, train: ArrayDataset) => {
    const optimizer = new AdamW(net.parameters(), { lr: 5e-3, weightDecay: 0 })
    return (await fit(net, { train, validation, loss: crossEntropy, optimizer, epochs: 25, progress: false })).history
  }
  manualSeed(1)
  const large = await trained(new Sequential(new Linear(8, 64), new Tanh(), new Linear(64, 2)), few)
  const found = overfitting(large)
  assert.ok(found && found.since < 24, JSON.stringify(large.map((r) => r.validation?.loss)))
  const small = await trained(new Sequential(new Linear(8, 2)), many)
  assert.equal(overfitting(small), null)
})
