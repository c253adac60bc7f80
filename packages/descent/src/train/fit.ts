/** Training: the loop over epochs and batches, with everything that belongs around it. */
import { noGrad } from '../autograd.ts'
import { compile } from '../compile.ts'
import type { Dataset } from '../data/dataset.ts'
import { DataLoader } from '../data/loader.ts'
import { IndexError } from '../errors.ts'
import type { Module } from '../nn/module.ts'
import type { StateDict } from '../nn/state-dict.ts'
import type { Optimizer } from '../optim/optimizer.ts'
import { manualSeed } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import { evaluator, type Loss, type Measured, measure, readScores } from './evaluate.ts'
import { breathe, type Interrupt, watchInterrupt } from './interrupt.ts'
import { LastGood } from './last-good.ts'
import { Averages, type Metrics } from './metrics.ts'
import { nonFiniteLoss } from './non-finite.ts'
import { type EpochReport, Progress } from './progress.ts'

export interface FitOptions {
  readonly train: Dataset
  /** Measured after each epoch; the weights of its lowest loss are the ones kept. */
  readonly validation?: Dataset
  readonly loss: Loss
  readonly optimizer: Optimizer
  readonly epochs: number
  /** Default 32. */
  readonly batchSize?: number
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean
  /** Default: accuracy where targets are classes (i32). */
  readonly metrics?: Metrics
  /** Decides the order of examples and, where given, seeds the default generator (for dropout). Default 0. */
  readonly seed?: number
  /** Whether steps are compiled; results are the same. Default true. */
  readonly compile?: boolean
  /** Whether progress is shown. Default true. */
  readonly progress?: boolean
  /** Called after each epoch: to change the learning rate, save, or stop by the signal. */
  readonly onEpoch?: (report: EpochReport) => void | Promise<void>
  /** Stops the training after the current step, as Ctrl-C does. */
  readonly signal?: AbortSignal
}

/** What `fit` gives back. */
export interface FitResult {
  /** One report a finished epoch. */
  readonly history: readonly EpochReport[]
  /** The epoch of the lowest validation loss, whose weights the network has now; null without validation. */
  readonly best: { readonly epoch: number; readonly loss: number } | null
  /** Whether Ctrl-C or the signal ended it. */
  readonly interrupted: boolean
}

/**
 * Trains a network: batches in an order that the seed decides, loss, gradients, a step of the optimizer, and after each
 * epoch the validation. Steps are compiled; progress is shown; Ctrl-C ends it after the current step. With
 * `validation` the network ends with the weights of its best epoch. The same seed and weights give the same losses to
 * the last bit.
 *
 * Throws RangeError for an empty dataset; NonFiniteLossError, naming epoch and batch, where the loss is no number any
 * more, after giving the network its last good weights; and IndexError, naming them too, for a class out of range.
 *
 * @example
 * ```ts
 * import { data, fit, manualSeed, mseLoss, nn, optim, tensor } from 'descent'
 * manualSeed(1)
 * const net = new nn.Linear(1, 1)
 * const train = new data.TensorDataset(tensor([[0], [1], [2], [3]]), tensor([[1], [3], [5], [7]]))
 * const optimizer = new optim.Adam(net.parameters(), { lr: 0.1 })
 * const { history } = await fit(net, { train, loss: mseLoss, optimizer, epochs: 200, progress: false })
 * console.log(history.length, (history.at(-1)?.loss ?? 1) < 0.01) // → 200 true
 * ```
 */
export async function fit(net: Module, options: FitOptions): Promise<FitResult> {
  const { optimizer, epochs, batchSize = 32, seed = 0 } = options
  if (!Number.isInteger(epochs) || epochs < 1)
    throw new RangeError(`fit: epochs must be a whole number above 0, not ${epochs}.`)
  if (options.seed !== undefined) manualSeed(options.seed)
  const loader = loaderOf('training', options.train, {
    batchSize,
    shuffle: true,
    seed,
    dropLast: options.dropLast ?? false,
  })
  if (options.validation) loaderOf('validation', options.validation, { batchSize })
  const progress = options.progress === false ? null : new Progress()
  const interrupt = watchInterrupt(options.signal, () =>
    progress?.note('Stopping after this step; Ctrl-C again ends at once.'),
  )
  const run: Run = { net, options, loader, progress, interrupt, step: trainStep(net, options), good: new LastGood(net) }
  const validate = evaluator(net, { ...options, batchSize: Math.max(batchSize, 256) })
  const modeBefore = net.training
  const history: EpochReport[] = []
  let best: (FitResult['best'] & { state: StateDict }) | null = null
  try {
    for (let epoch = 1; epoch <= epochs && !interrupt.requested; epoch++) {
      const began = performance.now()
      const averages = await trainEpoch(run, epoch)
      if (interrupt.requested) break
      const trained = (performance.now() - began) / 1000
      const validation = options.validation ? await validate(options.validation) : null
      const seconds = (performance.now() - began) / 1000
      const report: EpochReport = {
        epoch,
        ...averages.scores(),
        validation,
        seconds,
        examplesPerSecond: averages.count / trained,
      }
      history.push(report)
      progress?.epoch(report, epochs)
      if (validation && (!best || validation.loss < best.loss))
        best = { epoch, loss: validation.loss, state: copied(net) }
      await options.onEpoch?.(report)
    }
    if (best) net.loadStateDict(best.state)
  } finally {
    interrupt.release()
    net.train(modeBefore)
    optimizer.zeroGrad()
  }
  return { history, best: best && { epoch: best.epoch, loss: best.loss }, interrupted: interrupt.requested }
}

interface Run {
  readonly net: Module
  readonly options: FitOptions
  readonly loader: DataLoader
  readonly progress: Progress | null
  readonly interrupt: Interrupt
  readonly step: (x: Tensor, y: Tensor) => Measured
  readonly good: LastGood
}

async function trainEpoch(
  { net, options, loader, progress, interrupt, step, good }: Run,
  epoch: number,
): Promise<Averages> {
  const { epochs } = options
  const averages = new Averages()
  const began = performance.now()
  net.train()
  let batch = 0
  for (const data of loader) {
    batch++
    good.take()
    const scores = naming(epoch, batch, () => readScores(step(data.x, data.y)))
    if (!Number.isFinite(scores.loss)) throw nonFiniteLoss(scores.loss, epoch, batch, data, good.restore())
    averages.add(data.numbers.length, scores)
    const perBatch = (performance.now() - began) / 1000 / batch
    progress?.moment({
      ...averages.scores(),
      ...{ epoch, epochs, batch, batches: loader.length },
      examplesPerSecond: averages.count / (perBatch * batch),
      secondsLeft: perBatch * (loader.length - batch + (epochs - epoch) * loader.length),
    })
    await breathe()
    if (interrupt.requested) break
  }
  return averages
}

function trainStep(net: Module, { loss, optimizer, metrics, compile: compiled = true }: FitOptions): Run['step'] {
  const step = (x: Tensor, y: Tensor): Measured => {
    optimizer.zeroGrad()
    const measured = measure(net.forward(x), y, loss, metrics)
    measured.loss.backward()
    optimizer.step()
    return { loss: measured.loss.detach(), metrics: measured.metrics }
  }
  return compiled ? compile(step) : step
}

/** Adds the place in the training to an error about its data. */
function naming<T>(epoch: number, batch: number, fn: () => T): T {
  try {
    return fn()
  } catch (error) {
    if (error instanceof IndexError) error.message += ` It happened in fit, epoch ${epoch}, batch ${batch}.`
    throw error
  }
}

function loaderOf(what: string, dataset: Dataset, options: ConstructorParameters<typeof DataLoader>[1]): DataLoader {
  if (dataset.length === 0) throw new RangeError(`fit: the ${what} dataset is empty.`)
  return new DataLoader(dataset, options)
}

function copied(net: Module): StateDict {
  return noGrad(() => Object.fromEntries(Object.entries(net.stateDict()).map(([name, x]) => [name, x.clone()])))
}
