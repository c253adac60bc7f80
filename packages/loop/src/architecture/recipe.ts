/**
 * A recipe: everything that decides a training but data and seed. Plain data that can be written down as JSON, except
 * where a person wrote the network as a function; then the JSON names the file and the hash of its text.
 */
import { createHash } from 'node:crypto'
import type { Kind } from '../project/config.ts'

/** What becomes of contents before a network sees them. All of it is learned from the training split alone. */
export type Preprocess =
  | {
      readonly type: 'table'
      readonly numbers: 'standardize' | 'minMax' | 'none'
      /** Levels of a category that occur less often are one level, `unknown`, as levels are that training did not have. */
      readonly rareBelow: number
      /** Category columns with more levels are left out: they are names or numbers of things. */
      readonly maxLevels: number
    }
  | { readonly type: 'pixels'; readonly normalize: boolean }
  | {
      readonly type: 'words'
      /** Words and word sequences are hashed into so many numbers. */
      readonly buckets: number
      /** The longest sequence of words that counts as one. */
      readonly ngrams: number
      readonly weighting: 'tfidf' | 'counts'
    }
  | {
      readonly type: 'bytePairs'
      readonly vocabulary: number
      /** Texts are cut to so many tokens. */
      readonly length: number
    }

export type NetworkRecipe =
  | {
      readonly type: 'mlp'
      /** Widths of the hidden layers; none: a linear model. */
      readonly hidden: readonly number[]
      readonly activation: 'relu' | 'gelu' | 'silu' | 'tanh'
      readonly norm: 'none' | 'batch' | 'layer'
      readonly dropout: number
    }
  | {
      readonly type: 'convolution'
      readonly channels: readonly number[]
      readonly hidden: number
      readonly dropout: number
    }
  | {
      readonly type: 'resnet'
      /** Channels of each stage; every stage after the first halves height and width. */
      readonly channels: readonly number[]
      /** Residual blocks a stage. */
      readonly blocks: number
      readonly dropout: number
    }
  | { readonly type: 'bagOfWords'; readonly hidden: readonly number[]; readonly dropout: number }
  | {
      readonly type: 'textConvolution'
      readonly width: number
      readonly channels: number
      readonly kernels: readonly number[]
      readonly dropout: number
    }
  | {
      readonly type: 'textTransformer'
      readonly width: number
      readonly heads: number
      readonly layers: number
      readonly dropout: number
    }
  | {
      /** A function in a file of the project. */
      readonly type: 'code'
      readonly file: string
      /** SHA-256 of the file's text. */
      readonly source: string
    }

export type LossRecipe =
  | { readonly type: 'crossEntropy'; readonly labelSmoothing: number; readonly classWeights: 'none' | 'balanced' }
  | { readonly type: 'mse' }
  | { readonly type: 'l1' }
  | { readonly type: 'huber'; readonly delta: number }

export type OptimizerRecipe =
  | { readonly type: 'adam' | 'adamw'; readonly lr: number; readonly weightDecay: number }
  | { readonly type: 'sgd'; readonly lr: number; readonly weightDecay: number; readonly momentum: number }

export type ScheduleRecipe =
  | { readonly type: 'constant' }
  /** Up in the first share of the steps, then down to 0 along a cosine. */
  | { readonly type: 'cosine'; readonly warmUp: number }
  | { readonly type: 'oneCycle'; readonly warmUp: number }
  | { readonly type: 'plateau'; readonly factor: number; readonly patience: number }

/** What is changed at random in every epoch. Brightness and contrast are in units of the normalised image. */
export type AugmentationRecipe =
  | { readonly type: 'shift'; readonly max: number }
  | { readonly type: 'rotate'; readonly degrees: number }
  | { readonly type: 'flip'; readonly direction: 'horizontal' | 'vertical' }
  | { readonly type: 'crop'; readonly padding: number }
  | { readonly type: 'cutOut'; readonly size: number }
  | { readonly type: 'brightness'; readonly max: number }
  | { readonly type: 'contrast'; readonly max: number }
  /** Normal noise on the numbers of a table. */
  | { readonly type: 'noise'; readonly std: number }
  | { readonly type: 'mixUp'; readonly alpha: number }

export interface Recipe {
  readonly name: string
  readonly kind: Kind
  readonly preprocess: Preprocess
  readonly network: NetworkRecipe
  readonly loss: LossRecipe
  readonly optimizer: OptimizerRecipe
  readonly schedule: ScheduleRecipe
  readonly augmentation: readonly AugmentationRecipe[]
  readonly batchSize: number
  readonly epochs: number
  /** Ends the training when the validation loss has not become lower for so many epochs. */
  readonly earlyStopping: { readonly patience: number } | null
  /** The largest norm of all gradients together. */
  readonly clipNorm: number | null
}

/** The hash of a recipe's content: two recipes with the same hash train the same. The name does not count. */
export function recipeHash(recipe: Recipe): string {
  const { name: _, ...content } = recipe
  const network = content.network.type === 'code' ? { type: 'code', source: content.network.source } : content.network
  return createHash('sha256')
    .update(JSON.stringify(sorted({ ...content, network })))
    .digest('hex')
}

/** The same with the keys of all objects in alphabetical order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}
