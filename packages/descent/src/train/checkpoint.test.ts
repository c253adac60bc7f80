import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { TensorDataset } from '../data/dataset.ts'
import { Linear } from '../nn/linear.ts'
import { mseLoss } from '../nn/losses/index.ts'
import { Sequential } from '../nn/sequential.ts'
import { SGD } from '../optim/sgd.ts'
import { manualSeed, randn } from '../random.ts'
import { fit } from './fit.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checkpoints-'))
})
after(() => rm(folder, { recursive: true }))

/** A training with all that has a state: dropout, momentum, a schedule, averages, early stopping, the best weights. */
const program = `
  import * as d from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)}
  const [folder, delay] = process.argv.slice(-2)
  d.setDevice('wasm')
  d.manualSeed(4)
  const net = new d.nn.Sequential(new d.nn.Linear(3, 16), new d.nn.BatchNorm1d(16), new d.nn.ReLU(), new d.nn.Dropout(0.3), new d.nn.Linear(16, 2))
  const x = d.randn([120, 3])
  const train = new d.data.TensorDataset(x, x.sum(1).gt(0).int())
  const optimizer = new d.optim.AdamW(net.parameters(), { lr: 0.02 })
  const average = new d.optim.ExponentialMovingAverage(net.parameters(), { decay: 0.9 })
  const result = await d.fit(net, {
    train, validationSplit: 0.25, loss: d.crossEntropy, optimizer, epochs: 6, batchSize: 8, seed: 9, average,
    clipNorm: 1, accumulate: 2,
    schedule: { scheduler: new d.optim.lrScheduler.CosineAnnealingLR(optimizer, { tMax: 40 }), every: 'batch' },
    earlyStopping: { patience: 50 },
    checkpoints: { folder, everySteps: 1, keep: 3 },
    callbacks: [{ onStep: () => new Promise((resolve) => setTimeout(resolve, Number(delay))) }],
  })
  const bits = net.state ?? Object.values(net.stateDict()).map((p) => [...new Int32Array(Float32Array.from(p.data()).buffer)])
  console.log('RESULT ' + JSON.stringify({ bits, history: result.history.map(({ loss, metrics, validation, learningRate }) => ({ loss, metrics, validation, learningRate })), best: result.best }))
`

/** Runs the training; kills it after so many milliseconds from its first progress on. */
async function run(where: string, killAfter: number | null): Promise<string | null> {
  const args = ['--input-type=module', '-e', program, where, killAfter === null ? '0' : '4']
  const child = spawn(process.execPath, args, { cwd: fileURLToPath(new URL('.', import.meta.url)) })
  let output = ''
  let errors = ''
  child.stdout.on('data', (text) => {
    output += text
  })
  child.stderr.on('data', (text) => {
    errors += text
  })
  let killed = false
  if (killAfter !== null) {
    const started = setInterval(async () => {
      const files = await readdir(where).catch((): string[] => [])
      if (files.length === 0) return
      clearInterval(started)
      setTimeout(() => {
        killed = child.kill('SIGKILL')
      }, killAfter)
    }, 5)
    child.on('close', () => clearInterval(started))
  }
  await new Promise((resolve) => child.on('close', resolve))
  const result = /RESULT (.*)/.exec(output)?.[1] ?? null
  assert.ok(result !== null || killed, `${output.slice(-500)} ${errors.slice(-2000)}`)
  return result
}

test('killed at any moment and started again, a training ends with the same bits', { timeout: 120_000 }, async () => {
  const whole = await run(join(folder, 'whole'), null)
  const pieces = join(folder, 'pieces')
  let result: string | null = null
  let starts = 0
  for (const moment of [0, 60, 130, 35, 90]) {
    starts++
    result = await run(pieces, moment)
    if (result !== null) break
  }
  result ??= await run(pieces, null)
  assert.ok(starts > 1, 'it was never killed')
  assert.equal(result, whole)
  // Once more: it is finished, and gives the same.
  assert.equal(await run(pieces, null), whole)
})

function training(where: string, epochs: number, outputs = 1) {
  manualSeed(1)
  const net = new Sequential(new Linear(2, 4), new Linear(4, outputs))
  const optimizer = new SGD(net.parameters(), { lr: 0.01, momentum: 0.9 })
  manualSeed(2)
  const x = randn([12, 2])
  const train = new TensorDataset(x, x.sum(1, true).expand([12, outputs]).clone())
  const options = { train, loss: mseLoss, optimizer, epochs, batchSize: 4, progress: false }
  return { net, run: () => fit(net, { ...options, checkpoints: { folder: where } }) }
}

test('a damaged checkpoint is passed over for the one before, with a word', async () => {
  const where = join(folder, 'damaged')
  const straight = training(join(folder, 'straight'), 5)
  await straight.run()
  await training(where, 3).run()
  const [before, newest] = (await readdir(where)).sort() as [string, string]
  assert.match(before, /^step-0000000006\.safetensors$/)
  const bytes = await readFile(join(where, newest))
  await writeFile(join(where, newest), bytes.subarray(0, bytes.length - 7))
  const { warn } = console
  const said: string[] = []
  console.warn = (text: string) => said.push(text)
  const again = training(where, 5)
  await again.run().finally(() => {
    console.warn = warn
  })
  assert.match(said.join(), /step-0000000009\.safetensors is damaged .*; going on from the one before/)
  assert.deepEqual(
    again.net.parameters().map((p) => p.toArray()),
    straight.net.parameters().map((p) => p.toArray()),
  )
})

test('a checkpoint of another network is an error with the names that differ', async () => {
  const where = join(folder, 'other')
  await training(where, 1).run()
  await assert.rejects(training(where, 1, 3).run(), {
    name: 'StateDictError',
    message: /1\.weight is \[1,4\] instead of \[3,4\]/,
  })
})
