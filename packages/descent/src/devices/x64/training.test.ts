/** Whole training steps on x64: the same bits for any number of threads, and memory that is given back. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import {
  compile,
  crossEntropy,
  manualSeed,
  nn,
  optim,
  randint,
  randn,
  scaledDotProductAttention,
  setDevice,
  setThreads,
  type Tensor,
  tensor,
} from '../../index.ts'
import { x64Device } from './device.ts'

const found = x64Device()

class Attention extends nn.Module {
  readonly project = new nn.Linear(48, 144)
  readonly out = new nn.Linear(48, 10)

  /** [N, T, 48] → [N · T, 10] */
  override forward(x: Tensor): Tensor {
    const [n, t] = x.shape as [number, number]
    const split = this.project.forward(x).reshape([n, t, 3, 3, 16]).permute(2, 0, 3, 1, 4)
    const [q, k, v] = [0, 1, 2].map((i) => split.slice(i)) as [Tensor, Tensor, Tensor]
    const mixed = scaledDotProductAttention(q, k, v, { causal: true })
      .permute(0, 2, 1, 3)
      .reshape([n * t, 48])
    return this.out.forward(mixed)
  }
}

function losses(network: () => nn.Module, x: () => Tensor, count: number, threads: number): number[] {
  setDevice('x64')
  setThreads(threads)
  manualSeed(5)
  const net = network()
  const input = x()
  const target = randint(0, 10, [count])
  const optimizer = new optim.AdamW(net.parameters(), { lr: 1e-3 })
  const step = compile(() => {
    optimizer.zeroGrad()
    const loss = crossEntropy(net.forward(input), target)
    loss.backward()
    optimizer.step()
    return loss
  })
  return Array.from({ length: 12 }, () => step().item())
}

const networks = {
  'a convolutional network': (threads: number) =>
    losses(
      () =>
        new nn.Sequential(
          new nn.Conv2d(1, 16, 3),
          new nn.ReLU(),
          new nn.Conv2d(16, 32, 3, { stride: 2 }),
          new nn.ReLU(),
          new nn.MaxPool2d(2),
          new nn.Flatten(),
          new nn.Linear(32 * 6 * 6, 10),
        ),
      () => randn([16, 1, 28, 28]),
      16,
      threads,
    ),
  attention: (threads: number) =>
    losses(
      () => new Attention(),
      () => randn([8, 40, 48]),
      320,
      threads,
    ),
}

describe('training on x64', { skip: typeof found === 'string' ? found : false }, () => {
  for (const [name, run] of Object.entries(networks)) {
    test(`${name}: the same bits with 1, 2 and 4 threads`, () => {
      const one = run(1)
      assert.ok(one.every(Number.isFinite))
      assert.ok((one.at(-1) as number) < (one[0] as number))
      assert.deepEqual(run(2), one)
      assert.deepEqual(run(4), one)
    })
  }

  test('plans that leave the cache give their machine code and memory back', () => {
    const library = new URL('../../index.ts', import.meta.url).href
    const source = `
      const { readFileSync } = await import('node:fs')
      const { setTimeout } = await import('node:timers/promises')
      const { compile, ones, setDevice } = await import(${JSON.stringify(library)})
      setDevice('x64')
      const double = compile((x) => x.mul(2).sum())
      const mappings = () => readFileSync('/proc/self/maps', 'utf8').split('\\n').length
      const counts = []
      for (let i = 1; i <= 600; i++) {
        double(ones([i]))
        if (i % 100 === 0) {
          gc()
          await setTimeout(20)
          counts.push(mappings())
        }
      }
      console.log(JSON.stringify(counts))`
    const args = ['--expose-gc', '--input-type=module', '--eval', source]
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    const counts = JSON.parse(stdout || '[]') as number[]
    assert.equal(counts.length, 6, stderr)
    // The cache keeps 16 plans, of a few mappings each; without it 500 plans would be thousands.
    assert.ok(Math.max(...counts) - Math.min(...counts) < 300, `mappings: ${counts}`)
  })

  test('an array that was transferred away is an error, not a crash', () => {
    setDevice('x64')
    const values = new Float32Array(1000).fill(1)
    const x = tensor(values)
    assert.equal(x.sum().item(), 1000)
    structuredClone(values, { transfer: [values.buffer] })
    assert.throws(() => x.sum().item(), /was transferred to another thread/)
  })
})
