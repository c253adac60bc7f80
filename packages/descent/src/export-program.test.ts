import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { tensor, zeros } from './create.ts'
import { exportProgram } from './export-program.ts'
import { loadProgram } from './io/program.ts'
import { BatchNorm2d } from './nn/batch-norm.ts'
import * as nn from './nn/index.ts'
import { crossEntropy } from './nn/losses/index.ts'
import { SGD } from './optim/sgd.ts'
import { manualSeed, randn } from './random.ts'
import type { Tensor } from './tensor.ts'

function close(got: ArrayLike<number>, want: ArrayLike<number>): void {
  assert.equal(got.length, want.length)
  for (let i = 0; i < want.length; i++) {
    const [a, b] = [got[i] as number, want[i] as number]
    assert.ok(Math.abs(a - b) <= 1e-6 + 2e-5 * Math.abs(b), `value ${i}: ${a} instead of ${b}`)
  }
}

test('a program computes what the network does, whatever its shape and the batch size', async () => {
  manualSeed(1)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 5 }),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      async (sizes, batch, relaxedSimd) => {
        const layers = sizes.slice(1).flatMap((size, i) => [new nn.Linear(sizes[i] as number, size), new nn.GELU()])
        const net = new nn.Sequential(...layers)
        const x = randn([batch, sizes[0] as number])
        const program = await loadProgram(exportProgram((rows: Tensor) => net.forward(rows), [x], { relaxedSimd }))
        close(program.run(x.data())[0] as Float32Array, net.forward(x).data())
      },
    ),
    { numRuns: 25 },
  )
})

test('a convolutional network with running statistics, several inputs and several outputs', async () => {
  manualSeed(2)
  const norm = new BatchNorm2d(4)
  norm.forward(randn([5, 4, 6, 6]))
  const net = new nn.Sequential(new nn.Conv2d(1, 4, 3), norm, new nn.ReLU(), new nn.MaxPool2d(2)).eval()
  const [images, scale] = [randn([2, 1, 8, 8]), tensor([3, -1], { dtype: 'i32' })]
  const fn = (x: Tensor, s: Tensor) => {
    const y = net.forward(x).flatten(1)
    return [y.mul(s.float().reshape(2, 1)), y.argmax(1)] as const
  }
  const program = await loadProgram(exportProgram(fn, [images, scale]))
  assert.deepEqual(
    program.inputs.map(({ shape, dtype }) => [shape, dtype]),
    [
      [[2, 1, 8, 8], 'f32'],
      [[2], 'i32'],
    ],
  )
  const [products, places] = program.run(images.data(), scale.data())
  const [wantProducts, wantPlaces] = fn(images, scale)
  close(products as Float32Array, wantProducts.data())
  assert.deepEqual([...(places as Int32Array)], [...wantPlaces.data()])
})

test('a whole training step can be exported: it goes on learning by itself', async () => {
  manualSeed(3)
  const net = new nn.Linear(4, 3)
  const optimizer = new SGD(net.parameters(), { lr: 0.5, momentum: 0.9 })
  const [x, y] = [randn([6, 4]), tensor([0, 1, 2, 0, 1, 2], { dtype: 'i32' })]
  const step = (batch: Tensor, classes: Tensor) => {
    optimizer.zeroGrad()
    const loss = crossEntropy(net.forward(batch), classes)
    loss.backward()
    optimizer.step()
    return loss.detach()
  }
  const program = await loadProgram(exportProgram(step, [x, y], { recordGradients: true }))
  for (let i = 0; i < 5; i++) close(program.run(x.data(), y.data())[0] as Float32Array, step(x, y).data())
})

test('an index outside is an IndexError, after which the program still works', async () => {
  const rows = tensor([
    [1, 2],
    [3, 4],
  ])
  const at = tensor([0], { dtype: 'i32' })
  const program = await loadProgram(exportProgram((i: Tensor) => rows.indexSelect(0, i), [at]))
  assert.throws(() => program.run([2]), { name: 'IndexError', index: 2, size: 2 })
  assert.deepEqual(program.run([1]), [Float32Array.of(3, 4)])
})

test('arrays of another number or length are errors that say what is taken', async () => {
  const program = await loadProgram(exportProgram((x: Tensor) => x.mul(2), [zeros([2, 3])]))
  assert.throws(() => program.run(), /run: takes 1 arrays, got 0/)
  assert.throws(() => program.run([1, 2]), /input 0 is \[2, 3\], 6 values, got 2/)
})

test('a program is one file; what is none is an error that names it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'program-'))
  try {
    const path = join(folder, 'twice.wasm')
    await writeFile(
      path,
      exportProgram((x: Tensor) => x.mul(2), [zeros([2])]),
    )
    assert.deepEqual((await loadProgram(path)).run([1, 2]), [Float32Array.of(2, 4)])
    await writeFile(path, 'something else')
    await assert.rejects(loadProgram(path), {
      name: 'FormatError',
      message: /twice\.wasm: is not a WebAssembly module/,
    })
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
    await assert.rejects(loadProgram(empty), /was not written by exportProgram/)
  } finally {
    await rm(folder, { recursive: true })
  }
})
