/** Training, measuring and using a network, as one object. What `fit` does is loaded when it begins. */
import { noGrad } from '../autograd.ts'
import { compile } from '../compile.ts'
import type { Module } from '../nn/module.ts'
import type { Tensor } from '../tensor.ts'
import type { Data, Outputs } from './batches.ts'
import type { Scores } from './metrics.ts'
import type { FitOptions, FitResult } from './options.ts'

/**
 * Trains a network, measures it and uses it. `fit` is the short form for one training.
 *
 * @example
 * ```ts
 * import { data, manualSeed, mseLoss, nn, optim, tensor, Trainer } from 'descent'
 * manualSeed(1)
 * const net = new nn.Linear(1, 1)
 * const train = new data.TensorDataset(tensor([[0], [1], [2], [3]]), tensor([[1], [3], [5], [7]]))
 * const optimizer = new optim.Adam(net.parameters(), { lr: 0.1 })
 * const trainer = new Trainer(net, { train, loss: mseLoss, optimizer, epochs: 200, progress: false })
 * await trainer.fit()
 * console.log((await trainer.evaluate(train)).loss < 0.01) // → true
 * console.log(Math.round(trainer.predict(tensor([[10]])).item())) // → 21
 * ```
 */
export class Trainer<T extends Outputs = Tensor> {
  readonly net: Module<[Tensor], T>
  readonly options: FitOptions<T>
  readonly #predict: (x: Tensor) => T
  #evaluate: ((data: Data) => Promise<Scores>) | null = null

  /** Throws RangeError for settings that cannot be. */
  constructor(net: Module<[Tensor], T>, options: FitOptions<T>) {
    this.net = net
    this.options = options
    requireSettings(options)
    this.#predict = compile((x: Tensor) => noGrad(() => net.forward(x)))
  }

  /** The whole training: see `fit`. */
  async fit(): Promise<FitResult> {
    const { Training } = await import('./on-demand.ts')
    return new Training(this.net, this.options).run()
  }

  /** Mean loss and metrics over data, in eval mode. Throws RangeError for an empty dataset. */
  async evaluate(data: Data): Promise<Scores> {
    const { evaluator } = await import('./on-demand.ts')
    this.#evaluate ??= evaluator(this.net, this.options)
    return this.#evaluate(data)
  }

  /** What the network gives for a batch, in eval mode, without gradients. */
  predict(x: Tensor): T {
    const before = this.net.training
    this.net.eval()
    try {
      return this.#predict(x)
    } finally {
      this.net.train(before)
    }
  }
}

function requireSettings<T extends Outputs>({
  epochs,
  accumulate = 1,
  validationSplit,
  validation,
  ...options
}: FitOptions<T>): void {
  const whole = (name: string, value: number): void => {
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`fit: ${name} must be a whole number above 0, not ${value}.`)
  }
  whole('epochs', epochs)
  whole('accumulate', accumulate)
  if (options.validateEvery !== undefined) whole('validateEvery', options.validateEvery)
  if (validationSplit !== undefined && !(validationSplit > 0 && validationSplit < 1))
    throw new RangeError(`fit: validationSplit must be above 0 and below 1, not ${validationSplit}.`)
  if (validationSplit !== undefined && validation)
    throw new RangeError('fit: give either a validation set or a validationSplit.')
  if (options.earlyStopping && !validation && validationSplit === undefined)
    throw new RangeError('fit: earlyStopping needs a validation set.')
}
