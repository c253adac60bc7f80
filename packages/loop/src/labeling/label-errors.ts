/**
 * Confident learning: which labels are likely wrong, from what a model says of examples that it was not trained on.
 * Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels", 2021.
 *
 * A class's threshold is how sure the model is, on average, of examples labelled so; an example counts for the likeliest
 * class above its threshold. That makes a table of given and likely true classes, from which follow how many labels are
 * wrong and in which way; the examples that the model finds least like their labels are then the suspects.
 */

export interface LabelErrorInput {
  /** [N, K], each row from a model that was not trained on that example: by cross-validation, say. */
  readonly probabilities: Float32Array
  /** [N]: the class that each has been given. */
  readonly labels: Int32Array
  readonly classes: number
}

/**
 * What suspects are ranked by, least first. `normalisedMargin`: p of the given class less the largest other p;
 * `selfConfidence`: p of the given class.
 */
export type LabelQuality = 'normalisedMargin' | 'selfConfidence'

/** An example whose label is likely wrong. */
export interface Suspect {
  readonly index: number
  readonly given: number
  readonly suggested: number
  /** The measure that it is ranked by, from −1 or 0 (surely wrong) to 1. */
  readonly quality: number
}

export interface LabelErrors {
  /** Those likely wrong, worst first: as many as the joint says there are. */
  readonly suspects: readonly Suspect[]
  /** Every example, worst first: for who wants to look at more, or at fewer. */
  readonly ranking: Int32Array
  /** [N]: the measure of each. */
  readonly quality: Float64Array
  /** `joint[given][true]`: the share of examples; adds up to 1. */
  readonly joint: readonly (readonly number[])[]
  /** The share of labels that is likely wrong: all of the joint off the diagonal. */
  readonly errorRate: number
}

/**
 * Finds labels that are likely wrong. For each pair of given and other class, as many suspects as the joint estimates, those
 * with the largest p(other) − p(given) ("prune by noise rate"), none that the model itself would label so. Throws
 * RangeError for sizes that do not fit, labels outside of 0 … K − 1, and rows that are no probabilities.
 *
 * @example
 * ```ts
 * import { findLabelErrors } from '@descent/loop'
 * const probabilities = Float32Array.of(0.9, 0.1, 0.8, 0.2, 0.1, 0.9, 0.2, 0.8, 0.1, 0.9)
 * const { suspects } = findLabelErrors({ probabilities, labels: Int32Array.of(0, 0, 1, 1, 0), classes: 2 })
 * console.log(suspects.map(({ index, given, suggested }) => [index, given, suggested])) // → [ [ 4, 0, 1 ] ]
 * ```
 */
export function findLabelErrors(
  input: LabelErrorInput,
  { rankBy = 'normalisedMargin' }: { readonly rankBy?: LabelQuality } = {},
): LabelErrors {
  check(input)
  const { labels } = input
  const quality = qualityOf(input, rankBy)
  const joint = estimateJoint(input)
  const ranking = Int32Array.from(labels.keys()).sort((a, b) => (quality[a] as number) - (quality[b] as number))
  const suspected = prune(input, joint)
  const suspects: Suspect[] = []
  for (const index of ranking) {
    const suggested = suspected.get(index)
    if (suggested !== undefined)
      suspects.push({ index, given: labels[index] as number, suggested, quality: quality[index] as number })
  }
  const right = joint.reduce((sum, row, k) => sum + (row[k] as number), 0)
  return { suspects, ranking, quality, joint, errorRate: labels.length === 0 ? 0 : Math.max(0, 1 - right) }
}

function check({ probabilities, labels, classes }: LabelErrorInput): void {
  if (!(Number.isInteger(classes) && classes > 1))
    throw new RangeError(`Label errors need two classes or more, not ${classes}.`)
  if (probabilities.length !== labels.length * classes)
    throw new RangeError(`${probabilities.length} probabilities are not ${labels.length} labels × ${classes} classes.`)
  for (const [i, label] of labels.entries()) {
    if (!(label >= 0 && label < classes))
      throw new RangeError(`The label of example ${i} is ${label}; classes are 0 to ${classes - 1}.`)
    const row = probabilities.subarray(i * classes, (i + 1) * classes)
    if (!(Math.abs(row.reduce((a, b) => a + b) - 1) < 1e-2) || row.some((p) => p < 0))
      throw new RangeError(`The probabilities of example ${i} are none: ${row}.`)
  }
}

function qualityOf({ probabilities, labels, classes }: LabelErrorInput, rankBy: LabelQuality): Float64Array {
  return Float64Array.from(labels, (label, i) => {
    const own = probabilities[i * classes + label] as number
    switch (rankBy) {
      case 'selfConfidence':
        return own
      case 'normalisedMargin': {
        let other = 0
        for (let k = 0; k < classes; k++)
          if (k !== label) other = Math.max(other, probabilities[i * classes + k] as number)
        return own - other
      }
      default:
        throw new RangeError(`There is no measure '${rankBy satisfies never}'.`)
    }
  })
}

/** The mean of p(k) over the examples labelled k; Infinity for a class that no example has. */
function thresholds({ probabilities, labels, classes }: LabelErrorInput): Float64Array {
  const sums = new Float64Array(classes)
  const counts = countsOf(labels, classes)
  for (const [i, k] of labels.entries()) sums[k] = (sums[k] as number) + (probabilities[i * classes + k] as number)
  return sums.map((sum, k) => (counts[k] === 0 ? Infinity : sum / (counts[k] as number)))
}

function countsOf(labels: Int32Array, classes: number): Float64Array {
  const counts = new Float64Array(classes)
  for (const k of labels) counts[k] = (counts[k] as number) + 1
  return counts
}

/**
 * The confident joint, calibrated: its rows are scaled to how many examples have each label, so that those which were sure
 * of nothing count as well (Northcutt et al., equation 3).
 */
function estimateJoint(input: LabelErrorInput): number[][] {
  const { probabilities, labels, classes } = input
  const least = thresholds(input)
  const joint = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (const [i, label] of labels.entries()) {
    let likely = -1
    let most = 0
    for (let k = 0; k < classes; k++) {
      const p = probabilities[i * classes + k] as number
      // Float32 sums: the mean of equal values may lie above them by a rounding.
      if (p >= (least[k] as number) - 1e-6 && p > most) [likely, most] = [k, p]
    }
    const row = joint[label] as number[]
    if (likely >= 0) row[likely] = (row[likely] as number) + 1
  }
  const counts = countsOf(labels, classes)
  return joint.map((row, given) => {
    const sum = row.reduce((a, b) => a + b)
    const share = (counts[given] as number) / labels.length
    if (sum === 0) return row.map((_, k) => (k === given ? share || 0 : 0))
    return row.map((n) => (n / sum) * share)
  })
}

/** The suspects, with the class that each likely has. */
function prune({ probabilities, labels, classes }: LabelErrorInput, joint: readonly (readonly number[])[]) {
  const suspected = new Map<number, number>()
  const advantage = new Map<number, number>()
  const groups = Map.groupBy(labels.keys(), (i) => labels[i] as number)
  for (const [given, members] of groups) {
    for (let other = 0; other < classes; other++) {
      const expected = Math.round((joint[given]?.[other] ?? 0) * labels.length)
      if (other === given || expected === 0) continue
      const gain = (i: number) =>
        (probabilities[i * classes + other] as number) - (probabilities[i * classes + given] as number)
      const worst = members.filter((i) => gain(i) > 0).sort((a, b) => gain(b) - gain(a))
      for (const i of worst.slice(0, expected)) {
        // Of two classes that claim an example, the likelier is suggested.
        if (gain(i) <= (advantage.get(i) ?? 0)) continue
        advantage.set(i, gain(i))
        suspected.set(i, other)
      }
    }
  }
  return suspected
}
