/**
 * A fitted baseline is a plain object of numbers and typed arrays, of one of these kinds: so its size is known, it can
 * be written to a file and read again, and nothing about it is hidden.
 */
import type { Work } from '../progress.ts'
import { type BoostingModel, predictBoosting } from './boosting.ts'
import { type ForestModel, predictForest } from './forest.ts'
import { type LinearModel, predictLinear } from './linear.ts'
import { type MajorityModel, predictMajority } from './majority.ts'
import { type NaiveBayesModel, predictNaiveBayes } from './naive-bayes.ts'
import { type NeighborsModel, predictNeighbors } from './neighbors.ts'
import { Pace } from './pace.ts'
import { checkColumns, type Rows } from './rows.ts'

export type Model = MajorityModel | LinearModel | NaiveBayesModel | NeighborsModel | ForestModel | BoostingModel

/** Probabilities [rows, classes], each row adding up to 1, or values [rows]. Throws UserError on other columns. */
export async function predict(model: Model, x: Rows, options: Work = {}): Promise<Float64Array> {
  checkColumns(x, model.columns)
  const pace = new Pace(options, 'predicting')
  switch (model.kind) {
    case 'majority':
      return predictMajority(model, x.rows)
    case 'linear':
      return predictLinear(model, x, pace)
    case 'naive-bayes':
      return predictNaiveBayes(model, x, pace)
    case 'neighbors':
      return predictNeighbors(model, x, pace)
    case 'forest':
      return predictForest(model, x, pace)
    case 'boosting':
      return predictBoosting(model, x, pace)
  }
}

/** The bytes of all numbers in a model. */
export function bytesOf(model: unknown): number {
  if (ArrayBuffer.isView(model)) return model.byteLength
  if (typeof model === 'number') return 8
  if (typeof model !== 'object' || model === null) return 0
  return Object.values(model).reduce((sum: number, part) => sum + bytesOf(part), 0)
}
