import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Augmentation,
  compose,
  cutOut,
  featureDropout,
  gaussianNoise,
  mixUp,
  randomBrightness,
  randomContrast,
  randomCrop,
  randomFlip,
  randomRotate,
  randomShift,
} from './augment.ts'
import type { RawArray, RawBatch } from './raw.ts'
import { takeExamples } from './raw.ts'

const images = (n: number, c: number, h: number, w: number): RawBatch => ({
  x: { shape: [n, c, h, w], values: Float32Array.from({ length: n * c * h * w }, (_, i) => i + 1) },
  y: { shape: [n], values: Int32Array.from({ length: n }, (_, i) => i % 3) },
  numbers: Int32Array.from({ length: n }, (_, i) => 100 + i),
})
const place = { seed: 7, epoch: 2 }
const valuesOf = (batch: RawBatch) => [...batch.x.values]

const all: Record<string, Augmentation> = {
  shift: randomShift({ max: 2, fill: -1 }),
  rotate: randomRotate({ degrees: 30 }),
  flip: randomFlip(),
  flipDown: randomFlip({ direction: 'vertical' }),
  crop: randomCrop({ size: [4, 3], padding: 2 }),
  cutOut: cutOut({ size: 2 }),
  brightness: randomBrightness({ max: 0.5 }),
  contrast: randomContrast({ max: 0.5 }),
  noise: gaussianNoise({ std: 1 }),
  featureDropout: featureDropout({ p: 0.5 }),
}
all.composed = compose(...Object.values(all))

for (const [name, augment] of Object.entries(all)) {
  test(`${name}: the same bits for an example, whatever its batch; others for another seed, epoch or example`, () => {
    const whole = images(9, 2, 6, 5)
    const before = valuesOf(whole)
    const got = augment(whole, place)
    assert.deepEqual(valuesOf(whole), before, 'the batch was changed')
    const order = [4, 0, 8, 3]
    assert.deepEqual(augment(takeExamples(whole, order), place), takeExamples(got, order))
    assert.notDeepEqual(valuesOf(augment(whole, { ...place, seed: 8 })), valuesOf(got))
    assert.notDeepEqual(valuesOf(augment(whole, { ...place, epoch: 3 })), valuesOf(got))
    assert.ok(got.x.values.every(Number.isFinite))
  })
}

/** Every result of one augmentation of a small image, over many examples, as texts. */
function outcomes(augment: Augmentation, values: readonly number[], h: number, w: number): Map<string, number> {
  const n = 2000
  const x = {
    shape: [n, 1, h, w],
    values: Float32Array.from({ length: n * h * w }, (_, i) => values[i % (h * w)] as number),
  }
  const batch = { ...images(n, 1, h, w), x }
  const { shape, values: got } = augment(batch, place).x
  const size = (shape[2] as number) * (shape[3] as number)
  const counts = new Map<string, number>()
  for (let i = 0; i < n; i++) {
    const key = got.subarray(i * size, (i + 1) * size).join(' ')
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

test('a flip mirrors half of the images', () => {
  for (const [direction, flipped] of [
    ['horizontal', '2 1 4 3'],
    ['vertical', '3 4 1 2'],
  ] as const) {
    const counts = outcomes(randomFlip({ direction }), [1, 2, 3, 4], 2, 2)
    assert.deepEqual([...counts.keys()].sort(), ['1 2 3 4', flipped].sort())
    assert.ok(Math.abs((counts.get(flipped) ?? 0) - 1000) < 120)
  }
})

test('a shift by one has nine outcomes, all as likely', () => {
  const counts = outcomes(randomShift({ max: 1, fill: 9 }), [1, 2, 3, 4], 2, 2)
  const expected = ['1 2 3 4', '9 1 9 3', '2 9 4 9', '9 9 1 2', '3 4 9 9', '9 9 9 1', '9 9 2 9', '9 3 9 9', '4 9 9 9']
  assert.deepEqual([...counts.keys()].sort(), expected.sort())
  for (const count of counts.values()) assert.ok(Math.abs(count - 2000 / 9) < 75, `${count}`)
})

test('a crop has every place of the padded image', () => {
  const counts = outcomes(randomCrop({ size: 1, padding: 1 }), [1, 2, 3, 4], 2, 2)
  assert.deepEqual([...counts.keys()].sort(), ['0', '1', '2', '3', '4'])
  for (const pixel of '1234') assert.ok(Math.abs((counts.get(pixel) ?? 0) - 125) < 50)
})

test('a cut-out covers a square about any pixel, and only that', () => {
  const counts = outcomes(cutOut({ size: 1, fill: 0 }), [1, 2, 3, 4], 2, 2)
  assert.deepEqual([...counts.keys()].sort(), ['0 2 3 4', '1 0 3 4', '1 2 0 4', '1 2 3 0'])
  assert.deepEqual([...outcomes(cutOut({ size: 1, p: 0 }), [1, 2, 3, 4], 2, 2).keys()], ['1 2 3 4'])
})

test('no turn changes nothing, small ones little, and a disc stays a disc', () => {
  const batch = images(2, 1, 7, 7)
  assert.deepEqual(valuesOf(randomRotate({ degrees: 0 })(batch, place)), valuesOf(batch))
  const disc = Float32Array.from({ length: 21 * 21 }, (_, i) =>
    Math.exp(-(((i % 21) - 10) ** 2 + (Math.floor(i / 21) - 10) ** 2) / 20),
  )
  const x = { shape: [1, 1, 21, 21], values: disc }
  const turned = randomRotate({ degrees: 180 })({ ...images(1, 1, 21, 21), x }, place)
  for (const [i, value] of turned.x.values.entries()) assert.ok(Math.abs(value - (disc[i] as number)) < 0.03)
})

test('contrast keeps the mean of an image, brightness its differences', () => {
  fc.assert(
    fc.property(fc.nat(1000), (seed) => {
      const batch = images(3, 2, 2, 2)
      const mean = (x: RawArray, i: number) => [...x.values].slice(8 * i, 8 * i + 8).reduce((a, b) => a + b) / 8
      const contrast = randomContrast({ max: 0.9 })(batch, { seed, epoch: 0 }).x
      const bright = randomBrightness({ max: 5 })(batch, { seed, epoch: 0 }).x
      for (let i = 0; i < 3; i++) {
        assert.ok(Math.abs(mean(contrast, i) - mean(batch.x, i)) < 1e-4)
        const added = (bright.values[8 * i] as number) - (batch.x.values[8 * i] as number)
        assert.ok(Math.abs(added) <= 5)
        for (let j = 0; j < 8; j++)
          assert.ok(
            Math.abs((bright.values[8 * i + j] as number) - (batch.x.values[8 * i + j] as number) - added) < 1e-4,
          )
      }
    }),
    { numRuns: 30 },
  )
})

test('mix-up mixes inputs and targets with the same shares, of two examples of the batch', () => {
  const n = 200
  const x = { shape: [n, 1], values: Float32Array.from({ length: n }, (_, i) => i) }
  const y = { shape: [n], values: Int32Array.from({ length: n }, (_, i) => i) }
  const batch = { x, y, numbers: y.values }
  const mixed = mixUp({ alpha: 1, classes: n })(batch, place)
  const soft = mixed.y as RawArray
  assert.deepEqual(soft.shape, [n, n])
  let sum = 0
  for (let i = 0; i < n; i++) {
    const row = soft.values.subarray(i * n, (i + 1) * n)
    const parts = [...row.entries()].filter(([, share]) => share > 0)
    assert.ok(parts.length === 2 && parts.some(([k]) => k === i), `${parts}`)
    assert.ok(Math.abs(parts.reduce((total, [, share]) => total + share, 0) - 1) < 1e-6)
    const expected = parts.reduce((total, [k, share]) => total + k * share, 0)
    assert.ok(Math.abs((mixed.x.values[i] as number) - expected) < 1e-3)
    sum += row[i] as number
  }
  // Beta(1, 1) is uniform: its mean is a half.
  assert.ok(Math.abs(sum / n - 0.5) < 0.07, `${sum / n}`)
  assert.deepEqual(mixUp({ alpha: 1, classes: n })(batch, place), mixed)
  const floats = { ...batch, y: x }
  assert.deepEqual(mixUp({ alpha: 1 })(floats, place).y, mixUp({ alpha: 1 })(floats, place).x)
})

test('noise has the deviation that was asked for, feature dropout the share', () => {
  const n = 20_000
  const x = { shape: [n, 1], values: new Float32Array(n).fill(3) }
  const batch = {
    x,
    y: { shape: [n], values: new Int32Array(n) },
    numbers: Int32Array.from({ length: n }, (_, i) => i),
  }
  const noisy = valuesOf(gaussianNoise({ std: 0.5 })(batch, place))
  const mean = noisy.reduce((a, b) => a + b) / n
  const std = Math.sqrt(noisy.reduce((a, b) => a + (b - mean) ** 2, 0) / n)
  assert.ok(Math.abs(mean - 3) < 0.02 && Math.abs(std - 0.5) < 0.02, `${mean} ${std}`)
  const dropped = valuesOf(featureDropout({ p: 0.2, fill: -1 })(batch, place))
  assert.ok(Math.abs(dropped.filter((v) => v === -1).length / n - 0.2) < 0.015)
  assert.ok(dropped.every((v) => v === -1 || v === 3))
})

test('what cannot be augmented is an error that says why', () => {
  const batch = images(2, 1, 4, 4)
  const flat = { ...batch, x: { shape: [2, 16], values: batch.x.values } }
  assert.throws(() => randomFlip()(flat, place), /takes images \[N, C, H, W\], got \[2, 16\]/)
  const whole = { ...batch, x: { ...batch.x, values: new Int32Array(32) } }
  assert.throws(() => randomShift({ max: 1 })(whole, place), /augments f32 batches, not i32/)
  assert.throws(() => randomCrop({ size: 7, padding: 1 })(batch, place), /\[7, 7\] does not fit into images \[4, 4\]/)
  assert.throws(() => mixUp()(batch, place), /say how many with `classes`/)
  assert.throws(() => mixUp({ classes: 1 })(batch, place), /index 1 is out of range/)
  assert.throws(() => randomShift({ max: 1.5 }), /must be a whole number, not 1.5/)
  assert.throws(() => randomFlip({ p: 2 }), /a probability is from 0 to 1, not 2/)
  assert.throws(() => mixUp({ alpha: 0 }), /alpha must be above 0/)
})
