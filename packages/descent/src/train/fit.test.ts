import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { tensor } from '../create.ts'
import { ArrayDataset, column, type Dataset, TensorDataset } from '../data/dataset.ts'
import { Tanh } from '../nn/activations/modules.ts'
import { Dropout } from '../nn/dropout.ts'
import { Linear } from '../nn/linear.ts'
import { crossEntropy } from '../nn/losses/cross-entropy.ts'
import { mseLoss } from '../nn/losses/regression.ts'
import type { Module } from '../nn/module.ts'
import { Sequential } from '../nn/sequential.ts'
import { Adam } from '../optim/adam.ts'
import { SGD } from '../optim/sgd.ts'
import { manualSeed } from '../random.ts'
import { evaluate } from './evaluate.ts'
import { fit } from './fit.ts'
import { NonFiniteLossError } from './non-finite.ts'
import type { FitOptions } from './options.ts'

/** Points of two classes, divided by a circle. */
function circle(count: number, change: (x: Float32Array, y: Int32Array) => void = () => {}): ArrayDataset {
  const x = Float32Array.from({ length: 2 * count }, (_, i) => Math.sin(12.9898 * (i + 1)) * 1.5)
  const y = Int32Array.from({ length: count }, (_, i) =>
    Number(Math.hypot(x[2 * i] as number, x[2 * i + 1] as number) < 1),
  )
  change(x, y)
  return new ArrayDataset(column(x, [2]), column(y))
}

function network(...more: Module[]): Sequential {
  manualSeed(3)
  return new Sequential(new Linear(2, 16), new Tanh(), ...more, new Linear(16, 2))
}

function options(net: Module, train: Dataset, more: Partial<FitOptions> = {}): FitOptions {
  const optimizer = new Adam(net.parameters(), { lr: 0.03 })
  return { train, loss: crossEntropy, optimizer, epochs: 2, batchSize: 16, progress: false, ...more }
}

test('a network learns, and accuracy is measured where targets are classes', async () => {
  const net = network()
  const { history, best, interrupted } = await fit(net, options(net, circle(100), { epochs: 25 }))
  assert.equal(history.length, 25)
  assert.ok((history[24]?.metrics.accuracy ?? 0) > 0.9, `${history[24]?.metrics.accuracy}`)
  assert.deepEqual([best, interrupted], [null, false])
})

test('the same seed gives the same losses to the last bit, with dropout, compiled or not', async () => {
  const losses = async (more: Partial<FitOptions>) => {
    const net = network(new Dropout(0.2))
    return (await fit(net, options(net, circle(50), { seed: 5, ...more }))).history.map(({ loss }) => loss)
  }
  const first = await losses({})
  assert.deepEqual(await losses({}), first)
  assert.notDeepEqual(await losses({ seed: 6 }), first)
  for (const [i, loss] of (await losses({ compile: false })).entries()) {
    assert.ok(Math.abs(loss - (first[i] as number)) < 1e-5)
  }
})

test('with validation the network ends with the weights of its best epoch', async () => {
  const net = network()
  const validation = circle(30)
  const rates = [0.03, 0.03, 50]
  const given = options(net, circle(60), { epochs: 3, validation })
  const { history, best } = await fit(net, {
    ...given,
    onEpoch: ({ epoch }) => {
      given.optimizer.lr = rates[epoch] ?? 0
    },
  })
  const losses = history.map((report) => report.validation?.loss as number)
  assert.equal(best?.loss, Math.min(...losses))
  assert.notEqual(best?.epoch, 3)
  const { loss } = await evaluate(net, validation, { loss: crossEntropy })
  assert.ok(Math.abs(loss - (best?.loss as number)) < 1e-6)
})

test('a loss that is NaN stops the training, names the step and keeps the last good weights', async () => {
  const net = network()
  const broken = circle(48, (x) => {
    x[2 * 20 + 1] = Number.NaN
  })
  const error = await fit(net, options(net, broken)).then(
    () => assert.fail('it went on'),
    (e: unknown) => e,
  )
  assert.ok(error instanceof NonFiniteLossError)
  assert.match(
    error.message,
    /the loss became NaN at epoch 1, batch [123]\. The input data holds NaN, in example 20 of the dataset.*last good weights/,
  )
  for (const p of net.parameters()) assert.ok(p.data().every(Number.isFinite))

  // The weights are those after the steps before: the same as from a training that ends there.
  const again = network()
  const stop = new AbortController()
  let batches = 0
  const until: Dataset = {
    length: broken.length,
    batch: (numbers) => {
      if (++batches === error.batch - 1) stop.abort()
      return broken.batch(numbers)
    },
  }
  if (error.batch > 1) await fit(again, options(again, until, { signal: stop.signal }))
  assert.deepEqual(
    net.parameters().map((p) => p.data()),
    again.parameters().map((p) => p.data()),
  )
})

test('a step that writes NaN into the weights is taken back, though only the next loss shows it', async () => {
  const net = new Linear(1, 1, { bias: false })
  net.weight.fill_(1)
  const train = new TensorDataset(tensor([[1], [1]]), tensor([[0], [0]]))
  // √0 has an infinite slope: the first loss is 0, its gradient NaN.
  const loss = (output: ReturnType<Linear['forward']>) => output.sub(1).square().sum().sqrt()
  const optimizer = new SGD(net.parameters(), { lr: 0.1 })
  await assert.rejects(fit(net, { train, loss, optimizer, epochs: 1, batchSize: 1, progress: false }), {
    name: 'NonFiniteLossError',
    epoch: 1,
    batch: 2,
    message: /The data of this batch is finite\. The gradient of weight was not finite: try a smaller learning rate/,
  })
  assert.equal(net.weight.item(), 1)
})

test('NaN among the targets is named as such', async () => {
  const net = new Linear(1, 1)
  const train = new TensorDataset(tensor([[1], [1]]), tensor([[Number.NaN], [0]]))
  const optimizer = new SGD(net.parameters(), { lr: 0.1 })
  await assert.rejects(
    fit(net, { train, loss: mseLoss, optimizer, epochs: 1, progress: false }),
    /The target data holds NaN, in example 0/,
  )
})

test('empty datasets and impossible numbers of epochs are errors that say so', async () => {
  const net = network()
  await assert.rejects(fit(net, options(net, circle(0))), /fit: the training dataset is empty/)
  await assert.rejects(
    fit(net, options(net, circle(4), { validation: circle(0) })),
    /fit: the validation dataset is empty/,
  )
  await assert.rejects(fit(net, options(net, circle(4), { epochs: 0 })), /epochs must be a whole number above 0, not 0/)
})

test('a class out of range is an IndexError that names index, range and step', async () => {
  for (const compile of [true, false]) {
    const net = network()
    const wrong = circle(20, (_, y) => {
      y[7] = 2
    })
    await assert.rejects(fit(net, options(net, wrong, { compile, batchSize: 20 })), {
      name: 'IndexError',
      message: /index 2 is out of range; it must be at least 0 and below 2.*epoch 1, batch 1/,
    })
  }
})

test('a signal stops it after the current step; finished epochs are reported and the best weights kept', async () => {
  const net = network()
  const stop = new AbortController()
  const { history, best, interrupted } = await fit(
    net,
    options(net, circle(40), {
      epochs: 50,
      validation: circle(10),
      signal: stop.signal,
      onEpoch: ({ epoch }) => {
        if (epoch === 2) stop.abort()
      },
    }),
  )
  assert.equal(history.length, 2)
  assert.equal(interrupted, true)
  assert.ok(best)
})

test('Ctrl-C stops it cleanly: the program goes on after fit', async () => {
  const program = `
    import { tensor } from ${JSON.stringify(new URL('../create.ts', import.meta.url).href)}
    import { TensorDataset } from ${JSON.stringify(new URL('../data/dataset.ts', import.meta.url).href)}
    import { Linear } from ${JSON.stringify(new URL('../nn/linear.ts', import.meta.url).href)}
    import { mseLoss } from ${JSON.stringify(new URL('../nn/losses/regression.ts', import.meta.url).href)}
    import { SGD } from ${JSON.stringify(new URL('../optim/sgd.ts', import.meta.url).href)}
    import { fit } from ${JSON.stringify(fileURLToPath(new URL('./fit.ts', import.meta.url)))}
    const net = new Linear(1, 1)
    const optimizer = new SGD(net.parameters(), { lr: 0.01 })
    const train = new TensorDataset(tensor([[1]]), tensor([[2]]))
    const result = await fit(net, { train, loss: mseLoss, optimizer, epochs: 1e9 })
    console.log('after fit', result.interrupted, Number.isFinite(net.weight.item()))
    process.exit(0)
  `
  const child = spawn(process.execPath, [
    ...process.execArgv.filter((a) => !a.startsWith('--test')),
    '--input-type=module',
    '-e',
    program,
  ])
  let output = ''
  let sent = false
  child.stderr.on('data', (text) => {
    output += text
  })
  child.stdout.on('data', (text) => {
    output += text
    if (!sent && output.includes('epoch 2/')) {
      sent = true
      child.kill('SIGINT')
    }
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  assert.equal(code, 0, output.slice(-2000))
  assert.match(output, /Stopping after this step/)
  assert.match(output, /after fit true true/)
})
