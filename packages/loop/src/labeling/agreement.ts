/**
 * How far labelers agree beyond chance: 1 for always, 0 for as often as by chance, below for less. NaN where there is
 * nothing to tell by: nobody shares an example, or all always say the same one thing.
 */
import { byExample, classOf, type Votes } from './votes.ts'

/**
 * Cohen's kappa of two labelers, (p_o − p_e) / (1 − p_e), over the examples where both gave a class. `weights` count a
 * disagreement of classes i and j for 1, |i − j|, or (i − j)²: the latter two for ordered classes. Throws RangeError for
 * lists of unequal length. Sources: Cohen, 1960; Cohen, "Weighted kappa", 1968.
 *
 * @example
 * ```ts
 * import { cohenKappa } from '@descent/loop'
 * console.log(cohenKappa([0, 0, 1, 1, null], [0, 0, 1, 0, 1])) // → 0.5
 * ```
 */
export function cohenKappa(
  a: readonly (number | null)[],
  b: readonly (number | null)[],
  { weights = 'none' }: { readonly weights?: 'none' | 'linear' | 'quadratic' } = {},
): number {
  if (a.length !== b.length) throw new RangeError(`cohenKappa: ${a.length} labels and ${b.length} do not pair.`)
  const pairs = a.flatMap((x, i) => (x === null || (b[i] ?? null) === null ? [] : [[x, b[i] as number] as const]))
  const cost = (x: number, y: number): number => {
    switch (weights) {
      case 'none':
        return Number(x !== y)
      case 'linear':
        return Math.abs(x - y)
      case 'quadratic':
        return (x - y) ** 2
      default:
        throw new RangeError(`cohenKappa: no weights '${weights satisfies never}'.`)
    }
  }
  const counts = (values: readonly number[]) => Map.groupBy(values, (value) => value)
  const [ofA, ofB] = [counts(pairs.map(([x]) => x)), counts(pairs.map(([, y]) => y))]
  const observed = pairs.reduce((sum, [x, y]) => sum + cost(x, y), 0)
  let expected = 0
  for (const [x, xs] of ofA) for (const [y, ys] of ofB) expected += cost(x, y) * xs.length * ys.length
  return 1 - (observed * pairs.length) / expected
}

/**
 * Fleiss' kappa for classes: (P̄ − P̄_e) / (1 − P̄_e), where P̄ is the mean over examples of the share of pairs of labelers
 * that agree. Each example may have been labelled by others, and by another number of them; those with fewer than two
 * labels are left out. Throws RangeError for votes that are no classes. Source: Fleiss, "Measuring nominal scale agreement
 * among many raters", 1971.
 */
export function fleissKappa(votes: Votes, classes: number): number {
  const { start, rows } = byExample(votes)
  const totals = new Float64Array(classes)
  let [agreement, examples, labels] = [0, 0, 0]
  for (let i = 0; i < votes.examples; i++) {
    const own = rows.subarray(start[i], start[i + 1])
    const counts = new Float64Array(classes)
    for (const row of own) {
      const c = classOf(votes, row, classes)
      counts[c] = (counts[c] as number) + 1
    }
    if (own.length < 2) continue
    agreement += counts.reduce((sum, n) => sum + n * (n - 1), 0) / (own.length * (own.length - 1))
    examples++
    labels += own.length
    for (let c = 0; c < classes; c++) totals[c] = (totals[c] as number) + (counts[c] as number)
  }
  const chance = totals.reduce((sum, n) => sum + (n / labels) ** 2, 0)
  return (agreement / examples - chance) / (1 - chance)
}

/** What values are: names, ranks, or numbers whose differences count. */
export type Level = 'nominal' | 'ordinal' | 'interval'

/**
 * Krippendorff's alpha, 1 − D_o / D_e: the disagreement within examples over that between any two labels. For any number
 * of labelers, missing votes, and the three levels of measurement. Examples with fewer than two labels are left out.
 *
 * Ordinal differences are those of the values' mid-ranks: Σ_{g=c}^{k} n_g − (n_c + n_k) / 2 is exactly that. Time and
 * memory are linear in the votes (and n log n for ranks). Source: Krippendorff, "Computing Krippendorff's
 * alpha-reliability", 2011.
 *
 * @example
 * ```ts
 * import { krippendorffAlpha, votesFromTable } from '@descent/loop'
 * const votes = votesFromTable([[1, 1], [2, 2], [3, 4], [3, null]])
 * console.log(krippendorffAlpha(votes, 'interval').toFixed(3)) // → 0.878
 * ```
 */
export function krippendorffAlpha(votes: Votes, level: Level): number {
  const { start, rows } = byExample(votes)
  const units: Float64Array[] = []
  for (let i = 0; i < votes.examples; i++) {
    const values = Float64Array.from(rows.subarray(start[i], start[i + 1]), (row) => votes.value[row] as number)
    if (values.length >= 2) units.push(values)
  }
  const all = Float64Array.from(units.flatMap((values) => [...values]))
  const disagreement = level === 'nominal' ? unequalPairs : squaredDifferences
  const known = level === 'ordinal' ? midRanks(all) : null
  const measured = (values: Float64Array) => (known ? values.map((value) => known.get(value) as number) : values)
  const observed = units.reduce((sum, values) => sum + disagreement(measured(values)) / (values.length - 1), 0)
  const expected = disagreement(measured(all)) / (all.length - 1)
  return 1 - observed / expected
}

/** Ordered pairs of different values. */
function unequalPairs(values: Float64Array): number {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  let same = 0
  for (const n of counts.values()) same += n * n
  return values.length ** 2 - same
}

/** Σ_{i, j} (v_i − v_j)² over ordered pairs: 2 n Σ (v − v̄)². */
function squaredDifferences(values: Float64Array): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  return 2 * values.length * values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
}

/** The mean rank of each value among all. */
function midRanks(values: Float64Array): Map<number, number> {
  const sorted = values.toSorted()
  const ranks = new Map<number, number>()
  for (let from = 0; from < sorted.length; ) {
    let to = from
    while (sorted[to] === sorted[from]) to++
    ranks.set(sorted[from] as number, (from + to) / 2)
    from = to
  }
  return ranks
}

/** Two labelers on the examples that both labelled. */
export interface PairAgreement {
  readonly shared: number
  /** The share on which they agree; NaN where they share none. */
  readonly agreed: number
  /** Cohen's kappa. */
  readonly kappa: number
}

/**
 * Who disagrees with whom: for each two labelers, symmetric, what they share. Only equal values agree. Memory is
 * labelers² × classes. Throws RangeError for votes that are no classes.
 */
export function pairAgreement(votes: Votes, classes: number): PairAgreement[][] {
  const { start, rows } = byExample(votes)
  const { labelers } = votes
  const both = new Float64Array(labelers * labelers)
  const equal = new Float64Array(labelers * labelers)
  /** How often a said c on what it shares with b: [a, b, c]. */
  const said = new Float64Array(labelers * labelers * classes)
  for (let i = 0; i < votes.examples; i++) {
    const own = rows.subarray(start[i], start[i + 1])
    for (const row of own) {
      const c = classOf(votes, row, classes)
      for (const other of own) {
        const pair = (votes.labeler[row] as number) * labelers + (votes.labeler[other] as number)
        both[pair] = (both[pair] as number) + 1
        equal[pair] = (equal[pair] as number) + Number(votes.value[other] === c)
        said[pair * classes + c] = (said[pair * classes + c] as number) + 1
      }
    }
  }
  return Array.from({ length: labelers }, (_, a) =>
    Array.from({ length: labelers }, (_, b) => {
      const shared = both[a * labelers + b] as number
      const agreed = (equal[a * labelers + b] as number) / shared
      let chance = 0
      for (let c = 0; c < classes; c++) {
        const [x, y] = [said[(a * labelers + b) * classes + c], said[(b * labelers + a) * classes + c]]
        chance += ((x as number) / shared) * ((y as number) / shared)
      }
      return { shared, agreed, kappa: (agreed - chance) / (1 - chance) }
    }),
  )
}
