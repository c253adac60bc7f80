/**
 * What to label next: the words that all strategies share. A pool holds what is known of N examples without a label; a
 * strategy picks a batch of them, best first, and says why in words. Everything is optional but the number of examples:
 * without a model there are no probabilities, and without a network no embedding. Arrays are row-major; widths follow
 * from their lengths.
 */
import type { Random } from '../../random.ts'

export const strategyNames = [
  'random',
  'leastConfidence',
  'margin',
  'entropy',
  'bald',
  'coreSet',
  'badge',
  'typical',
] as const
export type StrategyName = (typeof strategyNames)[number]

/** What is known of the examples without a label (and, for distances, of those with one). */
export interface Pool {
  /** N, the examples without a label. */
  readonly count: number
  /** The label set, in the order of the columns of `probabilities`: K names. */
  readonly classes?: readonly string[]
  /** [N, K]: what the model says of each. */
  readonly probabilities?: Float32Array
  /** [S, N, K]: what it says in S passes with dropout on. */
  readonly samples?: Float32Array
  /** [N, D]: the last hidden layer. */
  readonly embedding?: Float32Array
  /** [M, D]: the same of examples that have a label. */
  readonly labelledEmbedding?: Float32Array
  /** [N, F]: raw features, standardised or of one scale; for the time before there is a model. */
  readonly features?: Float32Array
  /** [M, F]: the same of examples that have a label. */
  readonly labelledFeatures?: Float32Array
}

/** What a strategy may need of a pool. */
export type Need = 'probabilities' | 'samples' | 'embedding'

/** An example that should be labelled. */
export interface Suggestion {
  /** Its row in the pool. */
  readonly index: number
  /** The strategy's own measure, larger for those to label first; comparable within a batch only. */
  readonly score: number
  /** Why, in words for the person who labels. */
  readonly reason: string
}

export interface BatchSettings {
  /** How many to pick; fewer where the pool is smaller. */
  readonly count: number
  /** Uncertainty strategies look among the `diversity × count` most uncertain for those that differ. 1: do not. */
  readonly diversity: number
  readonly random: Random
}

export interface Strategy {
  readonly name: StrategyName
  readonly needs: readonly Need[]
  /** Which strategy stands in, where the pool lacks what this one needs. */
  readonly otherwise: StrategyName
  pick(pool: Pool, settings: BatchSettings): Suggestion[]
}

/** The columns of a matrix of a pool's rows. */
export function widthOf(values: Float32Array, rows: number): number {
  return rows === 0 ? 0 : values.length / rows
}

/** A part of a pool that a strategy named among its needs. */
export function needed(part: Float32Array | undefined, name: string): Float32Array {
  if (!part) throw new RangeError(`The strategy needs ${name}, which the pool lacks.`)
  return part
}

/** Where distances are measured: the embedding, or without a model the features; of the pool, and of what has a label. */
export function pointsOf(pool: Pool, name: string): readonly [Float32Array, Float32Array] {
  if (pool.embedding) return [pool.embedding, pool.labelledEmbedding ?? new Float32Array()]
  if (pool.features) return [pool.features, pool.labelledFeatures ?? new Float32Array()]
  throw new RangeError(`${name} needs an embedding or features, which the pool lacks.`)
}

/** The name of a class, for reasons. */
export function className(pool: Pool, c: number): string {
  return pool.classes?.[c] ?? `class ${c}`
}

export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
