import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  compile,
  guard,
  IndexError,
  manualSeed,
  rand,
  randn,
  setDevice,
  type Tensor,
  TraceError,
  tensor,
} from './index.ts'

const devices = ['reference', 'wasm'] as const

for (const device of devices) {
  test(`${device}: a compiled training step does what the eager one does`, () => {
    setDevice(device)
    const run = (compiled: boolean): number[] => {
      manualSeed(1)
      const x = randn([6, 3])
      const w = tensor(
        [
          [0.1, 0.2, 0.3],
          [0.3, -0.2, 0.5],
        ],
        { requiresGrad: true },
      )
      const momentum = w.detach().mul(0).clone()
      const body = (batch: Tensor, rate: number | Tensor): Tensor => {
        w.grad = null
        const loss = batch.matmul(w.t()).tanh().sub(0.3).square().mean()
        loss.backward()
        momentum.copy_(momentum.mul(0.9).add((w.grad as Tensor | null) ?? 0))
        w.copy_(w.detach().sub(momentum.mul(rate)))
        return loss
      }
      const step = compiled ? compile(body) : body
      return Array.from({ length: 5 }, (_, i) => step(x, 0.1 / (i + 1)).item())
    }
    const [eager, compiled] = [run(false), run(true)]
    for (const [i, loss] of eager.entries())
      assert.ok(Math.abs(loss - (compiled[i] as number)) < 1e-6, `${loss} ${compiled[i]}`)
    assert.ok((eager[4] as number) < (eager[0] as number))
  })

  test(`${device}: numbers change without a new plan, shapes and guards make one`, () => {
    setDevice(device)
    let mode = 'train'
    const read = (): string => mode
    const f = compile((x: Tensor, k: number) => x.mul(k).add(guard(read) === 'train' ? 1 : 2))
    assert.deepEqual(f(tensor([1, 2]), 3).toArray(), [4, 7])
    assert.deepEqual(f(tensor([1, 2]), 5).toArray(), [6, 11])
    assert.match(f.explain(), /^1 plan was made; the last one because it was the first call/)
    assert.deepEqual(f(tensor([1, 2, 3]), 1).toArray(), [2, 3, 4])
    assert.match(
      f.explain(),
      /^2 plans were made; the last one because tensor 0 of the arguments has shape \[3\] instead of \[2\]/,
    )
    mode = 'eval'
    assert.deepEqual(f(tensor([1, 2, 3]), 1).toArray(), [3, 4, 5])
    assert.match(f.explain(), /^3 plans were made; .* a condition that the function reads is eval instead of train/)
    f(tensor([1, 2, 3]), 9)
    assert.match(f.explain(), /^3 plans/)
  })

  test(`${device}: reading a value while tracing says what to do`, () => {
    setDevice(device)
    const outside = tensor([1, 2])
    assert.throws(() => compile((x: Tensor) => (x.sum().item() > 0 ? x : x.neg()))(tensor([1])), TraceError)
    assert.throws(
      () => compile((x: Tensor) => x.add(outside.data()[0] as number))(tensor([1])),
      /Return the tensor and read it outside/,
    )
    let kept: Tensor | undefined
    compile((x: Tensor) => {
      kept = x.mul(2)
      return kept
    })(tensor([1]))
    assert.throws(() => kept?.toArray(), TraceError)
    assert.match(String(kept), /traced/)
  })

  test(`${device}: gradients left in place are handed out, and add up over calls`, () => {
    setDevice(device)
    const w = tensor([1, 2], { requiresGrad: true })
    const f = compile((x: Tensor) => {
      const loss = w.mul(x).sum()
      loss.backward()
      return loss
    })
    f(tensor([3, 4]))
    assert.deepEqual(w.grad?.toArray(), [3, 4])
    f(tensor([3, 4]))
    f(tensor([1, 1]))
    assert.deepEqual(w.grad?.toArray(), [7, 9])
  })

  test(`${device}: a failed check leaves the state as it was`, () => {
    setDevice(device)
    const w = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { requiresGrad: true },
    )
    const seen = tensor(0)
    const step = compile((index: Tensor) => {
      w.grad = null
      const loss = w.indexSelect(0, index).sum()
      loss.backward()
      w.copy_(w.detach().sub((w.grad as Tensor | null) ?? 0))
      seen.copy_(seen.add(1))
      return loss
    })
    assert.throws(
      () => step(tensor(Int32Array.of(0, 2))),
      (e: IndexError) => e instanceof IndexError && e.index === 2 && e.size === 2,
    )
    assert.deepEqual(w.toArray(), [
      [1, 2],
      [3, 4],
    ])
    assert.equal(seen.item(), 0)
    assert.equal(step(tensor(Int32Array.of(0, 1))).item(), 10)
    assert.deepEqual(w.toArray(), [
      [0, 1],
      [2, 3],
    ])
  })

  test(`${device}: states that swap, shift and feed one another`, () => {
    setDevice(device)
    const a = tensor([1, 2, 3, 4])
    const b = tensor([5, 6, 7, 8])
    const swap = compile(() => {
      const old = a.add(0)
      a.copy_(b)
      b.copy_(old)
      a.copy_(a.roll(1, 0))
      return a.add(b)
    })
    assert.deepEqual(swap().toArray(), [9, 7, 9, 11])
    assert.deepEqual(a.toArray(), [8, 5, 6, 7])
    assert.deepEqual(b.toArray(), [1, 2, 3, 4])
    swap()
    assert.deepEqual(a.toArray(), [4, 1, 2, 3])
  })

  test(`${device}: random draws go on from call to call`, () => {
    setDevice(device)
    manualSeed(5)
    const eager = [rand([4]).toArray(), rand([4]).toArray()]
    manualSeed(5)
    const draw = compile(() => rand([4]))
    assert.deepEqual([draw().toArray(), draw().toArray()], eager)
  })
}

test('an argument on another device is refused', () => {
  setDevice('wasm')
  const f = compile((x: Tensor) => x.add(1))
  assert.throws(
    () => f(tensor([1], { device: 'reference' })),
    /an argument lives on reference, but the function runs on wasm/,
  )
})
