import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../compile.ts'
import { tensor } from '../create.ts'
import { manualSeed, randn } from '../random.ts'
import type { Tensor } from '../tensor.ts'

const times = (text: string, part: string) => text.split(part).length - 1

function kernelsOf(fn: (x: Tensor) => Tensor, x: Tensor): string {
  const compiled = compile(fn)
  const [got, want] = [compiled(x).data(), fn(x).data()]
  assert.ok(
    got.every((value, i) => Math.abs(value - (want[i] as number)) <= 1e-6 + 2e-5 * Math.abs(want[i] as number)),
    'compiled is not as eager',
  )
  return compiled.print('kernels')
}

test('softmax computes each exponential once, in one kernel, along any dimension', () => {
  manualSeed(1)
  for (const dim of [0, 1, 2]) {
    const text = kernelsOf((x) => x.softmax(dim), randn([7, 19, 33]))
    assert.equal(times(text, 'kernel '), 1)
    assert.equal(times(text, 'exp('), 1, text)
  }
})

test('so do its gradients', () => {
  manualSeed(2)
  const g = randn([5, 40])
  const text = kernelsOf(
    (x) => {
      const leaf = x.detach().requiresGrad_()
      leaf.softmax(1).backward(g)
      const gradient = leaf.grad as Tensor
      leaf.grad = null
      return gradient
    },
    randn([5, 40]),
  )
  assert.equal(times(text, 'exp('), 1, text)
})

test('rows longer than the caches are read again rather than kept', () => {
  const text = kernelsOf((x) => x.softmax(1), randn([64, 33000]))
  assert.equal(times(text, 'exp('), 2, text)
})

test('a function of something else is computed for itself', () => {
  manualSeed(3)
  const text = kernelsOf((x) => x.mul(2).exp().div(x.exp().sum(1, true)), randn([4, 30]))
  assert.equal(times(text, 'exp('), 2, text)
})

test('an output that is a state is right too, and so are both of two outputs', () => {
  manualSeed(4)
  const x = randn([3, 50])
  const state = tensor(new Float32Array(150), { shape: [3, 50] })
  const step = compile((y: Tensor) => {
    const p = y.softmax(1)
    state.copy_(p)
    return [p, p.mul(y).sum(1), p.log()] as const
  })
  const [p, , log] = step(x)
  const want = x.softmax(1).data()
  for (const got of [p, state, log.exp()]) {
    assert.ok(got.data().every((value, i) => Math.abs(value - (want[i] as number)) < 1e-6))
  }
})
