/**
 * Rows that are the same when their numbers are rounded: to a hundredth of the column's spread, on two grids of which one is
 * shifted by half a step, so that neighbours on two sides of a border meet on the other grid.
 */

/** One column's values: numbers with NaN where there is none, or the codes of texts. */
export interface NearColumn {
  readonly values: Float64Array
  /** The spread to round by; 0 where only equal values are near. */
  readonly spread: number
}

const steps = 100
/** Fewer coincidences than this share of what is found are to be expected by chance. */
const mostByChance = 0.25

/**
 * For each row the first row that it is nearly, or −1. Where as many rows are to be expected near one another by chance
 * (few columns of few values), nothing is said.
 */
export function nearRows(columns: readonly NearColumn[], rows: number): Int32Array {
  const like = new Int32Array(rows).fill(-1)
  if (columns.length === 0) return like
  let found = 0
  for (const shift of [0, 0.5]) {
    const first = new Map<number, number>()
    for (let r = 0; r < rows; r++) {
      let [high, low] = [0x9dc5, 0x811c]
      for (const { values, spread } of columns) {
        const bin = binOf(values[r] as number, spread, shift)
        high = mix(high ^ (bin | 0))
        low = mix((low + Math.imul(bin | 0, 0x9e3779b1)) ^ Math.floor(bin / 2 ** 32))
      }
      const key = (high >>> 0) * 2 ** 21 + (low >>> 11)
      const before = first.get(key)
      if (before === undefined) first.set(key, r)
      else if (like[r] === -1) {
        like[r] = before
        found++
      }
    }
  }
  if (found > 0 && expectedByChance(columns, rows) > mostByChance * found) like.fill(-1)
  return like
}

function binOf(value: number, spread: number, shift: number): number {
  if (Number.isNaN(value)) return -7_777_777
  return spread === 0 ? value : Math.floor((value / spread) * steps + shift)
}

/** The number of pairs that would fall together if the columns had nothing to do with one another. */
function expectedByChance(columns: readonly NearColumn[], rows: number): number {
  let together = 1
  for (const { values, spread } of columns) {
    const counts = new Map<number, number>()
    for (const value of values) {
      const bin = binOf(value, spread, 0)
      counts.set(bin, (counts.get(bin) ?? 0) + 1)
    }
    // The share of pairs of different rows that fall together in this column.
    let pairs = 0
    for (const count of counts.values()) pairs += count * (count - 1)
    together *= pairs / (rows * (rows - 1))
  }
  return ((rows * (rows - 1)) / 2) * together
}

/** Mixes the bits of a 32-bit number (the finaliser of MurmurHash3). */
export function mix(h: number): number {
  let x = h | 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return x ^ (x >>> 16)
}
