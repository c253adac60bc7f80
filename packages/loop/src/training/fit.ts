/** One fit of a network as its recipe says: optimizer, schedule, augmentation and loss are made, the trainer does the rest. */
import { type EpochReport, type FitResult, type nn, Trainer } from 'descent'
import type { Features } from '../architecture/features.ts'
import type { NetworkInput } from '../architecture/input.ts'
import type { Recipe } from '../architecture/recipe.ts'
import { makeAugmentation, makeLoss, makeOptimizer, makeSchedule } from '../architecture/settings.ts'
import { UserError } from '../errors.ts'
import type { SplitData } from './examples.ts'

export interface FitJob {
  readonly recipe: Recipe
  readonly input: NetworkInput
  readonly features: Features
  readonly train: SplitData
  /** May be empty. */
  readonly validation: SplitData
  /** Training examples of each class. */
  readonly counts: readonly number[]
  /** Decides the order of the examples, augmentation and dropout. */
  readonly seed: number
  readonly signal?: AbortSignal | undefined
  /** Where it is kept, so that it can go on; nothing is kept without. */
  readonly checkpoints?: string | undefined
  /** After each step; `steps`: of all epochs. */
  readonly onStep?:
    | ((done: { readonly step: number; readonly epoch: number; readonly steps: number }) => void)
    | undefined
  readonly onEpoch?: ((report: EpochReport) => void | Promise<void>) | undefined
}

/** Trains the network in place. `interrupted` says whether the signal ended it. */
export async function fitNetwork(net: nn.Module, job: FitJob): Promise<FitResult> {
  const { recipe, input, features, train, validation, counts, seed, signal, checkpoints, onStep, onEpoch } = job
  const { epochs, batchSize } = recipe
  const count = train.length
  const optimizer = makeOptimizer(recipe.optimizer, net)
  // A last batch of one example has no variance for batch norm, and is too noisy for anything else.
  const dropLast = count > batchSize && count % batchSize === 1
  const steps = dropLast ? Math.floor(count / batchSize) : Math.ceil(count / batchSize)
  const schedule = makeSchedule(recipe.schedule, optimizer, { epochs, steps, lr: recipe.optimizer.lr })
  const validated = validation.length > 0
  if (recipe.schedule.type === 'plateau' && !validated)
    throw new UserError('The schedule "plateau" needs a validation split, and this snapshot has none.')
  const black = features.state.type === 'pixels' ? -features.state.mean / features.state.deviation : 0
  const transform = makeAugmentation(recipe, input.layout, { black, classes: input.outputs })
  const { clipNorm, earlyStopping } = recipe
  const trainer = new Trainer(net, {
    train,
    ...(validated ? { validation } : {}),
    loss: makeLoss(recipe.loss, counts),
    optimizer,
    epochs,
    batchSize,
    dropLast,
    seed,
    progress: false,
    ...(schedule ? { schedule } : {}),
    ...(transform ? { transform } : {}),
    ...(clipNorm === null ? {} : { clipNorm }),
    ...(earlyStopping && validated ? { earlyStopping } : {}),
    ...(signal ? { signal } : {}),
    ...(checkpoints === undefined ? {} : { checkpoints: { folder: checkpoints, everyMinutes: 1 } }),
    callbacks: [
      {
        onStep: ({ step, epoch }) => onStep?.({ step, epoch, steps: epochs * steps }),
        onEpoch: async (report) => onEpoch?.(report),
      },
    ],
  })
  return trainer.fit()
}
