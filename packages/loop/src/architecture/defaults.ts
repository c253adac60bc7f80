/**
 * The recipe that someone with experience would begin with, for this kind and amount of data. A recipe of one's own says
 * only what differs.
 */
import type { DataProfile } from './profile.ts'
import { imbalance } from './profile.ts'
import type { AugmentationRecipe, LossRecipe, NetworkRecipe, Preprocess, Recipe } from './recipe.ts'

/** From so many training texts on, order of words pays for the time that it takes. */
const MANY_TEXTS = 20_000
/** From so many times as many examples of one class as of another on, rare classes weigh more. */
const UNBALANCED = 4

export function defaultRecipe(profile: DataProfile): Recipe {
  switch (profile.kind) {
    case 'tabular':
      return tableRecipe(profile)
    case 'image':
      return imageRecipe(profile)
    case 'text':
      return profile.train < MANY_TEXTS ? wordsRecipe(profile) : tokensRecipe(profile)
    default:
      return profile.kind satisfies never
  }
}

function lossRecipe(profile: DataProfile): LossRecipe {
  if (profile.task === 'number') return { type: 'huber', delta: 1 }
  const unbalanced = imbalance(profile) >= UNBALANCED
  return {
    type: 'crossEntropy',
    labelSmoothing: profile.kind === 'image' && !unbalanced ? 0.05 : 0,
    classWeights: unbalanced ? 'balanced' : 'none',
  }
}

/** Epochs in which about so many steps are made, within bounds. */
function epochsFor(profile: DataProfile, batchSize: number, steps: number, [low, high]: readonly [number, number]) {
  return Math.max(low, Math.min(high, Math.round(steps / Math.max(1, profile.train / batchSize))))
}

function tableRecipe(profile: DataProfile): Recipe {
  const { train } = profile
  const batchSize = train < 2000 ? 32 : train < 50_000 ? 128 : 512
  const width = train < 2000 ? 64 : train < 50_000 ? 128 : 256
  return {
    name: 'perceptron',
    kind: 'tabular',
    preprocess: preprocessDefaults.table,
    network: { ...networkDefaults.mlp, hidden: [width, width], dropout: train < 50_000 ? 0.1 : 0.05 },
    loss: lossRecipe(profile),
    optimizer: { type: 'adamw', lr: 3e-3, weightDecay: 0.01 },
    schedule: { type: 'oneCycle', warmUp: 0.3 },
    augmentation: [],
    batchSize,
    epochs: epochsFor(profile, batchSize, 3000, [8, 100]),
    earlyStopping: null,
    clipNorm: null,
  }
}

function imageRecipe(profile: DataProfile): Recipe {
  const { train } = profile
  const batchSize = train < 2000 ? 32 : train < 20_000 ? 64 : 128
  return {
    name: 'small residual network',
    kind: 'image',
    preprocess: preprocessDefaults.pixels,
    network: networkDefaults.resnet,
    loss: lossRecipe(profile),
    optimizer: { type: 'adamw', lr: 1e-2, weightDecay: 0.02 },
    schedule: { type: 'oneCycle', warmUp: 0.25 },
    augmentation: imageAugmentation(profile),
    batchSize,
    epochs: epochsFor(profile, batchSize, train < 20_000 ? 2500 : 1500, [4, 60]),
    earlyStopping: null,
    clipNorm: null,
  }
}

/** Mirrored digits and letters are others or none, and so may be what is drawn in grey: only coloured images are mirrored. */
function imageAugmentation({ image, classes }: DataProfile): AugmentationRecipe[] {
  const side = Math.min(image?.width ?? 28, image?.height ?? 28)
  const shift: AugmentationRecipe = { type: 'shift', max: Math.max(1, Math.round(side / 14)) }
  const signs = classes.every((name) => /^[\p{L}\p{N}]$/u.test(name))
  return image?.channels === 3 && !signs ? [shift, { type: 'flip', direction: 'horizontal' }] : [shift]
}

function wordsRecipe(profile: DataProfile): Recipe {
  const batchSize = 32
  return {
    name: 'bag of words',
    kind: 'text',
    preprocess: preprocessDefaults.words,
    network: networkDefaults.bagOfWords,
    loss: lossRecipe(profile),
    optimizer: { type: 'adamw', lr: 3e-3, weightDecay: 0.01 },
    schedule: { type: 'cosine', warmUp: 0.1 },
    augmentation: [],
    batchSize,
    epochs: epochsFor(profile, batchSize, 800, [4, 30]),
    earlyStopping: null,
    clipNorm: null,
  }
}

function tokensRecipe(profile: DataProfile): Recipe {
  const batchSize = 64
  return {
    name: 'text convolution',
    kind: 'text',
    preprocess: preprocessDefaults.bytePairs,
    network: networkDefaults.textConvolution,
    loss: lossRecipe(profile),
    optimizer: { type: 'adamw', lr: 2e-3, weightDecay: 0.01 },
    schedule: { type: 'cosine', warmUp: 0.1 },
    augmentation: [],
    batchSize,
    epochs: epochsFor(profile, batchSize, 3000, [3, 20]),
    earlyStopping: { patience: 3 },
    clipNorm: 1,
  }
}

/** What a preprocessing has where only its type is given. */
export const preprocessDefaults = {
  table: { type: 'table', numbers: 'standardize', rareBelow: 2, maxLevels: 200 },
  pixels: { type: 'pixels', normalize: true },
  words: { type: 'words', buckets: 2 ** 15, ngrams: 2, weighting: 'tfidf' },
  bytePairs: { type: 'bytePairs', vocabulary: 4096, length: 256 },
} as const satisfies { readonly [T in Preprocess['type']]: Extract<Preprocess, { type: T }> }

/** What a network has where only its type is given. */
export const networkDefaults = {
  mlp: { type: 'mlp', hidden: [64, 64], activation: 'relu', norm: 'none', dropout: 0.1 },
  convolution: { type: 'convolution', channels: [16, 32], hidden: 128, dropout: 0.2 },
  resnet: { type: 'resnet', channels: [16, 32, 64], blocks: 1, dropout: 0.1 },
  bagOfWords: { type: 'bagOfWords', hidden: [32], dropout: 0.2 },
  textConvolution: { type: 'textConvolution', width: 64, channels: 64, kernels: [2, 3, 4], dropout: 0.3 },
  textTransformer: { type: 'textTransformer', width: 64, heads: 4, layers: 2, dropout: 0.1 },
} as const satisfies {
  readonly [T in Exclude<NetworkRecipe['type'], 'code'>]: Extract<NetworkRecipe, { type: T }>
}

/** The preprocessing that a network of this kind needs. */
export function preprocessFor(network: string): Preprocess | null {
  if (network === 'bagOfWords') return preprocessDefaults.words
  if (network === 'textConvolution' || network === 'textTransformer') return preprocessDefaults.bytePairs
  return null
}

/** What the other parts have where only their type is given. */
export const partDefaults: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  preprocess: preprocessDefaults,
  network: networkDefaults,
  loss: {
    crossEntropy: { type: 'crossEntropy', labelSmoothing: 0, classWeights: 'none' },
    huber: { type: 'huber', delta: 1 },
  },
  optimizer: {
    adam: { type: 'adam', lr: 1e-3, weightDecay: 0 },
    adamw: { type: 'adamw', lr: 3e-3, weightDecay: 0.01 },
    sgd: { type: 'sgd', lr: 0.05, weightDecay: 1e-4, momentum: 0.9 },
  },
  schedule: {
    cosine: { type: 'cosine', warmUp: 0.1 },
    oneCycle: { type: 'oneCycle', warmUp: 0.3 },
    plateau: { type: 'plateau', factor: 0.3, patience: 3 },
  },
}
