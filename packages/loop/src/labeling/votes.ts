/**
 * What several labelers said of several examples, as three columns: who said what of which. Sparse, as most labelers see
 * few examples; a missing vote is a row that is not there. A labeler has at most one vote on an example: the present one.
 */

/** Votes; all three columns are of one length, a row a vote. */
export interface Votes {
  /** How many examples there are: numbers in `example` lie below. */
  readonly examples: number
  readonly labelers: number
  readonly example: Int32Array
  readonly labeler: Int32Array
  /** The value that was given: a class, a rank, a number. */
  readonly value: Float64Array
}

/**
 * Votes from a table, a row an example and a column a labeler; null is no vote. Throws RangeError for rows of unequal
 * lengths.
 */
export function votesFromTable(table: readonly (readonly (number | null)[])[]): Votes {
  const labelers = table[0]?.length ?? 0
  const rows: number[][] = []
  for (const [i, row] of table.entries()) {
    if (row.length !== labelers)
      throw new RangeError(`Example ${i} has ${row.length} labelers, the first ${labelers}; write null for no vote.`)
    for (const [l, value] of row.entries()) if (value !== null) rows.push([i, l, value])
  }
  return {
    examples: table.length,
    labelers,
    example: Int32Array.from(rows, ([i]) => i as number),
    labeler: Int32Array.from(rows, ([, l]) => l as number),
    value: Float64Array.from(rows, ([, , value]) => value as number),
  }
}

/** The rows of votes in the order of their examples: `rows.subarray(start[i], start[i + 1])` are those of example i. */
export interface ByExample {
  readonly start: Int32Array
  readonly rows: Int32Array
}

/**
 * Orders votes by example. Throws RangeError, naming the row, for numbers out of range, values that are not finite, and a
 * second vote of a labeler on an example.
 */
export function byExample({ examples, labelers, example, labeler, value }: Votes): ByExample {
  if (example.length !== labeler.length || example.length !== value.length)
    throw new RangeError(`Votes have ${example.length} examples, ${labeler.length} labelers, ${value.length} values.`)
  const start = new Int32Array(examples + 1)
  for (const [row, i] of example.entries()) {
    const l = labeler[row] as number
    if (!(i >= 0 && i < examples)) throw new RangeError(`Vote ${row} is on example ${i} of ${examples}.`)
    if (!(l >= 0 && l < labelers)) throw new RangeError(`Vote ${row} is by labeler ${l} of ${labelers}.`)
    if (!Number.isFinite(value[row])) throw new RangeError(`Vote ${row} has the value ${value[row]}.`)
    start[i + 1] = (start[i + 1] as number) + 1
  }
  for (let i = 0; i < examples; i++) start[i + 1] = (start[i + 1] as number) + (start[i] as number)
  const next = start.slice()
  const rows = new Int32Array(example.length)
  for (const [row, i] of example.entries()) {
    const at = next[i] as number
    rows[at] = row
    next[i] = at + 1
  }
  const seen = new Int32Array(labelers).fill(-1)
  for (let i = 0; i < examples; i++) {
    for (const row of rows.subarray(start[i], start[i + 1])) {
      const l = labeler[row] as number
      if (seen[l] === i) throw new RangeError(`Labeler ${l} has two votes on example ${i}; give the present one only.`)
      seen[l] = i
    }
  }
  return { start, rows }
}

/** The value of a vote as a class below `classes`. Throws RangeError where it is none. */
export function classOf({ value }: Votes, row: number, classes: number): number {
  const c = value[row] as number
  if (!(Number.isInteger(c) && c >= 0 && c < classes))
    throw new RangeError(`Vote ${row} is for class ${c}, but there are ${classes} classes (0 to ${classes - 1}).`)
  return c
}
