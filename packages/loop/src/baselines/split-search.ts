/**
 * The split of a node's rows that lowers the impurity most: Gini's for classes, the variance for numbers. Both are told
 * by the same score, which is to be largest: the sum over both sides of Σ(class counts)² / rows, or of (Σ values)² / rows.
 * Rows are put in order of their bins (by counting, or by insertion where they are few) and moved to the left side one
 * after another, at a constant cost each, however many classes there are.
 */
import { type Bins, MISSING } from './bins.ts'
import type { Targets } from './rows.ts'
import type { Split } from './trees.ts'

/** Up to so many rows are sorted by insertion. */
const FEW = 32

/** What stands for the number of missing rows where all rows are in one bin. */
const ALIKE = -1

export class ImpuritySearch {
  readonly #bins: Bins
  readonly #labels: Int32Array | null
  readonly #values: Float64Array | null
  readonly #rows: Int32Array
  readonly #leafRows: number
  readonly #ordered: Int32Array
  readonly #starts = new Int32Array(257)
  readonly #total: Float64Array
  readonly #left: Float64Array
  readonly #right: Float64Array
  #from = 0
  #to = 0
  #score = 0

  /** `rows` are those of the tree, of which each node has a stretch. */
  constructor(bins: Bins, y: Targets, rows: Int32Array, leafRows: number) {
    this.#bins = bins
    this.#labels = y.kind === 'classes' ? y.labels : null
    this.#values = y.kind === 'numbers' ? y.values : null
    const outputs = y.kind === 'classes' ? y.classes : 1
    this.#rows = rows
    this.#leafRows = leafRows
    this.#ordered = new Int32Array(rows.length)
    this.#total = new Float64Array(outputs)
    this.#left = new Float64Array(outputs)
    this.#right = new Float64Array(outputs)
  }

  /** Turns to the rows from `from` up to `to`. Returns whether they are all alike. */
  enter(from: number, to: number): boolean {
    this.#from = from
    this.#to = to
    const total = this.#total.fill(0)
    const count = to - from
    if (this.#labels) {
      for (let i = from; i < to; i++) {
        const label = this.#labels[this.#rows[i] as number] as number
        total[label] = (total[label] as number) + 1
      }
      let squares = 0
      for (let k = 0; k < total.length; k++) squares += (total[k] as number) ** 2
      this.#score = squares / count
      return squares === count * count
    }
    const values = this.#values as Float64Array
    const first = values[this.#rows[from] as number] as number
    let alike = true
    let sum = 0
    for (let i = from; i < to; i++) {
      const value = values[this.#rows[i] as number] as number
      sum += value
      if (value !== first) alike = false
    }
    total[0] = sum
    this.#score = (sum * sum) / count
    return alike
  }

  /** What a leaf of these rows says: the shares of the classes, or the mean. */
  outputs(): Float64Array {
    return this.#total.map((sum) => sum / (this.#to - this.#from))
  }

  /** The best split on a column, or null where none leaves enough rows on both sides and lowers the impurity. */
  on(column: number): Split | null {
    const missing = this.#order(column)
    if (missing === ALIKE) return null
    let best = this.#scan(column, missing, false)
    if (missing > 0) {
      const other = this.#scan(column, missing, true)
      if (other && (!best || other.gain > best.gain)) best = other
    }
    return best
  }

  /** Puts the node's rows in order of their bins, the missing ones first. Returns how many are missing, or ALIKE. */
  #order(column: number): number {
    const codes = this.#bins.codes
    const base = column * this.#bins.rows
    const rows = this.#rows
    const ordered = this.#ordered
    const from = this.#from
    const count = this.#to - from
    if (count <= FEW) {
      let missing = 0
      let alike = true
      const first = codes[base + (rows[from] as number)] as number
      for (let i = 0; i < count; i++) {
        const row = rows[from + i] as number
        const code = codes[base + row] as number
        if (code === MISSING) missing++
        if (code !== first) alike = false
        let at = i
        while (at > 0 && (codes[base + (ordered[at - 1] as number)] as number) > code) {
          ordered[at] = ordered[at - 1] as number
          at--
        }
        ordered[at] = row
      }
      return alike ? ALIKE : missing
    }
    const starts = this.#starts.fill(0)
    for (let i = 0; i < count; i++) {
      const code = codes[base + (rows[from + i] as number)] as number
      starts[code + 1] = (starts[code + 1] as number) + 1
    }
    const missing = starts[MISSING + 1] as number
    // In one bin there is nothing to split, and no need for an order.
    if (missing === 0 && starts[(codes[base + (rows[from] as number)] as number) + 1] === count) return ALIKE
    for (let code = 1; code <= 256; code++) starts[code] = (starts[code] as number) + (starts[code - 1] as number)
    for (let i = 0; i < count; i++) {
      const row = rows[from + i] as number
      const code = codes[base + row] as number
      const at = starts[code] as number
      ordered[at] = row
      starts[code] = at + 1
    }
    return missing
  }

  #scan(column: number, missing: number, missingLeft: boolean): Split | null {
    return this.#labels
      ? this.#scanClasses(this.#labels, column, missing, missingLeft)
      : this.#scanNumbers(this.#values as Float64Array, column, missing, missingLeft)
  }

  #scanClasses(labels: Int32Array, column: number, missing: number, missingLeft: boolean) {
    const codes = this.#bins.codes
    const base = column * this.#bins.rows
    const ordered = this.#ordered
    const left = this.#left.fill(0)
    const right = this.#right
    right.set(this.#total)
    const count = this.#to - this.#from
    const leafRows = this.#leafRows
    let leftCount = 0
    if (missingLeft) {
      for (let i = 0; i < missing; i++) {
        const label = labels[ordered[i] as number] as number
        left[label] = (left[label] as number) + 1
        right[label] = (right[label] as number) - 1
      }
      leftCount = missing
    }
    let leftSquares = 0
    let rightSquares = 0
    for (let k = 0; k < left.length; k++) {
      leftSquares += (left[k] as number) ** 2
      rightSquares += (right[k] as number) ** 2
    }
    let most = this.#score
    let bin = -1
    for (let i = missing; i < count; ) {
      const code = codes[base + (ordered[i] as number)] as number
      for (; i < count && codes[base + (ordered[i] as number)] === code; i++) {
        const label = labels[ordered[i] as number] as number
        const l = left[label] as number
        const r = right[label] as number
        leftSquares += 2 * l + 1
        rightSquares -= 2 * r - 1
        left[label] = l + 1
        right[label] = r - 1
        leftCount++
      }
      const rightCount = count - leftCount
      if (rightCount < leafRows || rightCount === 0) break
      if (leftCount < leafRows) continue
      const score = leftSquares / leftCount + rightSquares / rightCount
      if (score > most) {
        most = score
        bin = code
      }
    }
    return this.#split(column, bin, most, missing, missingLeft)
  }

  #scanNumbers(values: Float64Array, column: number, missing: number, missingLeft: boolean) {
    const codes = this.#bins.codes
    const base = column * this.#bins.rows
    const ordered = this.#ordered
    const count = this.#to - this.#from
    const leafRows = this.#leafRows
    const total = this.#total[0] as number
    let leftCount = 0
    let left = 0
    if (missingLeft) {
      for (let i = 0; i < missing; i++) left += values[ordered[i] as number] as number
      leftCount = missing
    }
    let most = this.#score
    let bin = -1
    for (let i = missing; i < count; ) {
      const code = codes[base + (ordered[i] as number)] as number
      for (; i < count && codes[base + (ordered[i] as number)] === code; i++) {
        left += values[ordered[i] as number] as number
        leftCount++
      }
      const rightCount = count - leftCount
      if (rightCount < leafRows || rightCount === 0) break
      if (leftCount < leafRows) continue
      const score = left ** 2 / leftCount + (total - left) ** 2 / rightCount
      if (score > most) {
        most = score
        bin = code
      }
    }
    return this.#split(column, bin, most, missing, missingLeft)
  }

  /** Where nothing was missing in training, a missing value later goes the way of most rows. */
  #split(column: number, bin: number, score: number, missing: number, missingLeft: boolean): Split | null {
    const gain = score - this.#score
    if (bin < 0 || gain <= 1e-12 * Math.abs(this.#score)) return null
    if (missing > 0) return { feature: column, bin, missingLeft, gain }
    const codes = this.#bins.codes
    const base = column * this.#bins.rows
    const count = this.#to - this.#from
    // The row in the middle of the order is on the larger side.
    const middle = codes[base + (this.#ordered[count >> 1] as number)] as number
    return { feature: column, bin, missingLeft: middle <= bin, gain }
  }
}
