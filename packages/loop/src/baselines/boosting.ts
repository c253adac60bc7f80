/**
 * Gradient boosting (Friedman 2001) on binned columns with second derivatives (Chen and Guestrin, KDD 2016): each round
 * adds a small tree for every output, grown where it helps most (Ke et al., NeurIPS 2017). It stops once held-out rows
 * have not improved for a while; where rows are few, it then fits that many rounds to all of them.
 */

import type { Work } from '../progress.ts'
import type { Random } from '../random.ts'
import { type Bins, binned } from './bins.ts'
import { type BoostingLoss, lossOf } from './boosting-loss.ts'
import { growBoostedTree, type TreeLimits } from './boosting-tree.ts'
import { asTable, denseColumns } from './dense-columns.ts'
import { drawsOf, sampleOf } from './draws.ts'
import { folds } from './folds.ts'
import { softmax } from './linear.ts'
import { Pace } from './pace.ts'
import type { Rows, Targets } from './rows.ts'
import { leafOf, TreeBuilder, type Trees } from './trees.ts'

export interface BoostingModel {
  readonly kind: 'boosting'
  readonly columns: number
  /** The columns of sparse rows that the trees look at; null where rows are dense. */
  readonly chosen: Int32Array | null
  /** What the scores mean: values, the logit of the second of two classes, or logits. */
  readonly link: 'identity' | 'logistic' | 'softmax'
  /** [scores]: where they begin. */
  readonly start: Float64Array
  /** Tree t adds to score t mod the number of scores. */
  readonly trees: Trees
}

export interface BoostingOptions extends Work {
  readonly seed: number
  /** The most rounds: up to 500 unless said otherwise, fewer where each is much work. */
  readonly rounds?: number | undefined
  readonly learningRate?: number | undefined
  /** The most leaves of a tree. */
  readonly leaves?: number | undefined
  /** It stops after so many rounds without improvement on held-out rows. */
  readonly patience?: number | undefined
}

/** Dense columns of sparse rows. */
const MOST_COLUMNS = 500
const BINS = 254
/** Fewer in wide tables: a tree has many columns to choose from. */
const WIDE = 64
const WIDE_BINS = 64
/** Each tree sees as many random columns as this and √columns allow: in wide tables they say much the same. */
const ALWAYS_COLUMNS = 64
/** Of more rows each tree sees half (Friedman 2002). */
const ALWAYS_ROWS = 20_000
/** Fewer rows are too few to leave some out for good, where fitting them all again is little work. */
const REFIT_ROWS = 20_000
const REFIT_WORK = 3e5
/** Rounds times the values that each looks at: half a minute or so. Fewer rounds learn faster each. */
const MOST_WORK = 3e8
const MOST_ROUNDS = 500
/** Bins of all leaves of a tree, in one column, about. */
const SEARCHED = 500
/** Of fewer rows small trees say more that holds for others. */
const FEW_ROWS = 2000
const FEWEST_ROUNDS = 40

export async function fitBoosting(x: Rows, y: Targets, options: BoostingOptions): Promise<BoostingModel> {
  const pace = new Pace(options, 'boosting trees')
  const { table, chosen } = denseColumns(x, y, MOST_COLUMNS)
  const bins = await binned(table, table.columns > WIDE ? WIDE_BINS : BINS, pace.part(0, 0.05))
  // Rows are summed up into bins, and bins are searched at every leaf.
  const visited = Math.min(x.rows, Math.max(ALWAYS_ROWS, x.rows / 2)) + SEARCHED
  const looked = visited * drawnColumns(bins) * lossOf(y).outputs
  const affordable = Math.max(FEWEST_ROUNDS, Math.min(MOST_ROUNDS, Math.floor(MOST_WORK / looked)))
  const rounds = options.rounds ?? affordable
  const learningRate = options.learningRate ?? Math.min(0.3, 50 / affordable)
  const patience = options.patience ?? 20
  const every = Int32Array.from({ length: x.rows }, (_, i) => i)
  const loss = lossOf(y)
  const kind = y.kind === 'numbers' ? 'identity' : loss.outputs === 1 ? 'logistic' : 'softmax'
  const model = (trees: Trees): BoostingModel => {
    return { kind: 'boosting', columns: x.columns, chosen, link: kind, start: loss.start, trees }
  }
  const work = { bins, loss, options: { ...options, learningRate }, seed: options.seed }
  if (x.rows < 20) {
    // Nothing can be held out: a few rounds only.
    return model((await boost({ ...work, training: every, heldOut: null }, Math.min(rounds, 50), patience, pace)).trees)
  }
  const share = x.rows < 2000 ? 5 : 10
  const [fold] = folds(y, share, options.seed)
  const { training, heldOut } = fold as { training: Int32Array; heldOut: Int32Array }
  const refit = x.rows <= REFIT_ROWS && looked <= REFIT_WORK
  const first = pace.part(0.05, refit ? 0.5 : 1)
  const tried = await boost({ ...work, training, heldOut }, rounds, patience, first)
  if (!refit || tried.rounds === 0) return model(tried.trees)
  return model(
    (await boost({ ...work, training: every, heldOut: null }, tried.rounds, patience, pace.part(0.5, 1))).trees,
  )
}

interface Boosting {
  readonly bins: Bins
  readonly loss: BoostingLoss
  readonly options: BoostingOptions & { readonly learningRate: number }
  readonly seed: number
  readonly training: Int32Array
  /** They decide how many rounds are kept; null: all. */
  readonly heldOut: Int32Array | null
}

async function boost(
  { bins, loss, options, seed, training, heldOut }: Boosting,
  rounds: number,
  patience: number,
  pace: Pace,
): Promise<{ readonly trees: Trees; readonly rounds: number }> {
  const { outputs } = loss
  const builder = new TreeBuilder(bins, 1)
  const scores = new Float64Array(bins.rows * outputs)
  for (let i = 0; i < scores.length; i++) scores[i] = loss.start[i % outputs] as number
  const first = new Float32Array(scores.length)
  const second = new Float32Array(scores.length)
  const limits: TreeLimits = {
    leaves: options.leaves ?? (training.length < FEW_ROWS ? 8 : 31),
    leafRows: Math.max(1, Math.min(20, Math.floor(training.length / 30))),
    learningRate: options.learningRate,
  }
  const drawn = drawnColumns(bins)
  let best = { loss: heldOut ? loss.mean(scores, heldOut) : Infinity, rounds: 0 }
  let round = 0
  while (round < rounds && (!heldOut || round - best.rounds < patience)) {
    const draws = drawsOf(seed, round)
    loss.derivatives(scores, first, second)
    const rows = training.length > ALWAYS_ROWS ? half(training, draws) : training
    for (let k = 0; k < outputs; k++) {
      const columns = sampleOf(draws, bins.columns, drawn).sort()
      const part = (all: Float32Array) => all.subarray(k * bins.rows, (k + 1) * bins.rows)
      await growBoostedTree(bins, rows.slice(), columns, part(first), part(second), builder, limits, pace)
      if (pace.due()) await pace.rest((round + k / outputs) / rounds)
    }
    for (let k = 0; k < outputs; k++) builder.addTo(scores, round * outputs + k, outputs, k)
    round++
    if (heldOut) {
      const now = loss.mean(scores, heldOut)
      if (now < best.loss) best = { loss: now, rounds: round }
    }
  }
  const kept = heldOut ? best.rounds : round
  return { trees: builder.trees(kept * outputs), rounds: kept }
}

/** How many columns a tree sees. */
function drawnColumns({ columns }: Bins): number {
  return Math.min(columns, Math.max(ALWAYS_COLUMNS, Math.round(2 * Math.sqrt(columns))))
}

/** About half of the rows, in their order. */
function half(rows: Int32Array, draws: Random): Int32Array {
  return rows.filter(() => draws.below(2) === 0)
}

/** Probabilities [rows, classes], or values [rows]. */
export async function predictBoosting(model: BoostingModel, x: Rows, pace: Pace): Promise<Float64Array> {
  const { trees, start, link } = model
  const table = asTable(x, model.chosen)
  const scores = start.length
  const outputs = link === 'logistic' ? 2 : scores
  const out = new Float64Array(x.rows * outputs)
  const row = new Float64Array(scores)
  for (let i = 0; i < x.rows; i++) {
    row.set(start)
    for (let tree = 0; tree < trees.roots.length; tree++) {
      const k = tree % scores
      row[k] = (row[k] as number) + (trees.leaves[leafOf(trees, tree, table, i)] as number)
    }
    if (link === 'logistic') {
      const logit = row[0] as number
      out[2 * i] = 1 / (1 + Math.exp(logit))
      out[2 * i + 1] = 1 / (1 + Math.exp(-logit))
    } else {
      if (link === 'softmax') softmax(row)
      out.set(row, i * outputs)
    }
    if (i % 16 === 0 && pace.due()) await pace.rest(i / x.rows)
  }
  return out
}
