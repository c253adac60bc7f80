/** One training: the loop over epochs and batches, with everything that belongs around it. Loaded by `Trainer.fit`. */
import { noGrad } from '../autograd.ts'
import { currentDevice } from '../backend.ts'
import { tensor } from '../create.ts'
import type { Batch, Dataset } from '../data/dataset.ts'
import { randomSplit, stratifiedSplit } from '../data/subset.ts'
import { IndexError } from '../errors.ts'
import { checkLossFit } from '../nn/losses/loss-fit.ts'
import type { Module } from '../nn/module.ts'
import type { StateDict } from '../nn/state-dict.ts'
import { defaultGenerator, manualSeed } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import { countOf, type Data, type Epochs, epochsOf, type Outputs } from './batches.ts'
import type { Callback } from './callback.ts'
import { type Checkpoint, Checkpoints, type Position } from './checkpoint.ts'
import { balancedClassWeights } from './class-weights.ts'
import { EarlyStopping, scoreOf } from './early-stopping.ts'
import type { Loss } from './evaluate.ts'
import { evaluator, lossFunction, readScores } from './evaluator.ts'
import { breathe, type Interrupt, watchInterrupt } from './interrupt.ts'
import { LastGood } from './last-good.ts'
import { Averages, type Scores } from './metrics.ts'
import { nonFiniteLoss } from './non-finite-loss.ts'
import type { FitOptions, FitResult, ScheduleOptions } from './options.ts'
import { type Overfitting, overfitting, remediesInUse } from './overfitting.ts'
import { type EpochReport, Progress } from './progress.ts'
import { type TrainStep, trainStep } from './step.ts'

/** From its first step (or the checkpoint's) to its last. */
export class Training<T extends Outputs> {
  readonly #net: Module<[Tensor], T>
  readonly #options: FitOptions<T>
  readonly #progress: Progress | null
  readonly #interrupt: Interrupt
  readonly #checkpoints: Checkpoints | null
  readonly #stopping: EarlyStopping | null
  readonly #schedule: ScheduleOptions | null
  readonly #callbacks: readonly Callback[]
  readonly #averages = new Averages()
  readonly #history: EpochReport[] = []
  readonly #good: LastGood
  #best: (FitResult['best'] & { state: StateDict }) | null = null
  #step = 0
  #epoch = 1
  #batch = 0
  /** Of the epoch that goes on, before a checkpoint brought it here. */
  #secondsBefore = 0
  #stoppedEarly = false

  constructor(net: Module<[Tensor], T>, options: FitOptions<T>) {
    this.#net = net
    this.#options = options
    this.#progress = options.progress === false ? null : new Progress()
    this.#interrupt = watchInterrupt(options.signal, () =>
      this.#progress?.note('Stopping after this step; Ctrl-C again ends at once.'),
    )
    this.#checkpoints = options.checkpoints ? new Checkpoints(options.checkpoints) : null
    this.#stopping = options.earlyStopping ? new EarlyStopping(options.earlyStopping) : null
    const { schedule } = options
    this.#schedule = schedule ? ('scheduler' in schedule ? schedule : { scheduler: schedule }) : null
    this.#callbacks = [...(options.callbacks ?? []), ...(options.onEpoch ? [{ onEpoch: options.onEpoch }] : [])]
    this.#good = new LastGood(net)
  }

  async run(): Promise<FitResult> {
    const net = this.#net
    const { epochs, optimizer, seed = 0, batchSize = 32 } = this.#options
    if (this.#options.seed !== undefined) manualSeed(this.#options.seed)
    const modeBefore = net.training
    let training: Epochs | null = null
    try {
      const { train, validations } = this.#data()
      training = epochsOf('training', train, {
        batchSize,
        shuffle: true,
        seed,
        dropLast: this.#options.dropLast ?? false,
        ...(this.#options.transform ? { transform: this.#options.transform } : {}),
      })
      for (const [name, data] of validations) epochsOf(name, data, { batchSize })
      const loss = await this.#weightedLoss(train)
      const options = { ...this.#options, loss }
      const step = trainStep(net, options)
      const validate = evaluator(net, { ...options, batchSize: Math.max(batchSize, 256) })
      await this.#resume()
      for (const callback of this.#callbacks)
        await callback.onStart?.({ epochs, batches: training.length, step: this.#step, epoch: this.#epoch - 1 })
      while (this.#epoch <= epochs && !this.#interrupt.requested && !this.#stoppedEarly) {
        await this.#trainEpoch(training, step, validations, validate)
      }
      if (this.#interrupt.requested) await this.#save()
      for (const callback of this.#callbacks) await callback.onEnd?.(this.#history)
      if (this.#best) net.loadStateDict(this.#best.state)
    } finally {
      this.#interrupt.release()
      net.train(modeBefore)
      optimizer.zeroGrad()
      await training?.close()
    }
    const best = this.#best && { epoch: this.#best.epoch, loss: this.#best.loss }
    return {
      history: this.#history,
      best,
      interrupted: this.#interrupt.requested,
      stoppedEarly: this.#stoppedEarly,
      overfitting: this.#overfitting(),
    }
  }

  #overfitting(): Overfitting | null {
    const { optimizer, transform, earlyStopping } = this.#options
    const found = overfitting(this.#history, [
      ...remediesInUse(this.#net, optimizer),
      ...(transform ? (['augmentation'] as const) : []),
      ...(earlyStopping ? (['earlyStopping'] as const) : []),
    ])
    if (found) this.#progress?.note(found.message)
    return found
  }

  /** Training and validation data, the share that is set aside among them. */
  #data(): { train: Data; validations: [string, Data][] } {
    const { train, validation, validationSplit, seed = 0 } = this.#options
    if (validationSplit !== undefined) {
      if (!('batch' in train || 'read' in train))
        throw new TypeError('fit: validationSplit needs a dataset, not a loader.')
      const shares = [1 - validationSplit, validationSplit]
      const hasClasses = 'labels' in train
      const split = hasClasses ? stratifiedSplit : randomSplit
      const [rest, aside] = split(train as Dataset, shares, { seed }) as unknown as [Dataset, Dataset]
      return { train: rest, validations: [['validation', aside]] }
    }
    if (!validation) return { train, validations: [] }
    const isOne =
      'batch' in validation ||
      'read' in validation ||
      Symbol.iterator in validation ||
      Symbol.asyncIterator in validation
    return { train, validations: isOne ? [['validation', validation as Data]] : Object.entries(validation) }
  }

  async #weightedLoss(train: Data): Promise<Loss<T>> {
    const { loss, classWeights } = this.#options
    if (classWeights === undefined) return lossFunction(loss)
    if (typeof loss !== 'function')
      throw new TypeError(
        'fit: classWeights needs a loss function such as crossEntropy; a module has a weight of its own.',
      )
    const weight = classWeights === 'balanced' ? await balancedClassWeights(train) : tensor([...classWeights])
    const weighted = loss as unknown as (output: T, target: T, options: { readonly weight: Tensor }) => Tensor
    return (output, target) => weighted(output, target, { weight })
  }

  async #trainEpoch(
    training: Epochs,
    step: TrainStep<T>,
    validations: readonly [string, Data][],
    validate: (data: Data) => Promise<Scores>,
  ): Promise<void> {
    const { epochs, accumulate = 1, validateEvery } = this.#options
    const began = performance.now()
    const seconds = (): number => this.#secondsBefore + (performance.now() - began) / 1000
    const doneBefore = this.#averages.count
    this.#net.train()
    let waiting = 0
    let latest: Scores = { loss: Number.NaN, metrics: {} }
    for await (const batch of training.batches(this.#epoch - 1, this.#batch)) {
      if (this.#step === 0 && this.#batch === 0) this.#checkLoss(batch)
      this.#batch++
      waiting++
      if (waiting === 1) this.#good.take()
      const last = waiting === accumulate || this.#batch === training.length
      const scores = this.#named(() => readScores(step(batch.x, batch.y as unknown as T, waiting === 1, last)))
      if (!Number.isFinite(scores.loss)) throw this.#failure(scores.loss, batch)
      this.#averages.add(countOf(batch), scores)
      latest = scores
      const perBatch = (performance.now() - began) / 1000 / this.#batch
      const left =
        training.length === null ? Number.NaN : training.length - this.#batch + (epochs - this.#epoch) * training.length
      this.#progress?.moment({
        ...this.#averages.scores(),
        ...{ epoch: this.#epoch, epochs, batch: this.#batch, batches: training.length },
        examplesPerSecond: (this.#averages.count - doneBefore) / ((performance.now() - began) / 1000),
        secondsLeft: perBatch * left,
      })
      if (last) {
        waiting = 0
        await this.#afterStep(scores)
        if (validateEvery && this.#step % validateEvery === 0) await this.#measureBetween(validations, validate)
        if (this.#checkpoints?.isDue(this.#step)) await this.#save(seconds())
      }
      await breathe()
      if (this.#interrupt.requested && last) return
    }
    // Where only the end of the data tells that it is the end, the last group is smaller than the others.
    if (waiting > 0) {
      step.flush()
      await this.#afterStep(latest)
    }
    await this.#endEpoch(
      seconds(),
      (this.#averages.count - doneBefore) / ((performance.now() - began) / 1000),
      validations,
      validate,
    )
  }

  /** The optimizer has moved. */
  async #afterStep(scores: Scores): Promise<void> {
    const { average, optimizer } = this.#options
    this.#step++
    average?.update()
    if (this.#schedule?.every === 'batch') this.#schedule.scheduler.step()
    const place = { step: this.#step, epoch: this.#epoch, batch: this.#batch }
    const learningRate = optimizer.groups[0]?.lr ?? 0
    for (const callback of this.#callbacks) await callback.onStep?.({ ...place, ...scores, learningRate })
  }

  async #measureBetween(
    validations: readonly [string, Data][],
    validate: (data: Data) => Promise<Scores>,
  ): Promise<void> {
    for (const [name, scores] of Object.entries(await this.#validated(validations, validate))) {
      this.#progress?.note(`step ${this.#step}: ${name} loss ${scores.loss.toPrecision(4)}`)
    }
    this.#net.train()
  }

  async #validated(
    validations: readonly [string, Data][],
    validate: (data: Data) => Promise<Scores>,
  ): Promise<Record<string, Scores>> {
    const measureAll = async (): Promise<Record<string, Scores>> => {
      const found: Record<string, Scores> = {}
      for (const [name, data] of validations) found[name] = await validate(data)
      return found
    }
    const { average } = this.#options
    return average ? average.use(measureAll) : measureAll()
  }

  async #endEpoch(
    trained: number,
    examplesPerSecond: number,
    validations: readonly [string, Data][],
    validate: (data: Data) => Promise<Scores>,
  ): Promise<void> {
    const { epochs, optimizer, average } = this.#options
    const epoch = this.#epoch
    const began = performance.now()
    const all = await this.#validated(validations, validate)
    const [first] = validations
    const validation = first ? (all[first[0]] as Scores) : null
    const report: EpochReport = {
      epoch,
      ...this.#averages.scores(),
      validation,
      ...(validations.length > 1 ? { validations: all } : {}),
      learningRate: optimizer.groups[0]?.lr ?? 0,
      seconds: trained + (performance.now() - began) / 1000,
      examplesPerSecond,
    }
    this.#history.push(report)
    this.#progress?.epoch(report, epochs)
    if (validation && (!this.#best || validation.loss < this.#best.loss)) {
      const state = average ? average.use(() => copied(this.#net)) : copied(this.#net)
      this.#best = { epoch, loss: validation.loss, state }
    }
    if (this.#schedule && this.#schedule.every !== 'batch') {
      const { metric, scheduler } = this.#schedule
      if (metric === undefined) scheduler.step()
      else scheduler.step(scoreOf(validation ?? report, metric, 'schedule'))
    }
    if (validation && this.#stopping?.isOver(validation)) {
      this.#stoppedEarly = true
      this.#progress?.note(
        `Stopping early: the validation has not become better for ${this.#options.earlyStopping?.patience} epochs.`,
      )
    }
    this.#epoch++
    this.#batch = 0
    this.#secondsBefore = 0
    this.#averages.state = { count: 0, loss: 0, metrics: {} }
    for (const callback of this.#callbacks) await callback.onEpoch?.(report)
    await this.#save()
  }

  /** Says it where the loss does not fit the network's last activation or the targets. */
  #checkLoss({ x, y }: Batch): void {
    const generator = defaultGenerator()
    const draws = generator.draws.item()
    const buffers = this.#net.buffers().map((buffer) => [buffer, buffer.clone()] as const)
    try {
      const fault = checkLossFit(this.#net, this.#options.loss as never, this.#net.forward(x) as Tensor, y)
      if (fault) console.warn(`fit: ${fault}`)
    } catch {
      // The step that follows fails in the same way, and says where.
    } finally {
      generator.draws.fill_(draws)
      noGrad(() => {
        for (const [buffer, before] of buffers) buffer.copy_(before)
      })
    }
  }

  /** Adds the place in the training to an error about its data. */
  #named<R>(fn: () => R): R {
    try {
      return fn()
    } catch (error) {
      if (error instanceof IndexError)
        error.message += ` It happened in fit, epoch ${this.#epoch}, batch ${this.#batch}.`
      throw error
    }
  }

  #failure(loss: number, batch: Batch & { readonly numbers?: Int32Array }): Error {
    const broken = this.#net.namedParameters().filter(([, p]) => !p.data().every(Number.isFinite))
    return nonFiniteLoss(
      loss,
      this.#epoch,
      this.#batch,
      batch,
      broken.map(([name]) => name),
      this.#good.restore(),
    )
  }

  async #save(seconds = 0): Promise<void> {
    if (!this.#checkpoints) return
    const position: Position = {
      step: this.#step,
      epoch: this.#epoch,
      batch: this.#batch,
      averages: this.#averages.state,
      seconds,
      history: this.#history,
      best: this.#best && { epoch: this.#best.epoch, loss: this.#best.loss },
      earlyStopping: this.#stopping?.state ?? null,
      stoppedEarly: this.#stoppedEarly,
      schedule: this.#schedule?.scheduler.stateDict() ?? null,
    }
    await this.#checkpoints.save({ position, tensors: this.#tensors() })
  }

  /** Everything that a step reads and writes, by what it belongs to. */
  #tensors(): Record<string, StateDict> {
    const generators = [defaultGenerator(currentDevice()), ...(this.#options.checkpoints?.generators ?? [])]
    return {
      network: this.#net.stateDict(),
      optimizer: this.#options.optimizer.stateDict(),
      ...(this.#options.average ? { average: this.#options.average.stateDict() } : {}),
      ...(this.#best ? { best: this.#best.state } : {}),
      generators: Object.fromEntries(
        generators.flatMap(({ key, draws }, i) => [
          [`key.${i}`, key],
          [`draws.${i}`, draws],
        ]),
      ),
    }
  }

  async #resume(): Promise<void> {
    const { checkpoints, optimizer, average } = this.#options
    if (!this.#checkpoints || checkpoints?.resume === false) return
    const found = await this.#checkpoints.newest()
    if (!found) return
    this.#net.loadStateDict(found.tensors.network ?? {})
    optimizer.loadStateDict(found.tensors.optimizer ?? {})
    average?.loadStateDict(found.tensors.average ?? {})
    const own = this.#tensors().generators as StateDict
    noGrad(() => {
      for (const [name, x] of Object.entries(own)) {
        const kept = found.tensors.generators?.[name]
        if (kept) x.copy_(kept)
      }
    })
    this.#take(found)
    this.#progress?.note(`Going on from ${checkpoints?.folder}: epoch ${this.#epoch}, step ${this.#step}.`)
  }

  #take({ position, tensors }: Checkpoint): void {
    const { step, epoch, batch, averages, seconds, history, best, earlyStopping, stoppedEarly, schedule } = position
    this.#step = step
    this.#epoch = epoch
    this.#batch = batch
    this.#averages.state = averages
    this.#secondsBefore = seconds
    this.#history.push(...history)
    this.#best = best && tensors.best ? { ...best, state: tensors.best } : null
    if (this.#stopping && earlyStopping) this.#stopping.state = earlyStopping
    this.#stoppedEarly = stoppedEarly
    if (schedule) this.#schedule?.scheduler.loadStateDict(schedule)
  }
}

function copied(net: Module<[Tensor], Outputs>): StateDict {
  return noGrad(() => Object.fromEntries(Object.entries(net.stateDict()).map(([name, x]) => [name, x.clone()])))
}
