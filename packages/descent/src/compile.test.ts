import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compile, guard, IndexError, manualSeed, rand, randn, setDevice, type Tensor, TraceError, tensor } from './index.ts'

const devices = ['reference', 'wasm'] as const

for (const device of devices) {
  test(`${device}: a compiled training step does what the eager one does`, () => {
    setDevice(device)
    const run = (compiled: boolean): number[] => {
      manualSeed(1)
      const x = randn([6, 3])
      const w = tensor([[0.1, 0.2, 0.3], [0.3, -0.2, 0.5]], { requiresGrad: true })
      const momentum = w.detach().mul(0).clone()
      const body = (batch: Tensor, rate: number | Tensor): Tensor => {
        w.grad = null
        const loss = batch.matmul(w.t()).tanh().sub(0.3).square().mean()
        loss.backward()
        momentum.copy_(momentum.mul(0.9).add(w.grad as Tensor | null ?? 0))
        w.copy_(w.detach().sub(momentum.mul(rate)))
        return loss
      }
      const step = compiled ? compile(body) : body
      return Array.from({ length: 5 }, (_, i) => step(x, 0.1 / (i + 1)).item())
    }
    const [eager, compiled] = [run(false), run(true)]
    eager.forEach((loss, i) => assert.ok(Math.abs(loss - (compiled[i] as number)) < 1e-6, `${loss} ${compiled[i]}`))
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
    assert.match(f.explain(), /^2 plans were made; the last one because tensor 0 of the arguments has shape \[3\] instead of \[2\]/)
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
    assert.throws(() => compile((x: Tensor) => x.add(outside.data()[0] as number))(tensor([1])), /Return the tensor and read it outside/)
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
    const w = tensor([[1, 2], [3, 4]], { requiresGrad: true })
    const seen = tensor(0)
    const step = compile((index: Tensor) => {
      w.grad = null
      const loss = w.indexSelect(0, index).sum()
      loss.backward()
      w.copy_(w.detach().sub(w.grad as Tensor | null ?? 0))
      seen.copy_(seen.add(1))
      return loss
    })
    assert.throws(() => step(tensor(Int32Array.of(0, 2))), (e: IndexError) => e instanceof IndexError && e.index === 2 && e.size === 2)
    assert.deepEqual(w.toArray(), [[1, 2], [3, 4]])
    assert.equal(seen.item(), 0)
    assert.equal(step(tensor(Int32Array.of(0, 1))).item(), 10)
    assert.deepEqual(w.toArray(), [[0, 1], [2, 3]])
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

/** Small programs over two inputs: compiled on wasm, compiled on the reference device and eager must agree. */
const program: fc.Arbitrary<readonly number[]> = fc.array(fc.nat(14), { minLength: 1, maxLength: 9 })

function interpret(code: readonly number[], x: Tensor, y: Tensor): Tensor {
  const stack: Tensor[] = [y, x]
  const at = (i: number): Tensor => stack[(((i % stack.length) + stack.length) % stack.length)] as Tensor
  code.forEach((op, i) => {
    const a = at(stack.length - 1)
    const b = at(op + i)
    switch (op) {
      case 0: return stack.push(a.add(b))
      case 1: return stack.push(a.mul(b).mul(0.5))
      case 2: return stack.push(a.tanh())
      case 3: return stack.push(a.sub(a.mean(1, true)))
      case 4: return stack.push(a.softmax(1))
      case 5: return stack.push(a.sum(0, true).expand(a.shape).mul(0.3))
      case 6: return stack.push(a.matmul(b.t()).matmul(b).mul(0.1).tanh())
      case 7: return stack.push(a.relu().sub(b.sigmoid()))
      case 8: return stack.push(a.roll(1, 1))
      case 9: return stack.push(a.pad([1, 0]).slice(null, [0, a.shape[1] as number]))
      case 10: return stack.push(a.flip(0))
      case 11: return stack.push(a.gt(b).where(a, b))
      case 12: return stack.push(a.cumsum(1).mul(0.2))
      case 13: return stack.push(a.sub(a.amax(1, true)))
      default: return stack.push(a.abs().add(1).log())
    }
  })
  return stack.at(-1) as Tensor
}

test('random programs with gradients: compiled and eager, wasm and reference agree', () => {
  fc.assert(
    fc.property(program, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 9 }), (code, n, m) => {
      const values = (phase: number): Float32Array => Float32Array.from({ length: n * m }, (_, i) => Math.sin(i * 1.37 + phase))
      const results = devices.flatMap((device) =>
        [false, true].map((compiled) => {
          setDevice(device)
          const x = tensor(values(0.3), { shape: [n, m], requiresGrad: true })
          const y = tensor(values(1.9), { shape: [n, m] })
          const body = (b: Tensor): Tensor => {
            const out = interpret(code, x, b)
            out.mul(out).mean().backward()
            return out
          }
          const out = (compiled ? compile(body) : body)(y)
          return [...out.data(), ...(x.grad?.data() ?? new Float32Array(n * m))]
        }),
      )
      const [expected, ...others] = results as [number[], ...number[][]]
      for (const other of others) {
        other.forEach((value, i) => {
          const want = expected[i] as number
          assert.ok(Math.abs(value - want) <= 2e-4 * (1 + Math.abs(want)), `${value} ${want}`)
        })
      }
    }),
    { numRuns: 60, seed: 11 },
  )
})
