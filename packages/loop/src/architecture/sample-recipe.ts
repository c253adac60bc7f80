/**
 * Recipes near another one, drawn at random: what a sweep tries. Rates are drawn on a logarithmic scale, because it is their
 * magnitude that matters (Bergstra and Bengio, "Random search for hyper-parameter optimization", 2012).
 */
import type { Random } from '../random.ts'
import type { LossRecipe, NetworkRecipe, OptimizerRecipe, Preprocess, Recipe } from './recipe.ts'

/** A recipe near `base`: other rates, batch size, widths, depth, dropout, smoothing. Features and augmentation stay. */
export function sampleRecipe(base: Recipe, random: Random): Recipe {
  return {
    ...base,
    preprocess: samplePreprocess(base.preprocess, random),
    network: sampleNetwork(base.network, random),
    loss: sampleLoss(base.loss, random),
    optimizer: sampleOptimizer(base.optimizer, random),
    batchSize: Math.max(8, Math.round(base.batchSize * pick(random, [0.5, 1, 2]))),
  }
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.below(values.length)] as T
}

/** `value` × 10^u with u uniform in ± `decades`, to three digits. */
function near(random: Random, value: number, decades: number): number {
  return Number((value * 10 ** (decades * (2 * random.uniform() - 1))).toPrecision(3))
}

function sampleOptimizer(base: OptimizerRecipe, random: Random): OptimizerRecipe {
  const lr = near(random, base.lr, 0.75)
  const weightDecay = near(random, base.weightDecay || 0.001, 1.5)
  return base.type === 'sgd'
    ? { ...base, lr, weightDecay, momentum: pick(random, [0.8, 0.9, 0.95]) }
    : { ...base, lr, weightDecay }
}

function sampleLoss(base: LossRecipe, random: Random): LossRecipe {
  switch (base.type) {
    case 'crossEntropy':
      return { ...base, labelSmoothing: pick(random, [0, 0.05, 0.1]) }
    case 'huber':
      return { ...base, delta: near(random, base.delta, 0.5) }
    case 'mse':
    case 'l1':
      return base
    default:
      return base satisfies never
  }
}

function samplePreprocess(base: Preprocess, random: Random): Preprocess {
  return base.type === 'words' ? { ...base, ngrams: pick(random, [1, 2, 3]) } : base
}

function sampleNetwork(base: NetworkRecipe, random: Random): NetworkRecipe {
  const dropout = pick(random, [0, 0.1, 0.2, 0.3, 0.5])
  const times = pick(random, [0.5, 1, 2])
  const scaled = (width: number) => Math.max(4, Math.round(width * times))
  switch (base.type) {
    case 'mlp': {
      const width = scaled(base.hidden[0] ?? 64)
      const hidden = Array.from({ length: 1 + random.below(3) }, () => width)
      const activation = pick(random, ['relu', 'gelu', 'silu'] as const)
      return { ...base, hidden, activation, norm: pick(random, ['none', 'batch'] as const), dropout }
    }
    case 'convolution':
      return { ...base, channels: base.channels.map(scaled), hidden: scaled(base.hidden), dropout }
    case 'resnet':
      return { ...base, channels: base.channels.map(scaled), blocks: pick(random, [1, 2]), dropout }
    case 'bagOfWords':
      return { ...base, hidden: pick(random, [[], [scaled(32)], [scaled(32), scaled(32)]]), dropout }
    case 'textConvolution':
      return { ...base, width: scaled(base.width), channels: scaled(base.channels), dropout }
    case 'textTransformer':
      return {
        ...base,
        width: base.heads * Math.max(4, scaled(base.width / base.heads)),
        layers: pick(random, [1, 2, 3]),
        dropout,
      }
    case 'code':
      return base
    default:
      return base satisfies never
  }
}
