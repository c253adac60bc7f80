import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../compile.ts'
import { tensor } from '../create.ts'
import { decodeSafetensors, encodeSafetensors } from '../io/safetensors.ts'
import type { Tensor } from '../tensor.ts'
import { Adam, AdamW } from './adam.ts'
import type { Optimizer } from './optimizer.ts'
import { SGD } from './sgd.ts'

const makers: Record<string, (p: Tensor[]) => Optimizer> = {
  SGD: (p) => new SGD(p, { lr: 0.05 }),
  'SGD with momentum and dampening': (p) => new SGD(p, { lr: 0.03, momentum: 0.8, dampening: 0.2 }),
  'SGD with Nesterov': (p) => new SGD(p, { lr: 0.02, momentum: 0.8, nesterov: true, weightDecay: 0.001 }),
  Adam: (p) => new Adam(p, { lr: 0.1 }),
  'Adam with amsgrad': (p) => new Adam(p, { lr: 0.1, amsgrad: true, weightDecay: 0.001 }),
  'Adam without memory': (p) => new Adam(p, { lr: 0.05, betas: [0, 0] }),
  AdamW: (p) => new AdamW(p, { lr: 0.1 }),
}

/** A bowl whose lowest point is (1, −2). */
function stepOf(p: Tensor, optimizer: Optimizer): () => Tensor {
  return () => {
    optimizer.zeroGrad()
    const loss = p
      .sub(tensor([1, -2]))
      .square()
      .mul(tensor([1, 3]))
      .sum()
    loss.backward()
    optimizer.step()
    return loss.detach()
  }
}

for (const [name, make] of Object.entries(makers)) {
  test(`${name} reaches the lowest point, the same way compiled as eager`, () => {
    const [a, b] = [tensor([3, 3]).requiresGrad_(), tensor([3, 3]).requiresGrad_()]
    const eager = stepOf(a, make([a]))
    const compiled = compile(stepOf(b, make([b])))
    for (let i = 0; i < 150; i++) {
      const [x, y] = [eager().item(), compiled().item()]
      assert.ok(Math.abs(x - y) <= 1e-4 * (1 + Math.abs(x)), `step ${i}: ${x} and ${y}`)
    }
    const [first, second] = a.toArray() as [number, number]
    assert.ok(Math.hypot(first - 1, second + 2) < 0.15, `${a}`)
    assert.match(compiled.explain(), /^1 plan was made/)
  })

  test(`${name} goes on from a saved state as if it had not stopped`, () => {
    const run = (interruptAt: number | null): number[] => {
      const p = tensor([3, 3]).requiresGrad_()
      let optimizer = make([p])
      let step = compile(stepOf(p, optimizer))
      for (let i = 0; i < 10; i++) {
        if (i === interruptAt) {
          const { tensors } = decodeSafetensors(encodeSafetensors(optimizer.stateDict()))
          optimizer = make([p])
          optimizer.lr = 99
          optimizer.loadStateDict(tensors)
          step = compile(stepOf(p, optimizer))
        }
        step()
      }
      return p.toArray() as number[]
    }
    // Saving rounds to 32 bits, which only the reference device has more than.
    const [a, b] = [run(4), run(null)]
    assert.ok(
      a.every((value, i) => Math.abs(value - (b[i] as number)) < 1e-6),
      `${a} and ${b}`,
    )
  })
}

test('a new learning rate takes effect at the next step, without a new plan', () => {
  const p = tensor([1]).requiresGrad_()
  const sgd = new SGD([p], { lr: 0.25 })
  const step = compile(() => {
    sgd.zeroGrad()
    const loss = p.mul(2).sum()
    loss.backward()
    sgd.step()
    return loss
  })
  step()
  assert.equal(p.item(), 0.5)
  sgd.lr = 1
  step()
  assert.equal(p.item(), -1.5)
  assert.equal(sgd.lr, 1)
  assert.match(step.explain(), /^1 plan was made/)
})

test('parameters without a gradient stay', () => {
  const [a, b] = [tensor([1]).requiresGrad_(), tensor([1]).requiresGrad_()]
  const adamw = new AdamW([a, b], { lr: 0.5 })
  a.sum().backward()
  adamw.step()
  assert.notEqual(a.item(), 1)
  assert.equal(b.item(), 1)
  adamw.zeroGrad()
  assert.equal(a.grad, null)
})

test('settings that cannot be are errors', () => {
  const p = tensor([1]).requiresGrad_()
  assert.throws(() => new SGD([], { lr: 1 }), /at least one parameter/)
  assert.throws(() => new SGD([p], { lr: -1 }), /must be 0 or more, not -1/)
  assert.throws(() => new SGD([p], { lr: 1, nesterov: true }), /Nesterov/)
  assert.throws(() => new Adam([p], { betas: [0.9, 1] }), /must be in \[0, 1\)/)
  assert.throws(() => new SGD([p.mul(2)], { lr: 1 }), /the result of an operation/)
  const adam = new Adam([p])
  assert.throws(() => {
    adam.lr = Number.NaN
  }, RangeError)
  assert.throws(() => adam.loadStateDict({}), { name: 'StateDictError', message: /missing: lr, betas, eps, weight_decay, step, exp_avg\.0/ })
})
