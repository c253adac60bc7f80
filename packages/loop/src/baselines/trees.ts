/**
 * Binary decision trees as flat arrays, many together: a row goes left where its value is at most the threshold, and
 * where it is missing, the way that was better in training.
 */
import type { Bins } from './bins.ts'
import { MISSING } from './bins.ts'
import type { Table } from './rows.ts'

export interface Trees {
  /** The node where each tree begins. */
  readonly roots: Int32Array
  /** The column that a node looks at, or −1 in a leaf. */
  readonly feature: Int32Array
  readonly threshold: Float64Array
  /** The left child, with the right one after it; in a leaf, which row of `leaves` it gives. */
  readonly next: Int32Array
  readonly missingLeft: Uint8Array
  /** How much the split lowered the training objective; 0 in a leaf. */
  readonly gain: Float32Array
  /** [leaves, outputs] */
  readonly leaves: Float32Array
  readonly outputs: number
}

/** A split of the rows of a node. */
export interface Split {
  readonly feature: number
  /** Rows in bins up to this one go left. */
  readonly bin: number
  readonly missingLeft: boolean
  readonly gain: number
}

/** Trees while they grow. */
export class TreeBuilder {
  readonly outputs: number
  readonly #bins: Bins
  readonly #roots: number[] = []
  readonly #feature: number[] = []
  readonly #threshold: number[] = []
  readonly #bin: number[] = []
  readonly #next: number[] = []
  readonly #missingLeft: number[] = []
  readonly #gain: number[] = []
  readonly #leaves: number[] = []

  constructor(bins: Bins, outputs: number) {
    this.#bins = bins
    this.outputs = outputs
  }

  get count(): number {
    return this.#roots.length
  }

  /** Begins a tree. Its root is a leaf of no value until `split` or `leaf` says what it is. */
  root(): number {
    const node = this.#node()
    this.#roots.push(node)
    return node
  }

  /** Makes a node a fork. Returns its left child; the right one follows it. */
  split(node: number, { feature, bin, missingLeft, gain }: Split): number {
    const cuts = this.#bins.cuts[feature] as Float64Array
    this.#feature[node] = feature
    this.#bin[node] = bin
    this.#threshold[node] = cuts[bin - 1] ?? Infinity
    this.#missingLeft[node] = missingLeft ? 1 : 0
    this.#gain[node] = gain
    const left = this.#node()
    this.#node()
    this.#next[node] = left
    return left
  }

  /** Makes a node a leaf with these outputs. */
  leaf(node: number, values: ArrayLike<number>): void {
    this.#next[node] = this.#leaves.length / this.outputs
    for (let k = 0; k < this.outputs; k++) this.#leaves.push(values[k] as number)
  }

  /** Adds the first output of a tree to `scores[row * stride + offset]`, for all rows of the bins. */
  addTo(scores: Float64Array, tree: number, stride: number, offset: number): void {
    const { rows, codes } = this.#bins
    for (let row = 0; row < rows; row++) {
      let node = this.#roots[tree] as number
      let feature = this.#feature[node] as number
      while (feature >= 0) {
        const code = codes[feature * rows + row] as number
        const left = code === MISSING ? this.#missingLeft[node] === 1 : code <= (this.#bin[node] as number)
        node = (this.#next[node] as number) + (left ? 0 : 1)
        feature = this.#feature[node] as number
      }
      const at = row * stride + offset
      scores[at] =
        (scores[at] as number) + Math.fround(this.#leaves[(this.#next[node] as number) * this.outputs] as number)
    }
  }

  /** The first `count` trees. */
  trees(count = this.#roots.length): Trees {
    const nodes = this.#roots[count] ?? this.#feature.length
    const feature = Int32Array.from(this.#feature.slice(0, nodes))
    const leaves = feature.reduce((sum, column) => sum + (column < 0 ? 1 : 0), 0)
    return {
      roots: Int32Array.from(this.#roots.slice(0, count)),
      feature,
      threshold: Float64Array.from(this.#threshold.slice(0, nodes)),
      next: Int32Array.from(this.#next.slice(0, nodes)),
      missingLeft: Uint8Array.from(this.#missingLeft.slice(0, nodes)),
      gain: Float32Array.from(this.#gain.slice(0, nodes)),
      leaves: Float32Array.from(this.#leaves.slice(0, leaves * this.outputs)),
      outputs: this.outputs,
    }
  }

  #node(): number {
    this.#feature.push(-1)
    this.#threshold.push(0)
    this.#bin.push(0)
    this.#next.push(-1)
    this.#missingLeft.push(0)
    this.#gain.push(0)
    return this.#feature.length - 1
  }
}

/** The leaf of a tree to which a row of a table comes. */
export function leafOf(trees: Trees, tree: number, { columns, values }: Table, row: number): number {
  const { feature, threshold, next, missingLeft } = trees
  const from = row * columns
  let node = trees.roots[tree] as number
  let column = feature[node] as number
  while (column >= 0) {
    const value = values[from + column] as number
    const left = value <= (threshold[node] as number) || (Number.isNaN(value) && missingLeft[node] === 1)
    node = (next[node] as number) + (left ? 0 : 1)
    column = feature[node] as number
  }
  return next[node] as number
}

/** Moves the rows of a node, `rows[from]` … `rows[to − 1]`, that go left to the front. Returns where the others begin. */
export function partition(rows: Int32Array, from: number, to: number, bins: Bins, split: Split): number {
  const base = split.feature * bins.rows
  let low = from
  let high = to - 1
  while (low <= high) {
    const row = rows[low] as number
    const code = bins.codes[base + row] as number
    if (code === MISSING ? split.missingLeft : code <= split.bin) low++
    else {
      rows[low] = rows[high] as number
      rows[high] = row
      high--
    }
  }
  return low
}

/** The gains of all splits on each column, added up. */
export function gainOf({ feature, gain }: Trees, columns: number): Float64Array {
  const sums = new Float64Array(columns)
  for (let node = 0; node < feature.length; node++) {
    const column = feature[node] as number
    if (column >= 0) sums[column] = (sums[column] as number) + (gain[node] as number)
  }
  return sums
}
