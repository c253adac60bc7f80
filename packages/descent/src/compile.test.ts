import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testedDevices } from './devices/tested.ts'
import {
  cat,
  compile,
  full,
  guard,
  IndexError,
  manualSeed,
  ones,
  rand,
  randn,
  setDevice,
  type Tensor,
  TraceError,
  tensor,
  zeros,
} from './index.ts'

for (const { name: device, skip } of testedDevices) {
  test(`${device}: a compiled training step does what the eager one does`, { skip }, () => {
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

  test(`${device}: numbers change without a new plan, shapes and guards make one`, { skip }, () => {
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

  test(`${device}: reading a value while tracing says what to do`, { skip }, () => {
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

  test(`${device}: gradients left in place are handed out, and add up over calls`, { skip }, () => {
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

  test(`${device}: a failed check leaves the state as it was`, { skip }, () => {
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

  test(`${device}: states that swap, shift and feed one another`, { skip }, () => {
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

  test(`${device}: gradients add up on the argument of each call`, { skip }, () => {
    setDevice(device)
    const step = compile((x: Tensor) => x.square().sum().backward())
    const a = tensor([1, 2], { requiresGrad: true })
    const b = tensor([3, 4], { requiresGrad: true })
    for (const x of [a, b, a, a]) step(x)
    assert.deepEqual(a.grad?.toArray(), [6, 12])
    assert.deepEqual(b.grad?.toArray(), [6, 8])
  })

  test(`${device}: an argument that is also overwritten keeps its values for the call`, { skip }, () => {
    setDevice(device)
    const state = tensor([1, 2, 3])
    const step = compile((x: Tensor) => {
      const before = x.sub(1)
      state.copy_(x.add(state))
      return before.add(state.mul(0))
    })
    assert.deepEqual(step(state.detach()).toArray(), [0, 1, 2])
    assert.deepEqual(state.toArray(), [2, 4, 6])
  })

  test(`${device}: a number written to a bool tensor is true or false`, { skip }, () => {
    setDevice(device)
    const flags = tensor([false, true])
    compile(() => flags.fill_(2))()
    assert.deepEqual(flags.sum().item(), 2)
    assert.deepEqual(flags.fill_(3).sum().item(), 2)
    assert.deepEqual(full([2], 2, { dtype: 'bool' }).sum().item(), 2)
  })

  test(`${device}: tensors without elements`, { skip }, () => {
    setDevice(device)
    const none = zeros([3, 0], { requiresGrad: true })
    const row = tensor([1, 2])
    const index = tensor(new Int32Array(0))
    const all = (): Tensor[] => [
      none,
      none.cumsum(1),
      none.exp().sort(0).values,
      none.sum(1),
      none.prod(),
      none.sum([0, 1], true).add(1),
      none.matmul(zeros([0, 2])),
      zeros([0, 2]).matmul(ones([2, 2])),
      cat([zeros([0]), row, zeros([0])]),
      zeros([0]).pad([1, 2], { value: 4 }),
      row.scatterAdd(0, index, zeros([0])),
      row.indexSelect(0, index),
      none.to('i32').sum(0),
    ]
    const want = [[[], [], []], [[], [], []], [[], [], []], [0, 0, 0], 1, [[1]], zeros([3, 2]).toArray(), [], [1, 2]]
    const more = [[4, 4, 4], [1, 2], [], []]
    const values = (xs: Tensor[]): unknown => xs.map((x) => x.toArray())
    assert.deepEqual(values(all()), [...want, ...more])
    assert.deepEqual(values(compile(all)()), [...want, ...more])
    assert.deepEqual(values(compile(() => [none.relu()])()), [[[], [], []]])
    compile(() => none.square().sum().add(row.sum()).backward())()
    assert.deepEqual(none.grad?.shape, [3, 0])
  })

  test(`${device}: a gradient is handed out where an update only happens to compute the same`, { skip }, () => {
    setDevice(device)
    const w = tensor([2, 3], { requiresGrad: true })
    const seen = zeros([2])
    compile(() => {
      const y = w.mul(1)
      y.sum().backward()
      seen.copy_(y)
    })()
    assert.deepEqual(w.grad?.toArray(), [1, 1])
    assert.deepEqual(seen.toArray(), [2, 3])
  })

  test(`${device}: a function that takes gradients away before it makes them needs one plan`, { skip }, () => {
    setDevice(device)
    const w = tensor([1, 2], { requiresGrad: true })
    const step = compile((x: Tensor) => {
      w.grad = null
      x.grad = null
      w.mul(x).sum().backward()
    })
    const x = tensor([3, 4], { requiresGrad: true })
    for (let i = 0; i < 3; i++) step(x)
    assert.deepEqual(
      [w.grad?.toArray(), x.grad?.toArray()],
      [
        [3, 4],
        [1, 2],
      ],
    )
    assert.match(step.explain(), /^1 plan was made/)
  })

  test(`${device}: random draws go on from call to call`, { skip }, () => {
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

test('gradients add up over calls, and are taken up and forgotten by functions of their own, without new plans', () => {
  const w = tensor([1, 2], { requiresGrad: true })
  const add = compile((x: Tensor) => w.mul(x).sum().backward())
  const take = compile((rate: number) => {
    if (w.grad) w.copy_(w.sub(w.grad.mul(rate)))
    w.grad = null
  })
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 3; i++) add(tensor([1, i + round]))
    assert.deepEqual(w.grad?.toArray(), [3, 3 + 3 * round])
    take(0.5)
    assert.equal(w.grad, null)
  }
  assert.deepEqual(w.toArray(), [1 - 4 * 1.5, 2 - 0.5 * (3 + 6 + 9 + 12)])
  assert.match(add.explain(), /^2 plans were made/)
  assert.match(take.explain(), /^1 plan was made/)
  // Where there is no gradient, the function does something else.
  take(0.5)
  assert.match(take.explain(), /is no gradient instead of a gradient/)
})

test('a gradient that an update has used stays where it has added to one from outside', () => {
  const both = (wrap: (fn: () => void) => () => void) => {
    const w = tensor([1], { requiresGrad: true })
    const step = wrap(() => {
      w.mul(w).sum().backward()
      if (w.grad) w.copy_(w.sub(w.grad.mul(0.25)))
    })
    w.grad = tensor([1])
    for (let i = 0; i < 3; i++) step()
    return [w.item(), w.grad?.item()]
  }
  assert.deepEqual(
    both(compile),
    both((fn) => fn),
  )
})

test('a gradient is changed in place, and one set inside is there after every call', () => {
  const w = tensor([1, 2], { requiresGrad: true })
  const halve = compile(() => {
    w.grad?.copy_(w.grad.mul(0.5))
  })
  const replace = compile((x: Tensor) => {
    w.grad = x.mul(2)
  })
  for (let i = 1; i <= 3; i++) {
    w.grad = tensor([4 * i, 8])
    halve()
    assert.deepEqual(w.grad.toArray(), [2 * i, 4])
    replace(tensor([i, 1]))
    assert.deepEqual(w.grad.toArray(), [2 * i, 2])
  }
  assert.match(halve.explain(), /^1 plan was made/)
})

test('a function that fails while it is traced leaves gradients as they were', () => {
  const w = tensor([1], { requiresGrad: true })
  const before = tensor([5])
  w.grad = before
  const broken = compile(() => {
    w.grad = null
    w.mul(2).sum().backward()
    w.item()
  })
  assert.throws(() => broken(), { name: 'TraceError' })
  assert.equal(w.grad, before)
})

test('a leaf made inside keeps its gradient to itself: no plan is made anew, and nothing is handed out', () => {
  const square = compile((x: Tensor) => {
    const leaf = x.detach().requiresGrad_()
    leaf.mul(leaf).sum().backward()
    leaf.mul(3).sum().backward()
    return leaf.grad as Tensor
  })
  assert.deepEqual(square(tensor([1, 2])).toArray(), [5, 7])
  assert.deepEqual(square(tensor([3, 4])).toArray(), [9, 11])
  assert.match(square.explain(), /^1 plan was made/)
  assert.match(square.print('kernels'), /b1: write f32\)/)
})
