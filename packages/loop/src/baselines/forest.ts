/**
 * Random forests (Breiman 2001): trees grown to the end on bootstrap samples, each split the best among √columns
 * columns drawn anew (a third of the columns for numbers); the answer is the mean over the trees.
 */

import type { Work } from '../progress.ts'
import type { Random } from '../random.ts'
import { type Bins, binned } from './bins.ts'
import { asTable, denseColumns } from './dense-columns.ts'
import { drawsOf } from './draws.ts'
import { Pace } from './pace.ts'
import type { Rows, Targets } from './rows.ts'
import { ImpuritySearch } from './split-search.ts'
import { leafOf, partition, type Split, TreeBuilder, type Trees } from './trees.ts'

export interface ForestModel {
  readonly kind: 'forest'
  readonly columns: number
  /** The columns of sparse rows that the trees look at; null where rows are dense. */
  readonly chosen: Int32Array | null
  readonly trees: Trees
}

export interface ForestOptions extends Work {
  readonly seed: number
  readonly trees?: number | undefined
  /** The fewest rows in a leaf: 1 for classes, 3 for numbers. */
  readonly leafRows?: number | undefined
  /** How many columns are drawn at a split. */
  readonly drawn?: number | undefined
}

/** Dense columns of sparse rows. */
const MOST_COLUMNS = 500
const BINS = 128

export async function fitForest(x: Rows, y: Targets, options: ForestOptions): Promise<ForestModel> {
  const pace = new Pace(options, 'growing a forest')
  const { table, chosen } = denseColumns(x, y, MOST_COLUMNS)
  const bins = await binned(table, BINS, pace.part(0, 0.05))
  const classes = y.kind === 'classes'
  const builder = new TreeBuilder(bins, classes ? y.classes : 1)
  const count = options.trees ?? 100
  const leafRows = options.leafRows ?? (classes ? 1 : 3)
  const usual = classes ? Math.sqrt(table.columns) : table.columns / 3
  const drawn = options.drawn ?? Math.max(1, Math.round(usual))
  const growing = pace.part(0.05, 1)
  for (let tree = 0; tree < count; tree++) {
    const draws = drawsOf(options.seed, tree + 1)
    await growTree(bins, y, builder, { leafRows, drawn }, draws, growing, tree / count)
  }
  return { kind: 'forest', columns: x.columns, chosen, trees: builder.trees() }
}

/** Grows one tree on a bootstrap sample. */
async function growTree(
  bins: Bins,
  y: Targets,
  builder: TreeBuilder,
  { leafRows, drawn }: { readonly leafRows: number; readonly drawn: number },
  draws: Random,
  pace: Pace,
  share: number,
): Promise<void> {
  const { rows, columns } = bins
  const sample = new Int32Array(rows)
  for (let i = 0; i < rows; i++) sample[i] = draws.below(rows)
  // In order of memory, which the partition then mostly keeps.
  sample.sort()
  const search = new ImpuritySearch(bins, y, sample, leafRows)
  const order = Int32Array.from({ length: columns }, (_, j) => j)
  const waiting = [{ node: builder.root(), from: 0, to: rows }]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { node, from, to } = next
    if (pace.due()) await pace.rest(share)
    const pure = search.enter(from, to)
    const split = pure || to - from < 2 * leafRows ? null : bestOf(search, order, drawn, draws)
    if (!split) {
      builder.leaf(node, search.outputs())
      continue
    }
    const left = builder.split(node, split)
    const middle = partition(sample, from, to, bins, split)
    waiting.push({ node: left + 1, from: middle, to }, { node: left, from, to: middle })
  }
}

/** The best split on `drawn` random columns; goes on drawing while none of them can be split at all. */
function bestOf(search: ImpuritySearch, order: Int32Array, drawn: number, draws: Random): Split | null {
  let best: Split | null = null
  for (let i = 0; i < order.length && (i < drawn || !best); i++) {
    const j = i + draws.below(order.length - i)
    const column = order[j] as number
    order[j] = order[i] as number
    order[i] = column
    const split = search.on(column)
    if (split && (!best || split.gain > best.gain)) best = split
  }
  return best
}

/** Mean outputs [rows, outputs]: probabilities, or values. */
export async function predictForest(model: ForestModel, x: Rows, pace: Pace): Promise<Float64Array> {
  const { trees, chosen } = model
  const { outputs, leaves } = trees
  const table = asTable(x, chosen)
  const count = trees.roots.length
  const out = new Float64Array(x.rows * outputs)
  for (let i = 0; i < x.rows; i++) {
    for (let tree = 0; tree < count; tree++) {
      const leaf = leafOf(trees, tree, table, i) * outputs
      for (let k = 0; k < outputs; k++) {
        const at = i * outputs + k
        out[at] = (out[at] as number) + (leaves[leaf + k] as number) / count
      }
    }
    if (i % 16 === 0 && pace.due()) await pace.rest(i / x.rows)
  }
  return out
}
