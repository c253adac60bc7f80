/** What a fitted baseline looks at: how much each column counts, from the model itself or by trying. */

import type { Work } from '../progress.ts'
import type { Fitted } from './baseline.ts'
import { drawsOf, sampleOf } from './draws.ts'
import type { Model } from './model.ts'
import { type Rows, type Table, type Targets, takeRows, takeTargets } from './rows.ts'
import { scoreOf } from './scores.ts'
import { gainOf } from './trees.ts'

export interface Importance {
  readonly name: string
  /** A share: all of them add up to 1, unless no column counts at all. */
  readonly importance: number
}

/**
 * The columns, the most important first: of trees, the share of what its splits gained (Breiman et al. 1984); of linear
 * models, of its weights' absolute values for a change by one standard deviation; of naive Bayes, of how far the
 * logarithms of its probabilities lie apart, weighted by how often it occurs. Nearest neighbours and the majority have
 * none of their own: the result is empty, and `permutationImportances` says what they depend on. A name a column.
 */
export function importances({ model }: Fitted, names: readonly string[]): Importance[] {
  const own = ownImportances(model)
  if (!own) return []
  const sum = own.reduce((total, value) => total + value, 0) || 1
  return ranked(
    own.map((value) => value / sum),
    names,
  )
}

function ranked(values: Float64Array, names: readonly string[]): Importance[] {
  const list = Array.from(values, (importance, j) => ({ name: names[j] ?? `column ${j}`, importance }))
  return list.sort((a, b) => b.importance - a.importance)
}

function ownImportances(model: Model): Float64Array | null {
  switch (model.kind) {
    case 'forest':
    case 'boosting': {
      const gains = gainOf(model.trees, model.chosen?.length ?? model.columns)
      if (!model.chosen) return gains
      const all = new Float64Array(model.columns)
      model.chosen.forEach((column, j) => {
        all[column] = gains[j] as number
      })
      return all
    }
    case 'linear': {
      const { outputs, weights, columns, scaling } = model
      const spread = (j: number, k: number) => (weights[j * outputs + k] as number) * (scaling.deviations[j] as number)
      return Float64Array.from({ length: columns }, (_, j) => {
        // What all classes share changes no probability.
        let mean = 0
        for (let k = 0; k < outputs; k++) mean += outputs > 1 ? spread(j, k) / outputs : 0
        let sum = 0
        for (let k = 0; k < outputs; k++) sum += Math.abs(spread(j, k) - mean)
        return sum
      })
    }
    case 'naive-bayes': {
      const { classes, logs, priors, columns } = model
      return Float64Array.from({ length: columns }, (_, j) => {
        const row = logs.subarray(j * classes, (j + 1) * classes)
        const often = row.reduce((sum, log, k) => sum + Math.exp(log + (priors[k] as number)), 0)
        return often * (Math.max(...row) - Math.min(...row))
      })
    }
    case 'neighbors':
    case 'majority':
      return null
  }
}

export interface PermutationOptions extends Work {
  readonly seed: number
  /** It asks about at most so many rows: 1,000 unless said otherwise. */
  readonly rows?: number | undefined
}

/**
 * How much worse any fitted baseline becomes where one column is shuffled among the rows (Breiman 2001), the worst first:
 * the loss of accuracy, or of R². Not shares: a value may be negative, and columns that say the same hide one another.
 * For tables; rows that were not learned from say more.
 */
export async function permutationImportances(
  fitted: Fitted,
  x: Table,
  y: Targets,
  names: readonly string[],
  options: PermutationOptions,
): Promise<Importance[]> {
  const some = sampleOf(drawsOf(options.seed, 1), x.rows, Math.min(x.rows, options.rows ?? 1000))
  const [rows, targets] = [takeRows(x, some), takeTargets(y, some)]
  const score = async (asked: Rows) => scoreOf(await fitted.predict(asked, { signal: options.signal }), targets)
  const whole = await score(rows)
  const losses = new Float64Array(x.columns)
  for (let j = 0; j < x.columns; j++) {
    const order = sampleOf(drawsOf(options.seed, j + 2), rows.rows)
    const values = Float64Array.from(rows.values)
    order.forEach((from, to) => {
      values[to * x.columns + j] = rows.values[from * x.columns + j] as number
    })
    losses[j] = whole - (await score({ ...rows, values }))
    options.onProgress?.({ what: 'shuffling columns', done: j + 1, total: x.columns, unit: 'columns' })
  }
  return ranked(losses, names)
}
