import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compile } from '../compile.ts'
import { arange, tensor } from '../create.ts'
import { testedDevices } from '../devices/tested.ts'
import { setDevice } from '../index.ts'
import type { Tensor } from '../tensor.ts'
import { type InterpolateOptions, interpolate } from './upsample.ts'

const image = (): Tensor =>
  tensor([
    [
      [
        [1, -2, 3, 0],
        [4, 1, -1, 2],
        [0, 5, 2, -3],
      ],
    ],
  ])

/** PyTorch's results, and its gradients for cotangents 1, 2, 3, … */
const figures: readonly (readonly [InterpolateOptions, y: readonly number[], gradient: readonly number[]])[] = [
  [
    { size: [2, 3] },
    [1.28951, 0.083496, 0.883883, 1.521607, 3.267334, -1.422104],
    [
      0.413452, 0.879273, 1.142456, 1.678101, 0.949034, 1.257402, 1.443996, 1.845662, 2.263672, 2.667727, 2.930907,
      3.528321,
    ],
  ],
  [
    { size: [2, 3], alignCorners: true },
    [1, 0.5, 0, 0, 4.4375, -3],
    [0.8125, 1.1875, 1.1875, 2.8125, 0, 0, 0, 0, 3.53125, 2.96875, 2.96875, 5.53125],
  ],
  [
    { scaleFactor: [1.5, 2] },
    [
      1.05599, -0.137248, -2.17216, -1.182563, 2.342611, 3.140965, 0.821221, -0.544949, 3.270508, 1.96936, -0.193481,
      -0.935791, 0.146729, 1.056763, 1.354858, 1.547852, 3.881655, 3.363503, 2.544211, 0.932454, -0.608706, -0.669266,
      0.821737, 1.706263, 0.219908, 1.603538, 3.919411, 4.341309, 2.705386, 0.336829, -1.503296, -2.642949,
    ],
    [
      8.365864, 14.844548, 21.244223, 26.476076, 50.979454, 59.518509, 66.472725, 70.658913, 45.904713, 51.324474,
      55.236221, 56.974415,
    ],
  ],
  [
    { scaleFactor: [1.5, 2], alignCorners: true },
    [
      1, -0.653062, -2.030612, -0.877551, 1.877551, 3.030613, 1.653062, 0, 3.5, 1.842566, 0.056853, -0.818459,
      -0.545864, 0.192691, 1.111058, 1.925926, 3.074074, 3.115376, 2.894289, 1.673766, 0.169392, -0.604525, -0.077314,
      0.648149, 0, 2.335277, 4.631195, 4.973762, 3.556851, 1.158889, -1.137028, -3,
    ],
    [
      3.394485, 11.16511, 19.029545, 15.670164, 32.55994, 59.227718, 69.632965, 48.801598, 45.824036, 78.365166,
      86.229599, 58.099701,
    ],
  ],
  [{ size: 1 }, [-0.5625], [0, 0, 0, 0, -0.09375, 0.59375, 0.59375, -0.09375, 0, 0, 0, 0]],
  [{ size: 1, alignCorners: true }, [1], [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
]

function near(x: Tensor | null, want: readonly number[]): void {
  const got = [...(x as Tensor).values()]
  assert.equal(got.length, want.length)
  got.forEach((value, i) => {
    const expected = want[i] as number
    assert.ok(Math.abs(value - expected) <= 4e-6 + 2e-5 * Math.abs(expected), `${i}: ${value} instead of ${expected}`)
  })
}

for (const { name: device, skip } of testedDevices) {
  test(`bicubic interpolation and its gradient are PyTorch's, eager and compiled, on ${device}`, { skip }, () => {
    setDevice(device)
    for (const [options, y, gradient] of figures) {
      const run = (x: Tensor): Tensor => {
        const y = interpolate(x, { ...options, mode: 'bicubic' })
        y.mul(arange(y.size).add(1).reshape(y.shape)).sum().backward()
        return y
      }
      for (const fn of [run, compile(run)]) {
        const x = image().requiresGrad_()
        near(fn(x), y)
        near(x.grad, gradient)
      }
    }
  })
}

test('a cubic keeps what is constant, and with the corners aligned every old value where it was', () => {
  const size = fc.integer({ min: 1, max: 9 })
  fc.assert(
    fc.property(size, size, fc.boolean(), (height, width, alignCorners) => {
      const y = interpolate(image().zerosLike().add(3), { size: [height, width], mode: 'bicubic', alignCorners })
      assert.ok([...y.values()].every((value) => Math.abs(value - 3) < 1e-5))
    }),
  )
  const twice = interpolate(image(), { size: [5, 7], mode: 'bicubic', alignCorners: true })
  near(twice.slice(0, 0, [0, 5, 2], [0, 7, 2]), [...image().values()])
})

test('bicubic interpolation is of images', () => {
  assert.throws(() => interpolate(arange(4).reshape(1, 1, 4), { size: 2, mode: 'bicubic' }), /'bicubic' does not take/)
})
