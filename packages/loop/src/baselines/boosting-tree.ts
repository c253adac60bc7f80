/**
 * A tree for one round of boosting: the leaf whose split lowers the loss most is split next. With g and h the sums of
 * first and second derivatives over a leaf's rows, its value is −g / (h + λ), and a split gains
 * g²/(h + λ) of both sides less that of the whole. Sums are kept for each bin of each column; those of the larger of two
 * children are those of the parent less those of the smaller one.
 */
import { type Bins, MISSING } from './bins.ts'
import type { Pace } from './pace.ts'
import { partition, type Split, type TreeBuilder } from './trees.ts'

export interface TreeLimits {
  readonly leaves: number
  /** The fewest rows in a leaf. */
  readonly leafRows: number
  /** What the leaves' values are multiplied by. */
  readonly learningRate: number
}

/** λ: keeps leaves of few rows small. */
const LAMBDA = 1
/** Leaves of rows of which the model is sure already gain nothing but noise. */
const LEAST_CURVATURE = 1e-3

/** Sums over a node's rows: for each of its columns and each bin the first and second derivatives, and the rows. */
type Sums = Float64Array
const BIN = 3

interface Leaf {
  readonly node: number
  readonly from: number
  readonly to: number
  readonly first: number
  readonly second: number
  readonly sums: Sums | null
  readonly split: Split | null
}

/** Grows a tree on `rows`, which are put in another order. `first` and `second` are derivatives by row. */
export async function growBoostedTree(
  bins: Bins,
  rows: Int32Array,
  columns: Int32Array,
  first: Float32Array,
  second: Float32Array,
  builder: TreeBuilder,
  limits: TreeLimits,
  pace: Pace,
): Promise<void> {
  const free: Sums[] = []
  const offsets = new Int32Array(columns.length + 1)
  columns.forEach((column, c) => {
    const cuts = bins.cuts[column] as Float64Array
    offsets[c + 1] = (offsets[c] as number) + (cuts.length + 2) * BIN
  })
  const size = offsets[columns.length] as number

  const sumUp = async (from: number, to: number): Promise<Sums> => {
    const sums = free.pop()?.fill(0) ?? new Float64Array(size)
    for (let c = 0; c < columns.length; c++) {
      addColumn(
        sums,
        offsets[c] as number,
        bins.codes,
        (columns[c] as number) * bins.rows,
        rows,
        from,
        to,
        first,
        second,
      )
      if (pace.due()) await pace.rest()
    }
    return sums
  }
  const measured = (node: number, from: number, to: number, sums: Sums | null): Leaf => {
    let [g, h] = [0, 0]
    for (let i = from; i < to; i++) {
      const row = rows[i] as number
      g += first[row] as number
      h += second[row] as number
    }
    const splittable = sums !== null && to - from >= 2 * limits.leafRows
    const split = splittable ? bestSplit(sums, columns, offsets, bins, g, h, to - from, limits.leafRows) : null
    if (sums && !split) free.push(sums)
    return { node, from, to, first: g, second: h, sums: split ? sums : null, split }
  }

  const leaves: Leaf[] = [measured(builder.root(), 0, rows.length, await sumUp(0, rows.length))]
  while (leaves.length < limits.leaves) {
    const at = bestLeaf(leaves)
    const leaf = leaves[at]
    if (!leaf?.split || !leaf.sums) break
    const left = builder.split(leaf.node, leaf.split)
    const middle = partition(rows, leaf.from, leaf.to, bins, leaf.split)
    // The last two leaves will not be split: they need no sums.
    const last = leaves.length + 1 >= limits.leaves
    let [leftSums, rightSums]: [Sums | null, Sums | null] = [null, null]
    if (last) free.push(leaf.sums)
    else if (middle - leaf.from <= leaf.to - middle) {
      leftSums = await sumUp(leaf.from, middle)
      rightSums = subtract(leaf.sums, leftSums)
    } else {
      rightSums = await sumUp(middle, leaf.to)
      leftSums = subtract(leaf.sums, rightSums)
    }
    leaves[at] = measured(left, leaf.from, middle, leftSums)
    leaves.push(measured(left + 1, middle, leaf.to, rightSums))
  }
  for (const leaf of leaves) {
    builder.leaf(leaf.node, [(-limits.learningRate * leaf.first) / (leaf.second + LAMBDA)])
  }
}

function addColumn(
  sums: Sums,
  offset: number,
  codes: Uint8Array,
  base: number,
  rows: Int32Array,
  from: number,
  to: number,
  first: Float32Array,
  second: Float32Array,
): void {
  for (let i = from; i < to; i++) {
    const row = rows[i] as number
    const at = offset + (codes[base + row] as number) * BIN
    sums[at] = (sums[at] as number) + (first[row] as number)
    sums[at + 1] = (sums[at + 1] as number) + (second[row] as number)
    sums[at + 2] = (sums[at + 2] as number) + 1
  }
}

/** The parent's sums become those of the other child. */
function subtract(parent: Sums, child: Sums): Sums {
  for (let i = 0; i < parent.length; i++) parent[i] = (parent[i] as number) - (child[i] as number)
  return parent
}

function bestLeaf(leaves: readonly Leaf[]): number {
  let best = 0
  for (let i = 1; i < leaves.length; i++) {
    if ((leaves[i]?.split?.gain ?? 0) > (leaves[best]?.split?.gain ?? 0)) best = i
  }
  return best
}

function bestSplit(
  sums: Sums,
  columns: Int32Array,
  offsets: Int32Array,
  bins: Bins,
  g: number,
  h: number,
  count: number,
  leafRows: number,
): Split | null {
  const whole = (g * g) / (h + LAMBDA)
  let best: Split | null = null
  for (let c = 0; c < columns.length; c++) {
    const offset = offsets[c] as number
    const feature = columns[c] as number
    const last = (bins.cuts[feature] as Float64Array).length + 1
    const missing = sums[offset + MISSING * BIN + 2] as number
    for (let side = 0; side < (missing > 0 ? 2 : 1); side++) {
      const missingAt = offset + MISSING * BIN
      let leftFirst = side === 1 ? (sums[missingAt] as number) : 0
      let leftSecond = side === 1 ? (sums[missingAt + 1] as number) : 0
      let leftCount = side === 1 ? missing : 0
      for (let bin = 1; bin <= last; bin++) {
        const at = offset + bin * BIN
        if (sums[at + 2] === 0) continue
        leftFirst += sums[at] as number
        leftSecond += sums[at + 1] as number
        leftCount += sums[at + 2] as number
        const rightCount = count - leftCount
        if (rightCount < leafRows) break
        if (leftCount < leafRows) continue
        const rightSecond = h - leftSecond
        if (leftSecond < LEAST_CURVATURE || rightSecond < LEAST_CURVATURE) continue
        const rightFirst = g - leftFirst
        const sides = leftFirst ** 2 / (leftSecond + LAMBDA) + rightFirst ** 2 / (rightSecond + LAMBDA)
        const gain = sides - whole
        if (gain > (best?.gain ?? 1e-9)) {
          // Where nothing was missing, a missing value later goes the way of most rows.
          const missingLeft = missing > 0 ? side === 1 : leftCount > rightCount
          best = { feature, bin, missingLeft, gain }
        }
      }
    }
  }
  return best
}
