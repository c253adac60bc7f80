/** What a recipe's settings are in the library: loss, optimizer, schedule, augmentation. */
import {
  crossEntropy,
  data,
  huberLoss,
  l1Loss,
  mseLoss,
  type nn,
  optim,
  type ScheduleOptions,
  type Tensor,
  tensor,
} from 'descent'
import type { Layout } from './input.ts'
import type { AugmentationRecipe, LossRecipe, OptimizerRecipe, Recipe, ScheduleRecipe } from './recipe.ts'

export type Loss = (output: Tensor, target: Tensor) => Tensor

/** @param counts training examples of each class */
export function makeLoss(recipe: LossRecipe, counts: readonly number[]): Loss {
  switch (recipe.type) {
    case 'crossEntropy': {
      const { labelSmoothing, classWeights } = recipe
      const options = {
        labelSmoothing,
        ...(classWeights === 'balanced' ? { weight: tensor(balancedWeights(counts)) } : {}),
      }
      return (output, target) => crossEntropy(output, target, options)
    }
    case 'mse':
      return (output, target) => mseLoss(output, target)
    case 'l1':
      return (output, target) => l1Loss(output, target)
    case 'huber':
      return (output, target) => huberLoss(output, target, { delta: recipe.delta })
    default:
      return recipe satisfies never
  }
}

/** Weights by which every class counts the same in all; a class without examples has weight 1. */
export function balancedWeights(counts: readonly number[]): number[] {
  const seen = counts.filter((count) => count > 0)
  const total = seen.reduce((a, b) => a + b, 0)
  return counts.map((count) => (count > 0 ? total / (seen.length * count) : 1))
}

/** Weights decay; biases, scales and shifts, which have one dimension, do not. */
export function makeOptimizer(recipe: OptimizerRecipe, net: nn.Module): optim.Optimizer {
  const { lr, weightDecay } = recipe
  const all = net.parameters()
  const groups = [
    { parameters: all.filter(({ ndim }) => ndim > 1), weightDecay },
    { parameters: all.filter(({ ndim }) => ndim <= 1), weightDecay: 0 },
  ].filter(({ parameters }) => parameters.length > 0)
  switch (recipe.type) {
    case 'adam':
      return new optim.Adam(groups, { lr })
    case 'adamw':
      return new optim.AdamW(groups, { lr })
    case 'sgd':
      return new optim.SGD(groups, { lr, momentum: recipe.momentum })
    default:
      return recipe satisfies never
  }
}

/** @param steps of an epoch */
export function makeSchedule(
  recipe: ScheduleRecipe,
  optimizer: optim.Optimizer,
  { epochs, steps, lr }: { readonly epochs: number; readonly steps: number; readonly lr: number },
): ScheduleOptions | null {
  const total = epochs * steps
  const { lrScheduler } = optim
  switch (recipe.type) {
    case 'constant':
      return null
    case 'oneCycle': {
      const options = { maxLr: lr, totalSteps: total, pctStart: recipe.warmUp, cycleMomentum: false }
      return { scheduler: new lrScheduler.OneCycleLR(optimizer, options), every: 'batch' }
    }
    case 'cosine': {
      const rising = Math.floor(recipe.warmUp * total)
      const cosine = new lrScheduler.CosineAnnealingLR(optimizer, { tMax: Math.max(1, total - rising) })
      if (rising === 0) return { scheduler: cosine, every: 'batch' }
      const options = { totalIters: rising, startFactor: 0.1, after: cosine }
      return { scheduler: new lrScheduler.WarmUpLR(optimizer, options), every: 'batch' }
    }
    case 'plateau': {
      const { factor, patience } = recipe
      return { scheduler: new lrScheduler.ReduceLROnPlateau(optimizer, { factor, patience }), metric: 'loss' }
    }
    default:
      return recipe satisfies never
  }
}

/**
 * What is done with every training batch; null where nothing is.
 * @param black what a pixel from outside of the image is
 */
export function makeAugmentation(
  { augmentation }: Pick<Recipe, 'augmentation'>,
  layout: Layout,
  { black, classes }: { readonly black: number; readonly classes: number },
): data.Transform | null {
  if (augmentation.length === 0) return null
  const steps = data.compose(...augmentation.map((step) => augmentationStep(step, layout, black, classes)))
  return layout.type === 'table' ? onNumbers(steps, layout.numbers) : steps
}

function augmentationStep(
  recipe: AugmentationRecipe,
  layout: Layout,
  fill: number,
  classes: number,
): data.Augmentation {
  switch (recipe.type) {
    case 'shift':
      return data.randomShift({ max: recipe.max, fill })
    case 'rotate':
      return data.randomRotate({ degrees: recipe.degrees, fill })
    case 'flip':
      return data.randomFlip({ direction: recipe.direction })
    case 'crop': {
      const size: readonly [number, number] = layout.type === 'image' ? [layout.height, layout.width] : [1, 1]
      return data.randomCrop({ size, padding: recipe.padding, fill })
    }
    case 'cutOut':
      return data.cutOut({ size: recipe.size, fill })
    case 'brightness':
      return data.randomBrightness({ max: recipe.max })
    case 'contrast':
      return data.randomContrast({ max: recipe.max })
    case 'noise':
      return data.gaussianNoise({ std: recipe.std })
    case 'mixUp':
      return data.mixUp({ alpha: recipe.alpha, classes })
    default:
      return recipe satisfies never
  }
}

/** Rows are numbers, then levels of categories: only the numbers may change. */
function onNumbers(transform: data.Transform, numbers: number): data.Transform {
  return (batch, place) => {
    const [rows = 0, width = 0] = batch.x.shape
    const left = new Float32Array(rows * numbers)
    for (let i = 0; i < rows; i++) left.set(batch.x.values.subarray(i * width, i * width + numbers), i * numbers)
    const changed = transform({ ...batch, x: { shape: [rows, numbers], values: left } }, place)
    const values = Float32Array.from(batch.x.values)
    for (let i = 0; i < rows; i++) values.set(changed.x.values.subarray(i * numbers, (i + 1) * numbers), i * width)
    return { ...changed, x: { shape: [rows, width], values } }
  }
}
