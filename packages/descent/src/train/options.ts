/** How a network is trained. */
import type { Transform } from '../data/raw.ts'
import type { ExponentialMovingAverage } from '../optim/average.ts'
import type { SchedulerState } from '../optim/lr-scheduler/scheduler.ts'
import type { Generator } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import type { Data, Outputs } from './batches.ts'
import type { Callback } from './callback.ts'
import type { EarlyStoppingOptions } from './early-stopping.ts'
import type { EvaluateOptions } from './evaluate.ts'
import type { Overfitting } from './overfitting.ts'
import type { EpochReport } from './progress.ts'
import type { StepOptions } from './step.ts'

/** A schedule of learning rates: one of `optim.lrScheduler`. */
export interface Schedule {
  /** Sets the next rate; some are given a score. */
  step(metric?: number): void
  /** How far it is, as plain JSON. */
  stateDict(): SchedulerState
  /** Goes on from there. */
  loadStateDict(state: SchedulerState): unknown
}

/** When a schedule makes its steps. */
export interface ScheduleOptions {
  readonly scheduler: Schedule
  /** Default 'epoch'. */
  readonly every?: 'epoch' | 'batch'
  /** The validation score that it is given: 'loss' or the name of a metric. For ReduceLROnPlateau. */
  readonly metric?: string
}

/** Where and when the state of a training is kept, so that it goes on where it was after any end. */
export interface CheckpointOptions {
  /** Made where it is missing. */
  readonly folder: string
  /** Also after so many steps; at the end of every epoch anyway. */
  readonly everySteps?: number
  /** Also after so many minutes. */
  readonly everyMinutes?: number
  /** How many of the last are kept. Default 2. */
  readonly keep?: number
  /** Whether to go on from the newest. Default true. */
  readonly resume?: boolean
  /** Generators beside the default one that the network draws from. */
  readonly generators?: readonly Generator[]
}

/** Options of `Trainer` and `fit`. */
export interface FitOptions<T extends Outputs = Tensor> extends StepOptions<T>, EvaluateOptions<T> {
  /** A dataset, a loader, or anything that gives batches once an epoch. */
  readonly train: Data
  /** Measured after each epoch; the weights of its lowest loss are the ones kept. Of several by name, the first's. */
  readonly validation?: Data | Readonly<Record<string, Data>>
  /** This share of the training dataset is set aside as validation; of each class alike where it has classes. */
  readonly validationSplit?: number
  /** Also measure the validation after every so many steps, for callbacks and the record. */
  readonly validateEvery?: number
  readonly epochs: number
  /** Default 32. */
  readonly batchSize?: number
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean
  /** Changes each training batch before it becomes tensors: augmentation (`data.compose`). For datasets. */
  readonly transform?: Transform
  /** Decides the order of examples, the split, augmentation and, where given, seeds the default generator. Default 0. */
  readonly seed?: number
  /** Whether progress is shown. Default true. */
  readonly progress?: boolean
  /** Learning rates: a schedule that steps every epoch, or with its times. */
  readonly schedule?: Schedule | ScheduleOptions
  /** Ends the training when the validation has not become better for a while. */
  readonly earlyStopping?: EarlyStoppingOptions
  /** 'balanced', or a factor for each class: handed to the loss as its option `weight` (crossEntropy, nllLoss). */
  readonly classWeights?: 'balanced' | readonly number[]
  /** Averages of the weights, updated after every step; the validation is measured with them. */
  readonly average?: ExponentialMovingAverage
  readonly checkpoints?: CheckpointOptions
  readonly callbacks?: readonly Callback[]
  /** Called after each epoch: to change the learning rate, save, or stop by the signal. */
  readonly onEpoch?: (report: EpochReport) => void | Promise<void>
  /** Stops the training after the current step, as Ctrl-C does. */
  readonly signal?: AbortSignal
}

/** What a training gave. */
export interface FitResult {
  /** One report a finished epoch. */
  readonly history: readonly EpochReport[]
  /** The epoch of the lowest validation loss, whose weights the network has now; null without validation. */
  readonly best: { readonly epoch: number; readonly loss: number } | null
  /** Whether Ctrl-C or the signal ended it. */
  readonly interrupted: boolean
  /** Whether early stopping ended it. */
  readonly stoppedEarly: boolean
  /** Whether training and validation parted, since when, and what to try. */
  readonly overfitting: Overfitting | null
}
