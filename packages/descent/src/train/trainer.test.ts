import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tensor } from '../create.ts'
import { ArrayDataset, type Batch, column, TensorDataset } from '../data/dataset.ts'
import { DataLoader } from '../data/loader.ts'
import { Softmax, Tanh } from '../nn/activations/modules.ts'
import { BatchNorm1d } from '../nn/batch-norm.ts'
import { Dropout } from '../nn/dropout.ts'
import { Linear } from '../nn/linear.ts'
import { crossEntropy, mseLoss, multiOutputLoss } from '../nn/losses/index.ts'
import { CrossEntropyLoss } from '../nn/losses/modules.ts'
import { Module } from '../nn/module.ts'
import { Sequential } from '../nn/sequential.ts'
import * as lrScheduler from '../optim/lr-scheduler/index.ts'
import { SGD } from '../optim/sgd.ts'
import { manualSeed, randn } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import type { StepReport } from './callback.ts'
import { balancedClassWeights } from './class-weights.ts'
import { fit } from './fit.ts'
import type { AccumulatingMetric } from './metrics.ts'
import type { FitOptions } from './options.ts'
import { Trainer } from './trainer.ts'

/** 40 points of two classes, three of four in class 0. */
function points(count = 40): ArrayDataset {
  manualSeed(11)
  const x = Float32Array.from(randn([count, 2]).data())
  const y = Int32Array.from({ length: count }, (_, i) => Number(i % 4 === 3))
  for (let i = 0; i < count; i++) x[2 * i] = (x[2 * i] as number) + (y[i] === 1 ? 2 : -2)
  return new ArrayDataset(column(x, [2]), column(y))
}

function setUp(more: Partial<FitOptions> = {}, ...layers: Module[]) {
  manualSeed(5)
  const net = new Sequential(new Linear(2, 8), new Tanh(), ...layers, new Linear(8, 2))
  const optimizer = new SGD(net.parameters(), { lr: 0.1, momentum: 0.9 })
  const options: FitOptions = {
    train: points(),
    loss: crossEntropy,
    optimizer,
    epochs: 3,
    batchSize: 8,
    progress: false,
    ...more,
  }
  return { net, optimizer, options }
}

const weightsOf = (net: Module<never[], unknown>) => net.parameters().map((p) => [...p.data()])

test('schedules step every epoch or every batch, and their rates are reported', async () => {
  for (const [every, expected] of [
    ['epoch', [0.1, 0.05, 0.025]],
    ['batch', [0.1 * 0.5 ** 5, 0.1 * 0.5 ** 10, 0.1 * 0.5 ** 15]],
  ] as const) {
    const { net, optimizer, options } = setUp()
    const scheduler = new lrScheduler.ExponentialLR(optimizer, { gamma: 0.5 })
    const { history } = await fit(net, { ...options, schedule: { scheduler, every } })
    for (const [i, report] of history.entries())
      assert.ok(Math.abs((report.learningRate as number) - (expected[i] as number)) < 1e-9)
  }
})

test('ReduceLROnPlateau is given the validation score that it is asked for', async () => {
  const { net, optimizer, options } = setUp({ validation: points(12) })
  const scheduler = new lrScheduler.ReduceLROnPlateau(optimizer, { patience: 0, threshold: 10 })
  await fit(net, { ...options, schedule: { scheduler, metric: 'loss' } })
  assert.ok(optimizer.lr < 0.1)
  await assert.rejects(
    fit(net, { ...options, schedule: { scheduler, metric: 'auc' } }),
    /there is no metric 'auc'; measured are loss, accuracy/,
  )
})

test('a schedule stepped past its end says so', async () => {
  const { net, optimizer, options } = setUp()
  const scheduler = new lrScheduler.OneCycleLR(optimizer, { maxLr: 0.1, totalSteps: 4 })
  await assert.rejects(fit(net, { ...options, schedule: { scheduler, every: 'batch' } }), /OneCycleLR/)
})

test('early stopping ends a training that does not get better, with the best weights', async () => {
  const { net, options } = setUp({ validation: points(12), epochs: 50 })
  const { history, stoppedEarly, best } = await fit(net, {
    ...options,
    earlyStopping: { patience: 2, minDelta: 1 },
  })
  assert.deepEqual([history.length, stoppedEarly], [3, true])
  assert.ok(best)
  await assert.rejects(fit(net, { ...setUp().options, earlyStopping: { patience: 1 } }), /needs a validation set/)
  await assert.rejects(
    fit(net, { ...options, earlyStopping: { patience: 0 } }),
    /patience must be a whole number above 0/,
  )
})

test('gradients of several batches together move the weights as one large batch does', async () => {
  for (const compile of [true, false]) {
    const small = setUp({ accumulate: 4, batchSize: 2, compile, epochs: 1, train: points(16) })
    const large = setUp({ batchSize: 8, compile, epochs: 1, train: points(16) })
    await fit(small.net, small.options)
    await fit(large.net, large.options)
    const [a, b] = [weightsOf(small.net).flat(), weightsOf(large.net).flat()]
    for (const [i, value] of a.entries()) assert.ok(Math.abs(value - (b[i] as number)) < 1e-5, `weight ${i}`)
  }
})

test('the last, smaller group of a stream whose length nobody knows moves the weights too', async () => {
  const batches: Batch[] = [...new DataLoader(points(20), { batchSize: 4 })]
  const stream = {
    async *[Symbol.asyncIterator]() {
      yield* batches
    },
  }
  const steps: number[] = []
  const { net, options } = setUp({ train: stream, accumulate: 4, epochs: 2 })
  const known = setUp({ train: new DataLoader(points(20), { batchSize: 4 }), accumulate: 4, epochs: 2 })
  await fit(net, { ...options, callbacks: [{ onStep: ({ step }) => void steps.push(step) }] })
  await fit(known.net, known.options)
  assert.deepEqual(steps, [1, 2, 3, 4])
  assert.deepEqual(weightsOf(net), weightsOf(known.net))
})

test('over-fitting is part of the result', async () => {
  manualSeed(8)
  const x = randn([40, 20])
  const noise = tensor(Int32Array.from({ length: 40 }, (_, i) => (i * 7) % 2))
  const train = new TensorDataset(x, noise)
  const net = new Sequential(new Linear(20, 64), new Tanh(), new Linear(64, 2))
  const optimizer = new SGD(net.parameters(), { lr: 0.3, momentum: 0.9 })
  const options = { train, validationSplit: 0.5, loss: crossEntropy, optimizer, epochs: 40, progress: false }
  const { overfitting } = await fit(net, options)
  assert.match(overfitting?.message ?? '', /dropout/)
})

test('clipping bounds what a step moves', async () => {
  for (const clip of [{ clipNorm: 1e-3 }, { clipValue: 1e-4 }]) {
    const { net, options } = setUp({ epochs: 1, batchSize: 40, ...clip })
    const before = weightsOf(net).flat()
    await fit(net, options)
    const moved = Math.hypot(
      ...weightsOf(net)
        .flat()
        .map((value, i) => value - (before[i] as number)),
    )
    assert.ok(moved > 0 && moved < 2e-4 * Math.sqrt(before.length), `${moved}`)
  }
})

test('an L1 penalty makes weights small', async () => {
  const size = async (l1: number) => {
    const { net, options } = setUp({ l1, epochs: 30 })
    await fit(net, options)
    return weightsOf(net)
      .flat()
      .reduce((sum, value) => sum + Math.abs(value), 0)
  }
  assert.ok((await size(0.1)) < 0.5 * (await size(0)))
})

test('balanced class weights are those of scikit-learn, and reach the loss', async () => {
  assert.deepEqual((await balancedClassWeights(points())).toArray(), [Math.fround(40 / 60), 2])
  const plain = setUp({ epochs: 1 })
  const weighted = setUp({ epochs: 1, classWeights: 'balanced' })
  await fit(plain.net, plain.options)
  await fit(weighted.net, weighted.options)
  assert.notDeepEqual(weightsOf(plain.net), weightsOf(weighted.net))
  const same = setUp({ epochs: 1, classWeights: [40 / 60, 2] })
  await fit(same.net, same.options)
  assert.deepEqual(weightsOf(same.net), weightsOf(weighted.net))
  await assert.rejects(
    fit(plain.net, { ...plain.options, loss: new CrossEntropyLoss(), classWeights: [1, 1] }),
    /needs a loss function/,
  )
})

test('several validation sets are measured by name; a share of the training set can be one, with every class', async () => {
  const { net, options } = setUp({ validation: { easy: points(8), hard: points(12) } })
  const { history, best } = await fit(net, options)
  assert.deepEqual(Object.keys(history[0]?.validations ?? {}), ['easy', 'hard'])
  assert.equal(history[0]?.validation?.loss, history[0]?.validations?.easy?.loss)
  assert.ok(best)
  const split = setUp({ validationSplit: 0.25, train: points(48) })
  const steps: StepReport[] = []
  const onStep = (report: StepReport): void => {
    steps.push(report)
  }
  const found = await fit(split.net, { ...split.options, epochs: 1, batchSize: 12, callbacks: [{ onStep }] })
  assert.equal(steps.length, 3)
  assert.ok(found.history[0]?.validation)
})

test('callbacks hear of the start, each step, each epoch and the end, in order', async () => {
  const { net, options } = setUp({ epochs: 2, batchSize: 20 })
  const heard: string[] = []
  const callback = {
    onStart: ({ batches, epochs }: { batches: number | null; epochs: number }) => {
      heard.push(`start ${batches} ${epochs}`)
    },
    onStep: async ({ step, epoch, batch }: StepReport) => {
      await Promise.resolve()
      heard.push(`step ${step} ${epoch} ${batch}`)
    },
    onEpoch: ({ epoch }: { epoch: number }) => {
      heard.push(`epoch ${epoch}`)
    },
    onEnd: (history: readonly unknown[]) => {
      heard.push(`end ${history.length}`)
    },
  }
  await fit(net, { ...options, callbacks: [callback] })
  assert.deepEqual(heard, [
    'start 2 2',
    ...['step 1 1 1', 'step 2 1 2', 'epoch 1'],
    ...['step 3 2 1', 'step 4 2 2', 'epoch 2'],
    'end 2',
  ])
})

test('metrics that accumulate see the whole validation set', async () => {
  let rows = 0
  const counting: AccumulatingMetric = {
    reset: () => {
      rows = 0
    },
    update: (output, target) => {
      assert.equal(output.shape[0], target.shape[0])
      rows += output.shape[0] as number
    },
    compute: () => rows,
  }
  const { net, options } = setUp({ metrics: { rows: counting }, validation: points(20), epochs: 2 })
  const { history } = await fit(net, options)
  assert.deepEqual(
    history.map(({ validation, metrics }) => [validation?.metrics.rows, metrics.rows]),
    [
      [20, undefined],
      [20, undefined],
    ],
  )
})

test('loaders, arrays of batches and asynchronous streams train alike', async () => {
  const results: unknown[] = []
  const batches: Batch[] = [...new DataLoader(points(), { batchSize: 8 })]
  async function* stream() {
    for (const batch of batches) {
      await Promise.resolve()
      yield batch
    }
  }
  for (const train of [new DataLoader(points(), { batchSize: 8 }), batches, { [Symbol.asyncIterator]: stream }]) {
    const { net, options } = setUp({ train })
    await fit(net, options)
    results.push(weightsOf(net))
  }
  assert.deepEqual(results[1], results[0])
  assert.deepEqual(results[2], results[0])
  const { net, options } = setUp({ train: [] as Batch[] })
  await assert.rejects(fit(net, options), /the training data gave no batches in epoch 1/)
})

test('a network of several outputs has a loss for each', async () => {
  class Two extends Module<[Tensor], readonly Tensor[]> {
    readonly a = new Linear(2, 1)
    readonly b = new Linear(2, 2)
    override forward(x: Tensor): readonly Tensor[] {
      return [this.a.forward(x), this.b.forward(x)]
    }
  }
  manualSeed(6)
  const net = new Two()
  const x = randn([16, 2])
  const y = [x.sum(1, true), x.slice(null, 0).gt(0).int()]
  const batches = [{ x, y }] as unknown as Batch[]
  const optimizer = new SGD(net.parameters(), { lr: 0.1 })
  const loss = multiOutputLoss([mseLoss, crossEntropy])
  const { history } = await fit<readonly Tensor[]>(net, {
    train: batches,
    loss,
    optimizer,
    epochs: 20,
    progress: false,
  })
  assert.ok((history.at(-1)?.loss as number) < 0.5 * (history[0]?.loss as number))
})

test('a loss that does not fit the last activation is said once, in one sentence, and changes nothing', async () => {
  const { warn } = console
  const said: string[] = []
  console.warn = (text: string) => said.push(text)
  try {
    const { net, options } = setUp({}, new BatchNorm1d(8), new Dropout(0.5))
    await fit(net, options)
    assert.deepEqual(said, [])
    const plain = weightsOf(net)
    const again = setUp({}, new BatchNorm1d(8), new Dropout(0.5))
    await fit(again.net, again.options)
    assert.deepEqual(weightsOf(again.net), plain)
    const wrong = new Sequential(new Linear(2, 2), new Softmax(1))
    await fit(wrong, { ...options, optimizer: new SGD(wrong.parameters(), { lr: 0.1 }) })
  } finally {
    console.warn = warn
  }
  assert.equal(said.length, 1)
  assert.match(said.join(), /^fit: crossEntropy takes logits .* remove the softmax/)
})

test('a trainer predicts and evaluates in eval mode, and leaves the mode as it was', async () => {
  const { net, options } = setUp({}, new Dropout(0.9))
  const trainer = new Trainer(net, options)
  const x = randn([3, 2])
  assert.deepEqual(trainer.predict(x).toArray(), trainer.predict(x).toArray())
  assert.equal(net.training, true)
  const { loss } = await trainer.evaluate(points())
  assert.equal((await trainer.evaluate(points())).loss, loss)
})

test('settings that cannot be are errors that name them', async () => {
  const { net, options } = setUp()
  const refuse = (more: Partial<FitOptions>, message: RegExp) =>
    assert.rejects(async () => fit(net, { ...options, ...more }), message)
  await refuse({ accumulate: 0 }, /accumulate must be a whole number above 0/)
  await refuse({ validationSplit: 1 }, /validationSplit must be above 0 and below 1/)
  await refuse({ validationSplit: 0.5, validation: points() }, /either a validation set or a validationSplit/)
  await refuse({ checkpoints: { folder: 'x', everySteps: 0 } }, /everySteps must be above 0/)
  const floats = new TensorDataset(tensor([[1, 2]]), tensor([1]))
  await refuse({ train: floats, classWeights: 'balanced' }, /needs classes as targets/)
})
