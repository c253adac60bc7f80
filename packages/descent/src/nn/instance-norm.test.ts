import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../compile.ts'
import { arange, tensor, zeros } from '../create.ts'
import { testedDevices } from '../devices/tested.ts'
import { setDevice } from '../index.ts'
import { randn } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import { InstanceNorm1d, InstanceNorm2d } from './instance-norm.ts'

function near(x: Tensor | null, want: readonly number[]): void {
  const got = [...(x as Tensor).values()]
  assert.equal(got.length, want.length)
  got.forEach((value, i) => {
    const expected = want[i] as number
    assert.ok(Math.abs(value - expected) <= 2e-6 + 2e-5 * Math.abs(expected), `${i}: ${value} instead of ${expected}`)
  })
}

const batch = (): Tensor =>
  tensor([
    [
      [1, 2, 4],
      [0, -1, 3],
    ],
    [
      [2, 2, 5],
      [7, 1, 1],
    ],
  ])

for (const { name: device, skip } of testedDevices) {
  for (const mode of ['eager', 'compiled']) {
    test(`running statistics and what is made of them are PyTorch's, ${mode} on ${device}`, { skip }, () => {
      setDevice(device)
      const norm = new InstanceNorm1d(2, { affine: true, trackRunningStats: true, momentum: 0.25 })
      norm.loadStateDict({
        weight: tensor([2, 0.5]),
        bias: tensor([1, -1]),
        running_mean: zeros([2]),
        running_var: tensor([1, 1]),
        num_batches_tracked: tensor(0),
      })
      const forward = mode === 'compiled' ? compile((x: Tensor) => norm.forward(x)) : (x: Tensor) => norm.forward(x)
      near(
        forward(batch()),
        [
          -1.138083, 0.465479, 3.672604, -1.196116, -1.49029, -0.313595, -0.41421, -0.41421, 3.82842, -0.292894,
          -1.353553, -1.353553,
        ],
      )
      near(norm.runningMean, [0.666667, 0.458333])
      near(norm.runningVar, [1.416667, 2.791667])
      forward(batch().slice(0))
      near(norm.runningMean, [1.083333, 0.510417])
      near(norm.runningVar, [1.645833, 3.177083])
      norm.eval()
      const x = batch().requiresGrad_()
      const slopes = (x: Tensor): Tensor => {
        const y = norm.forward(x)
        y.mul(arange(12).reshape(2, 2, 3))
          .sum()
          .backward()
        return y
      }
      near(
        (mode === 'compiled' ? compile(slopes) : slopes)(x),
        [
          0.870087, 2.429049, 5.546975, -1.143179, -1.423693, -0.301636, 2.429049, 2.429049, 7.105938, 0.820421,
          -0.862665, -0.862665,
        ],
      )
      near(
        x.grad,
        [
          0, 1.558963, 3.117926, 0.841543, 1.122057, 1.402571, 9.353777, 10.91274, 12.471703, 2.524629, 2.805143,
          3.085657,
        ],
      )
      near((norm.weight as Tensor).grad, [38.974068, 41.270668])
      near((norm.bias as Tensor).grad, [24, 42])
      near(norm.forward(batch().slice(1)), [2.429049, 2.429049, 7.105938, 0.820421, -0.862665, -0.862665])
      near(norm.runningMean, [1.083333, 0.510417])
    })
  }
}

test('without tracking there are no statistics, and use and training are the same', () => {
  const norm = new InstanceNorm2d(3)
  assert.deepEqual([norm.runningMean, norm.runningVar, Object.keys(norm.stateDict())], [null, null, []])
  const x = randn([2, 3, 4, 4])
  assert.deepEqual(norm.forward(x).toArray(), norm.eval().forward(x).toArray())
  const tracked = new InstanceNorm2d(3, { trackRunningStats: true })
  assert.deepEqual(Object.keys(tracked.stateDict()), ['running_mean', 'running_var'])
  assert.equal(tracked.buffers().length, 2)
})

test('a channel of one value has no variance, but running statistics serve it', () => {
  const norm = new InstanceNorm2d(2, { trackRunningStats: true, eps: 0 })
  const x = tensor([3, 4]).reshape(1, 2, 1, 1)
  assert.throws(() => norm.forward(x), /InstanceNorm2d: a channel of one value, \[1, 2, 1, 1\], has no variance/)
  assert.deepEqual(norm.eval().forward(x).flatten().toArray(), [3, 4])
})
